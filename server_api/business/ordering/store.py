"""The SQL of orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, or_, select, update

from server_api.business.ordering.rules import ENDS, OPEN
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.tables.business.ordering import order_event, order_fee, order_item, product_order

_CHUNK = 400


def _in_scope(context: WorkContext) -> list[ColumnElement[bool]]:
    if context.scope is DataScope.HALL:
        return [product_order.c.hall_code == context.hall_code]
    if context.scope is DataScope.DISTRICT:
        return [product_order.c.district_code == context.district_code]
    return []


def lock_query(order_id: str) -> Select[Any]:
    """The query whose row is locked while an order goes on."""
    return select(product_order).where(product_order.c.order_id == order_id)


def one(conn: Connection, order_id: str, context: WorkContext) -> Row[Any] | None:
    """An order the caller may see."""
    query = select(product_order).where(product_order.c.order_id == order_id, *_in_scope(context))
    return conn.execute(query).one_or_none()


def by_no(conn: Connection, order_no: str, context: WorkContext) -> Row[Any] | None:
    """The same by its number."""
    query = select(product_order).where(product_order.c.order_no == order_no, *_in_scope(context))
    return conn.execute(query).one_or_none()


def exists(conn: Connection, order_id: str) -> bool:
    query = select(product_order.c.order_id).where(product_order.c.order_id == order_id)
    return conn.execute(query).first() is not None


def page(
    conn: Connection, context: WorkContext, *, limit: int, before: tuple[datetime, str] | None,
    customer_id: str | None = None, state: str | None = None,
) -> list[Row[Any]]:  # fmt: skip
    """Orders, newest first."""
    p = product_order.c
    query = select(product_order).where(*_in_scope(context))
    if customer_id is not None:
        query = query.where(p.customer_id == customer_id)
    if state is not None:
        query = query.where(p.state == state)
    if before is not None:
        query = query.where(or_(p.opened_at < before[0], and_(p.opened_at == before[0], p.order_id < before[1])))
    return list(conn.execute(query.order_by(p.opened_at.desc(), p.order_id.desc()).limit(limit)))


def items(conn: Connection, order_id: str) -> list[Row[Any]]:
    query = select(order_item).where(order_item.c.order_id == order_id)
    return list(conn.execute(query.order_by(order_item.c.item_no)))


def fees(conn: Connection, order_id: str) -> list[Row[Any]]:
    query = select(order_fee).where(order_fee.c.order_id == order_id)
    return list(conn.execute(query.order_by(order_fee.c.item_no, order_fee.c.price_code)))


def events(conn: Connection, order_id: str) -> list[Row[Any]]:
    query = select(order_event).where(order_event.c.order_id == order_id)
    return list(conn.execute(query.order_by(order_event.c.event_no)))


def add_order(conn: Connection, row: Mapping[str, Any]) -> None:
    conn.execute(insert(product_order).values(**row))


def add_items(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    conn.execute(insert(order_item), list(rows))


def add_fees(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(order_fee), list(rows))


def add_events(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(order_event), list(rows))


def change(conn: Connection, order_id: str, **values: Any) -> None:
    conn.execute(update(product_order).where(product_order.c.order_id == order_id).values(**values))


def change_item(conn: Connection, order_id: str, item_no: int, **values: Any) -> None:
    mine = and_(order_item.c.order_id == order_id, order_item.c.item_no == item_no)
    conn.execute(update(order_item).where(mine).values(**values))


def withdraw_fees(conn: Connection, order_id: str, item_no: int | None = None) -> list[str]:
    """Withdraw what is raised, of one item or of all; which they were."""
    conditions = [order_fee.c.order_id == order_id, order_fee.c.state == "raised"]
    if item_no is not None:
        conditions.append(order_fee.c.item_no == item_no)
    ids = list(conn.execute(select(order_fee.c.fee_id).where(*conditions).order_by(order_fee.c.fee_id)).scalars())
    if ids:
        conn.execute(update(order_fee).where(*conditions).values(state="withdrawn"))
    return ids


def under_way(conn: Connection, product_id: str) -> list[Row[Any]]:
    """Unfinished items that concern a product, with their orders' numbers."""
    query = (
        select(order_item.c.order_id, order_item.c.item_no, order_item.c.act_name, order_item.c.wish,
               product_order.c.order_no)
        .join(product_order, product_order.c.order_id == order_item.c.order_id)
        .where(order_item.c.product_id == product_id, order_item.c.state.in_(OPEN))
    )  # fmt: skip
    return list(conn.execute(query.order_by(product_order.c.opened_at, order_item.c.item_no)))


def item_that_made(conn: Connection, product_id: str) -> Row[Any] | None:
    """The item that added a feature as this product."""
    query = select(order_item).where(order_item.c.product_id == product_id, order_item.c.act_name == "add_feature")
    return conn.execute(query.order_by(order_item.c.order_id).limit(1)).one_or_none()


def due(conn: Connection, on: date, limit: int) -> list[str]:
    """Orders with an item whose day has come."""
    query = select(order_item.c.order_id).where(order_item.c.due_on <= on).distinct()
    return list(conn.execute(query.order_by(order_item.c.order_id).limit(limit)).scalars())


def expired(conn: Connection, now: datetime, limit: int) -> list[str]:
    """Orders that were to be gone on with by now; those that went on have no such instant any more."""
    query = select(product_order.c.order_id).where(product_order.c.expires_at <= now, product_order.c.state.in_(OPEN))
    return list(conn.execute(query.order_by(product_order.c.order_id).limit(limit)).scalars())


def finished_among(conn: Connection, order_ids: Sequence[str]) -> list[str]:
    """Which of these are orders that have ended."""
    found: list[str] = []
    for start in range(0, len(order_ids), _CHUNK):
        chunk = list(order_ids[start : start + _CHUNK])
        query = select(product_order.c.order_id).where(
            product_order.c.order_id.in_(chunk), product_order.c.state.in_(sorted(ENDS))
        )
        found += conn.execute(query.order_by(product_order.c.order_id)).scalars()
    return found


def wrong_fees(conn: Connection, limit: int) -> tuple[int, list[str]]:
    """How many fees there are, and the orders given up whose fees are still raised, or whose total is another."""
    counted = int(conn.execute(select(func.count()).select_from(order_fee)).scalar_one())
    query = (
        select(order_fee.c.order_id)
        .join(product_order, product_order.c.order_id == order_fee.c.order_id)
        .where(order_fee.c.state == "raised", product_order.c.state.in_(("cancelled", "failed", "rejected")))
        .distinct()
    )
    return counted, list(conn.execute(query.order_by(order_fee.c.order_id).limit(limit)).scalars())
