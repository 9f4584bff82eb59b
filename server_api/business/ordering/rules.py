"""The states of orders and items as a table, and what follows from an item's plan. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

#: (state, event) → state, for orders (TM Forum 622) and their items (641) alike. What is not here cannot happen.
#: "partly" is an order's only.
STATES: dict[tuple[str, str], str] = {
    ("acknowledged", "begin"): "in_progress",
    ("acknowledged", "return"): "rejected",
    ("pending", "return"): "rejected",
    ("in_progress", "wait"): "pending",
    ("pending", "go_on"): "in_progress",
    ("in_progress", "hold"): "held",
    ("pending", "hold"): "held",
    ("held", "go_on"): "in_progress",
    ("held", "wait"): "pending",
    ("in_progress", "complete"): "completed",
    ("pending", "complete"): "completed",
    ("held", "complete"): "completed",
    ("in_progress", "partly"): "partial",
    ("pending", "partly"): "partial",
    ("held", "partly"): "partial",
    ("in_progress", "fail"): "failed",
    ("pending", "fail"): "failed",
    ("held", "fail"): "failed",
    ("acknowledged", "cancel"): "assessing_cancel",
    ("in_progress", "cancel"): "assessing_cancel",
    ("pending", "cancel"): "assessing_cancel",
    ("held", "cancel"): "assessing_cancel",
    ("assessing_cancel", "allow"): "pending_cancel",
    ("pending_cancel", "undone"): "cancelled",
}
#: Nothing more happens to these.
ENDS = frozenset({"completed", "partial", "failed", "cancelled", "rejected"})
OPEN = ("acknowledged", "pending", "held", "in_progress")

#: Steps for which somebody outside is waited: the item is pending, not at work.
WAITS = frozenset({"after", "accept", "pay", "day", "settle"})


def state_after(state: str, event: str) -> str | None:
    """The state an event leads to, None where it cannot happen."""
    return STATES.get((state, event))


def event_between(state: str, wanted: str) -> str | None:
    """The event that leads from one state to another at once; None where there is none or they are the same."""
    return next((event for (before, event), after in STATES.items() if before == state and after == wanted), None)


def item_state(plan: Sequence[Mapping[str, Any]], *, held: bool) -> str:
    """What the state of an open item is by its plan: completed, pending while it waits for its turn, or in progress."""
    running = next((step for step in plan if step["state"] in ("waiting", "running")), None)
    if running is None:
        return "completed"
    if held:
        return "held"
    return "pending" if running["step"] in WAITS and running["state"] == "running" else "in_progress"


def order_state(states: Sequence[str]) -> str:
    """What an order's state is by those of its items."""
    open_ones = [state for state in states if state not in ENDS]
    if open_ones:
        for state in ("held", "in_progress"):
            if state in open_ones:
                return state
        return "pending"
    done = sum(state == "completed" for state in states)
    if done == len(states):
        return "completed"
    return "partial" if done else "failed"


def first_of_next_month(on: date) -> date:
    """The first day of the month after a day's."""
    return date(on.year + on.month // 12, on.month % 12 + 1, 1)


def strictest(reasons: Sequence[str], levels: Mapping[str, int]) -> int:
    """How strictly the network is to be set with these reasons in force; 0 = not at all."""
    return max((levels.get(reason, 2) for reason in reasons), default=0)


def past_return(plan: Sequence[Mapping[str, Any]], no_return: str) -> bool:
    """True when a plan has finished the step from which there is no way back, or one behind it."""
    names = [step["step"] for step in plan]
    if no_return not in names:
        return False
    return any(step["state"] == "done" for step in plan[names.index(no_return) :])


def fill(template: str, words: Mapping[str, str]) -> str:
    """A word of a command with what the item is about in the place of $names; an unknown name gives nothing."""
    if not template.startswith("$"):
        return template
    return words.get(template[1:], "")


def drawing() -> str:
    """The table of states as the README shows it."""
    lines = ["| from | event | to |", "|---|---|---|"]
    lines += [f"| {before} | {event} | {after} |" for (before, event), after in STATES.items()]
    return "\n".join(lines)
