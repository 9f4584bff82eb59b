"""Sending again, after a gap or after either side was restored from a backup.

The receiver's cursors decide what was delivered; the outbox is the log from which anything can be sent again. A
restored *receiver* is behind: what lies after its cursors is queued again. A restored *sender* is behind what the
receiver has applied: it begins a new epoch, renumbers what it has not sent yet, and what the receiver holds from the
lost future is listed there as named differences (``fact_difference``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, delete, func, insert, or_, select, update

from server_api.platform.database import Database
from server_api.platform.facts import parking
from server_api.platform.facts.receiver import Envelope, FactGap

_PAGE = 500


@dataclass
class Comparison:
    """How two sides stand to each other in one direction.

    ``missing`` counts facts the receiver lacks and nobody is sending; ``waiting`` those on their way; ``lost_future``
    names (aggregate, receiver's seq, sender's seq) where the receiver is ahead of the sender; ``restored`` the
    aggregates that have seen a second epoch.
    """

    aggregates: int = 0
    facts: int = 0
    waiting: int = 0
    missing: int = 0
    behind: list[tuple[str, int, int]] = field(default_factory=list)
    lost_future: list[tuple[str, int, int]] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    highest_epoch: int = 0


def ask_again(source: Database, envelope: Envelope, gap: FactGap) -> int:
    """Queue the facts again that the receiver lacks before this one; 0 when they are on their way already.

    What the outbox no longer holds cannot be sent: then the aggregate is parked and says which fact is missing.
    """
    return source.write(lambda connection: _ask_again(source, connection, envelope, gap))


def _ask_again(source: Database, connection: Connection, envelope: Envelope, gap: FactGap) -> int:
    out = source.platform.fact_out
    if gap.epoch and not gap.seq:
        return _tell_anew(source, connection, envelope.aggregate, gap)
    earlier = connection.execute(
        select(out.c.seq).where(out.c.aggregate == envelope.aggregate, _after(out, gap.epoch, gap.seq),
                                or_(out.c.epoch < envelope.epoch, out.c.seq < envelope.seq)).order_by(out.c.seq)
    ).scalars().all()
    wanted = set(range(gap.seq + 1, envelope.seq))
    lacking = sorted(wanted - {int(seq) for seq in earlier})
    if not lacking:
        return _queue(source, connection, envelope.aggregate, gap.epoch, gap.seq)
    known = connection.execute(select(out.c.seq).where(
        out.c.aggregate == envelope.aggregate, out.c.seq > gap.seq, out.c.seq < envelope.seq)).scalars().all()
    gone = sorted(wanted - {int(seq) for seq in known})
    if gone:
        parking.park(source, connection, envelope, f"FactGap: fact {gone[0]} is not in the outbox any more")
        return 0
    # Restored more than once: the receiver stands in an epoch this side has lost. All from there on is told anew.
    return _tell_anew(source, connection, envelope.aggregate, gap)


def _tell_anew(source: Database, connection: Connection, aggregate: str, gap: FactGap) -> int:
    """Queue every fact after the receiver's place under this side's epoch; what it knows by id it does not apply."""
    tables = source.platform
    out, pending, owner = tables.fact_out, tables.fact_pending, tables.fact_aggregate
    row = connection.execute(
        source.dialect.lock(select(owner).where(owner.c.aggregate == aggregate), owner)).one()
    epoch = max(int(row.epoch), gap.epoch + 1)
    rows = connection.execute(select(out.c.fact_id, out.c.lane_no, out.c.seq, out.c.epoch).where(
        out.c.aggregate == aggregate, out.c.seq > gap.seq).order_by(out.c.seq, out.c.epoch)).all()
    latest = {int(found.seq): found for found in rows}
    connection.execute(delete(pending).where(pending.c.aggregate == aggregate))
    for seq, found in latest.items():
        connection.execute(update(out).where(out.c.fact_id == found.fact_id).values(
            epoch=epoch, epoch_first_seq=gap.seq + 1))
        connection.execute(insert(pending).values(
            lane_no=found.lane_no, aggregate=aggregate, seq=seq, epoch=epoch, fact_id=found.fact_id))
    connection.execute(update(owner).where(owner.c.aggregate == aggregate).values(
        epoch=epoch, epoch_first_seq=gap.seq + 1))
    return len(latest)


def _after(out: Any, epoch: int, seq: int) -> Any:
    return or_(out.c.epoch > epoch, and_(out.c.epoch == epoch, out.c.seq > seq))


def _queue(source: Database, connection: Connection, aggregate: str, epoch: int, seq: int) -> int:
    """Put every fact of an aggregate after a position into the table of waiting facts, where it is not there yet."""
    out, pending = source.platform.fact_out, source.platform.fact_pending
    rows = connection.execute(
        select(out.c.fact_id, out.c.lane_no, out.c.epoch, out.c.seq)
        .outerjoin(pending, and_(pending.c.lane_no == out.c.lane_no, pending.c.aggregate == out.c.aggregate,
                                 pending.c.epoch == out.c.epoch, pending.c.seq == out.c.seq))
        .where(out.c.aggregate == aggregate, _after(out, epoch, seq), pending.c.fact_id.is_(None))
        .order_by(out.c.epoch, out.c.seq)
    ).all()
    for row in rows:
        connection.execute(insert(pending).values(
            lane_no=row.lane_no, aggregate=aggregate, seq=row.seq, epoch=row.epoch, fact_id=row.fact_id))
    return len(rows)


def compare(source: Database, target: Database) -> Comparison:
    """How far ``target`` is with the facts of ``source``. Reads both sides page by page, changes nothing."""
    found = Comparison()
    for row, cursor, waiting in _walk(source, target):
        found.aggregates += 1
        found.facts += int(row.last_seq) if row is not None else 0
        found.waiting += waiting
        found.highest_epoch = max(found.highest_epoch, int(cursor.epoch) if cursor is not None else 0)
        aggregate = row.aggregate if row is not None else cursor.aggregate  # type: ignore[union-attr]
        told = int(row.last_seq) if row is not None else 0
        heard = int(cursor.seq) if cursor is not None else 0
        if max(int(side.epoch) for side in (row, cursor) if side is not None) > 1:
            found.restored.append(aggregate)
        new_epoch = row is not None and cursor is not None and row.epoch > cursor.epoch
        if heard > told or (new_epoch and heard >= int(row.epoch_first_seq)):  # type: ignore[union-attr]
            found.lost_future.append((aggregate, heard, told))
        elif told - heard > waiting:
            found.missing += told - heard - waiting
            found.behind.append((aggregate, heard, told))
    return found


def _walk(source: Database, target: Database) -> Iterator[tuple[Row[Any] | None, Row[Any] | None, int]]:
    """Every aggregate either side knows: the sender's row, the receiver's cursor, how many facts wait.

    Each side is paged in its own order and the other asked by name: two engines rarely sort text alike.
    """
    aggregate, pending = source.platform.fact_aggregate, source.platform.fact_pending
    cursor = target.platform.fact_cursor
    for page in _pages(source, aggregate):
        names = list(page)
        cursors = _named(target, cursor, names)
        with source.reading() as connection:
            waiting = {row.aggregate: int(row.n) for row in connection.execute(
                select(pending.c.aggregate, func.count().label("n"))
                .where(pending.c.aggregate.in_(names)).group_by(pending.c.aggregate))}
        for name in names:
            yield page[name], cursors.get(name), waiting.get(name, 0)
    for page in _pages(target, cursor):
        known = _named(source, aggregate, list(page))
        for name, row in page.items():
            if name not in known:
                yield None, row, 0


def _pages(database: Database, table: Table) -> Iterator[dict[str, Row[Any]]]:
    after = " "  # below every name; an empty text would be NULL
    while True:
        with database.reading() as connection:
            page = {row.aggregate: row for row in connection.execute(
                select(table).where(table.c.aggregate > after).order_by(table.c.aggregate).limit(_PAGE))}
        if page:
            yield page
        if len(page) < _PAGE:
            return
        after = list(page)[-1]


def _named(database: Database, table: Table, names: list[str]) -> dict[str, Row[Any]]:
    with database.reading() as connection:
        return {row.aggregate: row for row in connection.execute(select(table).where(table.c.aggregate.in_(names)))}


@dataclass
class Replayed:
    """What a replay did: facts queued again, and the differences it named."""

    queued: int = 0
    lost_future: int = 0
    epoch: int = 0


def replay(source: Database, target: Database) -> Replayed:
    """Bring both sides together after either was restored: queue what the receiver lacks, name what the sender lost.

    Safe at any time and as often as one likes: what was delivered is known to the receiver's inbox.
    """
    found = compare(source, target)
    done = Replayed(lost_future=len(found.lost_future))
    if found.lost_future:
        done.epoch = begin_epoch(source, at_least=found.highest_epoch + 1)
    for name in sorted({name for name, _heard, _told in found.lost_future} | set(found.restored)):
        _name_exactly(source, target, name)
    for name, heard, told in found.behind:
        cursor = _cursor(target, name)
        at = FactGap(name, int(cursor.epoch) if cursor is not None else 0, heard)
        done.queued += source.write(partial(_catch_up, source, at=at, told=told))
    source.poke()
    return done


def _catch_up(source: Database, connection: Connection, *, at: FactGap, told: int) -> int:
    """Queue what an aggregate's receiver lacks; told anew where the receiver stands in an epoch this side has lost."""
    out, pending = source.platform.fact_out, source.platform.fact_pending
    later = connection.execute(select(func.count()).select_from(out).where(
        out.c.aggregate == at.aggregate, _after(out, at.epoch, at.seq))).scalar_one()
    if later >= told - at.seq:
        return _queue(source, connection, at.aggregate, at.epoch, at.seq)
    before = connection.execute(select(func.count()).select_from(pending).where(
        pending.c.aggregate == at.aggregate)).scalar_one()
    return _tell_anew(source, connection, at.aggregate, at) - int(before)


