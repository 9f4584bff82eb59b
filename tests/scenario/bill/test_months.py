"""Months of a household, with a clock: what is installed, changed, stopped, and what the bill then says."""

from __future__ import annotations

from datetime import date
from textwrap import dedent

import pytest

from server_api.platform.database import Databases
from shared_models.contracts.events import PayRelationState
from shared_models.values.clock import ManualClock
from shared_models.values.money import MicroYuan
from tests.support.bill_town import BillTown, recurring


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    return BillTown(databases, clock).on("2026-01-02")


def said(text: str) -> str:
    return dedent(text).strip()


def test_whole_month(town: BillTown) -> None:
    home = town.account(1)
    town.install(home, "PSTN", "2026-01-01")
    done = town.run(202603)
    bill = town.bill(home, 202603)
    assert (done.bill_count, str(done.total_fen), done.state) == (1, "25.00", "closed")
    assert town.table(bill) == said("""
        固定电话 月租费 固话普通 03-01..04-01 25.00
        合计 25.00
    """)
    assert town.opened(bill, 1).charges[0].text == "25.00 元/月，整月 = 25.00 元"
    assert (str(bill.net_fen), str(bill.tax_fen)) == ("22.94", "2.06")
    assert (bill.head.issued_on.isoformat(), bill.head.due_on.isoformat()) == ("2026-04-01", "2026-04-25")
    assert (bill.payer.name, bill.payer.customer_no) == ("客户1", "C0000001")
    assert town.broken() == []


def test_installed_mid_month_costs_its_days(town: BillTown) -> None:
    home = town.account(1)
    town.install(home, "PSTN", "2026-03-17")
    town.run(202603)
    bill = town.bill(home, 202603)
    assert town.table(bill) == said("""
        固定电话 月租费 固话普通 03-17..04-01 12.10
        合计 12.10
    """)
    opening = town.opened(bill, 1)
    assert opening.charges[0].text == (
        "25.00 元/月 × 15/31（2026-03-17 开通，按实际天数，2026-03-17 至 2026-03-31）= 12.096774 元"
    )
    assert opening.rounding == "费用合计 12.096774 元，四舍五入一次，计入账单 12.10 元。"


def test_changed_offer_is_the_sum_of_its_parts(town: BillTown) -> None:
    """60.00 for 10 days of 31 and 90.00 for 21: 19.354838 + 60.967741."""
    home = town.account(1)
    net = town.install(home, "BB100", "2026-01-01", "broadband", "zy001")
    town.event(net, "changed", "2026-03-11", "BB300")
    town.run(202603)
    assert town.table(town.bill(home, 202603)) == said("""
        宽带 宽带月租费 宽带100M 03-01..03-11 19.35
        宽带 宽带月租费 宽带300M 03-11..04-01 60.97
        合计 80.32
    """)


def test_suspended_days_are_not_charged(town: BillTown) -> None:
    """Suspended on the 6th, resumed on the 21st of a 30-day month: 5 and 10 days of 25.00."""
    home = town.account(1)
    line = town.install(home, "PSTN", "2026-01-01")
    town.event(line, "suspended", "2026-04-06")
    town.event(line, "resumed", "2026-04-21")
    town.run(202604)
    bill = town.bill(home, 202604)
    assert town.table(bill) == said("""
        固定电话 月租费 固话普通 04-01..05-01 12.50
        合计 12.50
    """)
    assert [charge.text for charge in town.opened(bill, 1).charges] == [
        "25.00 元/月 × 5/30（2026-04-06 停机，按实际天数，2026-04-01 至 2026-04-05）= 4.166666 元",
        "25.00 元/月 × 10/30（2026-04-21 复机，按实际天数，2026-04-21 至 2026-04-30）= 8.333333 元",
    ]


def test_suspended_over_a_month_gives_no_bill(town: BillTown) -> None:
    home = town.account(1)
    line = town.install(home, "PSTN", "2026-01-01")
    town.event(line, "suspended", "2026-02-10")
    town.run(202603)
    assert not town.has_bill(home, 202603)


def test_terminated_on_the_last_day_and_the_first(town: BillTown) -> None:
    home, other = town.account(1), town.account(2)
    town.event(town.install(home, "PSTN", "2026-01-01"), "terminated", "2026-03-31")
    town.event(town.install(other, "PSTN", "2026-01-01"), "terminated", "2026-04-01")
    town.run(202603)
    assert town.table(town.bill(home, 202603)).endswith("合计 24.19")
    assert town.table(town.bill(other, 202603)).endswith("合计 25.00")
    town.run(202604)
    assert not town.has_bill(home, 202604) and not town.has_bill(other, 202604)


