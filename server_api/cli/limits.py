"""``onehall limits``: who gave away how much this month, by day and kind of act, and what was approved."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any

from server_api.billing.account import giving
from server_api.cli.console import OK, Console, t
from server_api.cli.house import open_house
from shared_models.values.clock import town_day

_COLUMNS = ("staff", "kind", "day", "used_day", "used_month", "limit_day", "limit_month", "acts")


def add_commands(subparsers: Any) -> None:
    """``limits``."""
    parser = subparsers.add_parser("limits", help=t("limits.help"), description=t("limits.help"))
    parser.add_argument("--on", type=date.fromisoformat, default=None, metavar="YYYY-MM-DD", help=t("limits.on"))
    parser.set_defaults(run=_limits)


def _limits(args: argparse.Namespace, console: Console) -> int:
    with open_house(args) as house:
        billing = house.databases.billing
        with billing.reading() as conn:
            report = giving.limit_report(conn, args.on or town_day(billing.clock.now()))
    console.result(report.model_dump(mode="json"))
    if not report.lines:
        console.say(t("limits.none"))
        return OK
    console.table(
        [t(f"limits.column.{name}") for name in _COLUMNS],
        [
            [
                line.staff_id,
                line.kind,
                line.day_on,
                line.used_day_fen,
                line.used_month_fen,
                line.limit_day_fen or "-",
                line.limit_month_fen or "-",
                f"{line.act_count}{' !' if line.warning else ''}",
            ]
            for line in report.lines
        ],
    )
    return OK
