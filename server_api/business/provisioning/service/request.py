"""Asking for commands, and withdrawing them, in the transaction of whoever asks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from server_api.business.provisioning import rules
from server_api.business.provisioning.manifest import ManifestNotValid
from server_api.business.provisioning.news import End, Lane, NewTask, TaskEnded
from server_api.business.provisioning.sites import SITES
from server_api.business.provisioning.store import tasks as commands
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.faults.provisioning import CommandNotValid
from shared_models.values.ids import derived_id

#: ``result_code`` of a command for a system that is not connected: people do it by hand.
NOT_CONNECTED = "NOT_CONNECTED"
_FEW = 8
_LONGEST_KEY = 64


def request_tasks(uow: UnitOfWork, *, order_id: str, item_id: str, tasks: Sequence[NewTask]) -> tuple[str, ...]:
    """Ask for commands; they exist if and only if the act is stored. Returns their ids, in the order given.

    Commands of one subscriber are done in the order asked for. A more urgent one hurries those it must wait for. For a
    system that is not connected a command waits for a person at once (TaskEnded says so in this transaction).
    Asking the same again within an act gives other commands. Raises CommandNotValid.
    """
    return request_many(uow, wanted=[(order_id, item_id, task) for task in tasks])


def request_many(uow: UnitOfWork, *, wanted: Sequence[tuple[str, str, NewTask]]) -> tuple[str, ...]:
    """``request_tasks`` for many orders in one act: (order_id, item_id, task). Mass suspensions ask so."""
    numbers = _numbers(uow, [task for _order, _item, task in wanted])
    rows = [
        _row(uow, order_id, item_id, task, place, numbers[place])
        for place, (order_id, item_id, task) in enumerate(wanted)
    ]
    commands.add_tasks(uow.conn, rows)
    _hurry(uow, rows)
    for row in rows:
        if row["state"] == End.MANUAL:
            uow.announce(
                TaskEnded(
                    row["task_id"], row["order_id"], row["item_id"], End.MANUAL, NOT_CONNECTED, row["system_name"]
                )
            )
    return tuple(row["task_id"] for row in rows)


def cancel_tasks(uow: UnitOfWork, *, order_id: str, item_id: str | None = None) -> int:
    """Withdraw what an order asked for and nobody has begun or tried; returns how many. Nobody is told."""
    count = 0
    for row in commands.of_order(uow.conn, order_id, item_id):
        if row.state in ("waiting", "manual") and not row.in_doubt:
            count += commands.change(uow.conn, row.task_id, (row.state,), state=End.CANCELLED.value, ended_at=uow.now)
    return count


def _numbers(uow: UnitOfWork, wanted: Sequence[NewTask]) -> list[int]:
    """Each command's number at its subscriber; the subscribers' rows are held, in one order for everybody."""
    counted = Counter((task.system, task.subscriber) for task in wanted)
    last: dict[tuple[str, str], int] = {}
    if len(counted) <= _FEW:
        for system, key in sorted(counted):
            for _ in range(counted[system, key]):
                last[system, key] = commands.next_number(uow, system, key)
    else:
        for system in sorted({system for system, _key in counted}):
            last.update(_raised(uow, system, {key: n for (of, key), n in counted.items() if of == system}))
    first = {who: last[who] - counted[who] for who in counted}
    numbers = []
    for task in wanted:
        first[task.system, task.subscriber] += 1
        numbers.append(first[task.system, task.subscriber])
    return numbers


def _raised(uow: UnitOfWork, system: str, counted: dict[str, int]) -> dict[tuple[str, str], int]:
    """The same for many subscribers of one system, in a few statements."""
    keys = sorted(counted)
    known = commands.known_subscribers(uow, system, keys)
    raised = {key: known[key] + counted[key] for key in keys if key in known}
    commands.raise_numbers(uow.conn, system, raised)
    for key in keys:
        if key not in raised:
            for _ in range(counted[key]):
                raised[key] = commands.next_number(uow, system, key)
    return {(system, key): number for key, number in raised.items()}


def _row(uow: UnitOfWork, order_id: str, item_id: str, task: NewTask, place: int, task_no: int) -> dict[str, Any]:
    if not task.subscriber or len(task.subscriber) > _LONGEST_KEY or not task.subscriber.isascii():
        raise CommandNotValid(system=task.system, problem=f"subscriber {task.subscriber!r}")
    plain, sealed, connected = _fields(uow, task)
    due_at = max(uow.now, task.not_before_at or uow.now)
    return {
        "task_id": derived_id(uow.act_id, "provisioning", order_id, item_id, str(place)),
        "system_name": task.system,
        "subscriber_key": task.subscriber,
        "task_no": task_no,
        "act_name": task.act,
        "wanted": plain,
        "wanted_sealed": sealed,
        "lane": Lane(task.lane).value,
        "rank_no": rules.rank_of(bulk=task.lane == Lane.BULK, priority=int(task.priority)),
        "order_id": order_id,
        "item_id": item_id,
        "state": "waiting" if connected else End.MANUAL.value,
        "in_doubt": False,
        "due_at": due_at,
        "try_count": 0,
        "word_count": 0,
        "result_code": None if connected else NOT_CONNECTED,
        "asked_at": uow.now,
    }


def _fields(uow: UnitOfWork, task: NewTask) -> tuple[dict[str, Any], str | None, bool]:
    """The wanted fields, secret ones sealed apart, and whether the system is connected."""
    site = SITES.get(task.system)
    if site is None:
        # Nobody here knows which of them are secret, so all are.
        return {}, uow.database.secrets.seal(json.dumps(dict(task.wanted), ensure_ascii=False)), False
    act = site.manifest.acts.get(task.act)
    if act is None:
        raise CommandNotValid(system=task.system, problem=f"there is no act {task.act}")
    try:
        checked = act.checked(task.wanted)
    except ManifestNotValid as error:
        raise CommandNotValid(system=task.system, problem=str(error)) from None
    secret = {name: value for name, value in checked.items() if act.fields[name].secret}
    plain = {name: value for name, value in checked.items() if name not in secret}
    sealed = uow.database.secrets.seal(json.dumps(secret, ensure_ascii=False)) if secret else None
    return plain, sealed, True


def _hurry(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    """Whoever pays at noon must not wait for the night in which his suspension was to be done."""
    urgent: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row["task_no"] > 1 and row["state"] == "waiting" and not rules.is_bulk(row["rank_no"]):
            best = urgent.setdefault((row["system_name"], row["subscriber_key"]), row)
            if row["rank_no"] < best["rank_no"]:
                urgent[row["system_name"], row["subscriber_key"]] = row
    for (system, key), row in sorted(urgent.items()):
        commands.hurry_those_before(uow.conn, system, key, row["rank_no"], row["due_at"])
