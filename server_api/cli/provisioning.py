"""``onehall provisioning``: how the network's commands stand, and everything a person does with them."""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from server_api.business.provisioning import service
from server_api.business.provisioning.service import reading
from server_api.business.provisioning.sites import SITES
from server_api.cli.console import OK, REFUSED, Console, t
from server_api.cli.house import open_house
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.provisioning import Command
from shared_models.contracts.work import system_context
from shared_models.values.clock import town_text
from shared_models.values.ids import new_id

_SYSTEM = ("system", "held_by", "standing", "waiting", "sent", "manual", "done", "refused", "differences")
_QUEUE = ("task_id", "system", "subscriber", "act", "asked_at", "tries", "code", "text")
_MOST = 10_000
_LOOK_S = 0.3


def add_commands(subparsers: Any) -> None:
    """``provisioning status|work|queue|show|retry|settle|stop|start|reconcile|differences``."""
    parser = subparsers.add_parser("provisioning", help=t("provisioning.help"), description=t("provisioning.help"))
    verbs = parser.add_subparsers(dest="provisioning_command", required=True, metavar=t("command"), title=t("commands"))

    def verb(name: str, run: Callable[[argparse.Namespace, Console], int]) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = verbs.add_parser(
            name, help=t(f"provisioning.{name}"), description=t(f"provisioning.{name}")
        )
        made.set_defaults(run=run)
        return made

    verb("status", _status)
    work = verb("work", _work)
    work.add_argument("--system", action="append", default=[], help=t("provisioning.only"))
    work.add_argument("--until-idle", action="store_true", help=t("provisioning.until_idle"))
    verb("queue", _queue).add_argument("--system", default="", help=t("provisioning.only"))
    verb("show", _show).add_argument("task_id", metavar="ID", help=t("provisioning.id"))
    retry = verb("retry", _retry)
    retry.add_argument("task_id", metavar="ID", nargs="*", help=t("provisioning.id"))
    retry.add_argument("--all-of", default="", metavar="SYSTEM", help=t("provisioning.all_of"))
    retry.add_argument("--reason", default="", help=t("provisioning.reason"))
    settle = verb("settle", _settle)
    settle.add_argument("task_id", metavar="ID", help=t("provisioning.id"))
    settle.add_argument("--outcome", required=True, choices=("done", "refused"), help=t("provisioning.outcome"))
    settle.add_argument("--reason", required=True, help=t("provisioning.reason"))
    for name, run in (("stop", _stop), ("start", _start)):
        switch = verb(name, run)
        switch.add_argument("system", metavar="SYSTEM", help=t("provisioning.system"))
        switch.add_argument("--reason", required=name == "stop", default="", help=t("provisioning.reason"))
    verb("reconcile", _reconcile).add_argument("system", nargs="*", metavar="SYSTEM", help=t("provisioning.system"))
    differences = verb("differences", _differences)
    differences.add_argument("--accept", metavar="ID", help=t("provisioning.accept"))
    differences.add_argument("--repair", metavar="ID", help=t("provisioning.repair"))
    differences.add_argument("--reason", default="", help=t("provisioning.reason"))


def _status(args: argparse.Namespace, console: Console) -> int:
    """Show every system; 1 when one is down or a command waits for a person."""
    with open_house(args) as house, house.databases.business.reading() as connection:
        found = reading.system_standings(connection)
    rows = []
    for one in found:
        standing = "stopped" if one.stopped else "down" if one.down_since_at else "up" if one.held_by else "idle"
        counts = [one.counts.get(state, 0) for state in ("waiting", "sent", "manual", "done", "refused")]
        rows.append([one.system, one.held_by or "-", t(f"provisioning.{standing}"), *counts, one.open_differences])
    if rows:
        console.table([t(f"provisioning.column.{name}") for name in _SYSTEM], rows)
    else:
        console.say(t("provisioning.none"))
    console.result([one.model_dump(mode="json") for one in found])
    return REFUSED if any(one.counts.get("manual") or one.down_since_at for one in found) else OK


def _work(args: argparse.Namespace, console: Console) -> int:
    """Work the systems in the foreground until Ctrl-C, or until nothing waits."""
    from server_api.business.provisioning.engine import Engine

    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with open_house(args, label="provisioning") as house:
        sites = [SITES.site(name) for name in args.system] or list(SITES.all)
        if not sites:
            console.complain(t("provisioning.none"))
            return REFUSED
        engine = Engine(house.databases.business, sites)
        engine.start()
        console.say(t("provisioning.working", systems=", ".join(site.name for site in sites)))
        while not stop.wait(_LOOK_S):
            console.progress(t("provisioning.ended", count=engine.ended))
            if args.until_idle and _idle(house.databases.business, [site.name for site in sites]):
                break
        ended = engine.ended
        engine.close()
    console.say(t("provisioning.worked", count=ended))
    console.result({"tries": ended})
    return OK


def _idle(database: Any, names: Sequence[str]) -> bool:
    with database.reading() as connection:
        found = [one for one in reading.system_standings(connection) if one.system in names]
    return not any(one.counts.get(state) for one in found for state in ("waiting", "sent"))


def _queue(args: argparse.Namespace, console: Console) -> int:
    """List what waits for a person; 1 when anything does."""
    with open_house(args) as house, house.databases.business.reading() as connection:
        rows = reading.manual_queue(connection, system=args.system, limit=_MOST)
    if rows:
        console.table([t(f"provisioning.column.{name}") for name in _QUEUE], [_cells(row) for row in rows])
    else:
        console.say(t("provisioning.queue_empty"))
    console.result([row.model_dump(mode="json") for row in rows])
    return REFUSED if rows else OK


