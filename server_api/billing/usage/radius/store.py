"""The only SQL of sessions and their cuts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Update, and_, bindparam, func, insert, or_, select, update

from server_api.billing.usage.radius.rules import OPEN, Session, Slice
from shared_models.tables.billing.traffic import usage_cut, usage_session, usage_slice

_NAMES = tuple(Session.__dataclass_fields__)
#: What only a cut writes; messages write the rest. So a message that comes while a cut is made loses nothing.
_CUT = ("cut_duration_s", "cut_octets_in", "cut_octets_out", "slice_count")
_HEARD = tuple(name for name in _NAMES if name not in (*_CUT, "session_key", "run_no"))
_KEYS_AT_ONCE = 500


def runs_of(conn: Connection, keys: Iterable[str]) -> dict[str, list[Session]]:
    """The runs of each of these sessions, by number."""
    wanted = sorted(set(keys))
    found: dict[str, list[Session]] = {}
    for begin in range(0, len(wanted), _KEYS_AT_ONCE):
        some = wanted[begin : begin + _KEYS_AT_ONCE]
        query = select(usage_session).where(usage_session.c.session_key.in_(some)).order_by(usage_session.c.run_no)
        for row in conn.execute(query):
            found.setdefault(row.session_key, []).append(_session(row))
    return found


def open_of_server(conn: Connection, nas_code: str) -> list[Session]:
    """The open sessions of a server."""
    c = usage_session.c
    return [_session(row) for row in conn.execute(select(usage_session).where(c.state == OPEN, c.nas_code == nas_code))]


def silent_since(conn: Connection, last_s: int, limit: int) -> list[Session]:
    """Open sessions of which nothing was heard after ``last_s``."""
    c = usage_session.c
    query = select(usage_session).where(c.state == OPEN, c.last_s < last_s).order_by(c.last_s).limit(limit)
    return [_session(row) for row in conn.execute(query)]


def with_rest(
    conn: Connection, open_after_s: int, month_s: int, after: tuple[str, int] | None, limit: int
) -> list[Session]:
    """Sessions with something not cut yet that are over, or go on and wait for ``open_after_s`` seconds or since before
    the month (``month_s``); by key."""
    c = usage_session.c
    rest = or_(c.duration_s > c.cut_duration_s, c.octets_in > c.cut_octets_in, c.octets_out > c.cut_octets_out)
    due = or_(
        c.state != OPEN,
        c.duration_s - c.cut_duration_s >= open_after_s,
        c.start_s + c.cut_duration_s < month_s,
    )
    query = select(usage_session).where(rest, due).order_by(c.session_key, c.run_no).limit(limit)
    if after is not None:
        key, run = after
        query = query.where(or_(c.session_key > key, and_(c.session_key == key, c.run_no > run)))
    return [_session(row) for row in conn.execute(query)]


def _session(row: Row[Any]) -> Session:
    values = {name: getattr(row, name) for name in _NAMES}
    return Session(**{**values, "login": values["login"] or "", "address": values["address"] or ""})


def put_heard(
    conn: Connection, new: Sequence[Session], changed: Sequence[tuple[Session, Session]], now: datetime
) -> bool:
    """Keep sessions not known before, and what was heard of others (before, after).

    False where another worker heard of one of them meanwhile: the caller rolls back and looks again.
    """
    if new:
        conn.execute(insert(usage_session), [{**_values(one, _NAMES), "heard_at": now} for one in new])
    c = usage_session.c
    statement = (
        update(usage_session)
        .where(
            c.session_key == bindparam("of_key"),
            c.run_no == bindparam("of_run"),
            c.message_count == bindparam("was_count"),
            c.state == bindparam("was_state"),
        )
        .values({name: bindparam(f"new_{name}") for name in (*_HEARD, "heard_at")})
    )
    rows = [
        {
            "of_key": after.session_key,
            "of_run": after.run_no,
            "was_count": before.message_count,
            "was_state": before.state,
            "new_heard_at": now,
            **{f"new_{name}": getattr(after, name) for name in _HEARD},
        }
        for before, after in changed
    ]
    return _all_changed(conn, statement, rows)


def put_cut(conn: Connection, taken: Sequence[Session]) -> bool:
    """Note what of sessions was taken; False where another worker took it."""
    c = usage_session.c
    statement = (
        update(usage_session)
        .where(
            c.session_key == bindparam("of_key"),
            c.run_no == bindparam("of_run"),
            c.slice_count == bindparam("was_count"),
        )
        .values({name: bindparam(f"new_{name}") for name in _CUT})
    )
    rows = [
        {
            "of_key": one.session_key,
            "of_run": one.run_no,
            "was_count": one.slice_count - 1,
            **{f"new_{name}": getattr(one, name) for name in _CUT},
        }
        for one in taken
    ]
    return _all_changed(conn, statement, rows)


def _all_changed(conn: Connection, statement: Update, rows: list[dict[str, Any]]) -> bool:
    """Run an update for each row; True where each changed just its own."""
    if not rows:
        return True
    if conn.dialect.supports_sane_multi_rowcount:
        return conn.execute(statement, rows).rowcount == len(rows)
    return all(conn.execute(statement, row).rowcount == 1 for row in rows)


def _values(one: Session, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in names}


def add_cut(conn: Connection, now: datetime) -> int:
    """Begin a cut; its number."""
    done = conn.execute(
        insert(usage_cut).values(slice_count=0, state="making", made_at=now).returning(usage_cut.c.cut_no)
    )
    return int(done.scalar_one())


def add_slices(conn: Connection, cut_no: int, first_no: int, slices: Sequence[Slice]) -> None:
    """Keep pieces of sessions in a cut."""
    rows = [
        {"cut_no": cut_no, "slice_no": first_no + at, **{name: getattr(one, name) for name in _SLICE}}
        for at, one in enumerate(slices)
    ]
    if rows:
        conn.execute(insert(usage_slice), rows)


_SLICE = tuple(Slice.__dataclass_fields__)


def set_cut(conn: Connection, cut_no: int, state: str, slice_count: int | None = None) -> None:
    """How far a cut is: making, made, rated."""
    values: dict[str, Any] = {"state": state}
    if slice_count is not None:
        values["slice_count"] = slice_count
    conn.execute(update(usage_cut).where(usage_cut.c.cut_no == cut_no).values(values))


def cuts_in(conn: Connection, *states: str) -> Sequence[Row[Any]]:
    """The cuts in one of these states, the oldest first."""
    return conn.execute(select(usage_cut).where(usage_cut.c.state.in_(states)).order_by(usage_cut.c.cut_no)).all()


def slice_count(conn: Connection, cut_no: int) -> int:
    """How many pieces a cut holds."""
    query = select(func.coalesce(func.max(usage_slice.c.slice_no), 0)).where(usage_slice.c.cut_no == cut_no)
    return int(conn.execute(query).scalar_one())


def slices_of(conn: Connection, cut_no: int) -> Sequence[Row[Any]]:
    """The pieces of a cut, in order."""
    query = select(usage_slice).where(usage_slice.c.cut_no == cut_no).order_by(usage_slice.c.slice_no)
    return conn.execute(query).all()


def slices_amiss(conn: Connection) -> list[tuple[str, int]]:
    """Sessions whose pieces do not add up to what was taken of them."""
    c, s = usage_session.c, usage_slice.c
    summed = (
        select(
            s.session_key,
            s.run_no,
            func.count().label("pieces"),
            func.sum(s.octets_in).label("octets_in"),
            func.sum(s.octets_out).label("octets_out"),
            func.sum(s.duration_s).label("duration_s"),
        )
        .group_by(s.session_key, s.run_no)
        .subquery()
    )
    p = summed.c
    same = and_(p.session_key == c.session_key, p.run_no == c.run_no)
    query = (
        select(c.session_key, c.run_no)
        .select_from(usage_session.outerjoin(summed, same))
        .where(
            or_(
                func.coalesce(p.pieces, 0) != c.slice_count,
                func.coalesce(p.octets_in, 0) != c.cut_octets_in,
                func.coalesce(p.octets_out, 0) != c.cut_octets_out,
                func.coalesce(p.duration_s, 0) != c.cut_duration_s,
            )
        )
        .order_by(c.session_key, c.run_no)
    )
    return [(row.session_key, int(row.run_no)) for row in conn.execute(query)]


def session_count(conn: Connection) -> int:
    """How many sessions are known."""
    return int(conn.execute(select(func.count()).select_from(usage_session)).scalar_one())
