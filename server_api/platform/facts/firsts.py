"""Aggregates heard of for the first time, many at once: what imports tell, applied by whole rows.

A fact alone costs a dozen statements, most of them asking what is known already. Of an aggregate nobody has heard of
nothing is known, so the first facts of a batch are applied together, or, when anything at all speaks against it, not at
all: then each goes the ordinary way, which also finds out which one is at fault and parks it with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError

from server_api.platform.database import Database
from server_api.platform.dialects import Trouble
from server_api.platform.facts.outbox import store_told
from server_api.platform.facts.receiver import Envelope
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.values.ids import derived_id

#: Applies the first facts of many aggregates: ``handler(uow, [(envelope, payload), …])``, all of one kind.
FirstsHandler = Callable[[UnitOfWork, Sequence[tuple[Envelope, Any]]], None]
Firsts = Mapping[str, tuple[FirstsHandler, ...]]

_AT_LEAST = 8
_AT_MOST = 100


def firsts_among(batch: Sequence[Envelope], handlers: Firsts) -> list[Envelope]:
    """The facts of one kind that may be applied together; empty where it is not worth it.

    Facts told again after a restore are left out: whether they were applied before must be asked one by one.
    """
    for kind in dict.fromkeys(envelope.kind for envelope in batch):
        if kind in handlers:
            found = (one for one in batch if one.kind == kind and one.seq == one.epoch == 1 and not one.previous_id)
            chunk = list(islice(found, _AT_MOST))
            if len(chunk) >= _AT_LEAST:
                return chunk
    return []


def apply_firsts(target: Database, connection: Connection, chunk: Sequence[Envelope], handlers: Firsts) -> bool:
    """Apply first facts together in one savepoint; False, and nothing done, where they must go one by one."""
    act_id = derived_id(chunk[0].fact_id, "apply firsts")
    uow = UnitOfWork(target, connection, system_context("facts"), act_id, target.clock.now())
    if _any_known(uow, chunk):
        return False
    try:
        with connection.begin_nested():
            heard = [(envelope, envelope.opened) for envelope in chunk]
            for handler in handlers[chunk[0].kind]:
                handler(uow, heard)
            _record(uow, chunk)
            store_told(uow)
    except DBAPIError as error:
        if target.dialect.classify(error) in (Trouble.RETRY, Trouble.AWAY, Trouble.FULL):
            raise
        return False
    except Exception:  # noqa: BLE001 - nothing is lost: the ordinary way meets the same fault and names the fact it is in
        return False
    return True


def _any_known(uow: UnitOfWork, chunk: Sequence[Envelope]) -> bool:
    cursor = uow.platform.fact_cursor
    aggregates = [envelope.aggregate for envelope in chunk]
    return uow.conn.execute(select(cursor.c.aggregate).where(cursor.c.aggregate.in_(aggregates))).first() is not None


def _record(uow: UnitOfWork, chunk: Sequence[Envelope]) -> None:
    uow.conn.execute(insert(uow.platform.fact_in), [
        {"aggregate": one.aggregate, "epoch": one.epoch, "seq": one.seq, "fact_id": one.fact_id, "kind": one.kind,
         "applied_at": uow.now, "skipped_reason": None}
        for one in chunk
    ])
    uow.conn.execute(insert(uow.platform.fact_cursor), [
        {"aggregate": one.aggregate, "epoch": one.epoch, "seq": one.seq} for one in chunk
    ])
