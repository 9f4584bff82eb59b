"""The SQL of products."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, or_, select, update

from shared_models.contracts.work import DataScope, WorkContext
from shared_models.tables.business.inventory import billing_event, pay_relation, product, product_access, suspension

_CHUNK = 400
_PARTITION = 5_000


def in_scope(context: WorkContext) -> list[ColumnElement[bool]]:
    """The conditions that keep a query within what the caller may see."""
    if context.scope is DataScope.HALL:
        return [product.c.hall_code == context.hall_code]
    if context.scope is DataScope.DISTRICT:
        return [product.c.district_code == context.district_code]
    return []


def lock_query(product_id: str, context: WorkContext) -> Select[Any]:
    """The query whose row is locked while a product changes."""
    return select(product).where(product.c.product_id == product_id, *in_scope(context))


def one(conn: Connection, product_id: str, context: WorkContext) -> Row[Any] | None:
    """A product the caller may see."""
    return conn.execute(lock_query(product_id, context)).one_or_none()


def exists(conn: Connection, product_id: str) -> bool:
    return conn.execute(select(product.c.product_id).where(product.c.product_id == product_id)).first() is not None


def existing(conn: Connection, product_ids: Sequence[str]) -> set[str]:
    """Which of these products there are."""
    found: set[str] = set()
    for start in range(0, len(product_ids), _CHUNK):
        chunk = list(product_ids[start : start + _CHUNK])
        found.update(conn.execute(select(product.c.product_id).where(product.c.product_id.in_(chunk))).scalars())
    return found


def of_customer(conn: Connection, customer_id: str, context: WorkContext) -> list[Row[Any]]:
    """A customer's products, in order of number."""
    query = select(product).where(product.c.customer_id == customer_id, *in_scope(context))
    return list(conn.execute(query.order_by(product.c.product_no)))


def offerings_in_being(conn: Connection, customer_id: str) -> set[str]:
    """The offerings (and bundles) of a customer's products in being."""
    query = select(product.c.offering_code, product.c.bundle_code).where(
        product.c.customer_id == customer_id, product.c.state != "terminated"
    )
    return {code for row in conn.execute(query) for code in row if code}


def add(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(product), list(rows))


def change(conn: Connection, product_id: str, **values: Any) -> None:
    conn.execute(update(product).where(product.c.product_id == product_id).values(**values))


def accesses(conn: Connection, product_id: str) -> list[Row[Any]]:
    query = select(product_access).where(product_access.c.product_id == product_id)
    return list(
        conn.execute(
            query.order_by(product_access.c.access_kind, product_access.c.access_key, product_access.c.from_at)
        )
    )


def add_accesses(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(product_access), list(rows))


def end_accesses(conn: Connection, product_id: str, until_at: datetime) -> None:
    conn.execute(
        update(product_access)
        .where(product_access.c.product_id == product_id, product_access.c.until_at.is_(None))
        .values(until_at=until_at)
    )


def relations(conn: Connection, product_id: str) -> list[Row[Any]]:
    query = select(pay_relation).where(pay_relation.c.product_id == product_id)
    return list(
        conn.execute(query.order_by(pay_relation.c.from_on, pay_relation.c.priority, pay_relation.c.relation_id))
    )


def payers_on(conn: Connection, product_ids: Iterable[str], on: date) -> dict[str, str]:
    """Who pays everything else ('*') of products on a day."""
    wanted = list(product_ids)
    if not wanted:
        return {}
    query = select(pay_relation.c.product_id, pay_relation.c.account_id).where(
        pay_relation.c.product_id.in_(wanted), pay_relation.c.item_group == "*", pay_relation.c.from_on <= on,
        or_(pay_relation.c.until_on.is_(None), pay_relation.c.until_on > on),
    )  # fmt: skip
    return {row.product_id: row.account_id for row in conn.execute(query.order_by(pay_relation.c.priority.desc()))}


def add_relations(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(pay_relation), list(rows))


def end_access(conn: Connection, product_id: str, access_key: str, until_at: datetime) -> None:
    """End one number, login or card of a product."""
    mine = (product_access.c.product_id == product_id, product_access.c.access_key == access_key)
    conn.execute(update(product_access).where(*mine, product_access.c.until_at.is_(None)).values(until_at=until_at))


