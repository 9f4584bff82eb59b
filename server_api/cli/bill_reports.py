"""``onehall bill income | compare-old``: what accounting takes over, and the old system's bills beside ours."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from server_api.billing.bill.policy import billing_policy
from server_api.billing.bill.service.income import income
from server_api.cli.console import OK, REFUSED, USAGE, Console, language, t
from server_api.cli.house import open_house
from server_api.migration.mapping import MappingNotValid, SystemMapping, load, shipped, shipped_systems
from server_api.migration.parallel.rules import Finding, Reason
from server_api.migration.parallel.run import compare_month
from server_api.platform.tabular import sheets_to_excel, write_csv
from shared_models.contracts.income import IncomeBy, IncomeReport
from shared_models.contracts.migration import ParallelReport
from shared_models.values.money import Fen
from shared_models.values.period import Month

_SHOWN = 20
_INCOME_COLUMNS = (
    "service", "region", "offering", "item", "label", "rate", "lines", "adjusted", "gross", "net", "tax",
)  # fmt: skip


def add_reports(acts: Any, month: Callable[[str], Month]) -> None:
    """``bill income`` and ``bill compare-old``; ``month`` reads the month a person writes."""
    one = acts.add_parser("income", help=t("bill.income"), description=t("bill.income"))
    one.add_argument("--month", required=True, type=month, metavar="YYYY-MM", help=t("bill.income_month"))
    one.add_argument("--by", choices=[each.value for each in IncomeBy], default="all", help=t("bill.income_by"))
    one.add_argument("--out", type=Path, metavar="FILE", help=t("bill.income_out"))
    one.set_defaults(run=_income)
    other = acts.add_parser("compare-old", help=t("bill.compare"), description=t("bill.compare_description"))
    other.add_argument("--month", required=True, type=month, metavar="YYYY-MM", help=t("bill.month"))
    other.add_argument("--from", dest="folder", type=Path, required=True, metavar="DIR", help=t("bill.compare_from"))
    other.add_argument("--system", action="append", metavar="NAME", help=t("migrate.system"))
    other.add_argument("--mapping", action="append", type=Path, metavar="FILE", help=t("migrate.mapping"))
    other.add_argument("--out", type=Path, metavar="FILE", help=t("bill.compare_out"))
    other.set_defaults(run=_compare)


# ---- income ---------------------------------------------------------------------------------------------------------
def _income(args: argparse.Namespace, console: Console) -> int:
    """Show or write the income of a booking month; 1 where the ledger says otherwise."""
    if args.out is not None and args.out.suffix.lower() not in (".csv", ".xlsx"):
        console.complain(t("bill.out_ending", file=args.out.name))
        return USAGE
    with open_house(args) as house, house.databases.billing.reading() as connection:
        report = income(connection, month=args.month, by=IncomeBy(args.by))
    heading, rows = _income_table(report)
    if args.out is None:
        console.table(heading, rows)
    elif args.out.suffix.lower() == ".csv":
        write_csv(args.out, heading, rows)
    else:
        args.out.write_bytes(sheets_to_excel([(str(args.month), heading, rows)]))
    if args.out is not None:
        console.say(t("bill.income_written", file=args.out, count=len(rows)))
    for each in report.differences:
        console.say(t("bill.income_differs", ledger=each.ledger, booked=each.ledger_fen.grouped,
                      reported=each.report_fen.grouped))  # fmt: skip
    if not report.differences:
        console.say(t("bill.income_agrees", net=report.net_fen.grouped, tax=report.tax_fen.grouped))
    console.result(report.model_dump(mode="json"))
    return REFUSED if report.differences else OK


def _income_table(report: IncomeReport) -> tuple[list[str], list[tuple[object, ...]]]:
    heading = [t(f"bill.income_{name}") for name in _INCOME_COLUMNS]
    rows: list[tuple[object, ...]] = [
        (
            row.service, row.region, row.offering_code, row.item_code, _label(row.item_code),
            f"{row.tax_per_mille / 10:g}%", row.line_count, row.adjustment_count, str(row.gross_fen), str(row.net_fen),
            str(row.tax_fen),
        )
        for row in report.rows
    ]  # fmt: skip
    total = ("", "", "", "", t("bill.income_total"), "", "", "")
    return heading, [*rows, (*total, str(report.gross_fen), str(report.net_fen), str(report.tax_fen))]


def _label(item_code: str) -> str:
    item = billing_policy().bill.items.get(item_code)
    if item is None:
        return item_code
    return item.label if language() == "zh_CN" else item.label_en


# ---- the old system's bills beside ours -----------------------------------------------------------------------------
def _compare(args: argparse.Namespace, console: Console) -> int:
    """Compare the bills of a month; 1 where a difference has no explanation or a row could not be read."""
    try:
        systems: list[SystemMapping] = [load(file) for file in args.mapping or ()]
        systems += [shipped(name) for name in args.system or ([] if systems else shipped_systems())]
    except (MappingNotValid, OSError) as wrong:
        console.complain(t("migrate.mapping_wrong", reason=wrong))
        return USAGE
    if not args.folder.is_dir():
        console.complain(t("migrate.folder_missing", folder=args.folder))
        return USAGE
    with open_house(args, "compare") as house:
        if args.out is None:
            report = compare_month(house.databases.billing, systems, args.folder, args.month)
        else:
            report = _compare_into(args.out, house.databases.billing, systems, args.folder, args.month)
            console.say(t("bill.compare_written", file=args.out))
    _show(report, console)
    console.result(report.model_dump(mode="json"))
    return REFUSED if report.unexplained or report.errors else OK


def _compare_into(
    file: Path, billing: Any, systems: Sequence[SystemMapping], folder: Path, month: Month
) -> ParallelReport:
    """Compare and write every difference as it is found; a town's differences need not fit in memory."""
    with file.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow([t(f"bill.compare_{name}") for name in (
            "account", "item", "label", "old", "ours", "difference", "reason", "detail")])  # fmt: skip

        def keep(one: Finding) -> None:
            writer.writerow((
                one.account_no, one.item_code, _label(one.item_code), Fen(one.old_fen), Fen(one.our_fen),
                Fen(one.difference_fen), _reason(one.reason), one.detail,
            ))  # fmt: skip

        return compare_month(billing, systems, folder, month, keep)


def _reason(reason: str) -> str:
    return t(f"bill.reason.{Reason(reason).value}")


def _show(report: ParallelReport, console: Console) -> None:
    console.say(t("bill.compared", accounts=f"{report.account_count:,}", equal=f"{report.equal_account_count:,}",
                  old=report.old_fen.grouped, ours=report.our_fen.grouped))  # fmt: skip
    console.table(
        (t("bill.compare_reason"), t("bill.compare_items"), t("bill.compare_difference")),
        [(_reason(one.reason), f"{one.item_count:,}", one.difference_fen.grouped) for one in report.reasons],
    )
    for error in report.errors[:_SHOWN]:
        console.say(f"{error.file}:{error.row_no} {error.text_zh if language() == 'zh_CN' else error.text_en}")
    for each in report.unexplained[:_SHOWN]:
        console.say(f"  {each.account_no}  {each.item_code}  {each.old_fen} / {each.our_fen}")