def _cells(row: Command) -> list[object]:
    return [
        row.task_id, row.system, row.subscriber, row.act, town_text(row.asked_at), row.tries, row.code, row.text[:60],
    ]  # fmt: skip


def _show(args: argparse.Namespace, console: Console) -> int:
    """One command with its plan and transcript."""
    with open_house(args) as house, house.databases.business.reading() as connection:
        found = reading.read_command(connection, args.task_id)
    one = found.command
    console.say(f"{one.system} {one.subscriber} {one.act}: {one.state} {one.code} {one.text}")
    for step in found.steps:
        console.say(f"  > {step.name}: {step.request}")
    for word in found.tries:
        console.say(f"  {town_text(word.at)} {word.verdict} {word.code} {word.text}")
        for exchange in word.exchanges:
            console.say(f"    → {exchange.sent}")
            console.say(f"    ← {exchange.received or t('provisioning.silence')}")
    console.result(found.model_dump(mode="json"))
    return OK


def _act(args: argparse.Namespace, kind: str, subject: str, work: Callable[[UnitOfWork], Any]) -> Any:
    """One act from the command line; returns what ``work`` returned."""
    found: list[Any] = []

    def run(uow: UnitOfWork) -> None:
        found[:] = [work(uow)]

    context = system_context("cli")
    with open_house(args) as house:
        act = Act(new_id(), kind, digest_of([subject, args.reason]), context, args.reason)
        perform(house.databases.business, act, run)
    return found[0]


def _retry(args: argparse.Namespace, console: Console) -> int:
    """Try again now: the named ones, or all of a system that wait for a person."""
    wanted = list(args.task_id)
    if args.all_of:
        with open_house(args) as house, house.databases.business.reading() as connection:
            wanted += [row.task_id for row in reading.manual_queue(connection, system=args.all_of, limit=_MOST)]
    for task_id in wanted:
        _act(args, "retry_command", task_id, _retrying(task_id, args.reason))
    console.say(t("provisioning.retried", count=len(wanted)))
    console.result({"retried": wanted})
    return OK if wanted else REFUSED


def _retrying(task_id: str, reason: str) -> Callable[[UnitOfWork], None]:
    return lambda uow: service.retry_task(uow, task_id=task_id, reason=reason)


def _settle(args: argparse.Namespace, console: Console) -> int:
    """Say what became of a command."""
    done = args.outcome == "done"
    _act(
        args, "settle_command", args.task_id,
        lambda uow: service.settle_task(uow, task_id=args.task_id, done=done, reason=args.reason),
    )  # fmt: skip
    console.say(t("provisioning.settled", task_id=args.task_id, outcome=args.outcome))
    console.result({"task_id": args.task_id, "outcome": args.outcome})
    return OK


def _stop(args: argparse.Namespace, console: Console) -> int:
    """Let nothing more begin on a system."""
    _act(
        args, "stop_system", args.system,
        lambda uow: service.stop_system(uow, system=args.system, reason=args.reason),
    )  # fmt: skip
    console.say(t("provisioning.stopped_now", system=args.system))
    console.result({"system": args.system, "stopped": True})
    return OK


def _start(args: argparse.Namespace, console: Console) -> int:
    """Let commands begin again on a system."""
    _act(
        args, "start_system", args.system,
        lambda uow: service.start_system(uow, system=args.system, reason=args.reason),
    )  # fmt: skip
    console.say(t("provisioning.started_now", system=args.system))
    console.result({"system": args.system, "stopped": False})
    return OK


def _reconcile(args: argparse.Namespace, console: Console) -> int:
    """Compare now; 1 when anything differs or a system is away."""
    from server_api.business.provisioning.reconcile import reconcile

    found = []
    with open_house(args, label="reconcile") as house:
        for site in [SITES.site(name) for name in args.system] or list(SITES.all):
            if not site.manifest.state:
                continue
            begun_at = time.monotonic()
            compared = reconcile(house.databases.business, site)
            found.append({**vars(compared), "seconds": round(time.monotonic() - begun_at, 1)})
            key = "provisioning.compare_failed" if compared.error else "provisioning.compared"
            console.say(t(key, **found[-1]))
    if not found:
        console.say(t("provisioning.none"))
    console.result(found)
    return REFUSED if any(one["differences"] or one["error"] for one in found) else OK


def _differences(args: argparse.Namespace, console: Console) -> int:
    """List open differences, or settle one."""
    if args.accept:
        _act(
            args, "accept_difference", args.accept,
            lambda uow: service.accept_difference(uow, difference_id=args.accept, reason=args.reason),
        )  # fmt: skip
        console.say(t("provisioning.accepted", difference_id=args.accept))
        return OK
    if args.repair:
        task_id = _act(
            args, "repair_difference", args.repair,
            lambda uow: service.repair_difference(uow, difference_id=args.repair, reason=args.reason),
        )  # fmt: skip
        console.say(t("provisioning.repairing", task_id=task_id))
        console.result({"task_id": task_id})
        return OK
    with open_house(args) as house, house.databases.business.reading() as connection:
        rows = reading.open_differences(connection, limit=_MOST)
    for row in rows:
        what = f"{row.field}: {row.ours} ≠ {row.theirs}" if row.kind == "differs" else row.kind
        console.say(f"{row.difference_id}  {row.system}  {row.subscriber}  {what}  {town_text(row.found_at)}")
    console.say(t("provisioning.differences_count", count=len(rows)))
    console.result([row.model_dump(mode="json") for row in rows])
    return REFUSED if rows else OK
