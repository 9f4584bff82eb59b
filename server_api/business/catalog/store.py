"""The SQL of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from shared_models.tables.business.catalog import (
    bundle_member,
    offer_price,
    offer_relation,
    offering,
    price_book,
    price_book_row,
)


def one(conn: Connection, offering_code: str) -> Row[Any] | None:
    return conn.execute(select(offering).where(offering.c.offering_code == offering_code)).one_or_none()


def page(conn: Connection, after_code: str, limit: int, service: str | None) -> list[Row[Any]]:
    """Offerings in order of code."""
    query = select(offering)
    if after_code:  # '' is NULL, and nothing is greater than NULL
        query = query.where(offering.c.offering_code > after_code)
    if service:
        query = query.where(offering.c.service == service)
    return list(conn.execute(query.order_by(offering.c.offering_code).limit(limit)))


def everything(conn: Connection) -> tuple[list[Row[Any]], list[Row[Any]], list[Row[Any]], list[Row[Any]]]:
    """Offerings, prices, members and relations, each in a fixed order."""
    return (
        list(conn.execute(select(offering).order_by(offering.c.offering_code))),
        list(conn.execute(select(offer_price).order_by(offer_price.c.price_code, offer_price.c.valid_from_on))),
        list(conn.execute(select(bundle_member).order_by(
            bundle_member.c.bundle_code, bundle_member.c.sort_no, bundle_member.c.member_code))),
        list(conn.execute(select(offer_relation).order_by(
            offer_relation.c.from_code, offer_relation.c.relation, offer_relation.c.other_code))),
    )  # fmt: skip


def names(conn: Connection, offering_codes: Iterable[str]) -> dict[str, Row[Any]]:
    """Offerings by code."""
    codes = list(dict.fromkeys(offering_codes))
    if not codes:
        return {}
    query = select(offering).where(offering.c.offering_code.in_(codes))
    return {row.offering_code: row for row in conn.execute(query)}


def prices_on(conn: Connection, offering_codes: Sequence[str], on: date) -> dict[str, list[Row[Any]]]:
    """Prices valid on a day, by offering."""
    found: dict[str, list[Row[Any]]] = {}
    if offering_codes:
        query = select(offer_price).where(
            offer_price.c.offering_code.in_(list(offering_codes)), offer_price.c.valid_from_on <= on,
            or_(offer_price.c.valid_until_on.is_(None), offer_price.c.valid_until_on > on),
        )  # fmt: skip
        for row in conn.execute(query.order_by(offer_price.c.offering_code, offer_price.c.price_code)):
            found.setdefault(row.offering_code, []).append(row)
    return found


def members_of(conn: Connection, bundle_codes: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """Members by bundle, in their order."""
    found: dict[str, list[Row[Any]]] = {}
    if bundle_codes:
        query = select(bundle_member).where(bundle_member.c.bundle_code.in_(list(bundle_codes)))
        for row in conn.execute(query.order_by(bundle_member.c.bundle_code, bundle_member.c.sort_no)):
            found.setdefault(row.bundle_code, []).append(row)
    return found


def relations_of(conn: Connection, offering_codes: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """Relations by the offering they begin at."""
    found: dict[str, list[Row[Any]]] = {}
    if offering_codes:
        query = select(offer_relation).where(offer_relation.c.from_code.in_(list(offering_codes)))
        for row in conn.execute(query.order_by(offer_relation.c.from_code, offer_relation.c.other_code)):
            found.setdefault(row.from_code, []).append(row)
    return found


def put_offering(conn: Connection, offering_code: str, **values: Any) -> None:
    """Write an offering, new or known."""
    if not conn.execute(update(offering).where(offering.c.offering_code == offering_code).values(**values)).rowcount:
        conn.execute(insert(offering).values(offering_code=offering_code, **values))


def replace_lists(
    conn: Connection, offering_codes: Sequence[str], prices: Sequence[Mapping[str, Any]],
    members: Sequence[Mapping[str, Any]], relations: Sequence[Mapping[str, Any]],
) -> None:  # fmt: skip
    """Replace prices, members and relations of these offerings; published versions keep what they froze."""
    for start in range(0, len(offering_codes), 400):
        codes = list(offering_codes[start : start + 400])
        conn.execute(delete(offer_price).where(offer_price.c.offering_code.in_(codes)))
        conn.execute(delete(bundle_member).where(bundle_member.c.bundle_code.in_(codes)))
        conn.execute(delete(offer_relation).where(offer_relation.c.from_code.in_(codes)))
    for table, rows in ((offer_price, prices), (bundle_member, members), (offer_relation, relations)):
        if rows:
            conn.execute(insert(table), list(rows))


def last_book(conn: Connection) -> Row[Any] | None:
    """The newest price book version."""
    return conn.execute(select(price_book).order_by(price_book.c.book_version.desc()).limit(1)).one_or_none()


def books(conn: Connection) -> list[tuple[int, date]]:
    """Every version with the day it is in force from, oldest first."""
    query = select(price_book.c.book_version, price_book.c.effective_on).order_by(price_book.c.book_version)
    return [(int(row.book_version), row.effective_on) for row in conn.execute(query)]


def books_page(conn: Connection, before: int, limit: int) -> list[Row[Any]]:
    """Versions, newest first."""
    query = select(price_book).where(price_book.c.book_version < before)
    return list(conn.execute(query.order_by(price_book.c.book_version.desc()).limit(limit)))


def add_book(conn: Connection, rows: Sequence[Mapping[str, Any]], **values: Any) -> None:
    """Freeze a version with its rows."""
    conn.execute(insert(price_book).values(**values))
    conn.execute(insert(price_book_row), list(rows))
