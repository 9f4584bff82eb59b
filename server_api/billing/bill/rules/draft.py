"""The draft bill: a month's lines, what changed of earlier months, one-off charges and late fees become a bill.

Running it twice gives the same; what is in the books already is part of the input, so nothing is billed twice.
"""

from __future__ import annotations

from server_api.billing.bill.rules.corrections import billed_by_lines, differences
from server_api.billing.bill.rules.extras import extra_lines, late_fee_lines
from server_api.billing.bill.rules.house import BillPolicy
from server_api.billing.bill.rules.inputs import AccountInput, BillDraft, DraftLine
from server_api.billing.bill.rules.lines import netted, usage_lines
from server_api.billing.bill.rules.month import MonthLines, MonthOf
from server_api.billing.bill.rules.prices import PriceBook
from shared_models.values.faults.bill import BillAmountTooLarge
from shared_models.values.money import MAX_AMOUNT_FEN
from shared_models.values.period import Cycle, Month

#: The order of a product's lines; kinds not named stand at the end.
_KIND_ORDER = {"recurring": 0, "correction": 1, "usage": 2, "rerated": 3, "discount": 4, "minimum": 5, "early_stop": 6}


def draft_bill(book: PriceBook, policy: BillPolicy, month: Month, account: AccountInput) -> BillDraft:
    """Make an account's bill of a month. No lines: nothing to bill.

    The bill of month B holds, for every month, what is known of it by the end of B and to be billed by then, less what
    earlier bills held of it. Raises the faults of values.faults.bill that set an account aside.
    """
    days = account.billing_days
    cycle: Month | Cycle = Cycle.of(month.yyyymm, days) if days else month
    make = MonthOf(book, policy, account)
    usage = account.usage
    rerated = [used for used in usage if used.for_month]
    if rerated:
        usage = [used for used in usage if not used.for_month]
    now = make.whole(cycle, usage)
    if account.late_months:
        lines = _with_differences(make, now, cycle)
    elif now.advance_products:
        lines = _with_advance(make, now, cycle)
    else:
        lines = now.own
    if now.advance_products:
        lines += _next_advance(make, now, month, cycle)
    if book.has_first_next:
        lines += _put_off(make, month)
    if rerated:
        lines += usage_lines(policy, account.products, rerated, cycle)
    if account.overdue:
        lines += late_fee_lines(policy, account.overdue, cycle)
    if account.extras:
        lines += extra_lines(policy, account.products, account.extras, lines, cycle)
    return _bill_of(account, _in_order(policy, lines))


def _in_order(policy: BillPolicy, lines: list[DraftLine]) -> list[DraftLine]:
    rank = {service: place for place, service in enumerate(policy.service_order)}
    last = len(rank)
    return sorted(
        lines,
        key=lambda line: (
            rank.get(line.product.service, last),
            line.product.shown_as,
            line.product.product_id,
            _KIND_ORDER.get(line.kind, 9),
            line.from_on,
            line.item_code,
            line.offering_code,
            line.charges and line.charges[0].price_code,
            line.charges and line.charges[0].event_id,
        ),
    )


def _bill_of(account: AccountInput, lines: list[DraftLine]) -> BillDraft:
    total = net = 0
    for line in lines:
        total += line.amount_fen
        net += line.net_fen
    if abs(total) > MAX_AMOUNT_FEN:
        raise BillAmountTooLarge(account_id=account.account_id)
    return BillDraft(account.account_id, tuple(netted(lines)), total, net, total - net)


# ---- months but this one ---------------------------------------------------------------------------------------------
def _with_advance(make: MonthOf, now: MonthLines, cycle: Month | Cycle) -> list[DraftLine]:
    """The month's own lines, and of its fees in advance what changed since they were billed."""
    if not any(_changes_in(make.account, product_id, cycle) for product_id in now.advance_products):
        return now.own
    billed = billed_by_lines(make.ahead(_as_begun(make, cycle), now.advance_products, cycle.first_on))
    products = make.account.products
    return now.own + differences(
        make.book, make.policy, products, now.advance, billed, cycle.yyyymm, make.account.billing_days
    )


def _as_begun(make: MonthOf, cycle: Month | Cycle) -> Month | Cycle:
    """A cycle as it looked before its end was moved by a later change of billing day."""
    days = make.account.billing_days
    return Cycle.of(cycle.yyyymm, [pair for pair in days if pair[0] <= cycle.yyyymm]) if days else cycle


def _changes_in(account: AccountInput, product_id: str, cycle: Month | Cycle) -> bool:
    return cycle.days != cycle.nominal_days or any(
        event.effective_on >= cycle.first_on for event in account.events[product_id]
    )


def _next_advance(make: MonthOf, now: MonthLines, month: Month, cycle: Month | Cycle) -> list[DraftLine]:
    """The fees in advance of the month that follows."""
    days, following = make.account.billing_days, month.next()
    ahead = Cycle.of(following.yyyymm, [pair for pair in days if pair[0] <= following.yyyymm]) if days else following
    return make.ahead(ahead, now.advance_products, cycle.until_on)


def _put_off(make: MonthOf, month: Month) -> list[DraftLine]:
    """First part-months of the month before, put off until now; a late month has them in its difference."""
    account, before = make.account, month.previous()
    if before.yyyymm in account.late_months:
        return []
    cycle = Cycle.of(before.yyyymm, account.billing_days) if account.billing_days else before
    starts = (event.effective_on for events in account.events.values() for event in events if event.kind == "activated")
    if not any(cycle.first_on < on < cycle.until_on for on in starts):
        return []
    return make.whole(cycle, [used for used in account.late_usage if used.for_month == before.yyyymm]).deferred


def _with_differences(make: MonthOf, now: MonthLines, cycle: Month | Cycle) -> list[DraftLine]:
    """The month's lines, and for each month billed too soon what it should have held less what was billed for it."""
    account = make.account
    wanted = [line for line in (*now.own, *now.advance) if line.charges]
    for yyyymm in account.late_months:
        if yyyymm < cycle.yyyymm:
            late = Cycle.of(yyyymm, account.billing_days) if account.billing_days else Month(yyyymm)
            used = [each._replace(for_month=0) for each in account.late_usage if each.for_month == yyyymm]
            then = make.whole(late, used)
            wanted += [line for line in (*then.own, *then.advance, *then.deferred) if line.charges]
    usage = [line for line in now.own if not line.charges]
    return usage + differences(
        make.book, make.policy, account.products, wanted, account.billed, cycle.yyyymm, account.billing_days
    )
