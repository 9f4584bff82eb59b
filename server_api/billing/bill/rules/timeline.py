"""A product's history as spans of days: from events to who-cost-what-when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple

from server_api.billing.bill.rules.inputs import EventInput
from shared_models.values.faults.bill import BillHistoryBroken

#: Later than any day that is billed.
FOREVER = date(9999, 12, 31)

START, CHANGE, SUSPEND, RESUME, STOP, OPEN = "start", "change", "suspend", "resume", "stop", "open"


class Span(NamedTuple):
    """Days ``from_on`` <= day < ``until_on`` on which one price was in effect, active or suspended.

    ``begins`` and ``ends`` say by what: start, change, suspend, resume, stop, open. ``event`` brought the offering;
    terms of several months are counted from its day. ``price_until_on`` is the day the offering was left.
    """

    from_on: date
    until_on: date
    begins: str
    ends: str
    active: bool
    event: EventInput
    price_until_on: date = FOREVER


def spans_of(product_id: str, events: Sequence[EventInput]) -> list[Span]:
    """The spans of a product, in order of days.

    Only the state at the end of a day counts: a suspension lifted the same day never was, of two changes on one day the
    later holds. Raises BillHistoryBroken where the first event is no activation or something follows the termination.
    """
    if len(events) == 1 and events[0].kind == "activated":
        return [Span(events[0].effective_on, FOREVER, START, OPEN, True, events[0])]
    ordered = sorted(events, key=lambda event: (event.effective_on, event.seq_no))
    _check(product_id, ordered)
    spans: list[Span] = []
    offering, active = ordered[0], True
    begun_on, begun_by = ordered[0].effective_on, START
    for on, day in groupby(ordered, key=lambda event: event.effective_on):
        new_offering, new_active, stopped = _state_after(list(day), offering, active)
        if _same_price(offering, new_offering):
            new_offering = offering  # told again: terms and commitments are still counted from the day it was taken
        edge = STOP if stopped else _edge(offering, active, new_offering, new_active)
        if edge and on > begun_on:
            spans.append(Span(begun_on, on, begun_by, edge, active, offering))
            begun_on, begun_by = on, edge
        offering, active = new_offering, new_active
        if stopped:
            return _with_price_ends(spans)
    spans.append(Span(begun_on, FOREVER, begun_by, OPEN, active, offering))
    return _with_price_ends(spans)


def _check(product_id: str, ordered: Sequence[EventInput]) -> None:
    if ordered and ordered[0].kind != "activated":
        raise BillHistoryBroken(product_id=product_id, what=f"begins with {ordered[0].kind}")
    for event in ordered[1:]:
        if event.kind == "activated":
            raise BillHistoryBroken(product_id=product_id, what=f"activated twice, on {event.effective_on}")
    for event in ordered[:-1]:
        if event.kind == "terminated":
            raise BillHistoryBroken(product_id=product_id, what=f"goes on after its end on {event.effective_on}")


def _state_after(day: list[EventInput], offering: EventInput, active: bool) -> tuple[EventInput, bool, bool]:
    for event in day:
        if event.kind == "terminated":
            return offering, active, True
        if event.kind in ("activated", "changed"):
            offering = event
        else:
            active = event.kind == "resumed"
    return offering, active, False


def _edge(offering: EventInput, active: bool, new_offering: EventInput, new_active: bool) -> str:
    """What the day changed, '' where in the end it changed nothing that costs."""
    if active != new_active:
        return RESUME if new_active else SUSPEND
    return "" if new_offering is offering else CHANGE


def _same_price(one: EventInput, other: EventInput) -> bool:
    return one is other or (
        one.offering_code == other.offering_code
        and one.price_version == other.price_version
        and one.bundle_code == other.bundle_code
        and one.bundle_instance == other.bundle_instance
    )


def _with_price_ends(spans: list[Span]) -> list[Span]:
    """Fill in when each offering was left: the end of the last of its spans in a row."""
    filled: list[Span] = []
    price_until = FOREVER
    follower: Span | None = None
    for span in reversed(spans):
        if follower is None or follower.event.event_id != span.event.event_id:
            price_until = span.until_on
        filled.append(span._replace(price_until_on=price_until))
        follower = span
    filled.reverse()
    return filled


def taken_on(spans: Sequence[Span], index: int, bundle: bool = False) -> date:
    """The day the offering (or the bundle) of a span was taken: a new price version or a suspension does not count."""
    event = spans[index].event
    while index and _same_deal(spans[index - 1].event, event, bundle):
        index -= 1
    return spans[index].event.effective_on


def left_on(spans: Sequence[Span], index: int, bundle: bool = False) -> date:
    """The day the offering (or the bundle) of a span was left, FOREVER where it was not; as ``taken_on`` sees it."""
    event = spans[index].event
    while index + 1 < len(spans) and _same_deal(spans[index + 1].event, event, bundle):
        index += 1
    return spans[index].until_on


def _same_deal(one: EventInput, other: EventInput, bundle: bool) -> bool:
    if bundle:
        return one.bundle_code == other.bundle_code and one.bundle_instance == other.bundle_instance
    return one.offering_code == other.offering_code
