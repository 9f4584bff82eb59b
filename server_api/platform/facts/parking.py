"""Parked facts: an aggregate stands still behind a fact that cannot be applied, until a person decides."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from server_api.platform import audit
from server_api.platform.database import Database
from server_api.platform.facts.reading import envelope_of
from server_api.platform.facts.receiver import Envelope, skip_fact
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import WorkContext, system_context
from shared_models.values.faults.common import NotFound
from shared_models.values.ids import derived_id


def park(source: Database, connection: Connection, envelope: Envelope, reason: str) -> None:
    """Let an aggregate stand still behind this fact; its reason is shown by ``onehall facts list`` and /health."""
    table = source.platform.fact_parked
    values = {"epoch": envelope.epoch, "seq": envelope.seq, "fact_id": envelope.fact_id, "kind": envelope.kind,
              "error": reason[:500], "parked_at": source.clock.now()}
    again = connection.execute(update(table).where(table.c.aggregate == envelope.aggregate).values(
        attempts=table.c.attempts + 1, **values)).rowcount
    if not again:
        connection.execute(insert(table).values(aggregate=envelope.aggregate, attempts=1, **values))


def list_parked(source: Database, limit: int = 500) -> list[Row[Any]]:
    """The facts of ``source`` that stand still, oldest first."""
    table = source.platform.fact_parked
    with source.reading() as connection:
        return list(connection.execute(select(table).order_by(table.c.parked_at, table.c.aggregate).limit(limit)))


def count_parked(source: Database) -> int:
    """How many aggregates of ``source`` stand still; above zero is shown in /health."""
    with source.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(source.platform.fact_parked)).scalar_one())


def retry_parked(source: Database, aggregate: str) -> bool:
    """Let a parked aggregate go on; False when it was not parked."""
    table = source.platform.fact_parked
    return source.write(lambda connection: connection.execute(
        delete(table).where(table.c.aggregate == aggregate)).rowcount) == 1


def skip_parked(
    source: Database, target: Database, aggregate: str, reason: str, context: WorkContext | None = None,
) -> Envelope:
    """Go past a parked fact without applying it and let the rest follow. Raises NotFound when nothing is parked.

    The receiver's inbox keeps the reason, its audit trail who decided. Safe to repeat after a crash in between.
    """
    parked, out = source.platform.fact_parked, source.platform.fact_out
    with source.reading() as connection:
        row = connection.execute(
            select(out).join(parked, parked.c.fact_id == out.c.fact_id).where(parked.c.aggregate == aggregate)
        ).one_or_none()
    if row is None:
        raise NotFound(what="parked fact", id=aggregate)
    envelope = envelope_of(row)

    def skip(connection: Connection) -> None:
        uow = UnitOfWork(target, connection, context or system_context("facts skip"),
                         derived_id(envelope.fact_id, "skip"), target.clock.now())
        if skip_fact(uow, envelope, reason):
            audit.note(uow, "fact.skipped", aggregate, f"{envelope.kind} {envelope.seq}: {reason}"[:500])

    target.write(skip)
    source.write(lambda connection: _go_on(source, connection, envelope))
    return envelope


def _go_on(source: Database, connection: Connection, envelope: Envelope) -> None:
    pending, parked = source.platform.fact_pending, source.platform.fact_parked
    connection.execute(delete(pending).where(pending.c.fact_id == envelope.fact_id))
    connection.execute(delete(parked).where(parked.c.aggregate == envelope.aggregate))


def not_delivered(source: Database, connection: Connection, kind: str) -> set[str]:
    """The owners ``x`` of aggregates ``kind:x`` some of whose facts are still on their way, or parked."""
    tables = source.platform
    names: set[str] = set()
    for table in (tables.fact_pending, tables.fact_parked):
        found = select(table.c.aggregate).distinct().where(table.c.aggregate.like(f"{kind}:%"))
        names |= {name.partition(":")[2] for name in connection.execute(found).scalars()}
    return names
