"""``onehall migrate``: take customers, accounts, products, numbers, balances and open bills over from old systems."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from server_api.cli.console import OK, REFUSED, USAGE, Console, language, t
from server_api.cli.house import open_house
from server_api.migration.mapping import MappingNotValid, SystemMapping, load, shipped, shipped_systems
from server_api.migration.run import Takeover, errors_as_rows
from server_api.platform.tabular import write_csv
from shared_models.contracts.migration import MigrationReport

_SHOWN = 20


def add_commands(subparsers: Any) -> None:
    """``migrate``."""
    parser = subparsers.add_parser("migrate", help=t("migrate.help"), description=t("migrate.help"))
    parser.add_argument("--from", dest="folder", type=Path, required=True, metavar="DIR", help=t("migrate.folder"))
    parser.add_argument("--system", action="append", metavar="NAME", help=t("migrate.system"))
    parser.add_argument("--mapping", action="append", type=Path, metavar="FILE", help=t("migrate.mapping"))
    parser.add_argument("--dry-run", action="store_true", help=t("migrate.dry_run"))
    parser.add_argument("--errors", type=Path, metavar="FILE", help=t("migrate.errors"))
    parser.set_defaults(run=_migrate)


def _migrate(args: argparse.Namespace, console: Console) -> int:
    """Take the systems over; 1 when a control total does not agree. Rows set aside do not stop the rest."""
    try:
        systems: list[SystemMapping] = [load(file) for file in args.mapping or ()]
        names = args.system or ([] if systems else shipped_systems())
        systems += [shipped(name) for name in names]
    except (MappingNotValid, OSError) as wrong:
        console.complain(t("migrate.mapping_wrong", reason=wrong))
        return USAGE
    if not args.folder.is_dir():
        console.complain(t("migrate.folder_missing", folder=args.folder))
        return USAGE
    with open_house(args, "migrate") as house:
        takeover = Takeover(
            house.databases, house.crossings, args.folder, dry_run=args.dry_run,
            progress=lambda step, done, total: console.progress(_progress(step, done, total)),
        )  # fmt: skip
        report = takeover.run(systems)
    _show(report, console)
    if args.errors is not None:
        heading = ["文件", "行", "列", "问题", "处理办法", "what", "remedy"]
        write_csv(args.errors, heading, errors_as_rows(report.errors))
        console.say(t("migrate.errors_written", file=args.errors, count=len(report.errors)))
    console.result(report.model_dump(mode="json"))
    return OK if args.dry_run or all(total.agrees for total in report.totals) else REFUSED


def _show(report: MigrationReport, console: Console) -> None:
    key = "migrate.tried" if report.dry_run else "migrate.done"
    console.say(t(key, read=report.rows_read, new=report.rows_new, there=report.rows_already_there,
                  aside=report.rows_set_aside, merged=report.customers_merged, seconds=report.duration_s))  # fmt: skip
    marks = {True: t("migrate.agrees"), False: t("migrate.differs")}
    headings = [t("migrate.total"), t("migrate.source"), t("migrate.stored"), "", ""]
    console.table(headings, [
        [total.name, _amount(total.source_count, total.source_fen), _amount(total.stored_count, total.stored_fen),
         total.side, "" if report.dry_run else marks[total.agrees]]
        for total in report.totals
    ])  # fmt: skip
    chinese = language() == "zh_CN"
    for error in report.errors[:_SHOWN]:
        text, remedy = (error.text_zh, error.remedy_zh) if chinese else (error.text_en, error.remedy_en)
        console.say(f"  {error.file}:{error.row_no} {error.field}: {text} {remedy}")
    if len(report.errors) > _SHOWN:
        console.say(t("migrate.more_errors", count=len(report.errors) - _SHOWN))


def _amount(count: int, fen: object) -> str:
    return str(count) if fen is None else f"{count} / {fen}"


def _progress(step: str, done: int, total: int) -> str:
    return t("migrate.progress", step=step, done=done, total=total)