def end_relations(conn: Connection, product_id: str, until_on: date, item_group: str | None = None) -> None:
    """End who pays, for one group of items or for all."""
    query = update(pay_relation).where(pay_relation.c.product_id == product_id, pay_relation.c.until_on.is_(None))
    if item_group is not None:
        query = query.where(pay_relation.c.item_group == item_group)
    conn.execute(query.values(until_on=until_on))


def reopen_relation(conn: Connection, relation_id: str) -> None:
    """Let a relation that ended on the day it began hold on."""
    conn.execute(update(pay_relation).where(pay_relation.c.relation_id == relation_id).values(until_on=None))


def reasons(conn: Connection, product_ids: Iterable[str]) -> dict[str, list[str]]:
    """The suspension reasons in force, by product."""
    found: dict[str, list[str]] = {}
    wanted = list(product_ids)
    if wanted:
        query = select(suspension.c.product_id, suspension.c.suspend_reason).where(
            suspension.c.product_id.in_(wanted), suspension.c.cleared_at.is_(None)
        )
        for row in conn.execute(query.order_by(suspension.c.product_id, suspension.c.since_at)):
            found.setdefault(row.product_id, []).append(row.suspend_reason)
    return found


def add_suspensions(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(suspension), list(rows))


def clear_suspension(conn: Connection, product_id: str, reason: str | None, at: datetime) -> int:
    """Clear one reason, or all where none is named; how many were in force."""
    query = update(suspension).where(suspension.c.product_id == product_id, suspension.c.cleared_at.is_(None))
    if reason is not None:
        query = query.where(suspension.c.suspend_reason == reason)
    return conn.execute(query.values(cleared_at=at)).rowcount


def events(conn: Connection, product_id: str) -> list[Row[Any]]:
    """A product's billing events, in order."""
    query = select(billing_event).where(billing_event.c.product_id == product_id)
    return list(conn.execute(query.order_by(billing_event.c.event_no)))


def events_in_order(conn: Connection) -> Iterator[tuple[Any, ...]]:
    """Every billing event by product: (product, event, kind, day, offering, price version), streamed."""
    e = billing_event.c
    query = select(e.product_id, e.event_id, e.event_kind, e.effective_on, e.offering_code, e.price_version)
    for partition in conn.execute(query.order_by(e.product_id)).partitions(_PARTITION):
        yield from (tuple(row) for row in partition)


def add_events(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(billing_event), list(rows))


def close_event(conn: Connection, product_id: str, until_on: date) -> None:
    conn.execute(
        update(billing_event)
        .where(billing_event.c.product_id == product_id, billing_event.c.until_on.is_(None))
        .values(until_on=until_on)
    )


def wrong_open_events(conn: Connection, limit: int) -> tuple[int, list[str]]:
    """How many products there are, and those whose number of open events is not what their state asks for."""
    counted = int(conn.execute(select(func.count()).select_from(product)).scalar_one())
    open_event = (
        select(billing_event.c.product_id, func.count().label("open_count"))
        .where(billing_event.c.until_on.is_(None))
        .group_by(billing_event.c.product_id)
        .subquery()
    )
    in_being = product.c.state.in_(("active", "suspended"))
    query = (
        select(product.c.product_id)
        .outerjoin(open_event, open_event.c.product_id == product.c.product_id)
        .where(or_(
            and_(in_being, func.coalesce(open_event.c.open_count, 0) != 1),
            and_(product.c.state == "terminated", func.coalesce(open_event.c.open_count, 0) != 0),
        ))
    )  # fmt: skip
    return counted, list(conn.execute(query.order_by(product.c.product_id).limit(limit)).scalars())


def doubled_accesses(conn: Connection, limit: int) -> tuple[int, list[str]]:
    """How many accesses are open, and the keys that more than one product has at once."""
    counted = int(
        conn.execute(
            select(func.count()).select_from(product_access).where(product_access.c.until_at.is_(None))
        ).scalar_one()
    )
    query = (
        select(product_access.c.access_kind, product_access.c.access_key)
        .where(product_access.c.until_at.is_(None))
        .group_by(product_access.c.access_kind, product_access.c.access_key)
        .having(func.count() > 1)
    )
    rows = conn.execute(query.order_by(product_access.c.access_kind, product_access.c.access_key).limit(limit))
    return counted, [f"{row.access_kind}:{row.access_key}" for row in rows]
