"""The receiving side: each fact is applied once, in order; a failing one parks its aggregate only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from server_api.platform.facts.outbox import store_told
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import PAYLOADS, Payload


@dataclass(frozen=True)
class Envelope:
    """A fact as it travels."""

    fact_id: str
    aggregate: str
    seq: int
    epoch: int
    epoch_first_seq: int
    kind: str
    version: int
    effective_at: datetime
    recorded_at: datetime
    act_id: str
    payload: dict[str, Any]

    @property
    def opened(self) -> Payload:
        """The payload as its class."""
        return PAYLOADS[self.kind].model_validate(self.payload)


#: A handler runs inside the receiving transaction; it must bear late and backdated facts.
Handler = Callable[[UnitOfWork, Envelope, Any], None]
Handlers = Mapping[str, tuple[Handler, ...]]


class FactGap(Exception):
    """An earlier fact of the aggregate has not arrived."""


def apply_fact(uow: UnitOfWork, envelope: Envelope, handlers: Handlers) -> bool:
    """Apply one fact and move the cursor with it; False when it had been applied before. Raises FactGap."""
    tables = uow.platform
    cursor = tables.fact_cursor
    row = uow.lock(select(cursor).where(cursor.c.aggregate == envelope.aggregate), cursor)
    if row is None:
        if envelope.seq != 1 and envelope.seq != envelope.epoch_first_seq:
            raise FactGap(envelope.aggregate)
    elif envelope.epoch == row.epoch:
        if envelope.seq <= row.seq:
            return False
        if envelope.seq != row.seq + 1:
            raise FactGap(envelope.aggregate)
    elif envelope.epoch < row.epoch:
        return False
    elif envelope.seq != envelope.epoch_first_seq:
        raise FactGap(envelope.aggregate)
    else:
        _name_lost_future(uow, envelope)
    for handler in handlers.get(envelope.kind, ()):
        handler(uow, envelope, envelope.opened)
    uow.conn.execute(insert(tables.fact_in).values(
        aggregate=envelope.aggregate, epoch=envelope.epoch, seq=envelope.seq, fact_id=envelope.fact_id,
        kind=envelope.kind, applied_at=uow.now,
    ))
    if row is None:
        uow.conn.execute(insert(cursor).values(aggregate=envelope.aggregate, epoch=envelope.epoch, seq=envelope.seq))
    else:
        uow.conn.execute(update(cursor).where(cursor.c.aggregate == envelope.aggregate).values(
            epoch=envelope.epoch, seq=envelope.seq,
        ))
    store_told(uow)
    return True


def _name_lost_future(uow: UnitOfWork, envelope: Envelope) -> None:
    """The sender was restored: list the facts we applied that it no longer knows."""
    tables = uow.platform
    lost = uow.conn.execute(select(tables.fact_in).where(
        tables.fact_in.c.aggregate == envelope.aggregate, tables.fact_in.c.epoch < envelope.epoch,
        tables.fact_in.c.seq >= envelope.epoch_first_seq,
    )).all()
    for fact in lost:
        uow.conn.execute(insert(tables.fact_difference).values(
            fact_id=fact.fact_id, aggregate=fact.aggregate, epoch=fact.epoch, seq=fact.seq, kind=fact.kind, found_at=uow.now,
        ))
