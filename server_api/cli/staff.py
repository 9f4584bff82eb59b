"""``onehall staff``: the first administrator, halls from a file, people at work. There are no default passwords."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from server_api.business.staff import service as staff
from server_api.cli.console import OK, USAGE, Console, t
from server_api.cli.house import House, open_house
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.staff import AddStaff, HallRow
from shared_models.contracts.work import DataScope, system_context
from shared_models.values.ids import new_id

HEAD_OFFICE = "H00"


def add_commands(subparsers: Any) -> None:
    """``staff add-admin | add | halls | roles``."""
    parser = subparsers.add_parser("staff", help=t("staff.help"), description=t("staff.help"))
    actions = parser.add_subparsers(dest="action", required=True, metavar=t("command"))
    admin = actions.add_parser("add-admin", help=t("staff.add_admin"), description=t("staff.add_admin"))
    admin.add_argument("--no", default="admin", metavar="NO", help=t("staff.no"))
    admin.add_argument("--name", default="系统管理员", metavar="NAME", help=t("staff.name"))
    admin.set_defaults(run=_add_admin)
    adding = actions.add_parser("add", help=t("staff.add"), description=t("staff.add"))
    adding.add_argument("--no", required=True, metavar="NO", help=t("staff.no"))
    adding.add_argument("--name", required=True, metavar="NAME", help=t("staff.name"))
    adding.add_argument("--hall", required=True, metavar="CODE", help=t("staff.hall"))
    adding.add_argument("--role", action="append", required=True, metavar="CODE", help=t("staff.role"))
    adding.add_argument("--scope", choices=[one.value for one in DataScope], default="hall", help=t("staff.scope"))
    adding.add_argument("--password-stdin", action="store_true", help=t("staff.password_stdin"))
    adding.set_defaults(run=_add)
    halls = actions.add_parser("halls", help=t("staff.halls"), description=t("staff.halls"))
    halls.add_argument("file", type=Path, help=t("staff.halls_file"))
    halls.set_defaults(run=_halls)
    roles = actions.add_parser("roles", help=t("staff.roles"), description=t("staff.roles"))
    roles.set_defaults(run=_roles)


def _do(house: House, kind: str, work: Any) -> None:
    """One act of the command line."""
    act = Act(new_id(), kind, digest_of([kind, new_id()]), system_context("command line"))
    perform(house.databases.business, act, work)


def _add_admin(args: argparse.Namespace, console: Console) -> int:
    """Make an administrator of everything, with a one-time password that is printed once."""
    given = staff.give_password()
    wanted = AddStaff(
        staff_id=new_id(), staff_no=args.no, staff_name=args.name, hall_code=HEAD_OFFICE, scope=DataScope.ALL,
        roles=("administrator",),
    )  # fmt: skip

    def work(uow: UnitOfWork) -> None:
        staff.load_roles(uow)
        if not any(hall.hall_code == HEAD_OFFICE for hall in staff.list_halls(uow.conn, limit=200, cursor="").items):
            staff.put_hall(uow, hall=HallRow(hall_code=HEAD_OFFICE, hall_name="机关", district_code="D0"))
        staff.add_staff(uow, staff=wanted, given=given)

    with open_house(args) as house:
        _do(house, "add_staff", work)
    console.say(t("staff.added", no=args.no, password=given.password))
    console.result({"staff_no": args.no, "one_time_password": given.password})
    return OK


def _add(args: argparse.Namespace, console: Console) -> int:
    """Add somebody, with a one-time password that is printed once, or one read from standard input."""
    password = sys.stdin.readline().rstrip("\r\n") if args.password_stdin else ""
    given = staff.take_password(password, args.no) if args.password_stdin else staff.give_password()
    try:
        wanted = AddStaff(
            staff_id=new_id(), staff_no=args.no, staff_name=args.name, hall_code=args.hall, scope=DataScope(args.scope),
            roles=tuple(args.role),
        )  # fmt: skip
    except ValidationError as wrong:
        console.complain(str(wrong))
        return USAGE
    with open_house(args) as house:
        _do(house, "add_staff", lambda uow: staff.add_staff(uow, staff=wanted, given=given))
    shown = "" if args.password_stdin else given.password
    console.say(t("staff.added", no=args.no, password=shown) if shown else t("staff.added_own", no=args.no))
    console.result({"staff_no": args.no, **({"one_time_password": shown} if shown else {})})
    return OK


def _halls(args: argparse.Namespace, console: Console) -> int:
    """Write halls and their counters from a JSON list, new or known."""
    try:
        rows = [HallRow.model_validate(row) for row in json.loads(args.file.read_text(encoding="utf-8"))]
    except (OSError, ValueError) as wrong:
        console.complain(t("staff.halls_wrong", file=args.file, reason=wrong))
        return USAGE

    def work(uow: UnitOfWork) -> None:
        for row in rows:
            staff.put_hall(uow, hall=row)

    with open_house(args) as house:
        _do(house, "put_halls", work)
    console.say(t("staff.halls_written", count=len(rows)))
    console.result({"halls": len(rows)})
    return OK


def _roles(args: argparse.Namespace, console: Console) -> int:
    """Write the roles of resources/policy/roles.toml into the tables."""
    counts: list[int] = []

    def work(uow: UnitOfWork) -> None:
        counts.append(staff.load_roles(uow))

    with open_house(args) as house:
        _do(house, "load_roles", work)
    console.say(t("staff.roles_written", count=counts[-1]))
    console.result({"roles": counts[-1]})
    return OK
