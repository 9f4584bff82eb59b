"""The only SQL of usage: files, identities, the error pool, the access copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update

from shared_models.tables.billing.usage import usage_access, usage_file, usage_pool, usage_seen, usage_span

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

POOL_COLUMNS = tuple(column.name for column in usage_pool.c)
SEEN_COLUMNS = tuple(column.name for column in usage_seen.c)
COUNTS = (
    "record_count",
    "joined_count",
    "read_count",
    "accepted_count",
    "traffic_count",
    "rejected_count",
    "duplicate_count",
    "charge_micro_yuan",
)


def file_by_sha(conn: Connection, sha256: str) -> Row[Any] | None:
    """The file with that content."""
    return conn.execute(select(usage_file).where(usage_file.c.sha256 == sha256)).one_or_none()


def file_by_no(conn: Connection, file_no: int) -> Row[Any] | None:
    """A file by its number."""
    return conn.execute(select(usage_file).where(usage_file.c.file_no == file_no)).one_or_none()


def files(conn: Connection, before_no: int | None, limit: int) -> Sequence[Row[Any]]:
    """The latest files first."""
    query = select(usage_file).order_by(usage_file.c.file_no.desc()).limit(limit)
    if before_no is not None:
        query = query.where(usage_file.c.file_no < before_no)
    return conn.execute(query).all()


def add_file(conn: Connection, **values: Any) -> int:
    """Register a file; its number."""
    zeros = dict.fromkeys(COUNTS, 0)
    done = conn.execute(
        insert(usage_file)
        .values(state="registered", pieces_done=0, lines_done=0, **zeros, **values)
        .returning(usage_file.c.file_no)
    )
    return int(done.scalar_one())


def claim_file(conn: Connection, file_no: int, worker: str, now: datetime, until: datetime) -> bool:
    """Take the right to import a file; False while another worker holds a file of any kind."""
    held = conn.execute(
        select(func.count())
        .select_from(usage_file)
        .where(
            usage_file.c.state == "importing",
            usage_file.c.file_no != file_no,
            usage_file.c.worker != worker,
            usage_file.c.lease_until_at > now,
        )
    ).scalar_one()
    if held:
        return False
    done = conn.execute(
        update(usage_file)
        .where(
            usage_file.c.file_no == file_no,
            usage_file.c.state != "done",
            or_(usage_file.c.worker.is_(None), usage_file.c.worker == worker, usage_file.c.lease_until_at <= now),
        )
        .values(state="importing", worker=worker, lease_until_at=until)
    )
    return done.rowcount == 1


def free_dead(conn: Connection, is_dead: Callable[[str], bool]) -> None:
    """Take files from workers that are no more."""
    c = usage_file.c
    for row in conn.execute(select(c.file_no, c.worker).where(c.state == "importing", c.worker.is_not(None))).all():
        if is_dead(row.worker):
            conn.execute(
                update(usage_file)
                .where(c.file_no == row.file_no, c.worker == row.worker)
                .values(worker=None, lease_until_at=None)
            )


def renew_lease(conn: Connection, file_no: int, worker: str, until: datetime) -> bool:
    """Keep the right for a while longer; False when it was lost."""
    done = conn.execute(
        update(usage_file)
        .where(usage_file.c.file_no == file_no, usage_file.c.worker == worker)
        .values(lease_until_at=until)
    )
    return done.rowcount == 1


def let_go(conn: Connection, file_no: int, worker: str) -> None:
    """Give the right back, so that anybody may go on at once."""
    conn.execute(
        update(usage_file)
        .where(usage_file.c.file_no == file_no, usage_file.c.worker == worker)
        .values(worker=None, lease_until_at=None)
    )


def pieces_done(
    conn: Connection, file_no: int, piece_no: int, next_piece_no: int, line_count: int, counts: dict[str, int]
) -> None:
    """Count the pieces from ``piece_no`` on, once: nothing happens where they were counted before."""
    changes = {usage_file.c[name]: usage_file.c[name] + counts.get(name, 0) for name in COUNTS}
    conn.execute(
        update(usage_file)
        .where(usage_file.c.file_no == file_no, usage_file.c.pieces_done == piece_no)
        .values(
            {
                **changes,
                usage_file.c.pieces_done: next_piece_no,
                usage_file.c.lines_done: usage_file.c.lines_done + line_count,
            }
        )
    )


def begin_again(conn: Connection, file_no: int, piece_count: int) -> None:
    """Count a file from its first piece on: it is cut in another way now than when its import was begun."""
    zeros = {"pieces_done": 0, "lines_done": 0, **dict.fromkeys(COUNTS, 0)}
    conn.execute(update(usage_file).where(usage_file.c.file_no == file_no).values(piece_count=piece_count, **zeros))


def file_done(conn: Connection, file_no: int, now: datetime) -> None:
    """The whole file is in."""
    conn.execute(
        update(usage_file)
        .where(usage_file.c.file_no == file_no)
        .values(state="done", done_at=now, worker=None, lease_until_at=None)
    )


def move_to_accepted(conn: Connection, file_no: int, count: int, charge_micro_yuan: int) -> None:
    """Records of a file left the error pool for the rated ones."""
    conn.execute(
        update(usage_file)
        .where(usage_file.c.file_no == file_no)
        .values(
            accepted_count=usage_file.c.accepted_count + count,
            rejected_count=usage_file.c.rejected_count - count,
            charge_micro_yuan=usage_file.c.charge_micro_yuan + charge_micro_yuan,
        )
    )


def seen_pieces(conn: Connection, period: int) -> list[tuple[int, int, tuple[int, int] | None]]:
    """(file, piece, (least, greatest identity)) of all that took identities in a month, in order; None is any."""
    c, s = usage_seen.c, usage_span.c
    pieces = conn.execute(
        select(c.file_no, c.piece_no)
        .where(c.period == period)
        .group_by(c.file_no, c.piece_no)
        .order_by(c.file_no, c.piece_no)
    ).all()
    rows = conn.execute(select(s.file_no, s.piece_no, s.low_id, s.high_id).where(s.period == period)).all()
    spans = {(row.file_no, row.piece_no): (int(row.low_id), int(row.high_id)) for row in rows}
    return [(row.file_no, row.piece_no, spans.get((row.file_no, row.piece_no))) for row in pieces]


def seen_of_piece(conn: Connection, period: int, file_no: int, piece_no: int) -> tuple[npt.NDArray[np.int64], int]:
    """The identities a piece took in a month, and the number its next write turn has."""
    import numpy as np  # whoever only shows files needs none of it

    c = usage_seen.c
    query = select(c.turn_no, c.identities).where(c.period == period, c.file_no == file_no, c.piece_no == piece_no)
    rows = conn.execute(query.order_by(c.turn_no)).all()
    if not rows:
        return np.zeros(0, np.int64), 0
    return np.concatenate([np.frombuffer(row.identities, np.int64) for row in rows]), int(rows[-1].turn_no) + 1


def put_span(conn: Connection, period: int, file_no: int, piece_no: int, low_id: int, high_id: int) -> None:
    """Say between which identities those of a piece lie; wider than before where it was said before."""
    c = usage_span.c
    key = (c.period == period, c.file_no == file_no, c.piece_no == piece_no)
    known = conn.execute(select(c.low_id, c.high_id).where(*key)).one_or_none()
    if known is None:
        keys = {"period": period, "file_no": file_no, "piece_no": piece_no}
        conn.execute(insert(usage_span).values(**keys, low_id=low_id, high_id=high_id))
    else:
        widest = {"low_id": min(low_id, known.low_id), "high_id": max(high_id, known.high_id)}
        conn.execute(update(usage_span).where(*key).values(**widest))


def pooled_in_piece(conn: Connection, file_no: int, periods: Iterable[int], begin_pos: int, end_pos: int) -> set[int]:
    """Places of this piece's records that are in the error pool already."""
    found: set[int] = set()
    for period in periods:
        found.update(
            conn.execute(
                select(usage_pool.c.file_pos).where(
                    usage_pool.c.period == period,
                    usage_pool.c.file_no == file_no,
                    usage_pool.c.file_pos >= begin_pos,
                    usage_pool.c.file_pos < end_pos,
                )
            ).scalars()
        )
    return found


