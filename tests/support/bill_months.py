"""Month after month of an account through the bill calculator: what was told by then, what was billed before."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from server_api.billing.bill.rules.corrections import billed_by_lines
from server_api.billing.bill.rules.draft import draft_bill
from server_api.billing.bill.rules.inputs import (
    AccountInput,
    BillDraft,
    BilledCharge,
    EventInput,
    ExtraInput,
    OverdueInput,
    PayInput,
    ProductInput,
    UsageInput,
)
from server_api.billing.bill.rules.prices import PriceBook
from shared_models.values.money import Fen, MicroYuan
from shared_models.values.period import Cycle, Month, cycle_label
from tests.support.billing_pages import ACCOUNT, Example, Money

_LONG_AGO = date(2000, 1, 1)


def bills_of(example: Example, doubt_everything: bool = False) -> dict[int, BillDraft]:
    """The bills of an example's account, month by month, each knowing what was told before its cycle ended.

    ``doubt_everything``: every earlier month is looked at again on every bill, as if something had been told late.
    """
    book = PriceBook(example.policy.proration, example.policy.default_proration)
    book.add(1, example.prices)
    billed: list[BilledCharge] = []
    drafts = {}
    for month in example.months:
        account = _account(example, month, billed, doubt_everything)
        drafts[month.yyyymm] = draft = draft_bill(book, example.policy.bill, month, account)
        billed += billed_by_lines(draft.lines)
    return drafts


def _account(example: Example, month: Month, billed: list[BilledCharge], doubt_everything: bool) -> AccountInput:
    days = example.billing_days
    cycle = _cycle(month.yyyymm, days)
    late: set[int] = set()
    events: dict[str, list[EventInput]] = defaultdict(list)
    for number, each in enumerate(sorted(example.happenings, key=lambda one: (one.told, one.on)), start=1):
        if each.told >= cycle.until_on:
            continue
        before = events[each.product][-1] if events[each.product] else None
        offering = each.offering or (before.offering_code if before else "")
        bundle = each.bundle if each.kind in ("activated", "changed") or before is None else before.bundle_code
        events[each.product].append(
            EventInput(
                f"e{number}", number, each.kind, each.on, offering, 1, bundle, "1" if bundle else "", each.reason
            )
        )
        at = Month(cycle_label(each.on, days))
        while at < month:
            if doubt_everything or each.told >= _cycle(at.yyyymm, days).until_on:
                late.add(at.yyyymm)
            at = at.next()
    products = {
        product: ProductInput(product, product, example.services[history[0].offering_code], product, "0937")
        for product, history in events.items()
    }
    pay = [PayInput("*", "a1", 0, _LONG_AGO, None)]
    return AccountInput(
        "a1",
        products,
        dict(events),
        dict.fromkeys(events, pay),
        _usage(example, month.yyyymm, for_month=0),
        tuple(sorted(late)),
        tuple(each for each in billed if late and each.charge_month in {*late, month.yyyymm}),
        tuple(each for at in sorted(late) for each in _usage(example, at, for_month=at)),
        tuple(_extra(each, number) for number, each in enumerate(example.money) if _is_extra(each, cycle)),
        _overdue(example),
        days,
    )


def _cycle(yyyymm: int, days: tuple[tuple[int, int], ...]) -> Month | Cycle:
    return Cycle.of(yyyymm, days) if days else Month(yyyymm)


def _usage(example: Example, yyyymm: int, for_month: int) -> list[UsageInput]:
    return [
        UsageInput(each.product, each.item, MicroYuan.parse(each.amount).amount_micro_yuan, 1, 60, for_month)
        for each in example.money
        if each.kind == "uses" and cycle_label(each.on, example.billing_days) == yyyymm
    ]


def _is_extra(each: Money, cycle: Month | Cycle) -> bool:
    return each.kind.startswith("is ") and cycle.first_on <= each.on < cycle.until_on


def _extra(each: Money, number: int) -> ExtraInput:
    sign, kind = (1, "fee") if each.kind == "is charged" else (-1, "adjustment")
    micro = sign * MicroYuan.parse(each.amount).amount_micro_yuan
    product = "" if each.product == ACCOUNT else each.product
    return ExtraInput(f"c{number}", product, each.item, kind, micro, each.on, each.on + timedelta(days=1))


def _overdue(example: Example) -> tuple[OverdueInput, ...]:
    if example.due_on is None:
        return ()
    owed = [(each.on, Fen.parse(each.amount).amount_fen) for each in example.money if each.kind == "owes"]
    return (OverdueInput("b1", "1", example.due_on, tuple(sorted(owed))),)
