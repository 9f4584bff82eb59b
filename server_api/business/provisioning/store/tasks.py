"""Commands: asked, due, stored, ended, shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, func, insert, or_, select, update

from server_api.platform.dialects.prepared import Prepared
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.tables.business.provisioning import prov_subscriber, prov_task, prov_transcript

_T, _S, _W = prov_task.c, prov_subscriber.c, prov_transcript.c
OPEN = ("waiting", "sent")
#: What stands before the next command of the same subscriber.
BEFORE = ("waiting", "sent", "manual")
_CHUNK = 200

_ADD = Prepared(insert(prov_task))
_ADD_WORD = Prepared(insert(prov_transcript))
_SUBSCRIBER = Prepared(
    select(_S.last_no).where(_S.system_name == bindparam("b_system"), _S.subscriber_key == bindparam("b_key"))
)
_RAISE = Prepared(
    update(prov_subscriber)
    .where(_S.system_name == bindparam("b_system"), _S.subscriber_key == bindparam("b_key"))
    .values(last_no=bindparam("b_no"))
)
_SEND = Prepared(
    update(prov_task)
    .where(_T.task_id == bindparam("b_id"))
    .values(state="sent", in_doubt=True, steps=bindparam("b_steps"))
)
_END = Prepared(
    update(prov_task)
    .where(_T.task_id == bindparam("b_id"))
    .values(
        {
            name: bindparam(f"b_{name}")
            for name in (
                "state", "in_doubt", "due_at", "try_count", "word_count", "result_code", "result_text", "ended_at",
            )
        }
    )
)  # fmt: skip


def next_number(uow: UnitOfWork, system: str, key: str) -> int:
    """The next number of a subscriber; holds his row until the act ends."""
    first = {"system_name": system, "subscriber_key": key, "last_no": 1}
    who = {"b_system": system, "b_key": key}
    row = uow.lock_or_insert(_SUBSCRIBER, prov_subscriber, first, who)
    if row is None:
        return 1
    _RAISE.run(uow.conn, {**who, "b_no": row.last_no + 1})
    return int(row.last_no) + 1


def known_subscribers(uow: UnitOfWork, system: str, keys: Sequence[str]) -> dict[str, int]:
    """The last number of those that are there; their rows are held until the act ends."""
    found = {}
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        query = select(_S.subscriber_key, _S.last_no).where(_S.system_name == system, _S.subscriber_key.in_(chunk))
        locked = uow.database.dialect.lock(query.order_by(_S.subscriber_key), prov_subscriber)
        found.update({row.subscriber_key: int(row.last_no) for row in uow.conn.execute(locked)})
    return found


def raise_numbers(conn: Connection, system: str, numbers: dict[str, int]) -> None:
    """Set the last numbers of subscribers whose rows are held."""
    _RAISE.many(conn, [{"b_system": system, "b_key": key, "b_no": number} for key, number in numbers.items()])


def add_tasks(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add commands."""
    _ADD.many(conn, rows)


def hurry_those_before(conn: Connection, system: str, key: str, rank: int, due_at: datetime) -> None:
    """Earlier commands of a subscriber take the rank of a more urgent one that waits behind them."""
    conn.execute(
        update(prov_task)
        .where(
            _T.system_name == system, _T.subscriber_key == key, _T.state == "waiting", _T.rank_no > rank,
        )
        .values(rank_no=rank, due_at=due_at)
    )  # fmt: skip


def due(conn: Connection, system: str, now: datetime, limit: int, rank_below: int | None = None) -> Sequence[Any]:
    """Commands that may begin now, the first of their subscribers; those in doubt first, then by rank."""
    earlier = prov_task.alias("earlier")
    behind = exists().where(
        earlier.c.system_name == _T.system_name,
        earlier.c.subscriber_key == _T.subscriber_key,
        earlier.c.task_no < _T.task_no,
        earlier.c.state.in_(BEFORE),
    )
    found: list[Any] = []
    for state in ("sent", "waiting"):
        query = select(prov_task).where(_T.system_name == system, _T.state == state, _T.due_at <= now, ~behind)
        if rank_below is not None:
            query = query.where(_T.rank_no < rank_below)
        query = query.order_by(_T.rank_no, _T.due_at, _T.task_id).limit(limit - len(found))
        found += conn.execute(query).all()
        if len(found) >= limit:
            break
    return found


def held(uow: UnitOfWork, ids: Sequence[str]) -> dict[str, Any]:
    """These commands as they stand, their rows held until the act ends."""
    query = select(prov_task).where(_T.task_id.in_(list(ids))).order_by(_T.task_id)
    return {row.task_id: row for row in uow.conn.execute(uow.database.dialect.lock(query, prov_task))}


