"""Billing's copies of products, their billing events and who pays them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from shared_models.tables.billing.bill import billed_product, billing_event, pay_relation

_PARTITION = 5_000


def product_seq(conn: Connection, product_id: str) -> int:
    """The sequence number of the news this copy of a product is from; 0 where there is none."""
    seq = conn.execute(
        select(billed_product.c.source_seq).where(billed_product.c.product_id == product_id)
    ).scalar_one_or_none()
    return 0 if seq is None else int(seq)


def put_product(conn: Connection, known: bool, values: dict[str, Any]) -> None:
    """Keep a product as told."""
    if known:
        same = billed_product.c.product_id == values["product_id"]
        conn.execute(update(billed_product).where(same).values(**values))
    else:
        conn.execute(insert(billed_product).values(**values))


def add_products(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep products that are not kept yet."""
    conn.execute(insert(billed_product), rows)


def relation_keys(conn: Connection, product_id: str) -> set[tuple[str, str, date]]:
    """The pay relations kept of a product: (item_group, account, from_on)."""
    rows = conn.execute(
        select(pay_relation.c.item_group, pay_relation.c.account_id, pay_relation.c.from_on).where(
            pay_relation.c.product_id == product_id
        )
    )
    return {(row.item_group, row.account_id, row.from_on) for row in rows}


def put_relation(conn: Connection, known: bool, values: dict[str, Any]) -> None:
    """Keep a pay relation as told."""
    if known:
        conn.execute(
            update(pay_relation)
            .where(
                pay_relation.c.product_id == values["product_id"],
                pay_relation.c.item_group == values["item_group"],
                pay_relation.c.account_id == values["account_id"],
                pay_relation.c.from_on == values["from_on"],
            )
            .values(until_on=values["until_on"], priority=values["priority"], source_seq=values["source_seq"])
        )
    else:
        conn.execute(insert(pay_relation).values(**values))


def add_relations(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep pay relations that are not kept yet."""
    if rows:
        conn.execute(insert(pay_relation), rows)


def drop_relation(conn: Connection, product_id: str, key: tuple[str, str, date]) -> None:
    """Forget a pay relation the product no longer has."""
    group, account_id, from_on = key
    conn.execute(
        delete(pay_relation).where(
            pay_relation.c.product_id == product_id,
            pay_relation.c.item_group == group,
            pay_relation.c.account_id == account_id,
            pay_relation.c.from_on == from_on,
        )
    )


def event_ids(conn: Connection, product_id: str) -> set[str]:
    """The billing events kept of a product."""
    return set(conn.execute(select(billing_event.c.event_id).where(billing_event.c.product_id == product_id)).scalars())


def add_events(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Add billing events; there is no way to change one."""
    if rows:
        conn.execute(insert(billing_event), rows)


def all_products(conn: Connection) -> Sequence[Row[Any]]:
    """Every product kept."""
    return conn.execute(select(billed_product).order_by(billed_product.c.product_id)).all()


def all_events(conn: Connection) -> Sequence[Row[Any]]:
    """Every billing event kept, by product in the order of effect."""
    return conn.execute(
        select(billing_event).order_by(billing_event.c.product_id, billing_event.c.effective_on, billing_event.c.seq_no)
    ).all()


def events_in_order(conn: Connection) -> Iterator[tuple[Any, ...]]:
    """Every billing event by product: (product, event, kind, day, offering, price version), streamed."""
    e = billing_event.c
    query = select(e.product_id, e.event_id, e.kind, e.effective_on, e.offering_code, e.price_version)
    for partition in conn.execute(query.order_by(e.product_id)).partitions(_PARTITION):
        yield from (tuple(row) for row in partition)


def all_relations(conn: Connection) -> Sequence[Row[Any]]:
    """Every pay relation kept."""
    return conn.execute(
        select(pay_relation).order_by(
            pay_relation.c.product_id, pay_relation.c.item_group, pay_relation.c.account_id, pay_relation.c.from_on
        )
    ).all()