def pool_page(
    conn: Connection,
    *,
    state: str,
    reason: str | None,
    file_no: int | None,
    after: tuple[int, int, int] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Some records of the error pool in key order."""
    c = usage_pool.c
    query = select(usage_pool).where(c.state == state).order_by(c.period, c.file_no, c.file_pos).limit(limit)
    if reason:
        query = query.where(c.reason == reason)
    if file_no is not None:
        query = query.where(c.file_no == file_no)
    if after is not None:
        period, number, pos = after
        query = query.where(
            or_(
                c.period > period,
                and_(c.period == period, c.file_no > number),
                and_(c.period == period, c.file_no == number, c.file_pos > pos),
            )
        )
    return conn.execute(query).all()


def pool_waiting_for(
    conn: Connection, owner_keys: Sequence[str] | None, reasons: Sequence[str], limit: int
) -> Sequence[Row[Any]]:
    """Records of the pool that may find an owner or a price now; all of them, or those of some owners."""
    c = usage_pool.c
    query = select(usage_pool).where(c.state == "waiting", c.reason.in_(reasons))
    if owner_keys is not None:
        query = query.where(c.owner_key.in_(owner_keys))
    return conn.execute(query.order_by(c.period, c.file_no, c.file_pos).limit(limit)).all()


def pool_rated(conn: Connection, keys: Sequence[tuple[int, int, int]]) -> int:
    """Mark records as rated; how many were still waiting."""
    c = usage_pool.c
    count = 0
    for period, file_no, file_pos in keys:
        done = conn.execute(
            update(usage_pool)
            .where(c.period == period, c.file_no == file_no, c.file_pos == file_pos, c.state == "waiting")
            .values(state="rated")
        )
        count += done.rowcount
    return count


def pool_reason(conn: Connection, key: tuple[int, int, int], reason: str) -> None:
    """Say anew why a record waits."""
    c = usage_pool.c
    period, file_no, file_pos = key
    conn.execute(
        update(usage_pool).where(c.period == period, c.file_no == file_no, c.file_pos == file_pos).values(reason=reason)
    )


def reasons_of(conn: Connection, file_no: int) -> dict[str, int]:
    """How many records of a file wait in the pool, by reason."""
    c = usage_pool.c
    periods = conn.execute(select(c.period).distinct()).scalars().all()
    found: dict[str, int] = {}
    for period in periods:
        query = select(c.reason, func.count().label("n")).where(
            c.period == period, c.file_no == file_no, c.state == "waiting"
        )
        for row in conn.execute(query.group_by(c.reason)):
            found[row.reason] = found.get(row.reason, 0) + row.n
    return found


def access_rows(conn: Connection, kind: str | None = None) -> Sequence[Row[Any]]:
    """Who is reached by what, from when until when: all of it, or one kind of key."""
    c = usage_access.c
    query = select(usage_access).order_by(c.kind, c.access_key, c.from_at, c.product_id)
    return conn.execute(query if kind is None else query.where(c.kind == kind)).all()


def access_of_product(conn: Connection, product_id: str) -> Sequence[Row[Any]]:
    """What a product is reached by."""
    return conn.execute(select(usage_access).where(usage_access.c.product_id == product_id)).all()


def put_access(conn: Connection, product_id: str, rows: Sequence[dict[str, Any]]) -> None:
    """What a product is reached by, replacing what was kept."""
    conn.execute(delete(usage_access).where(usage_access.c.product_id == product_id))
    add_access(conn, rows)


def add_access(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """What products not heard of before are reached by."""
    if rows:
        conn.execute(insert(usage_access), list(rows))


def count_gaps(conn: Connection) -> Sequence[Row[int, str | None]]:
    """Finished files whose counts do not add up."""
    c = usage_file.c
    return conn.execute(
        select(c.file_no, c.file_name)
        .where(c.state == "done", c.read_count != c.accepted_count + c.rejected_count + c.duplicate_count)
        .order_by(c.file_no)
    ).all()


def file_totals(conn: Connection) -> Row[Any]:
    """Number of files and of records read in them."""
    return conn.execute(
        select(func.count().label("files"), func.coalesce(func.sum(usage_file.c.read_count), 0).label("records")).where(
            usage_file.c.state == "done"
        )
    ).one()
