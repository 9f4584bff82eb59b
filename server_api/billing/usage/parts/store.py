"""The only SQL of waiting parts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from server_api.billing.usage.store import seen_of_piece, seen_pieces
from shared_models.tables.billing.traffic import usage_traffic
from shared_models.tables.billing.usage import usage_file, usage_pool, usage_seen

WAITING = ("awaiting_parts", "open_partial")
_TRAFFIC = tuple(column.name for column in usage_traffic.c)


def waiting_parts(conn: Connection) -> Sequence[Row[Any]]:
    """The parts whose call is not whole, with their exchange, in the order they came."""
    c = usage_pool.c
    joined = usage_pool.join(usage_file, usage_file.c.file_no == c.file_no)
    query = select(usage_pool, usage_file.c.switch_code).select_from(joined)
    return conn.execute(query.where(c.state == "waiting", c.reason.in_(WAITING)).order_by(c.file_no, c.file_pos)).all()


def give_up(conn: Connection, registered_before: datetime) -> int:
    """Say of parts from files so old that the others will not come; how many."""
    c = usage_pool.c
    old = select(usage_file.c.file_no).where(usage_file.c.registered_at < registered_before)
    done = conn.execute(
        update(usage_pool)
        .where(c.state == "waiting", c.reason == "awaiting_parts", c.file_no.in_(old))
        .values(reason="open_partial")
    )
    return int(done.rowcount)


def is_taken(conn: Connection, period: int, identity: int) -> bool:
    """True for a call some file has brought already."""
    for file_no, piece_no, span in seen_pieces(conn, period):
        if span is None or span[0] <= identity <= span[1]:
            found, _turn = seen_of_piece(conn, period, file_no, piece_no)
            if bool((found == identity).any()):
                return True
    return False


def take(conn: Connection, period: int, file_no: int, identity: int) -> int:
    """Take an identity for a call joined out of several files; the number of the piece it counts as, below 0."""
    import numpy as np  # whoever only shows files needs none of it

    c = usage_seen.c
    least = conn.execute(select(func.coalesce(func.min(c.piece_no), 0)).where(c.period == period, c.file_no == file_no))
    piece_no = min(int(least.scalar_one()), 0) - 1
    row = {"period": period, "file_no": file_no, "piece_no": piece_no, "turn_no": 0}
    conn.execute(insert(usage_seen).values(**row, identities=np.array([identity], np.int64).tobytes()))
    return piece_no


def now_whole(conn: Connection, part: Row[Any], values: dict[str, Any]) -> bool:
    """Make a first part the whole call, to be rated; False where it waits no more."""
    return _changed(conn, part, {"partial_no": 0, **values})


def no_more(conn: Connection, part: Row[Any], state: str) -> bool:
    """A part that is not a record of its own (joined), or came before (dropped); False where it waits no more."""
    return _changed(conn, part, {"state": state})


def _changed(conn: Connection, part: Row[Any], values: dict[str, Any]) -> bool:
    c = usage_pool.c
    done = conn.execute(
        update(usage_pool)
        .where(
            c.period == part.period,
            c.file_no == part.file_no,
            c.file_pos == part.file_pos,
            c.state == "waiting",
            c.reason.in_(WAITING),
        )
        .values(**values)
    )
    return done.rowcount == 1


def count(conn: Connection, file_no: int, **more: int) -> None:
    """Add to the counts of a file."""
    c = usage_file.c
    conn.execute(
        update(usage_file)
        .where(c.file_no == file_no)
        .values({c[f"{name}_count"]: c[f"{name}_count"] + number for name, number in more.items()})
    )


def add_traffic(conn: Connection, file_no: int, piece_no: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """The traffic of a call joined out of several files (rows of traffic.rules)."""
    values = [dict(zip(_TRAFFIC, (row[0], file_no, piece_no, *row[1:]), strict=True)) for row in rows]
    conn.execute(insert(usage_traffic), values)
