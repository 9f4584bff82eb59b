"""The SQL of places, what they cover, and materials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from shared_models.tables.business.resource import material_move, material_stock, network_place, place_cover

_CHUNK = 400
p = network_place.c


def place(conn: Connection, place_code: str) -> Row[Any] | None:
    return conn.execute(select(network_place).where(p.place_code == place_code)).one_or_none()


def places(conn: Connection, place_codes: Sequence[str]) -> dict[str, Row[Any]]:
    """Places by code."""
    found: dict[str, Row[Any]] = {}
    for start in range(0, len(place_codes), _CHUNK):
        query = select(network_place).where(p.place_code.in_(list(place_codes[start : start + _CHUNK])))
        found |= {row.place_code: row for row in conn.execute(query)}
    return found


def children(conn: Connection, parent_code: str, limit: int) -> list[Row[Any]]:
    query = select(network_place).where(p.parent_code == parent_code)
    return list(conn.execute(query.order_by(p.place_code).limit(limit)))


def below(conn: Connection, place_code: str, deepest: int) -> list[str]:
    """A place and all that hangs on it, level by level."""
    found = [place_code]
    level = [place_code]
    for _ in range(deepest):
        down: list[str] = []
        for start in range(0, len(level), _CHUNK):
            query = select(p.place_code).where(p.parent_code.in_(level[start : start + _CHUNK]))
            down += conn.execute(query).scalars()
        if not down:
            break
        found += down
        level = down
    return found


def roots(conn: Connection, limit: int) -> list[Row[Any]]:
    """Places that hang on nothing: exchanges, warehouses, vans."""
    query = select(network_place).where(p.parent_code.is_(None))
    return list(conn.execute(query.order_by(p.place_kind, p.place_code).limit(limit)))


def add_places(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(network_place), list(rows))


def change_place(conn: Connection, place_code: str, **values: Any) -> None:
    conn.execute(update(network_place).where(p.place_code == place_code).values(**values))


def covering(conn: Connection, beginnings: Sequence[str], place_kinds: Sequence[str]) -> list[Row[Any]]:
    """Places of some kinds that cover one of these beginnings of an address: (cover_text, place row …)."""
    if not beginnings:
        return []
    c = place_cover.c
    query = (
        select(c.cover_text, network_place)
        .join(network_place, p.place_code == c.place_code)
        .where(c.cover_text.in_(list(beginnings)), p.place_kind.in_(list(place_kinds)), p.state == "in_use")
    )
    rows = list(conn.execute(query.order_by(p.place_code)))
    return sorted(rows, key=lambda row: (-len(row.cover_text), row.place_code))


def covers(conn: Connection, place_code: str) -> list[str]:
    query = select(place_cover.c.cover_text).where(place_cover.c.place_code == place_code)
    return list(conn.execute(query.order_by(place_cover.c.cover_text)).scalars())


def known_covers(conn: Connection, cover_texts: Sequence[str]) -> set[tuple[str, str]]:
    """(address, place) pairs that are there already."""
    found: set[tuple[str, str]] = set()
    for start in range(0, len(cover_texts), _CHUNK):
        query = select(place_cover).where(place_cover.c.cover_text.in_(list(cover_texts[start : start + _CHUNK])))
        found |= {(row.cover_text, row.place_code) for row in conn.execute(query)}
    return found


def add_covers(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(place_cover), list(rows))


def materials_at(conn: Connection, place_code: str) -> list[Row[Any]]:
    query = select(material_stock).where(material_stock.c.place_code == place_code)
    return list(conn.execute(query.order_by(material_stock.c.material_code)))


def material(conn: Connection, place_code: str, material_code: str) -> Row[Any] | None:
    m = material_stock.c
    query = select(material_stock).where(m.place_code == place_code, m.material_code == material_code)
    return conn.execute(query).one_or_none()


def take_material(conn: Connection, place_code: str, material_code: str, quantity: int) -> bool:
    """Take from a stock if there is as much; False when there is not."""
    m = material_stock.c
    query = update(material_stock).where(
        m.place_code == place_code, m.material_code == material_code, m.quantity >= quantity
    )
    return conn.execute(query.values(quantity=m.quantity - quantity)).rowcount == 1


def put_material(conn: Connection, row: Mapping[str, Any]) -> None:
    """Add to a stock, or begin one."""
    m = material_stock.c
    query = update(material_stock).where(m.place_code == row["place_code"], m.material_code == row["material_code"])
    if not conn.execute(query.values(quantity=m.quantity + row["quantity"])).rowcount:
        conn.execute(insert(material_stock).values(**row))


def add_move(conn: Connection, row: Mapping[str, Any]) -> None:
    conn.execute(insert(material_move).values(**row))


def moved_for(conn: Connection, place_code: str, material_code: str, cause_id: str) -> bool:
    """True when a cause has moved this material here before."""
    m = material_move.c
    query = select(m.move_id).where(
        m.place_code == place_code, m.material_code == material_code, m.cause_id == cause_id
    )
    return conn.execute(query.order_by(m.move_id).limit(1)).first() is not None
