"""The receiving side: each fact is applied once, in order. The cursor and the effect commit together.

``seq`` counts per aggregate; ``epoch`` is one higher each time the sender was restored from a backup. What lies at or
before the cursor was done before, if the inbox knows its id; if it does not, the sender has been restored without
beginning an epoch, and a fact of its lost future stands in the place: SenderRestored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Table, bindparam, delete, insert, select, update

from server_api.platform.dialects.prepared import Prepared
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
    #: The fact the sender told before this one; given where a restore has made that uncertain.
    previous_id: str = ""

    @property
    def opened(self) -> Payload:
        """The payload as its class."""
        return PAYLOADS[self.kind].model_validate(self.payload)


#: A handler runs inside the receiving transaction; it must bear late and backdated facts.
Handler = Callable[[UnitOfWork, Envelope, Any], None]
Handlers = Mapping[str, tuple[Handler, ...]]


class FactGap(Exception):
    """An earlier fact of the aggregate has not arrived; ``epoch``, ``seq``: where the receiver stands (0, 0: new).

    ``seq`` 0 beside an epoch: the receiver's past is not the sender's, all must be told anew.
    """

    def __init__(self, aggregate: str, epoch: int, seq: int) -> None:
        super().__init__(f"{aggregate} stands at {seq} of epoch {epoch}")
        self.aggregate, self.epoch, self.seq = aggregate, epoch, seq


class SenderRestored(Exception):
    """The sender numbers again what it had numbered before a restore; it must begin an epoch of at least ``epoch``."""

    def __init__(self, aggregate: str, epoch: int) -> None:
        super().__init__(f"{aggregate} needs epoch {epoch}")
        self.aggregate, self.epoch = aggregate, epoch


@dataclass(frozen=True)
class _Statements:
    """Built once: each fact runs them."""

    cursor: Prepared
    known: Prepared
    note: Prepared
    begin: Prepared
    move: Prepared


@cache
def _statements(cursor: Table, inbox: Table) -> _Statements:
    mine = cursor.c.aggregate == bindparam("b_aggregate")
    return _Statements(
        cursor=Prepared(select(cursor).where(mine)),
        known=Prepared(select(inbox.c.seq).where(
            inbox.c.aggregate == bindparam("b_aggregate"), inbox.c.fact_id == bindparam("b_fact_id"))),
        note=Prepared(insert(inbox)), begin=Prepared(insert(cursor)),
        move=Prepared(update(cursor).where(mine).values(epoch=bindparam("b_epoch"), seq=bindparam("b_seq"))),
    )


def _statements_of(uow: UnitOfWork) -> _Statements:
    return _statements(uow.platform.fact_cursor, uow.platform.fact_in)


def _cursor(uow: UnitOfWork, aggregate: str) -> Any | None:
    """Where the receiver stands with an aggregate, locked."""
    return uow.lock(_statements_of(uow).cursor, uow.platform.fact_cursor, {"b_aggregate": aggregate})


def apply_fact(uow: UnitOfWork, envelope: Envelope, handlers: Handlers) -> bool:
    """Apply one fact and move the cursor with it; False when it had been applied before.

    Raises FactGap, SenderRestored, and whatever a handler raises.
    """
    row = _cursor(uow, envelope.aggregate)
    if _stands_before(row, envelope):
        if not _in_inbox(uow, envelope.aggregate, envelope.fact_id):
            raise SenderRestored(envelope.aggregate, (0 if row is None else int(row.epoch)) + 1)
        return False
    if row is not None and envelope.previous_id and not _in_inbox(uow, envelope.aggregate, envelope.previous_id):
        raise FactGap(envelope.aggregate, int(row.epoch), 0)
    if row is not None and envelope.epoch > row.epoch:
        _name_lost_future(uow, envelope)
    if envelope.epoch > 1 and _in_inbox(uow, envelope.aggregate, envelope.fact_id):
        # Applied in an earlier epoch and told again under a new number: only the cursor moves.
        _settle_difference(uow, envelope)
        _move_cursor(uow, row, envelope)
        return False
    for handler in handlers.get(envelope.kind, ()):
        handler(uow, envelope, envelope.opened)
    _record(uow, row, envelope)
    store_told(uow)
    return True


def skip_fact(uow: UnitOfWork, envelope: Envelope, reason: str) -> bool:
    """Go past a fact without applying it, with a reason that stays; False when it had been applied before."""
    row = _cursor(uow, envelope.aggregate)
    if _stands_before(row, envelope):
        return False
    _record(uow, row, envelope, skipped_reason=reason)
    return True


def _stands_before(row: Row[Any] | None, envelope: Envelope) -> bool:
    """True when the fact lies at or before the cursor, False when it is the next. Raises FactGap when it is later."""
    if row is None:
        if envelope.seq == 1:
            return False
        raise FactGap(envelope.aggregate, 0, 0)
    if (envelope.epoch, envelope.seq) <= (row.epoch, row.seq) or envelope.epoch < row.epoch:
        return True
    follows = envelope.seq == row.seq + 1 if envelope.epoch == row.epoch else (
        # The first of a new epoch may step back (the sender's lost future), never over what we have not heard.
        envelope.seq == envelope.epoch_first_seq <= row.seq + 1
    )
    if not follows:
        raise FactGap(envelope.aggregate, int(row.epoch), int(row.seq))
    return False


def _in_inbox(uow: UnitOfWork, aggregate: str, fact_id: str) -> bool:
    return bool(_statements_of(uow).known.all(uow.conn, {"b_aggregate": aggregate, "b_fact_id": fact_id}))


def _record(uow: UnitOfWork, row: Row[Any] | None, envelope: Envelope, skipped_reason: str | None = None) -> None:
    _statements_of(uow).note.run(uow.conn, {
        "aggregate": envelope.aggregate, "epoch": envelope.epoch, "seq": envelope.seq, "fact_id": envelope.fact_id,
        "kind": envelope.kind, "applied_at": uow.now, "skipped_reason": skipped_reason,
    })
    _move_cursor(uow, row, envelope)


def _move_cursor(uow: UnitOfWork, row: Row[Any] | None, envelope: Envelope) -> None:
    statements = _statements_of(uow)
    if row is None:
        statements.begin.run(uow.conn, {
            "aggregate": envelope.aggregate, "epoch": envelope.epoch, "seq": envelope.seq,
        })
    else:
        statements.move.run(uow.conn, {
            "b_aggregate": envelope.aggregate, "b_epoch": envelope.epoch, "b_seq": envelope.seq,
        })


def _name_lost_future(uow: UnitOfWork, envelope: Envelope) -> None:
    """The sender was restored: list the facts we applied that it no longer knows."""
    inbox, difference = uow.platform.fact_in, uow.platform.fact_difference
    lost = uow.conn.execute(
        select(inbox).outerjoin(difference, difference.c.fact_id == inbox.c.fact_id).where(
            inbox.c.aggregate == envelope.aggregate, inbox.c.epoch < envelope.epoch,
            inbox.c.seq >= envelope.epoch_first_seq, inbox.c.fact_id != envelope.fact_id,
            difference.c.fact_id.is_(None),
        )
    ).all()
    for fact in lost:
        uow.conn.execute(insert(difference).values(
            fact_id=fact.fact_id, aggregate=fact.aggregate, epoch=fact.epoch, seq=fact.seq, kind=fact.kind,
            found_at=uow.now, remark="applied here, no longer known to the restored sender",
        ))


def _settle_difference(uow: UnitOfWork, envelope: Envelope) -> None:
    """The sender does know the fact after all."""
    table = uow.platform.fact_difference
    uow.conn.execute(delete(table).where(table.c.fact_id == envelope.fact_id))