def test_bundle_shares_sum_to_its_price_whoever_pays(town: BillTown) -> None:
    """100.00 split 133:667:200 per mille; the rest of the rounding goes to broadband."""
    home, office = town.account(1), town.account(2)
    town.install(home, "PSTN", "2026-01-01", bundle="PLAY3", instance="B1")
    town.install(office, "BB100", "2026-01-01", "broadband", "zy001", bundle="PLAY3", instance="B1")
    town.install(home, "TV", "2026-01-01", "tv", "80251234", bundle="PLAY3", instance="B1")
    town.run(202603)
    bill = town.bill(home, 202603)
    assert town.table(bill) == said("""
        固定电话 月租费 融合三宝 03-01..04-01 13.30
        有线电视 有线电视收视维护费 融合三宝 03-01..04-01 20.00
        合计 33.30
    """)
    assert town.table(town.bill(office, 202603)) == said("""
        宽带 宽带月租费 融合三宝 03-01..04-01 66.70
        合计 66.70
    """)
    assert town.opened(bill, 1).charges[0].text == "融合套餐 PLAY3 的分摊：整套 100.00 元中占 133‰ = 13.30 元"
    assert town.broken() == []


def test_bundle_begun_mid_month_is_rounded_once_and_split(town: BillTown) -> None:
    """100.00 × 15/31 = 48.3870…, 48.39 in all: 6.43 + 9.67 floored, the rest 32.29 on broadband."""
    home = town.account(1)
    for offering, service_name in (("PSTN", "voice"), ("BB100", "broadband"), ("TV", "tv")):
        town.install(home, offering, "2026-03-17", service_name, service_name, bundle="PLAY3", instance="B1")
    town.run(202603)
    assert town.table(town.bill(home, 202603)) == said("""
        固定电话 月租费 融合三宝 03-17..04-01 6.43
        宽带 宽带月租费 融合三宝 03-17..04-01 32.29
        有线电视 有线电视收视维护费 融合三宝 03-17..04-01 9.67
        合计 48.39
    """)


def test_prepaid_year_is_billed_when_it_begins_and_refunded_by_whole_months(town: BillTown) -> None:
    """720.00 from 31 January; stopped on 10 June: five months begun, seven whole months given back."""
    home = town.account(1)
    net = town.install(home, "BBYEAR", "2026-01-31", "broadband", "zy001")
    town.run(202601)
    assert town.table(town.bill(home, 202601)) == said("""
        宽带 宽带包年费 01-31..01-31 720.00
        合计 720.00
    """)
    town.run(202602)
    assert not town.has_bill(home, 202602)
    town.event(net, "terminated", "2026-06-10")
    town.run(202606)
    bill = town.bill(home, 202606)
    assert str(bill.head.total_fen) == "-420.00"
    assert town.opened(bill, 1).charges[0].text == "预付未用满，退 7 个整月：720.00 元 × 7/12 = -420.00 元"
    assert (bill.head.state, str(bill.head.open_fen)) == ("settled", "0.00")
    assert town.broken() == []


def test_a_year_taken_on_leap_day_ends_on_the_28th(databases: Databases, clock: ManualClock) -> None:
    town = BillTown(databases, clock).on("2028-02-29")
    home = town.account(1)
    town.install(home, "BBYEAR", "2028-02-29", "broadband", "zy001")
    town.run(202802)
    line = town.bill(home, 202802).lines[0]
    assert (line.from_on, line.until_on) == (date(2028, 2, 29), date(2029, 2, 28))
    town.run(202902)
    line = town.bill(home, 202902).lines[0]
    assert (line.from_on, line.until_on, str(line.amount_fen)) == (date(2029, 2, 28), date(2030, 2, 28), "720.00")


@pytest.mark.parametrize(
    ("installed", "amount"),
    [
        ("2026-02-01", "25.00"),
        ("2026-02-15", "12.50"),
        ("2026-02-28", "0.89"),
        ("2028-02-29", "0.86"),
        ("2026-01-31", "0.81"),
        ("2026-12-31", "0.81"),
    ],
)
def test_short_and_long_months(databases: Databases, clock: ManualClock, installed: str, amount: str) -> None:
    town = BillTown(databases, clock).on(installed)
    home = town.account(1)
    town.install(home, "PSTN", installed)
    month = int(installed[:4] + installed[5:7])
    town.run(month)
    assert str(town.bill(home, month).head.total_fen) == amount


