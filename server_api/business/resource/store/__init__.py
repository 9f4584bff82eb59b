"""The SQL of things one has or has not: one row each, taken by a conditional change of that row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, or_, select, update

from shared_models.tables.business.resource import number_resource, resource_use

_CHUNK = 400
r = number_resource.c


def lock_query(access_kind: str, access_key: str) -> Select[Any]:
    """The query whose row is locked while a thing changes hands."""
    return select(number_resource).where(r.access_kind == access_kind, r.access_key == access_key)


def one(conn: Connection, access_kind: str, access_key: str) -> Row[Any] | None:
    return conn.execute(lock_query(access_kind, access_key)).one_or_none()


def change(conn: Connection, access_kind: str, access_key: str, **values: Any) -> None:
    conn.execute(
        update(number_resource).where(r.access_kind == access_kind, r.access_key == access_key).values(**values)
    )


def free(now: datetime, on: date) -> ColumnElement[bool]:
    """Free to anybody: available, reserved for too long, or rested."""
    return or_(
        r.state == "available",
        and_(r.state == "reserved", r.reserved_until_at <= now),
        and_(r.state == "cooling", r.cooling_until_on <= on),
    )


def claim(conn: Connection, access_kind: str, access_key: str, now: datetime, on: date, **values: Any) -> bool:
    """Change a row if it is free at this moment; False when somebody else was first."""
    query = update(number_resource).where(r.access_kind == access_kind, r.access_key == access_key, free(now, on))
    return conn.execute(query.values(cooling_until_on=None, changed_at=now, **values)).rowcount == 1


def keep_longer(conn: Connection, access_kind: str, access_key: str, order_id: str, until_at: datetime) -> bool:
    """Keep a thing for the order that has it until another instant; False when it has it no more."""
    query = update(number_resource).where(
        r.access_kind == access_kind, r.access_key == access_key, r.state == "reserved", r.order_id == order_id
    )
    return conn.execute(query.values(reserved_until_at=until_at)).rowcount == 1


def free_rows(
    conn: Connection, access_kind: str, limit: int, *, run_out: tuple[datetime, date] | None = None,
    place_code: str | None = None, pool_code: str | None = None, beginning: tuple[str, str] | None = None,
    model_code: str | None = None, level_max: int | None = None, after_key: str = "", ending: str = "",
) -> list[Row[Any]]:  # fmt: skip
    """Available things of a kind in order of key; with ``run_out`` those whose reservation or rest is over instead.

    Two questions, because one with "or" reads every thing in use before the first free one. ``beginning`` is the
    half-open range of keys, ``ending`` a tail.
    """
    query = select(number_resource).where(r.access_kind == access_kind, _run_out(run_out))
    if place_code is not None:
        query = query.where(r.place_code == place_code)
    if pool_code is not None:
        query = query.where(r.pool_code == pool_code)
    if beginning is not None:
        query = query.where(r.access_key >= beginning[0], r.access_key < beginning[1])
    if model_code is not None:
        query = query.where(r.model_code == model_code)
    if level_max is not None:
        query = query.where(func.coalesce(r.level_no, 0) <= level_max)
    if after_key:
        query = query.where(r.access_key > after_key)
    if ending:
        query = query.where(r.access_key.endswith(ending, autoescape=True))
    return list(conn.execute(query.order_by(r.access_key).limit(limit)))


def _run_out(at: tuple[datetime, date] | None) -> ColumnElement[bool]:
    if at is None:
        return r.state == "available"
    return and_(
        r.state.in_(("reserved", "cooling")),
        or_(
            and_(r.state == "reserved", r.reserved_until_at <= at[0]),
            and_(r.state == "cooling", r.cooling_until_on <= at[1]),
        ),
    )


def known(conn: Connection, access_kind: str, access_keys: Sequence[str]) -> dict[str, Row[Any]]:
    """What is known of these keys of one kind."""
    found: dict[str, Row[Any]] = {}
    for start in range(0, len(access_keys), _CHUNK):
        chunk = list(access_keys[start : start + _CHUNK])
        query = select(number_resource).where(r.access_kind == access_kind, r.access_key.in_(chunk))
        found |= {row.access_key: row for row in conn.execute(query)}
    return found


def add(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(number_resource), list(rows))


def of_order(conn: Connection, order_id: str, item_id: str | None = None) -> list[Row[Any]]:
    """What an order (or one item of it) holds, in order of kind and key."""
    query = select(number_resource).where(r.order_id == order_id)
    if item_id is not None:
        query = query.where(r.item_id == item_id)
    return list(conn.execute(query.order_by(r.access_kind, r.access_key)))


def of_product(conn: Connection, product_id: str) -> list[Row[Any]]:
    """What a product has, in order of kind and key."""
    query = select(number_resource).where(r.product_id == product_id)
    return list(conn.execute(query.order_by(r.access_kind, r.access_key)))


def products_at(conn: Connection, place_codes: Sequence[str]) -> set[str]:
    """Products that have something at one of these places."""
    found: set[str] = set()
    for start in range(0, len(place_codes), _CHUNK):
        query = select(r.product_id).where(
            r.place_code.in_(list(place_codes[start : start + _CHUNK])), r.product_id.is_not(None)
        )
        found.update(conn.execute(query).scalars())
    return found


def orders_holding(conn: Connection, kinds: Sequence[str], not_item: str, limit: int) -> list[str]:
    """Orders for which something is reserved, passing over one kind of item."""
    query = select(r.order_id).where(
        r.access_kind.in_(list(kinds)), r.state == "reserved", r.order_id.is_not(None), r.item_id != not_item
    )
    return list(conn.execute(query.distinct().order_by(r.order_id).limit(limit)).scalars())


def expired(conn: Connection, kinds: Sequence[str], now: datetime, on: date, limit: int) -> list[Row[Any]]:
    """Reservations that have run out, and numbers that have rested; by kind, because that leads the index."""
    query = select(number_resource).where(r.access_kind.in_(list(kinds)), _run_out((now, on)))
    return list(conn.execute(query.order_by(r.access_kind, r.access_key).limit(limit)))


def at_place(conn: Connection, place_code: str, limit: int, after: tuple[str, str] | None = None) -> list[Row[Any]]:
    """What ends or lies at a place, in order of kind and key."""
    query = select(number_resource).where(r.place_code == place_code)
    if after is not None:
        query = query.where(or_(r.access_kind > after[0], and_(r.access_kind == after[0], r.access_key > after[1])))
    return list(conn.execute(query.order_by(r.access_kind, r.access_key).limit(limit)))


def counted(conn: Connection, place_codes: Iterable[str]) -> list[Row[Any]]:
    """How many things there are at places, by place, kind and state."""
    found: list[Row[Any]] = []
    wanted = list(place_codes)
    for start in range(0, len(wanted), _CHUNK):
        query = (
            select(r.place_code, r.access_kind, r.state, func.count().label("how_many"))
            .where(r.place_code.in_(wanted[start : start + _CHUNK]))
            .group_by(r.place_code, r.access_kind, r.state)
        )
        found += conn.execute(query.order_by(r.place_code, r.access_kind, r.state))
    return found


def count_free(conn: Connection, place_code: str, access_kind: str, now: datetime, on: date) -> int:
    """How many things of a kind are free at a place."""
    query = select(func.count()).where(r.place_code == place_code, r.access_kind == access_kind, free(now, on))
    return int(conn.execute(query).scalar_one())


def has_any(conn: Connection, place_code: str, access_kind: str) -> bool:
    """True when things of a kind are recorded at a place at all."""
    query = select(r.access_key).where(r.place_code == place_code, r.access_kind == access_kind)
    return conn.execute(query.order_by(r.access_key).limit(1)).first() is not None


def disagreeing(conn: Connection, limit: int) -> tuple[int, list[str]]:
    """How many things there are, and those whose state and owner do not go together."""
    counted = int(conn.execute(select(func.count()).select_from(number_resource)).scalar_one())
    query = select(r.access_kind, r.access_key).where(
        or_(
            and_(r.state == "in_use", r.product_id.is_(None)),
            and_(r.state == "reserved", r.order_id.is_(None)),
            and_(r.state.in_(("available", "cooling")), or_(r.product_id.is_not(None), r.order_id.is_not(None))),
        )
    )
    rows = conn.execute(query.order_by(r.access_kind, r.access_key).limit(limit))
    return counted, [f"{row.access_kind} {row.access_key}" for row in rows]


def log(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(resource_use), list(rows))


def uses(conn: Connection, access_kind: str, access_key: str, limit: int) -> list[Row[Any]]:
    """The log of one thing, newest first."""
    u = resource_use.c
    query = select(resource_use).where(u.access_kind == access_kind, u.access_key == access_key)
    return list(conn.execute(query.order_by(u.at.desc(), u.use_id.desc()).limit(limit)))
