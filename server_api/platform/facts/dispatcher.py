"""Carrying facts across: one leased lane at a time, in order, up to 200 per receiving transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, insert, select

from server_api.platform.database import Database
from server_api.platform.facts.outbox import BULK_LANES, INTERACTIVE_LANES
from server_api.platform.facts.receiver import Envelope, FactGap, Handlers, apply_fact
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.values.ids import derived_id

BATCH = 200
ALL_LANES = tuple(INTERACTIVE_LANES) + tuple(BULK_LANES)


@dataclass(frozen=True)
class Crossing:
    """One direction: facts of ``source`` applied to ``target`` by ``handlers``."""

    source: Database
    target: Database
    handlers: Handlers


def deliver_lane(crossing: Crossing, lane_no: int) -> int:
    """Send what waits in one lane, once; returns how many facts were done with. The caller holds the lane's lease."""
    batch = _waiting(crossing.source, lane_no)
    if not batch:
        return 0
    done = _apply(crossing, batch)
    if done:
        crossing.source.write(lambda connection: _forget(crossing.source, connection, lane_no, done))
    return len(done)


def deliver_all(crossings: Sequence[Crossing], lanes: Sequence[int] = ALL_LANES) -> int:
    """Send everything until nothing moves any more. For tests, imports and tools; returns the number of facts."""
    total = 0
    while True:
        moved = sum(deliver_lane(crossing, lane_no) for crossing in crossings for lane_no in lanes)
        total += moved
        if not moved:
            return total


def _waiting(source: Database, lane_no: int) -> list[Envelope]:
    tables = source.platform
    pending, out, parked = tables.fact_pending, tables.fact_out, tables.fact_parked
    query = (
        select(out)
        .join(pending, out.c.fact_id == pending.c.fact_id)
        .where(pending.c.lane_no == lane_no)
        .where(~pending.c.aggregate.in_(select(parked.c.aggregate)))
        .order_by(pending.c.aggregate, pending.c.epoch, pending.c.seq)
        .limit(BATCH)
    )
    with source.reading() as connection:
        rows = connection.execute(query).all()
    return [
        Envelope(
            fact_id=row.fact_id, aggregate=row.aggregate, seq=row.seq, epoch=row.epoch,
            epoch_first_seq=row.epoch_first_seq, kind=row.kind, version=row.version, effective_at=row.effective_at,
            recorded_at=row.recorded_at, act_id=row.act_id, payload=row.payload,
        )
        for row in rows
    ]


def _apply(crossing: Crossing, batch: list[Envelope]) -> list[Envelope]:
    """Apply a batch in one receiving transaction; a fact that fails parks its aggregate and the rest go on."""
    done: list[Envelope] = []
    failed: dict[str, tuple[Envelope, Exception]] = {}

    def work(connection: Connection) -> None:
        done.clear()
        failed.clear()
        for envelope in batch:
            if envelope.aggregate in failed:
                continue
            uow = UnitOfWork(
                crossing.target, connection, system_context("facts"), derived_id(envelope.fact_id, "apply"),
                crossing.target.clock.now(),
            )
            try:
                with connection.begin_nested():
                    apply_fact(uow, envelope, crossing.handlers)
            except FactGap:
                failed[envelope.aggregate] = (envelope, FactGap())
                continue
            except Exception as error:  # a poison fact must not stop the others: it is parked below, with its reason
                failed[envelope.aggregate] = (envelope, error)
                continue
            done.append(envelope)

    crossing.target.write(work)
    poison = [(envelope, error) for envelope, error in failed.values() if not isinstance(error, FactGap)]
    if poison:
        crossing.source.write(lambda connection: _park(crossing.source, connection, poison))
    return done


def _park(source: Database, connection: Connection, poison: list[tuple[Envelope, Exception]]) -> None:
    table = source.platform.fact_parked
    for envelope, error in poison:
        connection.execute(insert(table).values(
            aggregate=envelope.aggregate, epoch=envelope.epoch, seq=envelope.seq, fact_id=envelope.fact_id,
            kind=envelope.kind, error=f"{type(error).__name__}: {error}"[:500], attempts=1, parked_at=source.clock.now(),
        ))


def _forget(source: Database, connection: Connection, lane_no: int, done: list[Envelope]) -> None:
    table = source.platform.fact_pending
    last: dict[tuple[str, int], int] = {}
    for envelope in done:
        key = (envelope.aggregate, envelope.epoch)
        last[key] = max(last.get(key, 0), envelope.seq)
    for (aggregate, epoch), seq in last.items():
        connection.execute(delete(table).where(and_(
            table.c.lane_no == lane_no, table.c.aggregate == aggregate, table.c.epoch == epoch, table.c.seq <= seq,
        )))


def retry_parked(source: Database, aggregate: str) -> bool:
    """Let a parked aggregate go on; False when it was not parked."""
    table = source.platform.fact_parked

    def work(connection: Connection) -> bool:
        return connection.execute(delete(table).where(table.c.aggregate == aggregate)).rowcount == 1

    return bool(source.write(work))

