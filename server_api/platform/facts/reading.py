"""Rows of the outbox as envelopes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from server_api.platform.database import Database
from server_api.platform.facts.receiver import Envelope


def envelope_of(row: Row[Any]) -> Envelope:
    """The envelope a row of ``fact_out`` holds."""
    return Envelope(
        fact_id=row.fact_id, aggregate=row.aggregate, seq=int(row.seq), epoch=int(row.epoch),
        epoch_first_seq=int(row.epoch_first_seq), kind=row.kind, version=row.version, effective_at=row.effective_at,
        recorded_at=row.recorded_at, act_id=row.act_id, payload=row.payload,
    )


def chained(source: Database, connection: Connection, facts: list[Envelope]) -> list[Envelope]:
    """Name before each fact the one the sender told before it, where a restore has made that uncertain (epoch > 1).

    After restores of both sides the same numbers may stand for other facts; the receiver goes on only from a fact it
    knows by id.
    """
    out = source.platform.fact_out
    uncertain = sorted({(fact.aggregate, fact.seq - 1) for fact in facts if fact.epoch > 1 and fact.seq > 1})
    before: dict[tuple[str, int], str] = {}
    for start in range(0, len(uncertain), 100):
        places = [and_(out.c.aggregate == name, out.c.seq == seq) for name, seq in uncertain[start:start + 100]]
        for row in connection.execute(
            select(out.c.aggregate, out.c.seq, out.c.fact_id).where(or_(*places)).order_by(out.c.epoch)
        ):
            before[row.aggregate, int(row.seq)] = row.fact_id
    return [replace(fact, previous_id=before.get((fact.aggregate, fact.seq - 1), "")) for fact in facts]
