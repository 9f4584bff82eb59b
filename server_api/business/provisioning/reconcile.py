"""The nightly comparison: what each system says of its subscribers against how we left them.

Only fields that acts of ours have set are compared, and only subscribers of whom no command is open: those are about
to change. What differs is listed once and stays open until a person settles it or the next comparison finds it gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from server_api.business.provisioning import rules
from server_api.business.provisioning.contract import Scalar
from server_api.business.provisioning.manifest import Site
from server_api.business.provisioning.registry import connect
from server_api.business.provisioning.sites import SITES
from server_api.business.provisioning.store import systems
from server_api.business.provisioning.store import tasks as commands
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.jobs import JobRun
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.values.ids import derived_id, new_id

JOB = "provisioning.reconcile"
_CHUNK = 200
_Row = dict[str, Any]


@dataclass(frozen=True)
class Compared:
    """What a comparison found."""

    system: str
    subscribers: int
    differences: int
    gone: int
    error: str = ""


def reconcile_all(run: JobRun) -> dict[str, Any]:
    """Compare every connected system that has a state to compare; one that is away is said so and left as it was."""
    found = {}
    for site in SITES.all:
        wanted = run.arguments.get("system")
        if site.manifest.state and wanted in (None, "", site.name):
            found[site.name] = vars(reconcile(run.database, site))
            run.beat()
    return found


def reconcile(database: Database, site: Site) -> Compared:
    """Compare one system now and store what differs."""
    try:
        theirs = asyncio.run(_states(site))
    except (ConnectionError, TimeoutError, OSError) as error:
        return Compared(site.name, 0, 0, 0, f"{type(error).__name__}: {error}"[:400])
    now = database.clock.now()
    with database.reading() as connection:
        rows = _differences(connection, site.name, theirs, now)
        before = {row.difference_id for row in systems.open_differences(connection, site.name)}
    gone = sorted(before - {row["difference_id"] for row in rows})
    for start in range(0, max(len(rows), 1), _CHUNK):
        _store(database, site.name, rows[start : start + _CHUNK], gone if start == 0 else [])
    return Compared(site.name, len(theirs), len(rows), len(gone))


async def _states(site: Site) -> dict[str, Mapping[str, Scalar]]:
    adapter = connect(site)
    try:
        return {key: state async for key, state in adapter.states()}
    finally:
        await adapter.close()


def _differences(
    connection: Connection, system: str, theirs: dict[str, Mapping[str, Scalar]], now: datetime
) -> list[_Row]:
    open_keys = set(commands.open_subscribers(connection, system))
    rows: list[_Row] = []
    known = set()
    for row in systems.all_kept(connection, system):
        known.add(row.subscriber_key)
        if row.subscriber_key in open_keys:
            continue
        ours = (row.state_kept or {}) if row.known else None
        for kind, field, mine, other in rules.differences(ours, theirs.get(row.subscriber_key)):
            rows.append(_row(system, row.subscriber_key, kind, field, mine, other, now))
    for key in sorted(set(theirs) - known - open_keys):
        for kind, field, mine, other in rules.differences(None, theirs[key]):
            rows.append(_row(system, key, kind, field, mine, other, now))
    return rows


def _row(
    system: str, key: str, kind: str, field: str, ours: str | None, theirs: str | None, now: datetime
) -> _Row:  # fmt: skip
    return {
        "difference_id": derived_id("prov_difference", system, key, kind, field), "system_name": system,
        "subscriber_key": key[:64], "difference_kind": kind, "field_name": field or None,
        "ours": (ours or "")[:200] or None, "theirs": (theirs or "")[:200] or None, "found_at": now, "seen_at": now,
    }  # fmt: skip


def _store(database: Database, system: str, rows: list[_Row], gone: list[str]) -> None:
    def work(uow: UnitOfWork) -> None:
        systems.ensure(uow, system)
        for row in rows:
            systems.put_difference(uow.conn, row)
        for difference_id in gone:
            systems.end_difference(uow.conn, difference_id, "gone", settled_at=uow.now)
        systems.note(uow.conn, system, compared_at=uow.now)

    act = Act(new_id(), JOB, digest_of([system, len(rows)]), system_context(JOB))
    perform(database, act, work)
