"""The SQL of dealing out a month: who shares with whom, the calls of a month, packs, pools, what is left over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select

from shared_models.tables.billing.account import billing_account
from shared_models.tables.billing.allowances import allowance_left, allowance_member, allowance_pack
from shared_models.tables.billing.bill import pay_relation
from shared_models.tables.billing.rating import rated_usage, rating_due, rating_product

_KEYS_AT_ONCE = 300
CALL_COLUMNS = (
    "period",
    "account_id",
    "usage_id",
    "product_id",
    "price_no",
    "item_code",
    "start_s",
    "duration_s",
    "quantity",
    "units",
    "covered",
    "charge_micro_yuan",
)


def _some(keys: Iterable[str]) -> Iterable[list[str]]:
    listed = sorted(set(keys))
    for begin in range(0, len(listed), _KEYS_AT_ONCE):
        yield listed[begin : begin + _KEYS_AT_ONCE]


def calls_of_month(
    conn: Connection,
    periods: Sequence[int],
    accounts: Sequence[str],
    start_s: tuple[int, int],
    prices: Sequence[int] | None = None,
    columns: Sequence[str] = CALL_COLUMNS,
    between: tuple[str, str] | None = None,
) -> list[tuple[Any, ...]]:
    """Calls of some accounts that began within a month, in whichever periods they are billed, as plain tuples.

    ``prices``: only those at these prices, where they are few enough to be named. ``between``: a range of accounts
    (both ends with it) that is read as it lies, whatever ``accounts`` says of it.
    """
    c = rated_usage.c
    low, high = between or ("", "")
    named: list[Any] = [
        c.account_id.in_(some) for some in _some(a for a in accounts if between is None or not low <= a <= high)
    ]
    if between is not None:
        named.append(c.account_id.between(low, high))
    found: list[tuple[Any, ...]] = []
    for those in named:
        for period in periods:
            query = select(*[c[name] for name in columns]).where(
                c.period == period, those, c.start_s >= start_s[0], c.start_s < start_s[1]
            )
            if prices is not None and len(prices) <= _KEYS_AT_ONCE:
                query = query.where(c.price_no.in_(prices))
            found += plain_rows(conn, query)
    return found


def plain_rows(conn: Connection, query: Any) -> list[tuple[Any, ...]]:
    """The rows of a query on columns of numbers and codes, as the driver gives them: a third of the time."""
    result = conn.execute(query)
    cursor = result.cursor
    rows: list[Any] = list(cursor.fetchall()) if cursor is not None else []
    result.close()
    return [tuple(row) for row in rows] if rows and type(rows[0]) is not tuple else rows


# ---- who shares with whom --------------------------------------------------------------------------------------------
def relations_of_accounts(conn: Connection, accounts: Iterable[str], days: tuple[date, date]) -> Sequence[Any]:
    """(product, account) of what some accounts pay for on any of the days."""
    return _relations(conn, pay_relation.c.account_id, accounts, days)


def relations_of_products(conn: Connection, products: Iterable[str], days: tuple[date, date]) -> Sequence[Any]:
    """(product, account) of who pays for some products on any of the days."""
    return _relations(conn, pay_relation.c.product_id, products, days)


def _relations(conn: Connection, column: Any, keys: Iterable[str], days: tuple[date, date]) -> Sequence[Any]:
    c = pay_relation.c
    found: list[Any] = []
    for some in _some(keys):
        query = select(c.product_id, c.account_id).where(
            column.in_(some), c.from_on < days[1], or_(c.until_on.is_(None), c.until_on > days[0])
        )
        found += conn.execute(query).all()
    return found


def customers_of(conn: Connection, accounts: Iterable[str]) -> dict[str, str]:
    """The customer of each account."""
    c = billing_account.c
    found: dict[str, str] = {}
    for some in _some(accounts):
        rows = conn.execute(select(c.account_id, c.customer_id).where(c.account_id.in_(some)))
        found |= {row.account_id: row.customer_id for row in rows}
    return found


def accounts_of_customers(conn: Connection, customers: Iterable[str]) -> Sequence[str]:
    """All accounts of some customers."""
    c = billing_account.c
    found: list[str] = []
    for some in _some(customers):
        found += conn.execute(select(c.account_id).where(c.customer_id.in_(some))).scalars().all()
    return found


def spans_of_products(conn: Connection, products: Iterable[str]) -> Sequence[Any]:
    """What some products were priced by, from when until when."""
    c = rating_product.c
    found: list[Any] = []
    for some in _some(products):
        found += conn.execute(select(rating_product).where(c.product_id.in_(some)).order_by(c.from_on)).all()
    return found


# ---- pools -----------------------------------------------------------------------------------------------------------
def memberships(conn: Connection, *, products: Iterable[str] = (), pools: Iterable[str] = ()) -> Sequence[Any]:
    """The memberships of some products, and those in some pools."""
    c = allowance_member.c
    found: list[Any] = []
    for column, keys in ((c.product_id, products), (c.pool_id, pools)):
        for some in _some(keys):
            found += conn.execute(select(allowance_member).where(column.in_(some)).order_by(c.from_on)).all()
    return found


def any_pool(conn: Connection) -> bool:
    """Whether there is a pool at all."""
    return (
        conn.execute(select(allowance_member.c.product_id).order_by(allowance_member.c.product_id).limit(1)).first()
        is not None
    )


def add_member(conn: Connection, **values: Any) -> None:
    """A product joins a pool."""
    conn.execute(insert(allowance_member).values(**values))


def end_membership(conn: Connection, product_id: str, from_on: date, until_on: date) -> None:
    """A product leaves its pool; one that leaves before it joined was never in it."""
    c = allowance_member.c
    mine = (c.product_id == product_id) & (c.from_on == from_on)
    if until_on <= from_on:
        conn.execute(delete(allowance_member).where(mine))
    else:
        conn.execute(allowance_member.update().where(mine).values(until_on=until_on))


# ---- packs -----------------------------------------------------------------------------------------------------------
def packs_of(conn: Connection, owners: Iterable[str], days: tuple[date, date]) -> Sequence[Any]:
    """The packs of some owners that hold on any of the days."""
    c = allowance_pack.c
    found: list[Any] = []
    for some in _some(owners):
        query = select(allowance_pack).where(c.owner_id.in_(some), c.from_on < days[1], c.until_on > days[0])
        found += conn.execute(query.order_by(c.pack_id)).all()
    return found


def any_pack(conn: Connection, days: tuple[date, date]) -> bool:
    """Whether anybody has a pack on any of the days."""
    c = allowance_pack.c
    query = select(c.pack_id).where(c.from_on < days[1], c.until_on > days[0]).order_by(c.pack_id).limit(1)
    return conn.execute(query).first() is not None


def add_pack(conn: Connection, **values: Any) -> None:
    """Keep a pack."""
    conn.execute(insert(allowance_pack).values(**values))


def pack(conn: Connection, pack_id: str) -> Row[Any] | None:
    """One pack."""
    return conn.execute(select(allowance_pack).where(allowance_pack.c.pack_id == pack_id)).one_or_none()


def end_pack(conn: Connection, pack_id: str, until_on: date) -> None:
    """Let a pack end on another day."""
    conn.execute(allowance_pack.update().where(allowance_pack.c.pack_id == pack_id).values(until_on=until_on))


# ---- what a month leaves over ----------------------------------------------------------------------------------------
def left_of(conn: Connection, owners: Iterable[str], periods: Sequence[int]) -> Sequence[Any]:
    """What some months left some owners."""
    c = allowance_left.c
    found: list[Any] = []
    for some in _some(owners):
        query = select(allowance_left).where(c.period.in_(periods), c.owner_id.in_(some))
        found += conn.execute(query).all()
    return found


def put_left(conn: Connection, period: int, rows: Sequence[tuple[str, str, str, int, int]]) -> None:
    """Keep what a month left of (owner, tariff, code, month of grant), replacing what was kept of the same."""
    c = allowance_left.c
    names = ("owner_id", "tariff_code", "code", "granted_month")
    statement = delete(allowance_left).where(
        c.period == bindparam("in_period"), *[c[name] == bindparam(f"of_{name}") for name in names]
    )
    keys = [{"in_period": period, **{f"of_{n}": v for n, v in zip(names, row, strict=False)}} for row in rows]
    if rows:
        conn.execute(statement, keys)
        conn.execute(
            insert(allowance_left),
            [{"period": period, **dict(zip((*names, "left_quantity"), row, strict=True))} for row in rows],
        )


def due_products(conn: Connection, period: int, accounts: Iterable[str]) -> Sequence[Any]:
    """What is due of some accounts."""
    c = rating_due.c
    found: list[Any] = []
    for some in _some(accounts):
        query = select(c.account_id, c.product_id).where(c.period == period, c.account_id.in_(some))
        found += conn.execute(query).all()
    return found


def usage_pairs(conn: Connection, periods: Sequence[int], accounts: Iterable[str]) -> Sequence[Any]:
    """The (period, account, product) that have rated usage."""
    c = rated_usage.c
    found: list[Any] = []
    for some in _some(accounts):
        query = select(c.period, c.account_id, c.product_id).where(c.period.in_(periods), c.account_id.in_(some))
        found += conn.execute(query.distinct()).all()
    return found
