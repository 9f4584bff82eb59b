"""What a product costs in a month whether it is used or not: monthly fees, fees while suspended, terms, early stops.

Every charge keeps what made it: amount = price × numerator ÷ denominator, floored once to micro-yuan. A share of a
bundle is cut from the bundle's whole: the whole is rounded once to fen and split by largest remainder, so that the
members' shares sum to it whoever pays them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from server_api.billing.bill.rules.charges import charge_of
from server_api.billing.bill.rules.commitments import early_stop_fee
from server_api.billing.bill.rules.inputs import Charge, EventInput, PayInput, ProductInput
from server_api.billing.bill.rules.prices import COMMITMENT, Offer, Price, PriceBook
from server_api.billing.bill.rules.proration import ONE, ZERO, share_from, share_of_piece, share_until, whole_share
from server_api.billing.bill.rules.terms import term_charges
from server_api.billing.bill.rules.timeline import (
    CHANGE,
    FOREVER,
    RESUME,
    START,
    STOP,
    SUSPEND,
    Span,
    spans_of,
    taken_on,
)
from shared_models.values.period import Cycle, Month

WHOLE_RULE, BOTH_RULE, CAP_RULE, DAY_RULE, CYCLE_RULE = "whole", "in_and_out", "capped", "per_day", "cycle"
_ONE_DAY = timedelta(days=1)


class RiderInForce(NamedTuple):
    """A discount or minimum spend of a product in a month: its pieces, and the day its offering was taken."""

    rider: Price
    product: ProductInput
    offering_code: str
    bundle_instance: str
    taken_on: date
    pieces: tuple[Charge, ...]


@dataclass(slots=True)
class Found:
    """A product's charges of a month by when they are billed: with the month, before it, with the one after it."""

    charges: list[Charge] = field(default_factory=list)
    advance: list[Charge] = field(default_factory=list)
    deferred: list[Charge] = field(default_factory=list)
    riders: list[RiderInForce] = field(default_factory=list)
    #: some fee of an offering held in the month is charged in advance
    has_advance: bool = False


def charges_of(
    book: PriceBook, product: ProductInput, events: Sequence[EventInput], month: Month | Cycle
) -> list[Charge]:
    """All recurring charges of a product for one month or cycle, whoever pays them and whenever they are billed.

    Raises BillHistoryBroken, BillPriceMissing.
    """
    found = Found()
    find_charges(found, book, product, events, spans_of(product.product_id, events), month)
    return found.charges + found.advance + found.deferred


def find_charges(
    found: Found,
    book: PriceBook,
    product: ProductInput,
    events: Sequence[EventInput],
    spans: Sequence[Span],
    month: Month | Cycle,
    offered: EventInput | None = None,
) -> None:
    """Add a product's charges and riders of a month to ``found``; prices are those of ``offered`` where it is given.

    Raises BillPriceMissing.
    """
    first_on, until_on = month.first_on, month.until_on
    used: dict[str, Fraction] = {}
    terms_done: set[str] = set()
    committed: set[str] = set()
    pieces: dict[str, RiderInForce] = {}
    for index, span in enumerate(spans):
        # a day more, because the day of a stop may still be charged
        if span.from_on >= until_on or span.until_on < first_on:
            continue
        event = span.event
        offer = offer_of(book, product, offered or event)
        found.has_advance = found.has_advance or offer.has_advance
        for price in offer.prices:
            if price.per_months > 1:
                if event.event_id not in terms_done:
                    found.charges += term_charges(price, product, span, month)
            elif span.active:
                charge = _month_piece(price, product, span, month, used)
                if charge is not None:
                    _bucket(found, price, span, first_on).append(charge)
            elif price.suspended_micro_yuan:
                charge = _suspended_piece(price, product, span, month)
                if charge is not None:
                    (found.advance if price.in_advance else found.charges).append(charge)
        terms_done.add(event.event_id)
        for rider in offer.riders:
            if rider.kind == COMMITMENT:
                fee = None if rider.price_code in committed else early_stop_fee(rider, product, events, spans, month)
                if fee is not None:
                    committed.add(rider.price_code)
                    found.charges.append(fee)
            elif span.active:
                _ride(pieces, rider, product, spans, index, month, used)
    found.riders += pieces.values()


