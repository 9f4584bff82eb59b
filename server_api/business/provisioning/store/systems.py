"""Systems and who holds them, subscribers as we left them, differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from server_api.platform.dialects.prepared import Prepared
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.tables.business.provisioning import prov_difference, prov_subscriber, prov_system

_Y, _S, _D = prov_system.c, prov_subscriber.c, prov_difference.c
_CHUNK = 200
_PAGE = 2_000

_KEEP = Prepared(
    update(prov_subscriber)
    .where(_S.system_name == bindparam("b_system"), _S.subscriber_key == bindparam("b_key"))
    .values(known=bindparam("b_known"), state_kept=bindparam("b_state"))
)
_HOLD = Prepared(
    update(prov_system)
    .where(_Y.system_name == bindparam("b_system"), _Y.holder == bindparam("b_holder"), _Y.turn_no == bindparam("b_no"))
    .values(lease_until_at=bindparam("b_until"))
)


def ensure(uow: UnitOfWork, system: str) -> Any:
    """The row of a system, held; made where there is none."""
    first = {"system_name": system, "stopped": False, "turn_no": 0}
    query = select(prov_system).where(_Y.system_name == system)
    row = uow.lock_or_insert(query, prov_system, first)
    return row if row is not None else uow.conn.execute(query).one()


def systems(conn: Connection) -> Sequence[Any]:
    """Every system that was ever worked."""
    return conn.execute(select(prov_system).order_by(_Y.system_name)).all()


def take(conn: Connection, system: str, holder: str, *, now: datetime, until: datetime) -> int | None:
    """Take a system that nobody holds; the number of this turn, or None where somebody does."""
    free = or_(_Y.holder.is_(None), _Y.lease_until_at < now)
    statement = (
        update(prov_system)
        .where(_Y.system_name == system, free)
        .values(holder=holder, lease_until_at=until, turn_no=_Y.turn_no + 1)
    )
    if conn.execute(statement).rowcount != 1:
        return None
    query = select(_Y.turn_no).where(_Y.system_name == system)
    return int(conn.execute(query).scalar_one())


def hold(conn: Connection, system: str, holder: str, turn_no: int, until: datetime) -> bool:
    """Go on holding a system; False where somebody else has it by now."""
    params = {"b_system": system, "b_holder": holder, "b_no": turn_no, "b_until": until}
    return _HOLD.run(conn, params) == 1


def let_go(conn: Connection, system: str, holder: str, turn_no: int) -> None:
    """Give a system back."""
    mine = and_(_Y.system_name == system, _Y.holder == holder, _Y.turn_no == turn_no)
    conn.execute(update(prov_system).where(mine).values(holder=None, lease_until_at=None))


def note(conn: Connection, system: str, **values: Any) -> None:
    """Change what is known of a system."""
    conn.execute(update(prov_system).where(_Y.system_name == system).values(**values))


def is_stopped(conn: Connection, system: str) -> bool:
    """True where a person stopped it."""
    return bool(conn.execute(select(_Y.stopped).where(_Y.system_name == system)).scalar_one_or_none())


def kept(conn: Connection, system: str, keys: Sequence[str]) -> dict[str, dict[str, Any] | None]:
    """Subscribers as we left them: their state, None where we left none."""
    found: dict[str, dict[str, Any] | None] = {}
    for start in range(0, len(keys), _CHUNK):
        query = select(_S.subscriber_key, _S.known, _S.state_kept).where(
            _S.system_name == system, _S.subscriber_key.in_(keys[start : start + _CHUNK])
        )
        for row in conn.execute(query):
            found[row.subscriber_key] = (row.state_kept or {}) if row.known else None
    return found


def keep(conn: Connection, system: str, states: dict[str, dict[str, Any] | None]) -> None:
    """Keep how subscribers were left."""
    rows = [
        {"b_system": system, "b_key": key, "b_known": state is not None, "b_state": state}
        for key, state in states.items()
    ]
    _KEEP.many(conn, rows)


def all_kept(conn: Connection, system: str) -> Iterator[Any]:
    """Every subscriber of whom we did something, by key."""
    all_of_them = select(_S.subscriber_key, _S.known, _S.state_kept).where(
        _S.system_name == system, _S.known.is_not(None)
    )
    after = None
    while True:
        query = all_of_them if after is None else all_of_them.where(_S.subscriber_key > after)
        rows = conn.execute(query.order_by(_S.subscriber_key).limit(_PAGE)).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1].subscriber_key


# ---- differences ----------------------------------------------------------------------------------------------------
def open_differences(conn: Connection, system: str = "", *, after: str = "", limit: int = 100_000) -> Sequence[Any]:
    """Differences nobody has settled, by id."""
    query = select(prov_difference).where(_D.state == "open")
    if system:
        query = query.where(_D.system_name == system)
    if after:
        query = query.where(_D.difference_id > after)
    return conn.execute(query.order_by(_D.difference_id).limit(limit)).all()


def difference(conn: Connection, difference_id: str) -> Any | None:
    """A difference."""
    return conn.execute(select(prov_difference).where(_D.difference_id == difference_id)).one_or_none()


def put_difference(conn: Connection, row: dict[str, Any]) -> None:
    """Keep a difference; one that is there is seen again, and open again."""
    values = {name: row[name] for name in ("ours", "theirs", "seen_at")}
    values.update(state="open", settled_by=None, settle_reason=None, settled_at=None)
    statement = update(prov_difference).where(_D.difference_id == row["difference_id"]).values(**values)
    if conn.execute(statement).rowcount == 0:
        conn.execute(insert(prov_difference).values(state="open", **row))


def end_difference(conn: Connection, difference_id: str, state: str, **values: Any) -> bool:
    """Close a difference; False where it is not open."""
    statement = update(prov_difference).where(_D.difference_id == difference_id, _D.state == "open")
    return conn.execute(statement.values(state=state, **values)).rowcount == 1


def difference_counts(conn: Connection) -> dict[str, int]:
    """Open differences by system."""
    query = select(_D.system_name, func.count().label("open_ones")).where(_D.state == "open")
    return {row.system_name: int(row.open_ones) for row in conn.execute(query.group_by(_D.system_name))}
