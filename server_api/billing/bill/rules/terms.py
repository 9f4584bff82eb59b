"""Terms of several months: quarters, years, N months; before or after they are served; left early by whole months."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from server_api.billing.bill.rules.charges import charge_of
from server_api.billing.bill.rules.inputs import Charge, ProductInput
from server_api.billing.bill.rules.prices import Price
from server_api.billing.bill.rules.timeline import Span
from shared_models.values.period import Cycle, Month

TERM_RULE, REFUND_RULE, USED_RULE = "term", "refund", "term_used"
_ONE_DAY = timedelta(days=1)


def add_months(on: date, months: int) -> date:
    """The same day some months later, or the last of that month where it is shorter.

    >>> add_months(date(2026, 1, 31), 1), add_months(date(2026, 1, 31), 2)
    (datetime.date(2026, 2, 28), datetime.date(2026, 3, 31))
    """
    index = on.year * 12 + on.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(on.day, monthrange(year, month)[1]))


def whole_months(from_on: date, until_on: date) -> int:
    """How many whole months lie between two days, counted from the first.

    >>> whole_months(date(2026, 1, 31), date(2026, 2, 28)), whole_months(date(2026, 1, 15), date(2026, 3, 14))
    (1, 1)
    """
    months = (until_on.year - from_on.year) * 12 + until_on.month - from_on.month
    return months if add_months(from_on, months) <= until_on else months - 1


def term_charges(price: Price, product: ProductInput, span: Span, month: Month | Cycle) -> list[Charge]:
    """What a month charges of terms: paid before, those that begin in it, and what is given back of one left in it;
    paid after, those that end in it, and what was used of one left in it. Terms are counted from the day it was taken.
    """
    anchor, left_on, length = span.event.effective_on, span.price_until_on, price.per_months
    first = max(0, whole_months(anchor, month.first_on) // length - 1) if month.first_on > anchor else 0
    charges: list[Charge] = []
    for k in range(first, first + 3 + 45 // (28 * length)):
        begins, until = add_months(anchor, k * length), add_months(anchor, (k + 1) * length)
        if begins >= left_on or begins >= month.until_on:
            break
        leaves_in_month = month.first_on <= left_on < month.until_on and left_on < until
        if price.in_advance:
            if begins >= month.first_on:
                charges.append(_term(price, product, span, month, begins, until))
            if leaves_in_month and price.refund_unused_months:
                charges += _refund(price, product, span, month, k)
        elif leaves_in_month:
            charges.append(_used(price, product, span, month, k))
        elif until <= left_on and month.first_on <= until - _ONE_DAY < month.until_on:
            charges.append(_term(price, product, span, month, begins, until))
    return charges


def _term(
    price: Price, product: ProductInput, span: Span, month: Month | Cycle, from_on: date, until_on: date
) -> Charge:
    return charge_of(price, product, span.event, month, "term", TERM_RULE, from_on, until_on, 1, 1)


def _refund(price: Price, product: ProductInput, span: Span, month: Month | Cycle, k: int) -> list[Charge]:
    """The whole months of a prepaid term that had not begun on the day it was left."""
    anchor, length = span.event.effective_on, price.per_months
    unused = _months_not_begun(anchor, (k + 1) * length, length, span.price_until_on)
    if not unused:
        return []
    until = add_months(anchor, (k + 1) * length)
    from_on = add_months(anchor, (k + 1) * length - unused)
    return [charge_of(price, product, span.event, month, "refund", REFUND_RULE, from_on, until, -unused, length)]


def _used(price: Price, product: ProductInput, span: Span, month: Month | Cycle, k: int) -> Charge:
    """A term paid afterwards that was left early: the months begun, or all of it where none are given back."""
    anchor, length = span.event.effective_on, price.per_months
    unused = _months_not_begun(anchor, (k + 1) * length, length, span.price_until_on)
    used = length - unused if price.refund_unused_months else length
    from_on, until = add_months(anchor, k * length), add_months(anchor, k * length + used)
    rule = USED_RULE if used < length else TERM_RULE
    return charge_of(price, product, span.event, month, "term", rule, from_on, until, used, length)


def _months_not_begun(anchor: date, end_month: int, length: int, left_on: date) -> int:
    """Of the ``length`` months before month ``end_month`` from the anchor, those that begin on ``left_on`` or later."""
    count = 0
    while count < length and add_months(anchor, end_month - count - 1) >= left_on:
        count += 1
    return count
