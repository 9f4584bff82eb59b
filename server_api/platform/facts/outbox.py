"""The sending side: facts get their number inside the act and wait in the outbox."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from shared_models.contracts.events import MAX_PAYLOAD_BYTES
from shared_models.values.ids import derived_id

if TYPE_CHECKING:
    from server_api.platform.unit_of_work import Told, UnitOfWork

#: Lanes 0..7 are interactive (somebody waits), 8..15 are bulk; a bulk fact never stands before an interactive one.
INTERACTIVE_LANES = range(0, 8)
BULK_LANES = range(8, 16)


def lane_of(aggregate: str, bulk: bool) -> int:
    """The lane a fact waits in. One aggregate may have facts in two lanes; the receiver's cursor keeps their order."""
    lanes = BULK_LANES if bulk else INTERACTIVE_LANES
    return lanes[zlib.crc32(aggregate.encode()) % len(lanes)]


def store_told(uow: UnitOfWork) -> None:
    """Number and store the facts told in this act. Called once, at the act's end.

    ``seq`` comes from the aggregate's own row, so it is gapless per aggregate and commits with the act.
    """
    for told in uow.told:
        _store(uow, told)
    uow.told.clear()


def _store(uow: UnitOfWork, told: Told) -> None:
    tables = uow.platform
    text = told.payload.model_dump_json()
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"a fact of {told.aggregate} is larger than {MAX_PAYLOAD_BYTES} bytes")
    seq, epoch, epoch_first = _next_seq(uow, told.aggregate)
    # The id names the content as well: after a restore another fact can get the same number, never the same id.
    content = hashlib.sha256(text.encode()).hexdigest()
    fact_id = derived_id(uow.database.role, told.aggregate, str(epoch), str(seq), uow.act_id, content)
    lane_no = lane_of(told.aggregate, told.bulk)
    uow.conn.execute(insert(tables.fact_out).values(
        fact_id=fact_id, aggregate=told.aggregate, seq=seq, epoch=epoch, epoch_first_seq=epoch_first, lane_no=lane_no,
        kind=type(told.payload).__name__, version=told.payload.VERSION, effective_at=told.effective_at,
        recorded_at=uow.now, act_id=uow.act_id, payload=told.payload.model_dump(mode="json"),
    ))
    uow.conn.execute(insert(tables.fact_pending).values(
        lane_no=lane_no, aggregate=told.aggregate, seq=seq, epoch=epoch, fact_id=fact_id,
    ))
    uow.after.append(f"{told.aggregate}@{seq}")


def _next_seq(uow: UnitOfWork, aggregate: str) -> tuple[int, int, int]:
    table = uow.platform.fact_aggregate
    epoch = uow.database.epoch(uow.conn)
    row = uow.lock_or_insert(
        select(table).where(table.c.aggregate == aggregate), table,
        {"aggregate": aggregate, "epoch": epoch, "last_seq": 1, "epoch_first_seq": 1},
    )
    if row is None:
        return 1, epoch, 1
    seq = int(row.last_seq) + 1
    # Another process may have begun an epoch this one has not heard of: never step back from the aggregate's own.
    epoch = max(epoch, int(row.epoch))
    first = int(row.epoch_first_seq) if row.epoch == epoch else seq
    uow.conn.execute(update(table).where(table.c.aggregate == aggregate).values(
        last_seq=seq, epoch=epoch, epoch_first_seq=first,
    ))
    return seq, epoch, first