def mark_sent(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Say that something is about to be sent: b_id, b_steps."""
    _SEND.many(conn, rows)


def store_ends(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store what tries ended with."""
    _END.many(conn, rows)


def add_words(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep transcripts."""
    _ADD_WORD.many(conn, rows)


def change(conn: Connection, task_id: str, from_states: Sequence[str], **values: Any) -> bool:
    """Move one command on where it is in one of these states; False where it is not any more."""
    statement = update(prov_task).where(_T.task_id == task_id, _T.state.in_(list(from_states))).values(**values)
    return conn.execute(statement).rowcount == 1


def of_order(conn: Connection, order_id: str, item_id: str | None = None) -> Sequence[Any]:
    """The commands of an order, in the order in which they were asked for."""
    query = select(prov_task).where(_T.order_id == order_id)
    if item_id is not None:
        query = query.where(_T.item_id == item_id)
    return conn.execute(query.order_by(_T.asked_at, _T.task_no, _T.task_id)).all()


def of_subscriber(conn: Connection, system: str, key: str, limit: int) -> Sequence[Any]:
    """The newest commands of a subscriber."""
    query = select(prov_task).where(_T.system_name == system, _T.subscriber_key == key)
    return conn.execute(query.order_by(_T.task_no.desc()).limit(limit)).all()


def one(conn: Connection, task_id: str) -> Any | None:
    """A command."""
    return conn.execute(select(prov_task).where(_T.task_id == task_id)).one_or_none()


def words_of(conn: Connection, task_id: str) -> Sequence[Any]:
    """What was said for a command, oldest first."""
    return conn.execute(select(prov_transcript).where(_W.task_id == task_id).order_by(_W.word_no)).all()


def listed(
    conn: Connection, state: str, *, system: str = "", after: tuple[datetime, str] | None = None, limit: int = 50
) -> Sequence[Any]:
    """Commands in a state, oldest first; keyset by (asked_at, id)."""
    query = select(prov_task).where(_T.state == state)
    if system:
        query = query.where(_T.system_name == system)
    if after is not None:
        at, task_id = after
        query = query.where(or_(_T.asked_at > at, and_(_T.asked_at == at, _T.task_id > task_id)))
    return conn.execute(query.order_by(_T.asked_at, _T.task_id).limit(limit)).all()


def behind(conn: Connection, system: str, key: str, task_no: int) -> Any | None:
    """The command that this one waits behind, or None."""
    query = select(prov_task).where(
        _T.system_name == system, _T.subscriber_key == key, _T.task_no < task_no, _T.state.in_(BEFORE)
    )
    return conn.execute(query.order_by(_T.task_no).limit(1)).one_or_none()


def counts(conn: Connection) -> Sequence[Any]:
    """How many commands by system, lane and state."""
    query = select(_T.system_name, _T.lane, _T.state, func.count().label("tasks"))
    group = (_T.system_name, _T.lane, _T.state)
    return conn.execute(query.group_by(*group).order_by(*group)).all()


def first_done(conn: Connection, system: str, key: str, removing: Sequence[str]) -> Any | None:
    """The first command of a subscriber that was done since he was last removed, or None."""
    mine = and_(_T.system_name == system, _T.subscriber_key == key, _T.state == "done")
    last = conn.execute(select(func.max(_T.task_no)).where(mine, _T.act_name.in_(list(removing)))).scalar_one()
    query = select(prov_task).where(mine, _T.task_no > (last or 0))
    return conn.execute(query.order_by(_T.task_no).limit(1)).one_or_none()


def open_subscribers(conn: Connection, system: str) -> Sequence[str]:
    """Subscribers of whom a command is open or for a person."""
    query = select(_T.subscriber_key).where(_T.system_name == system, _T.state.in_(BEFORE)).distinct()
    return conn.execute(query).scalars().all()


def overtaken(conn: Connection, limit: int) -> Sequence[Any]:
    """Commands done or under way although an earlier one of the same subscriber is not ended."""
    earlier = prov_task.alias("earlier")
    before = exists().where(
        earlier.c.system_name == _T.system_name,
        earlier.c.subscriber_key == _T.subscriber_key,
        earlier.c.task_no < _T.task_no,
        earlier.c.state.in_(BEFORE),
    )
    query = select(prov_task).where(_T.state.in_(("sent", "done")), before)
    return conn.execute(query.order_by(_T.task_id).limit(limit)).all()
