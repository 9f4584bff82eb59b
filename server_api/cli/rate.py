"""``onehall rate`` (any file with any tariff, no database) and ``onehall tariff`` (check, import, list).

What reads and rates a file loads no database: whoever tries a tariff waits for that alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

import resources
from server_api.billing.rating.attached import with_files, with_files_there
from server_api.billing.rating.offline import explained, rate_file
from server_api.billing.rating.tariff.files import sample_tariffs, tariffs_in
from server_api.billing.usage.formats.tables import site_tables
from server_api.cli.console import OK, REFUSED, Console, language, t
from server_api.cli.tariff_preview import add_preview
from server_api.settings import data_folder
from shared_models.values.money import MicroYuan

_COLUMNS = ("caller", "called", "start", "duration", "charge", "price", "why")


def add_commands(subparsers: Any) -> None:
    """``rate`` and ``tariff check | import | list | preview``."""
    parser = subparsers.add_parser("rate", help=t("rate.help"))
    parser.add_argument("--tariff", type=Path, action="append", required=True, metavar="FILE", help=t("rate.tariff"))
    parser.add_argument("--deck", type=Path, action="append", metavar="FILE", help=t("rate.deck"))
    parser.add_argument("--usage", type=Path, required=True, metavar="FILE", help=t("rate.usage"))
    parser.add_argument("--format", metavar="CODE|TABLE", help=t("rate.format"))
    parser.add_argument("--output", choices=("table", "csv", "json"), default="table", help=t("rate.output"))
    parser.add_argument("--engine", choices=("polars", "spark"), default="polars", help=t("rate.engine"))
    parser.add_argument("--limit", type=int, help=t("rate.limit"))
    parser.set_defaults(run=_rate)
    tariff = subparsers.add_parser("tariff", help=t("tariff.help"))
    verbs = tariff.add_subparsers(dest="tariff_verb", required=True, metavar="VERB")
    for verb, run, count in (("check", _check, "+"), ("import", _import, "*")):
        sub = verbs.add_parser(verb, help=t(f"tariff.{verb}_help"))
        sub.add_argument("files", nargs=count, type=Path, metavar="FILE", help=t("tariff.import_file"))
        sub.set_defaults(run=run)
    verbs.add_parser("list", help=t("tariff.list_help")).set_defaults(run=_list)
    add_preview(verbs)


def _rate(args: argparse.Namespace, console: Console) -> int:
    """Print every charge with its explanation, then the totals."""
    try:
        tariffs = [
            tariff for path in args.tariff for tariff in with_files(tariffs_in(path), path.parent, args.deck or ())
        ]
        with site_tables(data_folder(args.data_dir) / "usage"):
            charged, tables, totals = rate_file(args.usage, tariffs, args.format, engine=args.engine)
    except OSError as error:
        console.complain(f"{error.filename}: {error.strerror}")
        return REFUSED
    calls = explained(charged, tables, language(), args.limit)
    if args.json or args.output == "json":
        for call in calls:
            sys.stdout.write(json.dumps(call, ensure_ascii=False) + "\n")
    elif args.output == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(_COLUMNS)
        writer.writerows(_line(call) for call in calls)
    else:
        console.table(tuple(t(f"rate.{name}") for name in _COLUMNS), [_line(call) for call in calls])
    aside = sum(totals.aside.values()) + totals.duplicate_count
    if args.json or args.output == "json":
        sys.stdout.write(
            json.dumps(
                {
                    "read": totals.read_count,
                    "rated": totals.rated_count,
                    "aside": totals.aside,
                    "duplicate": totals.duplicate_count,
                    "charge_micro_yuan": totals.charge_micro_yuan,
                }
            )
            + "\n"
        )
        return OK
    say = console.complain if args.output == "csv" else console.say
    say(t("rate.totals", read=totals.read_count, rated=totals.rated_count, aside=aside, charge=totals.charge))
    for reason, count in sorted(totals.aside.items()):
        say(t("rate.aside", reason=resources.text(f"ui.usage_reason.{reason}", language()), count=count))
    return OK


def _line(call: dict[str, Any]) -> tuple[object, ...]:
    charge = MicroYuan(call["charge_micro_yuan"])
    return (call["caller"], call["called"], call["start"], call["duration_s"], charge, call["tariff"], call["text"])


def _check(args: argparse.Namespace, console: Console) -> int:
    """Read the files; the first problem of a file that has any is refused with its place."""
    tariffs = [tariff for path in args.files for tariff in with_files_there(tariffs_in(path), path.parent)]
    for tariff in tariffs:
        console.say(t("tariff.good", version=tariff.version, rows=len(tariff.rows)))
    console.result([tariff.version for tariff in tariffs])
    return OK


def _import(args: argparse.Namespace, console: Console) -> int:
    """Keep the tariffs of the files, or the samples."""
    from server_api.billing.rating.service import import_tariffs
    from server_api.cli.house import open_house
    from server_api.platform.acts import Act, digest_of, perform
    from shared_models.contracts.rating import TariffsImported
    from shared_models.contracts.work import system_context
    from shared_models.values.ids import new_id

    tariffs = [tariff for path in args.files for tariff in tariffs_in(path)] if args.files else sample_tariffs()
    with open_house(args) as house:
        act = Act(
            new_id(),
            "tariff.import",
            digest_of([tariff.version for tariff in tariffs]),
            system_context("tariff import"),
        )
        done = perform(house.databases.billing, act, lambda uow: import_tariffs(uow, tariffs=tariffs))
    report = TariffsImported.model_validate_json(done.reply)
    console.say(
        t("tariff.imported", added=", ".join(report.added) or t("tariff.none"), unchanged=report.unchanged_count)
    )
    console.result(report.model_dump(mode="json"))
    return OK


def _list(args: argparse.Namespace, console: Console) -> int:
    """List the versions kept."""
    from server_api.billing.rating.service import tariff_codes
    from server_api.cli.house import open_house

    with open_house(args) as house, house.databases.billing.reading() as conn:
        versions = tariff_codes(conn)
    for version in versions:
        console.say(version)
    console.result(versions)
    return OK
