"""``onehall audit``: whether the audit trail is whole."""

from __future__ import annotations

import argparse
from typing import Any

from server_api.cli.console import OK, REFUSED, Console, t
from server_api.cli.house import open_house
from server_api.platform import audit


def add_commands(subparsers: Any) -> None:
    """``audit verify``."""
    parser = subparsers.add_parser("audit", help=t("audit.help"), description=t("audit.help"))
    actions = parser.add_subparsers(dest="action", required=True, metavar=t("command"))
    actions.add_parser("verify", help=t("audit.verify")).set_defaults(run=_verify)


def _verify(args: argparse.Namespace, console: Console) -> int:
    """Recompute every entry and seal of both sides; 1 when one was changed or is gone."""
    shown: dict[str, Any] = {}
    with open_house(args) as house:
        for database in (house.databases.business, house.databases.billing):
            report = audit.verify(database)
            shown[database.role] = {"sealed": report.sealed, "unsealed": report.unsealed, "seals": report.seals,
                                    "head": report.head, "wrong": report.wrong}
            console.say(t("audit.verified", role=database.role, sealed=report.sealed, unsealed=report.unsealed,
                          seals=report.seals, head=report.head[:16], wrong=len(report.wrong)))
            for line in report.wrong:
                console.say(f"  {line}")
    console.result(shown)
    return REFUSED if any(side["wrong"] for side in shown.values()) else OK
