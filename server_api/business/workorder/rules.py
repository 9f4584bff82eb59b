"""States of a work order, what is late, what a reading says. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation

#: (state, event) → state. What is not here cannot happen.
STATES: dict[tuple[str, str], str] = {
    ("waiting", "book"): "booked",
    ("booked", "book"): "booked",
    ("failed", "book"): "booked",
    ("waiting", "dispatch"): "waiting",
    ("booked", "dispatch"): "booked",
    ("failed", "dispatch"): "failed",
    ("waiting", "contact"): "waiting",
    ("booked", "contact"): "booked",
    ("failed", "contact"): "failed",
    ("waiting", "arrive"): "on_site",
    ("booked", "arrive"): "on_site",
    ("failed", "arrive"): "on_site",
    ("on_site", "arrive"): "on_site",
    ("on_site", "done"): "done",
    ("on_site", "failed"): "failed",
    ("on_site", "cannot_continue"): "cannot_continue",
    ("waiting", "cancel"): "cancelled",
    ("booked", "cancel"): "cancelled",
    ("failed", "cancel"): "cancelled",
    ("on_site", "cancel"): "cancelled",
    ("done", "follow_up"): "done",
    ("cannot_continue", "follow_up"): "cannot_continue",
}
#: Somebody still has to do something.
OPEN = ("waiting", "booked", "on_site", "failed")
_LARGEST = 10**12


def state_after(state: str, event: str) -> str | None:
    """The state an event leads to; None where it cannot happen."""
    return STATES.get((state, event))


def is_late(due_at: datetime, at: datetime) -> bool:
    """True when something is done after it was due."""
    return at > due_at


def milli(text: str) -> int:
    """A reading as people type it, in thousandths: ``-18.5`` is -18500. Raises ValueError."""
    try:
        exact = Decimal(text.strip().replace("−", "-")) * 1000
    except InvalidOperation:
        raise ValueError("a number") from None
    if not exact.is_finite() or exact != exact.to_integral_value() or abs(exact) > _LARGEST:
        raise ValueError("at most three decimals")
    return int(exact)


def shown(value_milli: int) -> str:
    """Thousandths as people read them: -18500 is ``-18.5``."""
    whole, rest = divmod(abs(value_milli), 1000)
    tail = f".{rest:03d}".rstrip("0") if rest else ""
    return f"{'-' if value_milli < 0 else ''}{whole}{tail}"


def within(value_milli: int, good_from: int | None, good_until: int | None) -> bool:
    """True when a reading lies where it should."""
    return (good_from is None or value_milli >= good_from) and (good_until is None or value_milli <= good_until)


def drawn() -> str:
    """The table of states as lines of text, for the README."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), after in STATES.items():
        if state != after:
            arrows.setdefault((state, after), []).append(event)
    return "\n".join(f"{state} --{', '.join(events)}--> {after}" for (state, after), events in arrows.items())
