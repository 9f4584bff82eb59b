"""A family's month: a bundle, calls, discount, minimum spend, deposit, suspension, another offer, late fee, payment.

Every line is explained, and every fen is in the ledger."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from server_api.billing.bill.policy import billing_policy
from server_api.billing.bill.service import adjust
from server_api.billing.bill.service.income import income
from server_api.platform.database import Databases
from shared_models.contracts.adjustment import ChargeAccount
from shared_models.contracts.bill import BillDocument
from shared_models.tables.billing.ledger import posting
from shared_models.values.clock import ManualClock
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support.bill_town import TOWN_PRICES, BillTown, recurring
from tests.support.money import Counter

PRICES = (
    *TOWN_PRICES,
    recurring(
        "PLAY3",
        "10",
        "tv",
        kind="discount",
        price_code="PLAY3-D",
        item_code="discount.bundle",
        name_zh="融合优惠",
        name_en="Bundle discount",
        params={"scope": "account", "first_months": 1},
    ),
    recurring(
        "PSTN",
        "40",
        kind="minimum",
        price_code="PSTN-MIN",
        item_code="minimum.spend",
        name_zh="最低消费",
        name_en="Minimum spend",
        params={"scope": "product"},
    ),
    recurring(
        "BB300",
        "300",
        "broadband",
        kind="commitment",
        price_code="BB300-C",
        item_code="early_stop",
        per_months=12,
        name_zh="提前解约金",
        name_en="Early stop",
        params={"stop_fee": "fixed", "forgiven_reasons": ["no_coverage"]},
    ),
)


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    return BillTown(databases, clock, PRICES).on("2026-03-01")


def explained(town: BillTown, bill: BillDocument) -> None:
    """Every line opens to parts that sum to it, each with words in both languages and the one rounding."""
    for language in ("zh_CN", "en"):
        for line in bill.lines:
            opened = town.opened(bill, line.line_no, language)
            parts = [each.amount_micro_yuan.amount_micro_yuan for each in opened.charges]
            parts += [each.charge_micro_yuan.amount_micro_yuan for each in opened.calls]
            assert sum(parts) == line.charge_micro_yuan.amount_micro_yuan
            assert opened.rounding and all(each.text for each in opened.charges)


def booked(town: BillTown, code: LedgerCode) -> int:
    with town.billing.reading() as conn:
        out = conn.execute(select(func.sum(posting.c.amount_fen)).where(posting.c.from_code == code.value)).scalar_one()
        back = conn.execute(select(func.sum(posting.c.amount_fen)).where(posting.c.to_code == code.value)).scalar_one()
    return (out.amount_fen if out else 0) - (back.amount_fen if back else 0)


def charge(town: BillTown, account: str, item: str, kind: str, fen: int) -> None:
    body = ChargeAccount(account_id=account, item_code=item, kind=kind, amount_fen=Fen(fen), reason="押金")
    town.act("charge", lambda uow: adjust.charge_account(uow, request=body))


def test_a_familys_month(town: BillTown) -> None:
    home = town.account(1, "王小明")
    line = town.install(home, "PSTN", "2026-03-01", bundle="PLAY3", instance="home")
    fibre = town.install(home, "BB100", "2026-03-01", "broadband", "zy001", bundle="PLAY3", instance="home")
    town.install(home, "TV", "2026-03-01", "tv", "card 1", bundle="PLAY3", instance="home")
    town.calls(home, line, 202603, [1_234_567, 765_433])
    charge(town, home, "deposit", "fee", 10_000)
    town.event(fibre, "changed", "2026-03-16", "BB300", bundle="")
    town.event(line, "suspended", "2026-03-21", bundle="")
    policy = billing_policy()
    town.run(202603, policy)
    bill = town.bill(home, 202603)
    explained(town, bill)
    # the bundle's 100.00: voice until it is suspended on the 21st, broadband until another offer on the 16th (48.39 for
    # 15 of 31 days, less the floors of the others); 40.00 at least for the line, for 20 of 31 days
    assert town.table(bill).splitlines() == [
        "固定电话 月租费 融合三宝 03-01..03-21 8.58",
        "固定电话 市话通话费 03-01..04-01 2.00",
        "固定电话 融合优惠 市话通话费 03-01..04-01 -0.04",
        "固定电话 融合优惠 月租费 03-01..03-21 -0.16",
        "固定电话 最低消费 03-01..04-01 15.43",
        "宽带 宽带月租费 融合三宝 03-01..03-16 32.29",
        "宽带 宽带月租费 宽带300M 03-16..04-01 46.45",
        "宽带 融合优惠 宽带月租费 03-01..04-01 -1.44",
        "有线电视 有线电视收视维护费 融合三宝 03-01..04-01 20.00",
        "有线电视 融合优惠 有线电视收视维护费 03-01..04-01 -0.36",
        "账户费用 押金 押金 03-01..03-02 100.00",
        "合计 222.75",
    ]
    assert sum(each.amount_fen.amount_fen for each in bill.lines) == bill.head.total_fen.amount_fen
    # the deposit is owed back: revenue and VAT are the rest of the bill
    assert booked(town, LedgerCode.DEPOSIT) == 10_000
    assert booked(town, LedgerCode.REVENUE) + booked(town, LedgerCode.VAT) == bill.head.total_fen.amount_fen - 10_000
    with town.billing.reading() as conn:
        earned = income(conn, month=Month(202604))
    assert (earned.differences, earned.gross_fen.amount_fen) == ((), bill.head.total_fen.amount_fen - 10_000)
    # nobody pays until 20 days after the last day: the next bill has the late fee, explained
    town.on("2026-05-01").run(202604, policy)
    april = town.bill(home, 202604)
    explained(town, april)
    assert [each.kind.value for each in april.lines].count("late_fee") == 1, town.table(april)
    # 222.75 × 3 per mille × 5 days
    assert town.table(april).splitlines()[-2:] == [
        "账户费用 违约金（202603-1000000001 账单） 04-26..05-01 3.34",
        "合计 113.34",
    ]
    # the oldest bill is paid on 10 May, and its late fee ends; the deposit goes back on the next bill
    town.on("2026-05-10")
    counter = Counter(town.databases, town.wiring)
    counter.open_till()
    counter.pay(home, 22_275)
    assert town.bill(home, 202603).head.open_fen == Fen(0)
    charge(town, home, "deposit", "adjustment", -10_000)
    town.run(202605, policy)
    explained(town, town.bill(home, 202605))
    assert booked(town, LedgerCode.DEPOSIT) == 0
    assert town.broken() == []


@pytest.mark.parametrize(("reason", "fee"), [("moving", 1), ("no_coverage", 0)])
def test_a_commitment_left_for_a_forgiven_reason_costs_nothing(town: BillTown, reason: str, fee: int) -> None:
    account = town.account(1)
    product = town.install(account, "BB300", "2026-01-01", "broadband", "zy001")
    town.event(product, "terminated", "2026-03-16", reason=reason)
    for month in (202603,):
        town.run(month)
    bill = town.bill(account, 202603)
    early = [each for each in bill.lines if each.kind.value == "early_stop"]
    assert len(early) == fee, town.table(bill)
    assert [str(each.amount_fen) for each in early] == ["300.00"] * fee
    assert date(2026, 3, 16) == town.histories[product].events[-1].effective_on
    explained(town, bill)
    assert town.broken() == []
