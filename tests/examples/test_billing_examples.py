"""Every worked example of billing/*.md, through the calculator the month run uses; and through runs, books and ledger.

Nothing is computed here: bills come from ``draft_bill``, what earlier bills held from ``billed_by_lines``.
"""

from __future__ import annotations

from typing import Any

import pytest

from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Databases
from server_api.platform.facts.dispatcher import deliver_all
from shared_models.contracts.work import system_context
from shared_models.values.clock import ManualClock
from shared_models.values.ids import new_id
from shared_models.values.money import MICRO_PER_FEN, MicroYuan, round_half_up
from shared_models.values.period import Month
from tests.support.bill_months import bills_of
from tests.support.bill_town import BillTown
from tests.support.billing_pages import Example, examples, told_line

ALL = examples()
#: Month runs of the whole-way test: examples that lie outside these months are tried on the calculator alone.
FIRST, LAST = Month(202601), Month(202609)


@pytest.mark.parametrize("example", ALL, ids=[one.title for one in ALL])
def test_example(example: Example) -> None:
    drafts = bills_of(example)
    for month, lines in example.lines.items():
        draft = drafts[month]
        told = [told_line(line, _names(example), example.columns) for line in draft.lines]
        assert sorted(told) == sorted(lines), f"bill of {Month(month)}"
        assert draft.total_fen == sum(line.amount_fen for line in draft.lines) == draft.net_fen + draft.tax_fen
        for line in draft.lines:
            if line.charges:
                assert line.charge_micro_yuan == sum(part.amount_micro_yuan for part in line.charges)
            assert line.amount_fen == round_half_up(line.charge_micro_yuan, MICRO_PER_FEN)


def test_there_are_many_and_each_names_its_source() -> None:
    assert len(ALL) >= 32
    assert all(len(one.source) > 10 for one in ALL)
    assert len({one.title for one in ALL}) == len(ALL)


def test_the_same_bills_come_out_of_month_runs(databases: Databases, clock: ManualClock) -> None:
    """Every example of these months at once: told as facts, run month by month, frozen, booked; and the books hold."""
    chosen = [(number, each) for number, each in enumerate(ALL, start=1) if _is_whole(each)]
    assert len(chosen) >= 25
    town = _Town(databases, clock).on(str(FIRST.first_on))
    accounts = {number: town.account(number) for number, _each in chosen}
    for number, each in chosen:
        town.publish(number + 1, each.prices)
    month = FIRST
    while month <= LAST:
        for number, each in chosen:
            _live(town, number, accounts[number], each, month)
        deliver_all(town.crossings)
        town.run(month.yyyymm)
        month = month.next()
    for number, each in chosen:
        for yyyymm, lines in each.lines.items():
            place = each.columns.index("yuan")
            wanted = sorted(line.split(" | ")[place] for line in lines)
            found = []
            if town.has_bill(accounts[number], yyyymm):
                found = sorted(str(line.amount_fen) for line in town.bill(accounts[number], yyyymm).lines)
            assert found == wanted, f"{each.title}: bill of {Month(yyyymm)}"
    assert town.broken() == []


def _names(example: Example) -> dict[str, str]:
    return {each.product: each.product for each in example.happenings}


# ---- the whole way ---------------------------------------------------------------------------------------------------
class _Town(BillTown):
    """A town whose facts are told one by one and heard once a month."""

    def _tell(self, aggregate: str, payload: Any) -> None:
        act = Act(new_id(), "tests.tell", digest_of({"aggregate": aggregate}), system_context("tests"))
        perform(self.databases.business, act, lambda uow: uow.tell(aggregate, payload))


def _is_whole(example: Example) -> bool:
    days = [each.on for each in example.happenings]
    return (
        all(each.kind == "uses" for each in example.money)
        and not example.billing_days
        and FIRST.first_on <= min(days)
        and max(example.lines) <= LAST.yyyymm
    )


def _live(town: BillTown, number: int, account: str, example: Example, month: Month) -> None:
    """Tell what billing hears of in a month, and rate what is used in it."""
    products = {}
    for each in sorted(example.happenings, key=lambda one: (one.told, one.on)):
        if not month.first_on <= each.told < month.until_on:
            continue
        known = _product_id(town, account, each.product)
        town.on(str(max(each.told, town.clock.now().date())))
        if each.kind == "activated":
            products[each.product] = town.install(
                account, each.offering, str(each.on), example.services[each.offering], each.product,
                bundle=each.bundle, instance=f"{number}" if each.bundle else "", version=number + 1,
            )  # fmt: skip
        else:
            bundle = each.bundle if each.kind == "changed" else None
            town.event(
                known, each.kind, str(each.on), each.offering, bundle, version=number + 1, reason=each.reason,
                instance=f"{number}" if each.bundle else "",
            )  # fmt: skip
    for used in example.money:
        if Month.of(used.on) == month:
            product_id = _product_id(town, account, used.product)
            charge = MicroYuan.parse(used.amount).amount_micro_yuan
            town.calls(account, product_id, month.yyyymm, [charge], item=used.item)


def _product_id(town: BillTown, account: str, shown_as: str) -> str:
    for product_id, history in town.histories.items():
        if history.shown_as == shown_as and history.pay_relations[0].account_id == account:
            return product_id
    return ""
