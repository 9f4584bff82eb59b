"""The only SQL of traffic and agreements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, select

from server_api.platform.database import Database
from shared_models.tables.billing.traffic import usage_agreement, usage_traffic
from shared_models.tables.billing.usage import usage_file

if TYPE_CHECKING:
    import polars as pl

_COLUMNS = tuple(column.name for column in usage_traffic.c)
SUMS = ("call_count", "answered_count", "talked_s", "minute_count", "six_second_count", "held_s")


def write_traffic(
    database: Database, file_no: int, piece_no: int, rows: pl.DataFrame, beat: Callable[[], None] = lambda: None
) -> None:
    """Store the traffic of a piece (rows of ``rules.traffic_of``), replacing what was stored of it before a crash.

    Written before the piece is counted as done; until then no report counts it.
    """
    c = usage_traffic.c
    with database.reading() as conn:
        begun = set(
            conn.execute(select(c.period).where(c.file_no == file_no, c.piece_no == piece_no).distinct()).scalars()
        )
    for period in sorted(begun):
        with database.batch() as conn:
            conn.execute(delete(usage_traffic).where(c.period == period, c.file_no == file_no, c.piece_no == piece_no))
        beat()
    keyed = ((row[0], file_no, piece_no, *row[1:]) for row in rows.rows())
    database.write_rows(usage_traffic, _COLUMNS, keyed, lambda _conn, _count: beat())


def traffic_rows(
    conn: Connection, period: int, switch_code: str | None = None, *, by_hour: bool = True
) -> Sequence[Row[Any]]:
    """Sums of a month per switch, trunk group, direction, type of call (and hour), in that order."""
    c, f = usage_traffic.c, usage_file.c
    keys = [f.switch_code, c.trunk_no, c.direction, c.call_type, *([c.hour_no] if by_hour else [])]
    done = and_(f.file_no == c.file_no, c.piece_no < f.pieces_done)
    query = (
        select(*keys, *[func.sum(c[name]).label(name) for name in SUMS])
        .select_from(usage_traffic.join(usage_file, done))
        .where(c.period == period)
        .group_by(*keys)
        .order_by(*keys)
    )
    if switch_code is not None:
        query = query.where(f.switch_code == switch_code)
    return conn.execute(query).all()


def add_agreement(conn: Connection, digest: str, document: Any, now: datetime) -> int:
    """Keep operators, trunk groups and rates; the number of this version. The same document is kept once."""
    c = usage_agreement.c
    known = conn.execute(select(c.version_no).where(c.digest == digest)).scalar_one_or_none()
    if known is not None:
        return int(known)
    done = conn.execute(
        insert(usage_agreement).values(digest=digest, document=document, imported_at=now).returning(c.version_no)
    )
    return int(done.scalar_one())


def agreement(conn: Connection, version_no: int | None = None) -> Row[Any] | None:
    """A version of the agreements, or the one in force."""
    c = usage_agreement.c
    query = select(usage_agreement).order_by(c.version_no.desc()).limit(1)
    if version_no is not None:
        query = query.where(c.version_no == version_no)
    return conn.execute(query).one_or_none()
