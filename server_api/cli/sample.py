"""``onehall sample``: a synthetic town, written as the three old systems would have exported it."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from server_api.cli.console import OK, USAGE, Console, t
from server_api.migration.sample.files import write_town
from shared_models.values.clock import town_day
from shared_models.values.period import Month


def add_commands(subparsers: Any) -> None:
    """``sample town``."""
    parser = subparsers.add_parser("sample", help=t("sample.help"), description=t("sample.help"))
    actions = parser.add_subparsers(dest="action", required=True, metavar=t("command"))
    town = actions.add_parser("town", help=t("sample.town"), description=t("sample.town"))
    town.add_argument("--out", type=Path, required=True, metavar="DIR", help=t("sample.out"))
    town.add_argument("--households", type=int, default=10_000, metavar="N", help=t("sample.households"))
    town.add_argument("--seed", type=int, default=1, metavar="N", help=t("sample.seed"))
    town.add_argument("--month", type=int, metavar="YYYYMM", help=t("sample.month"))
    town.set_defaults(run=_town)


def _town(args: argparse.Namespace, console: Console) -> int:
    """Write the files of a town; the same seed gives the same files."""
    today = town_day(datetime.now(timezone.utc))
    try:
        month = Month(args.month) if args.month else Month.of(today).previous()
    except ValueError:
        console.complain(t("sample.month_wrong", month=args.month))
        return USAGE
    if not 1 <= args.households <= 30_000:
        console.complain(t("sample.households_wrong", most=30_000))
        return USAGE
    figures = write_town(args.out, households=args.households, seed=args.seed, month=month)
    console.say(t("sample.written", folder=args.out, households=figures["households"], groups=figures["groups"],
                  products=figures["products"], month=month))  # fmt: skip
    console.result(figures)
    return OK