def test_calls_are_summed_exactly_and_rounded_once(town: BillTown) -> None:
    """Three calls of 0.075 yuan: 0.225 becomes 0.23, where rounding each would have made 0.24."""
    home = town.account(1)
    line = town.install(home, "PSTN", "2026-01-01")
    town.calls(home, line, 202603, [75_000] * 3)
    town.calls(home, line, 202603, [1_000_000, 4_999], item="voice.long_distance")
    town.run(202603)
    bill = town.bill(home, 202603)
    assert town.table(bill) == said("""
        固定电话 月租费 固话普通 03-01..04-01 25.00
        固定电话 市话通话费 03-01..04-01 0.23
        固定电话 国内长途通话费 03-01..04-01 1.00
        合计 26.23
    """)
    opening = town.opened(bill, 2)
    assert sum((call.charge_micro_yuan for call in opening.calls), MicroYuan(0)) == bill.lines[1].charge_micro_yuan
    assert opening.rounding == "详单合计 0.225 元，四舍五入一次，计入账单 0.23 元。"
    assert {call.peer_no[-4:] for call in opening.calls} == {"****"}
    assert town.broken() == []


def test_another_pays_from_a_day_on(town: BillTown) -> None:
    """Who pays at the end of a piece pays the piece."""
    home, company = town.account(1), town.account(2)
    line = town.install(home, "PSTN", "2026-01-01")
    town.pays(
        line,
        PayRelationState(account_id=home, from_on=date(2026, 1, 1), until_on=date(2026, 3, 16)),
        PayRelationState(account_id=company, from_on=date(2026, 3, 16)),
    )
    town.run(202602)
    town.run(202603)
    assert town.has_bill(home, 202602) and not town.has_bill(company, 202602)
    assert not town.has_bill(home, 202603) and town.has_bill(company, 202603)


def test_news_of_an_earlier_month_gives_the_difference_and_nothing_else(town: BillTown) -> None:
    """The line ended on 11 March, but billing hears of it in April, after March was billed whole."""
    home = town.account(1)
    line = town.install(home, "PSTN", "2026-01-01")
    net = town.install(home, "BB100", "2026-01-01", "broadband", "zy001")
    town.run(202603)
    assert str(town.bill(home, 202603).head.total_fen) == "85.00"
    town.on("2026-04-10")
    town.event(line, "terminated", "2026-03-11")
    town.run(202604)
    bill = town.bill(home, 202604)
    assert town.table(bill) == said("""
        固定电话 月租费（2026-03 更正） 固话普通 03-01..04-01 -16.94
        宽带 宽带月租费 宽带100M 04-01..05-01 60.00
        合计 43.06
    """)
    assert town.opened(bill, 1).charges[0].text == ("2026-03 应收 8.06 元，已出账 25.00 元，补差 -16.94 元")
    assert [str(each.netted_fen) for each in bill.lines] == ["-16.94", "16.94"]
    town.run(202605)
    assert str(town.bill(home, 202605).head.total_fen) == "60.00"
    town.event(net, "suspended", "2026-05-31")
    assert town.broken() == []


def test_a_new_price_book_does_not_touch_who_has_the_old_price(town: BillTown) -> None:
    home, later = town.account(1), town.account(2)
    town.install(home, "PSTN", "2026-01-01")
    town.publish(2, [recurring("PSTN", "30")])
    town.install(later, "PSTN", "2026-01-01", version=2)
    town.run(202603)
    assert str(town.bill(home, 202603).head.total_fen) == "25.00"
    assert str(town.bill(later, 202603).head.total_fen) == "30.00"


def test_a_bill_keeps_what_was_known(town: BillTown) -> None:
    """Name, address and texts of a bill are those of the day it was frozen."""
    home = town.account(1, "马德明")
    line = town.install(home, "PSTN", "2026-01-01", shown_as="0937-3961234")
    town.run(202603)
    town.histories[line] = town.histories[line].model_copy(update={"shown_as": "0937-8888888"})
    town.event(line, "suspended", "2026-04-20")
    bill = town.bill(home, 202603)
    assert (bill.payer.name, bill.lines[0].shown_as) == ("马德明", "0937-3961234")
    assert bill.payer.address.startswith("甘肃省张掖市")
