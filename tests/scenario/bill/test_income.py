"""Income of a booking month: equal to the ledger to the fen, by service, region and product, credits taken off."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from server_api.billing.bill.service.income import income
from server_api.platform.database import Databases
from shared_models.contracts.income import IncomeBy
from shared_models.tables.billing.ledger import posting
from shared_models.values.clock import ManualClock
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support.bill_town import BillTown

APRIL = Month(202604)


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    town = BillTown(databases, clock).on("2026-03-01")
    account = town.account(1)
    line = town.install(account, "PSTN", "2026-03-17")
    town.calls(account, line, 202603, [100_000, 234_567])
    other = town.account(2)
    town.install(other, "BB100", "2026-01-01", "broadband", shown_as="gs0002")
    town.install(other, "TV", "2026-01-01", "tv", shown_as="8002")
    town.run(202603)
    return town


def test_income_of_april_is_the_bills_of_march(town: BillTown) -> None:
    with town.billing.reading() as conn:
        report = income(conn, month=APRIL)
        by_service = income(conn, month=APRIL, by=IncomeBy.SERVICE)
        march = income(conn, month=Month(202603))
    assert report.differences == ()
    # 25 x 15/31 = 12.10; calls 0.33; 60.00; 26.00, VAT at 9 % and 6 % in them
    assert report.gross_fen == Fen(1210 + 33 + 6000 + 2600)
    assert report.net_fen == Fen(1110 + 30 + 5660 + 2453)
    assert report.gross_fen - report.net_fen == report.tax_fen
    assert {(row.service, row.item_code): row.gross_fen.amount_fen for row in by_service.rows} == {
        ("voice", "voice.monthly"): 1210,
        ("voice", "voice.local"): 33,
        ("broadband", "broadband.monthly"): 6000,
        ("tv", "tv.monthly"): 2600,
    }
    assert {row.region for row in report.rows} == {"0937"}
    assert march.rows == () and march.differences == ()


def test_every_way_to_tell_rows_apart_sums_to_the_same(town: BillTown) -> None:
    with town.billing.reading() as conn:
        reports = [income(conn, month=APRIL, by=by) for by in IncomeBy]
    for report in reports:
        assert sum(row.net_fen.amount_fen for row in report.rows) == report.net_fen.amount_fen
        assert report.net_fen == reports[0].net_fen and report.tax_fen == reports[0].tax_fen


def test_a_booking_that_no_bill_made_is_named(town: BillTown) -> None:
    town.billing.write(
        lambda conn: conn.execute(
            insert(posting).values(
                period=202604,
                act_id="f" * 32,
                line_no=1,
                booked_on=town.clock.now().date(),
                from_code="revenue",
                from_owner="tv.monthly",
                to_code="receivable",
                to_owner="a" * 32,
                amount_fen=Fen(7),
            )
        )
    )
    with town.billing.reading() as conn:
        (found,) = income(conn, month=APRIL).differences
    assert (found.ledger, found.ledger_fen - found.report_fen) == ("revenue:tv.monthly", Fen(7))
