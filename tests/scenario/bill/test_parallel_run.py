"""The parallel run over files of two old systems: accounts found by what they became, every fen under a reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from server_api.migration.mapping import shipped
from server_api.migration.parallel.rules import Finding, Reason
from server_api.migration.parallel.run import compare_month
from server_api.platform.database import Databases
from shared_models.contracts.migration import ParallelReport
from shared_models.tables.billing.migration import migration_link
from shared_models.values.clock import ManualClock
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support.bill_town import BillTown

MARCH = Month(202603)
TEL_HEADING = "账户号,账期,账目,欠费金额,电话号码"
BB_HEADING = "AcctID,Cycle,Item,Owe,LoginName"


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    """Three accounts of March: a line from the 17th with calls, a broadband, one the old systems never billed."""
    town = BillTown(databases, clock).on("2026-03-01")
    first, second, third = (town.account(number) for number in (1, 2, 3))
    line = town.install(first, "PSTN", "2026-03-17")
    town.calls(first, line, 202603, [115_000] * 40)
    town.install(second, "BB100", "2026-01-01", "broadband", shown_as="gs0002")
    town.install(third, "TV", "2026-01-01", "tv", shown_as="8003")
    links = [("tel97", "T1", first), ("bb", "B2", second)]
    rows = [
        {"system_code": system, "record_kind": "account", "old_key": key, "new_id": new, "digest": "0" * 64}
        for system, key, new in links
    ]
    town.billing.write(lambda conn: conn.execute(insert(migration_link), rows))
    town.run(202603)
    return town


def compared(town: BillTown, folder: Path, tel: str, bb: str) -> tuple[ParallelReport, list[Finding]]:
    (folder / "tel97_bills.csv").write_text(f"{TEL_HEADING}\n{tel}\n", encoding="gb18030")
    (folder / "bb_bills.csv").write_text(f"{BB_HEADING}\n{bb}\n", encoding="utf-8")
    broadband = replace(shipped("broadband"), system="bb")
    kept: list[Finding] = []
    return compare_month(town.billing, [shipped("tel97"), broadband], folder, MARCH, kept.append), kept


def test_each_difference_has_its_reason(town: BillTown, tmp_path: Path) -> None:
    tel = "T1,202603,月租,25.00,3961234\nT1,202603,市话,4.40,3961234\nT9,202603,月租,25.00,3969999"
    report, kept = compared(town, tmp_path, tel, "B2,202603,MonthFee,60.00,gs0002\nB2,202602,MonthFee,99.00,gs0002")
    assert report.errors == ()
    assert (report.account_count, report.equal_account_count, report.rows_read) == (4, 1, 5)
    assert [(one.item_code, one.reason, one.difference_fen) for one in kept] == [
        # 40 calls of 0.115: 4.60 here; there each call was cut to the fen
        ("voice.local", Reason.ROUNDING, -20),
        # 25.00 whole there, 25 x 15/31 here
        ("voice.monthly", Reason.PRORATION, 1290),
        ("tv.monthly", Reason.ACCOUNT_NOT_THEIRS, -2600),
        ("voice.monthly", Reason.ACCOUNT_NOT_OURS, 2500),
    ]
    assert report.old_fen - report.our_fen == Fen(sum(one.difference_fen for one in report_reasons(report)))
    assert report.unexplained == ()


def report_reasons(report: ParallelReport) -> list[Finding]:
    return [Finding("", "", one.difference_fen.amount_fen, 0, Reason(one.reason)) for one in report.reasons]


def test_a_bad_row_is_named_and_an_unexplained_difference_too(town: BillTown, tmp_path: Path) -> None:
    report, _kept = compared(town, tmp_path, "T1,202603,月租,abc,3961234", "B2,202603,MonthFee,61.37,gs0002")
    (error,) = report.errors
    assert (error.file, error.row_no, error.code) == ("tel97_bills.csv", 2, "amount_not_valid")
    (one,) = report.unexplained
    assert (one.account_no, one.old_fen, one.our_fen) == ("1000000002", Fen(6137), Fen(6000))