def offer_of(book: PriceBook, product: ProductInput, event: EventInput) -> Offer:
    """What a product pays under the event that brought its offering. Raises BillPriceMissing."""
    return book.offer_of(
        event.offering_code, event.price_version, event.bundle_code, product.service, event.effective_on
    )


def _bucket(found: Found, price: Price, span: Span, first_on: date) -> list[Charge]:
    if price.first_part_next and span.begins == START and span.from_on > first_on:
        return found.deferred
    return found.advance if price.in_advance else found.charges


def _ride(
    pieces: dict[str, RiderInForce],
    rider: Price,
    product: ProductInput,
    spans: Sequence[Span],
    index: int,
    month: Month | Cycle,
    used: dict[str, Fraction],
) -> None:
    span = spans[index]
    piece = _month_piece(rider, product, span, month, used)
    if piece is None:
        return
    before = pieces.get(rider.price_code)
    if before is not None:
        pieces[rider.price_code] = before._replace(pieces=(*before.pieces, piece))
        return
    since_on = taken_on(spans, index, bool(rider.bundle_code))
    pieces[rider.price_code] = RiderInForce(
        rider, product, span.event.offering_code, span.event.bundle_instance, since_on, (piece,)
    )


# ---- payers ----------------------------------------------------------------------------------------------------------
def payer_of(pays: Sequence[PayInput], item_group: str, on: date) -> str:
    """The account that pays a product's items of a group on a day; '' where nobody does.

    A relation for the very group goes before '*', then the lower priority number. Where none holds on that day, the
    one that held last does (a charge must not vanish because a relation ended early).
    """
    if len(pays) == 1:
        return pays[0].account_id if pays[0].item_group in ("*", item_group) else ""
    fitting = [pay for pay in pays if pay.item_group in ("*", item_group)]
    if not fitting:
        return ""
    return min(
        fitting,
        key=lambda pay: (
            not (pay.from_on <= on and (pay.until_on is None or on < pay.until_on)),
            pay.item_group == "*",
            pay.priority,
            -pay.from_on.toordinal(),
            pay.account_id,
        ),
    ).account_id


# ---- months ----------------------------------------------------------------------------------------------------------
def _month_piece(
    price: Price, product: ProductInput, span: Span, month: Month | Cycle, used: dict[str, Fraction]
) -> Charge | None:
    """The charge for the active part of a month; all pieces of one price together cost one month at most."""
    first_on, until_on = month.first_on, month.until_on
    start = max(span.from_on, first_on)
    end = _served_until(price, span)
    if end <= first_on:
        return None
    key = f"{price.bundle_code}/{price.price_code}/{span.event.event_id}"
    whole = whole_share(month.days, month.nominal_days)
    if span.from_on < first_on and end >= until_on and key not in used and whole == ONE:
        used[key] = ONE
        return charge_of(price, product, span.event, month, "month", WHOLE_RULE, start, until_on, 1, 1)
    share_in, way_in = _share_in(price, span, month, whole)
    share_out, way_out = _share_out(price, span, end, month, whole)
    share = share_of_piece(share_in, share_out, whole)
    rule = _rule(share_in, way_in, share_out, way_out, whole)
    before = used.get(key, ZERO)
    if before + share > whole:
        share, rule = whole - before, CAP_RULE
    used[key] = before + share
    if share <= ZERO:
        return None
    numerator, denominator = _over_days(share, month.nominal_days, way_in, way_out)
    until = max(min(end, until_on), start + _ONE_DAY)
    return charge_of(price, product, span.event, month, "month", rule, start, until, numerator, denominator)


def _suspended_piece(price: Price, product: ProductInput, span: Span, month: Month | Cycle) -> Charge | None:
    """The fee for keeping a suspended product: so much a day, or of a month's fee exactly the part of the month that
    its active pieces do not cost.
    """
    start = span.from_on
    if span.begins == SUSPEND and price.proration.last_day_counts:
        start += _ONE_DAY
    start, until = max(start, month.first_on), min(span.until_on, month.until_on)
    if start >= until:
        return None
    if price.suspended_per_day:
        numerator, denominator, rule = (until - start).days, 1, DAY_RULE
    else:
        share, rule, ways = _suspended_share(price, span, start, month)
        if share <= ZERO:
            return None
        numerator, denominator = _over_days(share, month.nominal_days, *ways)
    fee = price.suspended_micro_yuan
    return charge_of(price, product, span.event, month, "suspended", rule, start, until, numerator, denominator, fee)


