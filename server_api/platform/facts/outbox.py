"""The sending side: facts get their number inside the act and wait in the outbox."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError

from server_api.platform.dialects.base import Trouble
from server_api.platform.dialects.prepared import Prepared
from shared_models.contracts.events import MAX_PAYLOAD_BYTES
from shared_models.values.ids import derived_id

if TYPE_CHECKING:
    from server_api.platform.unit_of_work import Told, UnitOfWork

#: Lanes 0..7 are interactive (somebody waits), 8..15 are bulk; a bulk fact never stands before an interactive one.
INTERACTIVE_LANES = range(0, 8)
BULK_LANES = range(8, 16)
#: At most so many values in one IN list (Oracle takes 1000).
_IN_LIST = 900
#: From so many facts on an act stores them by the driver's array path.
_MANY = 32
_PENDING = ("lane_no", "aggregate", "seq", "epoch", "fact_id")
_OUT = (*_PENDING, "epoch_first_seq", "kind", "version", "effective_at", "recorded_at", "act_id", "payload")


def lane_of(aggregate: str, bulk: bool) -> int:
    """The lane a fact waits in. One aggregate may have facts in two lanes; the receiver's cursor keeps their order."""
    lanes = BULK_LANES if bulk else INTERACTIVE_LANES
    return lanes[zlib.crc32(aggregate.encode()) % len(lanes)]


@dataclass(frozen=True)
class _Statements:
    """Built once: building them for each fact cost more than storing it."""

    seq_of: Prepared
    set_seq: Prepared
    add_fact: Prepared
    add_pending: Prepared


@cache
def _statements(aggregate: Table, out: Table, pending: Table) -> _Statements:
    mine = aggregate.c.aggregate == bindparam("b_aggregate")
    return _Statements(
        seq_of=Prepared(select(aggregate).where(mine)),
        set_seq=Prepared(update(aggregate).where(mine).values(
            last_seq=bindparam("b_seq"), epoch=bindparam("b_epoch"), epoch_first_seq=bindparam("b_first"),
        )),
        add_fact=Prepared(insert(out)), add_pending=Prepared(insert(pending)),
    )


@dataclass
class _Place:
    """Where an aggregate stands while an act's facts are numbered."""

    seq: int
    epoch: int
    first: int


def store_told(uow: UnitOfWork) -> None:
    """Number and store the facts told in this act. Called once, at the act's end.

    ``seq`` comes from the aggregate's own row, so it is gapless per aggregate and commits with the act. Aggregates are
    locked in the order of their names, and all facts of an act are stored together: a month run tells hundreds.
    """
    if not uow.told:
        return
    tables = uow.platform
    statements = _statements(tables.fact_aggregate, tables.fact_out, tables.fact_pending)
    places = _places(uow, statements, sorted({told.aggregate for told in uow.told}))
    facts: list[dict[str, Any]] = []
    pending: list[dict[str, Any]] = []
    for told in uow.told:
        place = places[told.aggregate]
        place.seq += 1
        fact = _numbered(uow, told, place)
        facts.append(fact)
        pending.append({name: fact[name] for name in _PENDING})
        if not told.bulk:  # nobody waits for bulk news, and a job's act may tell thousands
            uow.after.append(f"{told.aggregate}@{place.seq}")
    statements.set_seq.many(uow.conn, [
        {"b_aggregate": name, "b_seq": place.seq, "b_epoch": place.epoch, "b_first": place.first}
        for name, place in places.items()
    ])
    if len(facts) < _MANY:
        statements.add_fact.many(uow.conn, facts)
        statements.add_pending.many(uow.conn, pending)
    else:
        _store_many(uow, facts)
    uow.told.clear()


def _store_many(uow: UnitOfWork, facts: Sequence[dict[str, Any]]) -> None:
    """The same rows by the driver's array path, which binds nothing value by value: half the price in a month run."""
    instant = lru_cache(maxsize=64)(uow.database.dialect.raw_instant)
    raw = [
        (*(fact[name] for name in _PENDING), fact["epoch_first_seq"], fact["kind"], fact["version"],
         instant(fact["effective_at"]), instant(fact["recorded_at"]), fact["act_id"], told.text)
        for fact, told in zip(facts, uow.told, strict=True)
    ]  # fmt: skip
    uow.database.bulk_insert(uow.conn, uow.platform.fact_out, _OUT, raw)
    uow.database.bulk_insert(uow.conn, uow.platform.fact_pending, _PENDING, [row[: len(_PENDING)] for row in raw])


def _numbered(uow: UnitOfWork, told: Told, place: _Place) -> dict[str, Any]:
    if len(told.text.encode()) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"a fact of {told.aggregate} is larger than {MAX_PAYLOAD_BYTES} bytes")
    # The id names the content as well: after a restore another fact can get the same number, never the same id.
    content = told.digest
    return {
        "fact_id": derived_id(
            uow.database.role, told.aggregate, str(place.epoch), str(place.seq), uow.act_id, content
        ),
        "aggregate": told.aggregate, "seq": place.seq, "epoch": place.epoch, "epoch_first_seq": place.first,
        "lane_no": lane_of(told.aggregate, told.bulk), "kind": type(told.payload).__name__,
        "version": told.payload.VERSION, "effective_at": told.effective_at, "recorded_at": uow.now,
        "act_id": uow.act_id, "payload": told.plain,
    }


def _places(uow: UnitOfWork, statements: _Statements, names: Sequence[str]) -> dict[str, _Place]:
    """Lock the aggregates of this act, making those that are new, and say where each stands."""
    table = uow.platform.fact_aggregate
    epoch = uow.database.epoch(uow.conn)
    if len(names) == 1:
        row = uow.lock_or_insert(statements.seq_of, table, _first(names[0], epoch), {"b_aggregate": names[0]})
        return {names[0]: _place(row, epoch)}
    rows: dict[str, Any] = {}
    for start in range(0, len(names), _IN_LIST):
        query = select(table).where(table.c.aggregate.in_(names[start : start + _IN_LIST])).order_by(table.c.aggregate)
        for row in uow.conn.execute(uow.database.dialect.lock(query, table)):
            rows[row.aggregate] = row
    missing = [name for name in names if name not in rows]
    if missing and not _added(uow, table, [_first(name, epoch) for name in missing]):
        for name in missing:  # another act was first with one of them: one by one, each waiting for the other
            rows[name] = uow.lock_or_insert(
                statements.seq_of, table, _first(name, epoch), {"b_aggregate": name}
            )
    return {name: _place(rows.get(name), epoch) for name in names}


def _added(uow: UnitOfWork, table: Table, rows: list[dict[str, Any]]) -> bool:
    try:
        with uow.conn.begin_nested():
            uow.conn.execute(insert(table), rows)
    except DBAPIError as error:
        if uow.database.dialect.classify(error) is not Trouble.DUPLICATE:
            raise
        return False
    return True


def _first(name: str, epoch: int) -> dict[str, Any]:
    """The row of an aggregate nothing was told of yet."""
    return {"aggregate": name, "epoch": epoch, "last_seq": 0, "epoch_first_seq": 1}


def _place(row: Any, epoch: int) -> _Place:
    if row is None:
        return _Place(0, epoch, 1)
    # Another process may have begun an epoch this one has not heard of: never step back from the aggregate's own.
    now = max(epoch, int(row.epoch))
    seq = int(row.last_seq)
    return _Place(seq, now, int(row.epoch_first_seq) if row.epoch == now else seq + 1)
