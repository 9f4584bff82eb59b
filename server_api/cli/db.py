"""``onehall db``: the schema of both databases."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from server_api.cli.console import OK, REFUSED, Console, t
from server_api.cli.house import open_house
from server_api.platform import schema
from server_api.platform.database import Database, Role
from server_api.platform.secrets import Secrets

ROLES: tuple[Role, Role] = ("business", "billing")


def add_commands(subparsers: Any) -> None:
    """``db upgrade | check | sql | new-revision``."""
    parser = subparsers.add_parser("db", help=t("db.help"), description=t("db.help"))
    actions = parser.add_subparsers(dest="action", required=True, metavar=t("command"))
    actions.add_parser("upgrade", help=t("db.upgrade")).set_defaults(run=_upgrade)
    actions.add_parser("check", help=t("db.check")).set_defaults(run=_check)
    sql = actions.add_parser("sql", help=t("db.sql"))
    sql.add_argument("role", choices=ROLES)
    sql.add_argument("engine", choices=("mssql", "oracle"))
    sql.set_defaults(run=_sql)
    new = actions.add_parser("new-revision", help=t("db.new_revision"))
    new.add_argument("message")
    new.add_argument("--initial", action="store_true", help=t("db.initial"))
    new.set_defaults(run=_new_revision)


def _upgrade(args: argparse.Namespace, console: Console) -> int:
    """Bring both databases to this program's schema; an empty one is created."""
    done = {}
    with open_house(args, any_schema=True) as house:
        for role in ROLES:
            before, after = schema.upgrade(house.databases.of(role))
            done[role] = {"from": before, "to": after}
            console.say(t("db.upgraded", role=role, before=before or "-", after=after))
        house.databases.business.secrets.open_ring(house.databases)
    console.result(done)
    return OK


def _check(args: argparse.Namespace, console: Console) -> int:
    """Compare both databases with the models; 1 when they differ."""
    found: dict[str, Any] = {}
    with open_house(args, any_schema=True) as house:
        for role in ROLES:
            database = house.databases.of(role)
            different = schema.differences(database)
            found[role] = {"revision": schema.current(database), "head": schema.head(role), "differences": different}
            console.say(t("db.checked", role=role, revision=schema.current(database) or "-", head=schema.head(role),
                          count=len(different)))
            for line in different:
                console.say(f"  {line}")
    console.result(found)
    return REFUSED if any(side["differences"] or side["revision"] != side["head"] for side in found.values()) else OK


def _sql(args: argparse.Namespace, console: Console) -> int:
    """Print the history as a script for a DBA."""
    text = schema.offline_sql(args.role, args.engine)
    console.say(text)
    console.result({"sql": text})
    return OK


def _new_revision(args: argparse.Namespace, console: Console) -> int:
    """Write a revision for each side that differs from its models (development)."""
    written: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for role in ROLES:
            database = Database(role, f"sqlite:///{Path(folder, role).as_posix()}.db", secrets=Secrets(bytes(32)))
            try:
                if not args.initial:
                    schema.upgrade(database)
                    if not schema.differences(database):
                        continue
                written += [str(path) for path in schema.new_revision(database, args.message, initial=args.initial)]
            finally:
                database.close()
    for path in written:
        console.say(path)
    console.result({"written": written})
    return OK
