"""The SQL of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from shared_models.tables.business.resource import number_resource


def lock_query(access_kind: str, access_key: str) -> Select[Any]:
    """The query whose row is locked while a number changes hands."""
    return select(number_resource).where(
        number_resource.c.access_kind == access_kind, number_resource.c.access_key == access_key
    )


def change(conn: Connection, access_kind: str, access_key: str, **values: Any) -> None:
    conn.execute(
        update(number_resource)
        .where(number_resource.c.access_kind == access_kind, number_resource.c.access_key == access_key)
        .values(**values)
    )


def known(conn: Connection, access_kind: str, access_keys: Sequence[str]) -> dict[str, Row[Any]]:
    """What is known of these keys of one kind."""
    found: dict[str, Row[Any]] = {}
    for start in range(0, len(access_keys), 400):
        chunk = list(access_keys[start : start + 400])
        query = select(number_resource).where(
            number_resource.c.access_kind == access_kind, number_resource.c.access_key.in_(chunk)
        )
        found |= {row.access_key: row for row in conn.execute(query)}
    return found


def add(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(number_resource), list(rows))


def free_numbers(conn: Connection, access_kind: str, prefix_from: str, limit: int) -> list[str]:
    """Available numbers from one on, in order."""
    query = select(number_resource.c.access_key).where(
        number_resource.c.access_kind == access_kind, number_resource.c.state == "available",
        number_resource.c.access_key >= prefix_from,
    )  # fmt: skip
    return list(conn.execute(query.order_by(number_resource.c.access_key).limit(limit)).scalars())
