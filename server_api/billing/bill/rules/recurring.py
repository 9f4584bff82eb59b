"""What a product costs in a month whether it is used or not: monthly fees, prepaid terms, their refunds.

Every charge keeps what made it: amount = price × numerator ÷ denominator, floored once to micro-yuan. A share of a
bundle is cut from the bundle's whole: the whole is rounded once to fen and split by largest remainder, so that the
members' shares sum to it whoever pays them.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

from server_api.billing.bill.rules.inputs import Charge, EventInput, PayInput, ProductInput
from server_api.billing.bill.rules.prices import Price, PriceBook
from server_api.billing.bill.rules.proration import ONE, ZERO, share_from, share_of_piece, share_until
from server_api.billing.bill.rules.timeline import CHANGE, FOREVER, RESUME, START, STOP, SUSPEND, Span, spans_of
from shared_models.values.money import MICRO_PER_FEN, Fen, round_half_up
from shared_models.values.period import Month

WHOLE_RULE, TERM_RULE, REFUND_RULE, BOTH_RULE, CAP_RULE = "whole", "term", "refund", "in_and_out", "capped"
SUSPENDED_SUFFIX = ".suspended"


def charges_of(book: PriceBook, product: ProductInput, events: Sequence[EventInput], month: Month) -> list[Charge]:
    """All recurring charges of a product for one calendar month, whoever pays them.

    Raises BillHistoryBroken, BillPriceMissing.
    """
    first_on, until_on = month.first_on, month.until_on
    charges: list[Charge] = []
    used: dict[str, Fraction] = {}
    terms_done: set[str] = set()
    for span in spans_of(product.product_id, events):
        # a day more, because the day of a stop may still be charged
        if span.from_on >= until_on or span.until_on < first_on:
            continue
        event = span.event
        for price in book.prices_of(
            event.offering_code,
            event.price_version,
            event.bundle_code,
            product.service,
            event.effective_on,
        ):
            if price.per_months > 1:
                if event.event_id not in terms_done:
                    charges += _terms(price, product, span, month)
            elif span.active:
                charges += _month_piece(price, product, span, month, used)
            elif price.suspended_micro_yuan:
                charges += _suspended_piece(price, product, span, month)
        terms_done.add(event.event_id)
    return charges


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


def add_months(on: date, months: int) -> date:
    """The same day some months later, or the last of that month where it is shorter.

    >>> add_months(date(2026, 1, 31), 1), add_months(date(2026, 1, 31), 2)
    (datetime.date(2026, 2, 28), datetime.date(2026, 3, 31))
    """
    index = on.year * 12 + on.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(on.day, monthrange(year, month)[1]))


# ---- months ----------------------------------------------------------------------------------------------------------
def _month_piece(
    price: Price,
    product: ProductInput,
    span: Span,
    month: Month,
    used: dict[str, Fraction],
) -> list[Charge]:
    """The charge for the active part of a month; all pieces of one price together cost one month at most."""
    first_on, until_on = month.first_on, month.until_on
    start = max(span.from_on, first_on)
    end = _served_until(price, span)
    if end <= first_on:
        return []
    key = f"{price.bundle_code}/{price.price_code}/{span.event.event_id}"
    if span.from_on < first_on and end >= until_on and key not in used:
        used[key] = ONE
        return [_charge(price, product, span, month, "month", WHOLE_RULE, start, until_on, 1, 1)]
    share_in, way_in = _share_in(price, span, month)
    share_out, way_out = _share_out(price, span, end, month)
    share = share_of_piece(share_in, share_out)
    rule = _rule(share_in, way_in, share_out, way_out)
    before = used.get(key, ZERO)
    if before + share > ONE:
        share, rule = ONE - before, CAP_RULE
    used[key] = before + share
    if share <= ZERO:
        return []
    numerator, denominator = _over_days(share, month.days, way_in, way_out)
    until = min(end, until_on)
    return [
        _charge(
            price,
            product,
            span,
            month,
            "month",
            rule,
            start,
            max(until, start + timedelta(days=1)),
            numerator,
            denominator,
        )
    ]


def _suspended_piece(price: Price, product: ProductInput, span: Span, month: Month) -> list[Charge]:
    """The fee for keeping a suspended product: exactly the part of the month its active pieces do not cost."""
    days = month.days
    share_in, share_out = ONE, ONE
    way_in = way_out = ""
    start = span.from_on
    if span.begins == SUSPEND and price.proration.last_day_counts:
        start += timedelta(days=1)
    if start >= month.until_on:
        return []
    if span.from_on >= month.first_on:
        way_in = f"{span.begins}.{price.proration.suspend if span.begins == SUSPEND else price.proration.change}"
        share_in = (
            ONE - share_until(price.proration.suspend, (start - month.first_on).days + 1, days)
            if span.begins == SUSPEND
            else share_from(price.proration.change, start.day, days)
        )
    if span.until_on < month.until_on:
        way, situation = _way_out(price, span)
        way_out, day = f"{situation}.{way}", (span.until_on - month.first_on).days + 1
        share_out = share_until(way, day, days) if situation == STOP else ONE - share_from(way, day, days)
    share = share_of_piece(share_in, share_out)
    if share <= ZERO:
        return []
    rule = _rule(share_in, way_in, share_out, way_out)
    numerator, denominator = _over_days(share, days, way_in, way_out)
    return [
        _charge(
            price,
            product,
            span,
            month,
            "suspended",
            rule,
            max(start, month.first_on),
            min(span.until_on, month.until_on),
            numerator,
            denominator,
        )
    ]


def _served_until(price: Price, span: Span) -> date:
    """The first day not charged: a stop's or suspension's own day counts where the policy says so."""
    if span.until_on == FOREVER or span.ends not in (STOP, SUSPEND) or not price.proration.last_day_counts:
        return span.until_on
    return span.until_on + timedelta(days=1)


def _share_in(price: Price, span: Span, month: Month) -> tuple[Fraction, str]:
    if span.from_on < month.first_on:
        return ONE, ""
    ways = {START: price.proration.start, CHANGE: price.proration.change, RESUME: price.proration.resume}
    way = ways.get(span.begins, "actual_days")
    return share_from(way, span.from_on.day, month.days), f"{span.begins}.{way}"


def _share_out(price: Price, span: Span, end: date, month: Month) -> tuple[Fraction, str]:
    if end >= month.until_on:
        return ONE, ""
    way, situation = _way_out(price, span)
    end_day = (end - month.first_on).days + 1
    if situation == CHANGE:
        # the old price loses exactly what the new one gets
        return ONE - share_from(way, end_day, month.days), f"{situation}.{way}"
    return share_until(way, end_day, month.days), f"{situation}.{way}"


def _way_out(price: Price, span: Span) -> tuple[str, str]:
    ways = {
        STOP: price.proration.stop,
        SUSPEND: price.proration.suspend,
        CHANGE: price.proration.change,
        RESUME: price.proration.resume,
    }
    return ways.get(span.ends, "actual_days"), span.ends


def _rule(share_in: Fraction, way_in: str, share_out: Fraction, way_out: str) -> str:
    """A short name for how the part was found: by its beginning, its end, or both."""
    if share_in < ONE and share_out < ONE:
        return BOTH_RULE
    if share_in < ONE:
        return way_in
    if share_out < ONE:
        return way_out
    return WHOLE_RULE


def _over_days(share: Fraction, month_days: int, way_in: str, way_out: str) -> tuple[int, int]:
    """The share as a clerk writes it: over the days of the month, over 30, or in lowest terms."""
    if share == ONE:
        return 1, 1
    for word, denominator in (("actual_days", month_days), ("thirty_days", 30)):
        over = share * denominator
        if (word in way_in or word in way_out) and over.denominator == 1:
            return over.numerator, denominator
    return share.numerator, share.denominator


# ---- terms -----------------------------------------------------------------------------------------------------------
def _terms(price: Price, product: ProductInput, span: Span, month: Month) -> list[Charge]:
    """Prepaid terms that begin in the month, whole; and the whole months given back of a term that ends in it."""
    anchor, left_on = span.event.effective_on, span.price_until_on
    charges: list[Charge] = []
    gone = (month.first_on.year - anchor.year) * 12 + month.first_on.month - anchor.month
    for k in (gone // price.per_months, gone // price.per_months + 1):
        begins = add_months(anchor, k * price.per_months)
        if k >= 0 and month.first_on <= begins < month.until_on and begins < left_on:
            until = add_months(anchor, (k + 1) * price.per_months)
            charges.append(_charge(price, product, span, month, "term", TERM_RULE, begins, until, 1, 1))
    if price.refund_unused_months and month.first_on <= left_on < month.until_on and left_on > anchor:
        charges += _refund(price, product, span, month)
    return charges


def _refund(price: Price, product: ProductInput, span: Span, month: Month) -> list[Charge]:
    anchor, left_on, length = span.event.effective_on, span.price_until_on, price.per_months
    k = 0
    while add_months(anchor, (k + 1) * length) < left_on:
        k += 1
    whole_months = 0
    while whole_months < length and add_months(anchor, (k + 1) * length - whole_months - 1) >= left_on:
        whole_months += 1
    if not whole_months:
        return []
    until = add_months(anchor, (k + 1) * length)
    from_on = add_months(anchor, (k + 1) * length - whole_months)
    return [_charge(price, product, span, month, "refund", REFUND_RULE, from_on, until, -whole_months, length)]


# ---- amounts ---------------------------------------------------------------------------------------------------------
def amount_micro_yuan(price: Price, whole_micro_yuan: int, numerator: int, denominator: int) -> int:
    """A part of a price, floored once to micro-yuan; of a bundle's price this product's share, in whole fen.

    A refund (numerator below zero) is the mirror image of the charge it takes back.
    """
    sign = -1 if numerator < 0 else 1
    if not price.split:
        return sign * (whole_micro_yuan * abs(numerator) // denominator)
    whole = Fen(round_half_up(whole_micro_yuan * abs(numerator), denominator * MICRO_PER_FEN))
    return sign * price.share_of(whole).amount_fen * MICRO_PER_FEN


def _charge(
    price: Price,
    product: ProductInput,
    span: Span,
    month: Month,
    kind: str,
    rule: str,
    from_on: date,
    until_on: date,
    numerator: int,
    denominator: int,
) -> Charge:
    suspended = kind == "suspended"
    whole = price.suspended_micro_yuan if suspended else price.amount_micro_yuan
    event = span.event
    return Charge(
        product.product_id,
        price.item_code + SUSPENDED_SUFFIX if suspended else price.item_code,
        price.item_group,
        price.label,
        price.label_en,
        event.offering_code,
        price.offering_label,
        price.offering_en,
        price.tax_per_mille,
        event.event_id,
        price.price_code,
        price.price_version,
        price.bundle_code,
        event.bundle_instance if price.bundle_code else "",
        month.yyyymm,
        kind,
        rule,
        from_on,
        until_on,
        whole,
        numerator,
        denominator,
        price.share_per_mille,
        amount_micro_yuan(price, whole, numerator, denominator),
    )
