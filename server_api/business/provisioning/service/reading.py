"""How commands and systems stand, for people to see."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from server_api.business.provisioning.sites import SITES
from server_api.business.provisioning.store import systems
from server_api.business.provisioning.store import tasks as commands
from shared_models.contracts.provisioning import (
    Command,
    CommandDetail,
    CommandExchange,
    CommandStep,
    CommandTry,
    Difference,
    SystemStanding,
)
from shared_models.values.faults.provisioning import CommandNotFound

_MOST = 50


def commands_of_order(connection: Connection, order_id: str, item_id: str | None = None) -> tuple[Command, ...]:
    """The commands of an order in the order asked for, each as it stands."""
    return _shown(connection, commands.of_order(connection, order_id, item_id))


def commands_of_subscriber(connection: Connection, system: str, subscriber: str) -> tuple[Command, ...]:
    """The newest commands of a subscriber of a system, newest first."""
    return _shown(connection, commands.of_subscriber(connection, system, subscriber, _MOST))


def manual_queue(
    connection: Connection, *, system: str = "", after: tuple[datetime, str] | None = None, limit: int = _MOST
) -> tuple[Command, ...]:
    """Commands that wait for a person, oldest first."""
    return _shown(connection, commands.listed(connection, "manual", system=system, after=after, limit=limit))


def read_command(connection: Connection, task_id: str) -> CommandDetail:
    """A command with its plan and what was said, secrets masked. Raises CommandNotFound."""
    row = commands.one(connection, task_id)
    if row is None:
        raise CommandNotFound(task_id=task_id)
    tries = tuple(
        CommandTry(
            at=word.at, verdict=word.verdict, code=word.result_code or "", text=word.result_text or "",
            exchanges=tuple(
                CommandExchange(at=datetime.fromisoformat(at), sent=sent, received=received)
                for at, sent, received in word.exchanges
            ),
        )
        for word in commands.words_of(connection, task_id)
    )  # fmt: skip
    steps = tuple(CommandStep(name=name, request=request) for name, request in row.steps or ())
    return CommandDetail(command=_shown(connection, [row])[0], wanted=row.wanted or {}, steps=steps, tries=tries)


def system_standings(connection: Connection) -> tuple[SystemStanding, ...]:
    """Every connected system, and every one that still has commands."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in commands.counts(connection):
        counted[row.system_name][row.state] += row.tasks
    differences = systems.difference_counts(connection)
    rows = {row.system_name: row for row in systems.systems(connection)}
    found = []
    for name in sorted({site.name for site in SITES.all} | set(counted) | set(rows)):
        site, row = SITES.get(name), rows.get(name)
        standing = SystemStanding(
            system=name, adapter="" if site is None else site.manifest.name, counts=dict(counted[name]),
            open_differences=differences.get(name, 0),
        )  # fmt: skip
        if row is not None:
            standing = standing.model_copy(
                update={
                    "held_by": row.holder or "", "stopped": row.stopped, "stop_reason": row.stop_reason or "",
                    "down_since_at": row.down_since_at, "down_code": row.down_code or "",
                    "compared_at": row.compared_at,
                }
            )  # fmt: skip
        found.append(standing)
    return tuple(found)


def open_differences(
    connection: Connection, *, system: str = "", after: str = "", limit: int = _MOST
) -> tuple[Difference, ...]:
    """Differences nobody has settled, by id."""
    return tuple(
        Difference(
            difference_id=row.difference_id, system=row.system_name, subscriber=row.subscriber_key,
            kind=row.difference_kind, field=row.field_name or "", ours=row.ours or "", theirs=row.theirs or "",
            found_at=row.found_at, seen_at=row.seen_at,
        )
        for row in systems.open_differences(connection, system, after=after, limit=limit)
    )  # fmt: skip


def _shown(connection: Connection, rows: Sequence[Any]) -> tuple[Command, ...]:
    standing = {row.system_name: row for row in systems.systems(connection)}
    return tuple(_command(connection, row, standing.get(row.system_name)) for row in rows)


def _command(connection: Connection, row: Any, system: Any | None) -> Command:
    before = None
    if row.state in commands.OPEN:
        before = commands.behind(connection, row.system_name, row.subscriber_key, row.task_no)
    return Command(
        task_id=row.task_id, system=row.system_name, subscriber=row.subscriber_key, act=row.act_name, state=row.state,
        lane=row.lane, order_id=row.order_id or "", item_id=row.item_id or "", code=row.result_code or "",
        text=row.result_text or "", tries=row.try_count, asked_at=row.asked_at, due_at=row.due_at,
        ended_at=row.ended_at, settled_by=row.settled_by or "", settle_reason=row.settle_reason or "",
        waits_for="" if before is None else before.task_id,
        system_down_since_at=None if system is None else system.down_since_at,
        system_stopped=system is not None and bool(system.stopped),
    )  # fmt: skip
