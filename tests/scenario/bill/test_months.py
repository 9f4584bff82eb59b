"""Months of a household, with a clock: what is installed, changed, stopped, and what the bill then says."""

from __future__ import annotations

from textwrap import dedent

import pytest

from server_api.platform.database import Databases
from shared_models.values.clock import ManualClock
from tests.support.bill_town import BillTown


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    return BillTown(databases, clock).on("2026-03-01")


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
    assert bill.payer.name == "客户1"
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
    assert town.opened(bill, 1).charges[0].text == (
        "25.00 元/月 × 15/31（2026-03-17 开通，按实际天数，2026-03-17 至 2026-03-31）= 12.096774 元")