def _cursor(target: Database, name: str) -> Row[Any] | None:
    table = target.platform.fact_cursor
    with target.reading() as connection:
        return connection.execute(select(table).where(table.c.aggregate == name)).one_or_none()


def _name_exactly(source: Database, target: Database, aggregate: str) -> None:
    """Compare an aggregate's inbox with its outbox fact by fact: list what only the receiver knows, settle the rest."""
    out = source.platform.fact_out
    with source.reading() as connection:
        known = {row.fact_id: int(row.seq) for row in connection.execute(
            select(out.c.fact_id, out.c.seq).where(out.c.aggregate == aggregate))}
    target.write(lambda connection: _settle_and_name(target, connection, aggregate, known))


def _settle_and_name(target: Database, connection: Connection, aggregate: str, known: dict[str, int]) -> None:
    inbox, difference = target.platform.fact_in, target.platform.fact_difference
    named = set(connection.execute(
        select(difference.c.fact_id).where(difference.c.aggregate == aggregate)).scalars())
    for fact_id in sorted(named & set(known)):
        connection.execute(delete(difference).where(difference.c.fact_id == fact_id))
    oldest = min(known.values(), default=1)  # what the log no longer holds cannot be compared
    for fact in connection.execute(select(inbox).where(inbox.c.aggregate == aggregate, inbox.c.seq >= oldest)).all():
        if fact.fact_id not in known and fact.fact_id not in named:
            connection.execute(insert(difference).values(
                fact_id=fact.fact_id, aggregate=fact.aggregate, epoch=fact.epoch, seq=fact.seq, kind=fact.kind,
                found_at=target.clock.now(), remark="applied here, no longer known to the restored sender",
            ))


