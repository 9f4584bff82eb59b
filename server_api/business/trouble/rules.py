"""States of a fault or complaint, and when it is passed up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

#: (state, event) → state. What is not here cannot happen.
STATES: dict[tuple[str, str], str] = {
    ("acknowledged", "begin"): "in_progress",
    ("acknowledged", "send_out"): "in_progress",
    ("in_progress", "send_out"): "in_progress",
    ("pending", "send_out"): "in_progress",
    ("acknowledged", "find"): "acknowledged",
    ("in_progress", "find"): "in_progress",
    ("pending", "find"): "pending",
    ("acknowledged", "join_area"): "in_progress",
    ("in_progress", "join_area"): "in_progress",
    ("pending", "join_area"): "in_progress",
    ("in_progress", "wait"): "pending",
    ("pending", "begin"): "in_progress",
    ("acknowledged", "escalate"): "acknowledged",
    ("in_progress", "escalate"): "in_progress",
    ("pending", "escalate"): "pending",
    ("acknowledged", "resolve"): "resolved",
    ("in_progress", "resolve"): "resolved",
    ("pending", "resolve"): "resolved",
    ("resolved", "not_reached"): "resolved",
    ("resolved", "not_satisfied"): "in_progress",
    ("resolved", "satisfied"): "closed",
    ("acknowledged", "cancel"): "cancelled",
    ("in_progress", "cancel"): "cancelled",
    ("pending", "cancel"): "cancelled",
}
#: Somebody still has to do something about it.
OPEN = ("acknowledged", "in_progress", "pending")


def state_after(state: str, event: str) -> str | None:
    """The state an event leads to; None where it cannot happen."""
    return STATES.get((state, event))


def next_escalation(opened_at: datetime, escalated: int, after_hours: Sequence[int]) -> datetime | None:
    """When a ticket is passed up next; None once it has gone all the way."""
    if escalated >= len(after_hours):
        return None
    return opened_at + timedelta(hours=after_hours[escalated])


def first_cause(findings: dict[str, str]) -> str | None:
    """What the first look points at: arrears or a suspension explain most calls, then an area fault, then the line."""
    for looked_at in ("suspension", "arrears", "area_fault", "line"):
        if findings.get(looked_at) == "bad":
            return looked_at
    return None


def drawn() -> str:
    """The table of states as lines of text, for the README."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), after in STATES.items():
        if state != after:
            arrows.setdefault((state, after), []).append(event)
    return "\n".join(f"{state} --{', '.join(events)}--> {after}" for (state, after), events in arrows.items())
