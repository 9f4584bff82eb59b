"""``onehall fapiao``: what is on its way, ask about one now, settle one by hand, and the simulated provider."""

from __future__ import annotations

import argparse
import threading
from functools import partial
from typing import Any

from server_api.billing.payment.fapiao import reading, sending, service
from server_api.billing.payment.fapiao.provider import DESK
from server_api.billing.payment.fapiao.simulator import FAULTS, Simulator
from server_api.cli.console import OK, REFUSED, Console, t
from server_api.cli.house import House, open_house
from server_api.platform.acts import Act, digest_of, perform
from shared_models.contracts.fapiao import FapiaoRow, FapiaoView, ResolveFapiao
from shared_models.contracts.work import system_context
from shared_models.values.clock import town_text
from shared_models.values.ids import new_id

_COLUMNS = ("fapiao_id", "state", "fapiao_no", "amount", "intended_at", "tries", "problem")


def add_commands(subparsers: Any) -> None:
    """``fapiao list|query|resolve|simulator``."""
    parser = subparsers.add_parser("fapiao", help=t("fapiao.help"), description=t("fapiao.help"))
    acts = parser.add_subparsers(dest="fapiao_command", required=True, metavar=t("command"), title=t("commands"))
    listed = acts.add_parser("list", help=t("fapiao.list_help"), description=t("fapiao.list_help"))
    listed.add_argument("--all", action="store_true", help=t("fapiao.all"))
    listed.set_defaults(run=_list)
    query = acts.add_parser("query", help=t("fapiao.query_help"), description=t("fapiao.query_help"))
    query.add_argument("fapiao_id", metavar="ID", help=t("fapiao.id"))
    query.set_defaults(run=_query)
    resolve = acts.add_parser("resolve", help=t("fapiao.resolve_help"), description=t("fapiao.resolve_help"))
    resolve.add_argument("fapiao_id", metavar="ID", help=t("fapiao.id"))
    resolve.add_argument(
        "--outcome", required=True, choices=("issued", "refused", "not_received"), help=t("fapiao.outcome")
    )
    resolve.add_argument("--number", default="", metavar="20", help=t("fapiao.number"))
    resolve.add_argument("--reason", required=True, help=t("fapiao.reason"))
    resolve.set_defaults(run=_resolve)
    simulator = acts.add_parser("simulator", help=t("fapiao.simulator_help"), description=t("fapiao.simulator_help"))
    simulator.add_argument("--port", type=int, default=8765, help=t("fapiao.port"))
    simulator.add_argument("--fault", action="append", default=[], choices=FAULTS, help=t("fapiao.fault"))
    simulator.set_defaults(run=_simulate)


def _list(args: argparse.Namespace, console: Console) -> int:
    with open_house(args) as house, house.databases.billing.reading() as conn:
        rows = reading.list_fapiao(conn, system_context("cli"), open_only=not args.all, limit=500)
    console.result([row.model_dump(mode="json") for row in rows])
    if rows:
        console.table([t(f"fapiao.column.{name}") for name in _COLUMNS], [_cells(row) for row in rows])
    else:
        console.say(t("fapiao.none"))
    return OK


def _query(args: argparse.Namespace, console: Console) -> int:
    with open_house(args) as house:
        if DESK.connected is None:
            console.complain(t("fapiao.no_provider"))
            return REFUSED
        sending.ask_now(house.databases.billing, args.fapiao_id)
        return _show(house, args.fapiao_id, console)


def _resolve(args: argparse.Namespace, console: Console) -> int:
    request = ResolveFapiao(outcome=args.outcome, fapiao_no=args.number, reason=args.reason)
    act = Act(new_id(), "resolve_fapiao", digest_of([args.fapiao_id, request.model_dump()]), system_context("cli"))
    with open_house(args) as house:
        work = partial(service.resolve_fapiao, fapiao_id=args.fapiao_id, request=request)
        found = FapiaoView.model_validate_json(perform(house.databases.billing, act, lambda uow: work(uow)).reply)
    console.result(found.model_dump(mode="json"))
    console.say(t("fapiao.resolved", fapiao_id=found.fapiao_id, state=found.state.value))
    return OK


def _show(house: House, fapiao_id: str, console: Console) -> int:
    billing = house.databases.billing
    with billing.reading() as conn:
        found = reading.read_fapiao(conn, fapiao_id, system_context("cli"), billing.secrets)
    console.result(found.model_dump(mode="json"))
    console.say(
        f"{found.fapiao_id}  {found.state.value}  {found.fapiao_no or '-'}  {found.amount_fen}  {found.problem}"
    )
    return OK


def _simulate(args: argparse.Namespace, console: Console) -> int:
    with Simulator(faults=set(args.fault), port=args.port) as simulator:
        console.say(t("fapiao.listening", url=simulator.url))
        threading.Event().wait()
    return OK


def _cells(row: FapiaoRow) -> list[object]:
    return [
        row.fapiao_id,
        row.state.value,
        row.fapiao_no or "-",
        row.amount_fen,
        town_text(row.intended_at),
        row.try_count,
        row.problem,
    ]