def announce_restore(source: Database, target: Database) -> int:
    """What the operator does after restoring ``source``: begin an epoch above all the other side has heard of."""
    cursor = target.platform.fact_cursor
    with target.reading() as connection:
        heard = connection.execute(select(func.max(cursor.c.epoch))).scalar_one()
    return begin_epoch(source, at_least=int(heard or 0) + 1)


def begin_epoch(source: Database, at_least: int = 0) -> int:
    """Begin a new epoch on a side that was restored and return it. What was not sent yet is renumbered into it."""
    return source.write(lambda connection: _begin_epoch(source, connection, at_least))


def _begin_epoch(source: Database, connection: Connection, at_least: int) -> int:
    side, pending = source.platform.side, source.platform.fact_pending
    now = source.clock.now()
    row = connection.execute(source.dialect.lock(select(side).where(side.c.role == source.role), side)).one_or_none()
    epoch = max(at_least, (1 if row is None else int(row.epoch)) + 1)
    if row is None:
        connection.execute(insert(side).values(role=source.role, epoch=epoch, epoch_since=now))
    else:
        connection.execute(update(side).where(side.c.role == source.role).values(epoch=epoch, epoch_since=now))
    waiting = connection.execute(
        select(pending.c.aggregate, func.min(pending.c.seq).label("first_seq")).where(pending.c.epoch < epoch)
        .group_by(pending.c.aggregate).order_by(pending.c.aggregate)
    ).all()
    for found in waiting:
        _renumber(source, connection, found.aggregate, int(found.first_seq), epoch)
    source.forget_epoch()
    return epoch


def _renumber(source: Database, connection: Connection, aggregate: str, first_seq: int, epoch: int) -> None:
    tables = source.platform
    owner = tables.fact_aggregate
    connection.execute(source.dialect.lock(select(owner).where(owner.c.aggregate == aggregate), owner))
    waiting = tables.fact_pending
    ids = select(waiting.c.fact_id).where(waiting.c.aggregate == aggregate)
    connection.execute(update(tables.fact_out).where(
        tables.fact_out.c.aggregate == aggregate, tables.fact_out.c.fact_id.in_(ids),
    ).values(epoch=epoch, epoch_first_seq=first_seq))
    connection.execute(update(waiting).where(waiting.c.aggregate == aggregate).values(epoch=epoch))
    connection.execute(
        update(owner).where(owner.c.aggregate == aggregate).values(epoch=epoch, epoch_first_seq=first_seq))
