"""``onehall usage trunks | settlement | agreements``: what went over trunk groups, and what operators owe for it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from server_api.billing.usage.traffic import service
from server_api.cli.console import OK, REFUSED, Console, language, t
from server_api.cli.house import open_house
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.tabular import write_csv
from shared_models.contracts.table import CellKind, Table
from shared_models.contracts.usage import AgreementVersion
from shared_models.contracts.work import system_context
from shared_models.values.ids import new_id
from shared_models.values.money import Fen
from shared_models.values.period import Month


def add_traffic(verbs: Any) -> None:
    """Add the verbs to ``usage``."""
    trunks = verbs.add_parser("trunks", help=t("usage.trunks_help"))
    _month_and_csv(trunks)
    trunks.add_argument("--switch", help=t("usage.trunks_switch"))
    trunks.add_argument("--by", choices=("trunk", "office", "hour"), default="trunk", help=t("usage.trunks_by"))
    trunks.set_defaults(run=_trunks)
    settlement = verbs.add_parser("settlement", help=t("usage.settlement_help"))
    _month_and_csv(settlement)
    settlement.add_argument("--version", type=int, metavar="N", help=t("usage.settlement_version"))
    settlement.set_defaults(run=_settlement)
    agreements = verbs.add_parser("agreements", help=t("usage.agreements_help"))
    agreements.add_argument("file", type=Path, metavar="FILE", help=t("usage.agreements_file"))
    agreements.set_defaults(run=_agreements)


def _month_and_csv(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--month", type=_month, required=True, help=t("usage.month"))
    parser.add_argument("--csv", type=Path, metavar="FILE", help=t("usage.csv"))


def _month(text: str) -> Month:
    return Month(int(text.replace("-", "")))


def _trunks(args: argparse.Namespace, console: Console) -> int:
    """Show calls, answers, seconds and load of a month's trunk groups."""
    report = service.report_by(args.by)
    with open_house(args) as house, house.databases.billing.reading() as conn:
        found = report(conn, args.month, switch=args.switch, language=language())
    _show(console, found, args.csv)
    console.result(found.model_dump(mode="json"))
    return OK


def _settlement(args: argparse.Namespace, console: Console) -> int:
    """Show what operators owe for a month, and what no rate settles."""
    with open_house(args) as house, house.databases.billing.reading() as conn:
        settled, left = service.settlement_report(conn, args.month, version_no=args.version, language=language())
    _show(console, settled, args.csv)
    if left.rows:
        console.say("")
        _show(console, left, None)
    console.result({"settled": settled.model_dump(mode="json"), "unsettled": left.model_dump(mode="json")})
    return OK


def _agreements(args: argparse.Namespace, console: Console) -> int:
    """Import operators, trunk groups and settlement rates."""
    try:
        text = args.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        console.complain(f"{args.file}: {error}")
        return REFUSED
    with open_house(args) as house:
        act = Act(new_id(), "usage.agreements", digest_of({"text": text}), system_context("usage agreements"))
        outcome = perform(
            house.databases.billing,
            act,
            lambda uow: service.import_agreements(uow, text=text, file=args.file.name),
        )
    version = AgreementVersion.model_validate_json(outcome.reply)
    console.say(t("usage.agreements_done", version=version.version_no))
    console.result(version.model_dump(mode="json"))
    return OK


def _show(console: Console, table: Table, file: Path | None) -> None:
    """A report for people, or as a file."""
    money = {at for at, column in enumerate(table.columns) if column.kind is CellKind.MONEY_FEN}
    rows = [*table.rows, *([table.totals] if table.totals and table.rows else [])]
    shown = [
        ["" if cell is None else str(Fen(int(cell))) if at in money else str(cell) for at, cell in enumerate(row)]
        for row in rows
    ]
    headings = [column.label for column in table.columns]
    if file is not None:
        write_csv(file, headings, shown)
        console.say(t("usage.csv_done", file=file, rows=len(shown)))
        return
    console.say(table.title)
    if table.subtitle:
        console.say(table.subtitle)
    console.table(headings, shown)