def _suspended_share(
    price: Price, span: Span, start: date, month: Month | Cycle
) -> tuple[Fraction, str, tuple[str, str]]:
    days, nominal, proration = month.days, month.nominal_days, price.proration
    whole = whole_share(days, nominal)
    share_in = share_out = whole
    way_in = way_out = ""
    day = (start - month.first_on).days + 1
    if span.from_on >= month.first_on and span.begins == SUSPEND:
        way_in = f"{SUSPEND}.{proration.suspend}"
        share_in = whole - share_until(proration.suspend, day, days, nominal)
    elif span.from_on >= month.first_on:
        way_in = f"{span.begins}.{proration.change}"
        share_in = share_from(proration.change, day, days, nominal)
    if span.until_on < month.until_on:
        way, situation = _way_out(price, span)
        way_out, end_day = f"{situation}.{way}", (span.until_on - month.first_on).days + 1
        served = share_until(way, end_day, days, nominal)
        share_out = served if situation == STOP else whole - share_from(way, end_day, days, nominal)
    rule = _rule(share_in, way_in, share_out, way_out, whole)
    return share_of_piece(share_in, share_out, whole), rule, (way_in, way_out)


def _served_until(price: Price, span: Span) -> date:
    """The first day not charged: a stop's or suspension's own day counts where the policy says so."""
    if span.until_on == FOREVER or span.ends not in (STOP, SUSPEND) or not price.proration.last_day_counts:
        return span.until_on
    return span.until_on + _ONE_DAY


def _share_in(price: Price, span: Span, month: Month | Cycle, whole: Fraction) -> tuple[Fraction, str]:
    if span.from_on < month.first_on:
        return whole, ""
    ways = {START: price.proration.start, CHANGE: price.proration.change, RESUME: price.proration.resume}
    way = ways.get(span.begins, "actual_days")
    day = (span.from_on - month.first_on).days + 1
    return share_from(way, day, month.days, month.nominal_days), f"{span.begins}.{way}"


def _share_out(price: Price, span: Span, end: date, month: Month | Cycle, whole: Fraction) -> tuple[Fraction, str]:
    if end >= month.until_on:
        return whole, ""
    way, situation = _way_out(price, span)
    end_day = (end - month.first_on).days + 1
    if situation == CHANGE:
        # the old price loses exactly what the new one gets
        return whole - share_from(way, end_day, month.days, month.nominal_days), f"{situation}.{way}"
    return share_until(way, end_day, month.days, month.nominal_days), f"{situation}.{way}"


def _way_out(price: Price, span: Span) -> tuple[str, str]:
    ways = {
        STOP: price.proration.stop,
        SUSPEND: price.proration.suspend,
        CHANGE: price.proration.change,
        RESUME: price.proration.resume,
    }
    return ways.get(span.ends, "actual_days"), span.ends


def _rule(share_in: Fraction, way_in: str, share_out: Fraction, way_out: str, whole: Fraction) -> str:
    """A short name for how the part was found: by its beginning, its end, or both."""
    if share_in < whole and share_out < whole:
        return BOTH_RULE
    if share_in < whole:
        return way_in
    if share_out < whole:
        return way_out
    return WHOLE_RULE if whole == ONE else CYCLE_RULE


def _over_days(share: Fraction, month_days: int, way_in: str, way_out: str) -> tuple[int, int]:
    """The share as a clerk writes it: over the days of the month, over 30, or in lowest terms."""
    if share == ONE:
        return 1, 1
    for word, denominator in (("actual_days", month_days), ("thirty_days", 30)):
        over = share * denominator
        if (word in way_in or word in way_out) and over.denominator == 1:
            return over.numerator, denominator
    if (share * month_days).denominator == 1 and share > ONE:
        return (share * month_days).numerator, month_days
    return share.numerator, share.denominator
