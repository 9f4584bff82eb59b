"""The only SQL of rating: rated usage, tariffs, the price book copy, what products are priced by."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, delete, func, insert, select, update

from server_api.platform.dialects.prepared import Prepared
from shared_models.tables.billing.bill import bill_period, pay_relation
from shared_models.tables.billing.rating import (
    rated_step,
    rated_usage,
    rating_due,
    rating_price_book,
    rating_price_part,
    rating_product,
    rating_tariff,
)

RATED_COLUMNS = tuple(column.name for column in rated_usage.c)
STEP_COLUMNS = tuple(column.name for column in rated_step.c)
DUE_COLUMNS = ("period", "account_id", "product_id")
_KEYS_AT_ONCE = 300


# ---- tariffs and the price book ------------------------------------------------------------------------------------
def tariff_rows(conn: Connection) -> Sequence[Row[Any]]:
    """All tariff versions in the order they were imported."""
    return conn.execute(select(rating_tariff).order_by(rating_tariff.c.version_no)).all()


def add_tariff(conn: Connection, **values: Any) -> int:
    """Keep a tariff version; its number."""
    return int(conn.execute(insert(rating_tariff).values(**values).returning(rating_tariff.c.version_no)).scalar_one())


def price_book(conn: Connection, version: int) -> Row[Any] | None:
    """The head of a price book version."""
    return conn.execute(select(rating_price_book).where(rating_price_book.c.book_version == version)).one_or_none()


def price_books(conn: Connection) -> Sequence[Row[Any]]:
    """The live price books, oldest first."""
    c = rating_price_book.c
    return conn.execute(select(rating_price_book).where(c.live == True).order_by(c.book_version)).all()  # noqa: E712


def put_price_book(conn: Connection, known: bool, version: int, **values: Any) -> None:
    """Keep the head of a price book version."""
    if known:
        conn.execute(update(rating_price_book).where(rating_price_book.c.book_version == version).values(**values))
    else:
        conn.execute(insert(rating_price_book).values(book_version=version, **values))


def price_parts(conn: Connection, version: int) -> Sequence[Row[Any]]:
    """The parts of a price book version that have come."""
    c = rating_price_part.c
    return conn.execute(select(rating_price_part).where(c.book_version == version).order_by(c.part_no)).all()


def put_price_part(conn: Connection, version: int, part_no: int, rows: Sequence[dict[str, object]]) -> None:
    """Keep a part; one that came before stays."""
    c = rating_price_part.c
    known = conn.execute(select(c.part_no).where(c.book_version == version, c.part_no == part_no)).one_or_none()
    if known is None:
        conn.execute(insert(rating_price_part).values(book_version=version, part_no=part_no, document=list(rows)))


# ---- products and who pays -----------------------------------------------------------------------------------------
def product_rows(conn: Connection, service: str | None = None) -> Sequence[Row[Any]]:
    """Which offering each product had, from when until when; all products or those of a service."""
    query = select(rating_product).order_by(rating_product.c.product_id, rating_product.c.from_on)
    return conn.execute(query if service is None else query.where(rating_product.c.service == service)).all()


def product_known(conn: Connection, product_id: str) -> Sequence[Row[Any]]:
    """The same of one product."""
    return conn.execute(select(rating_product).where(rating_product.c.product_id == product_id)).all()


def put_product(conn: Connection, product_id: str, rows: Sequence[dict[str, Any]]) -> None:
    """What a product is priced by, replacing what was kept."""
    conn.execute(delete(rating_product).where(rating_product.c.product_id == product_id))
    add_products(conn, rows)


def add_products(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """What products not heard of before are priced by."""
    if rows:
        conn.execute(insert(rating_product), list(rows))


def pay_relations(conn: Connection) -> Sequence[Row[Any]]:
    """Who pays for what, from when until when: all of it, the preferred first."""
    c = pay_relation.c
    return conn.execute(select(pay_relation).order_by(c.product_id, c.priority, c.from_on, c.account_id)).all()


def closed_periods(conn: Connection) -> set[int]:
    """Months that no usage may be added to any more."""
    return set(conn.execute(select(bill_period.c.period).where(bill_period.c.state != "open")).scalars())


# ---- rated usage ---------------------------------------------------------------------------------------------------
def charge_sums(conn: Connection, period: int, account_from: str | None, account_until: str | None) -> Sequence[Any]:
    """Sums by account, product and item, in that order; a range of the key."""
    return sums_of_range(conn, _sums_between(account_from is not None, account_until is not None), period,
                         account_from, account_until)  # fmt: skip


def sums_of_range(
    conn: Connection, query: Prepared, period: int, account_from: str | None, account_until: str | None
) -> Sequence[Any]:
    """The rows of a query with the binds b_period, b_from and b_until; one account's by the shorter way."""
    params: dict[str, Any] = {"b_period": period}
    params |= {} if account_from is None else {"b_from": account_from}
    params |= {} if account_until is None else {"b_until": account_until}
    if account_from is not None and account_until == f"{account_from}0":
        return query.all(conn, params)
    return conn.execute(query.statement, params).all()


@lru_cache(maxsize=4)
def _sums_between(from_one: bool, until_one: bool) -> Prepared:
    c = rated_usage.c
    keys = (c.account_id, c.product_id, c.item_code)
    query = select(
        *keys,
        func.sum(c.charge_micro_yuan).label("charge_micro_yuan"),
        func.count().label("call_count"),
        func.sum(c.quantity).label("quantity"),
    ).where(c.period == bindparam("b_period"))
    if from_one:
        query = query.where(c.account_id >= bindparam("b_from"))
    if until_one:
        query = query.where(c.account_id < bindparam("b_until"))
    return Prepared(query.group_by(*keys).order_by(*keys))


def line_page(
    conn: Connection,
    period: int,
    account_id: str,
    product_id: str,
    item_code: str,
    after: int | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Some of the calls behind a line, in key order."""
    c = rated_usage.c
    query = select(rated_usage).where(
        c.period == period,
        c.account_id == account_id,
        c.product_id == product_id,
        c.item_code == item_code,
    )
    if after is not None:
        query = query.where(c.usage_id > after)
    return conn.execute(query.order_by(c.usage_id).limit(limit)).all()


def rated_call(conn: Connection, period: int, account_id: str, usage_id: int) -> Row[Any] | None:
    """One call."""
    c = rated_usage.c
    return conn.execute(
        select(rated_usage).where(c.period == period, c.account_id == account_id, c.usage_id == usage_id)
    ).one_or_none()


def steps_of(conn: Connection, period: int, account_id: str, usage_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The parts of some calls of an account."""
    c = rated_step.c
    found: list[Row[Any]] = []
    for begin in range(0, len(usage_ids), _KEYS_AT_ONCE):
        some = usage_ids[begin : begin + _KEYS_AT_ONCE]
        query = select(rated_step).where(c.period == period, c.account_id == account_id, c.usage_id.in_(some))
        found += conn.execute(query.order_by(c.usage_id, c.step_no)).all()
    return found


def recharge(conn: Connection, period: int, rows: Sequence[tuple[str, int, int, int, int]]) -> None:
    """New covered, units and charge of calls (account_id, usage_id, covered, units, charge)."""
    update_calls(conn, ("covered", "units", "charge_micro_yuan"), [(*row[2:], period, *row[:2]) for row in rows])


def update_calls(conn: Connection, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """New values of some columns of very many calls: (values, period, account_id, usage_id)."""
    _updated(columns).many_raw(conn, (*(f"now_{name}" for name in columns), "in_period", "of_account", "of_call"), rows)


@lru_cache(maxsize=4)
def _updated(columns: tuple[str, ...]) -> Prepared:
    of_call = _of_call(rated_usage)
    return Prepared(update(rated_usage).where(*of_call).values({name: bindparam(f"now_{name}") for name in columns}))


@lru_cache(maxsize=4)
def _dropped() -> Prepared:
    return Prepared(delete(rated_step).where(*_of_call(rated_step)))


def _of_call(table: Table) -> tuple[Any, ...]:
    c = table.c
    return (
        c.period == bindparam("in_period"),
        c.account_id == bindparam("of_account"),
        c.usage_id == bindparam("of_call"),
    )


def drop_steps(conn: Connection, period: int, keys: Sequence[tuple[str, int]]) -> None:
    """Forget the parts of calls that were priced anew."""
    names = ("in_period", "of_account", "of_call")
    _dropped().many_raw(conn, names, [(period, account, call) for account, call in keys])


def calls_with_steps(conn: Connection, period: int, first: str, last: str) -> list[int]:
    """Which calls of accounts from one to another have parts kept."""
    c = rated_step.c
    query = select(c.usage_id).where(c.period == period, c.account_id.between(first, last)).distinct()
    return list(conn.execute(query).scalars())


def due(conn: Connection, period: int) -> Sequence[Row[Any]]:
    """Products whose included units are to be dealt out, by account."""
    c = rating_due.c
    return conn.execute(select(rating_due).where(c.period == period).order_by(c.account_id, c.product_id)).all()


def due_periods(conn: Connection) -> Sequence[int]:
    """Months with something to deal out."""
    return conn.execute(select(rating_due.c.period).distinct().order_by(rating_due.c.period)).scalars().all()


def due_count(conn: Connection, period: int) -> int:
    """How many products wait in a month."""
    return int(
        conn.execute(select(func.count()).select_from(rating_due).where(rating_due.c.period == period)).scalar_one()
    )


def due_accounts(conn: Connection, period: int, after: str | None, limit: int) -> Sequence[str]:
    """The next accounts of a month with something to deal out."""
    c = rating_due.c
    query = select(c.account_id).where(c.period == period)
    if after is not None:
        query = query.where(c.account_id > after)
    return conn.execute(query.group_by(c.account_id).order_by(c.account_id).limit(limit)).scalars().all()


def begin_dealing(conn: Connection, period: int, accounts: Sequence[str]) -> None:
    """Take what is due of these accounts: usage that comes from now on is due again."""
    c = rating_due.c
    for begin in range(0, len(accounts), _KEYS_AT_ONCE):
        some = accounts[begin : begin + _KEYS_AT_ONCE]
        conn.execute(update(rating_due).where(c.period == period, c.account_id.in_(some)).values(dealing=1))


def dealt(conn: Connection, period: int, accounts: Sequence[str]) -> None:
    """What was taken of these accounts is dealt out."""
    c = rating_due.c
    for begin in range(0, len(accounts), _KEYS_AT_ONCE):
        some = accounts[begin : begin + _KEYS_AT_ONCE]
        conn.execute(delete(rating_due).where(c.period == period, c.account_id.in_(some), c.dealing == 1))


def totals(conn: Connection) -> Row[Any]:
    """Number of rated calls and their charges."""
    c = rated_usage.c
    return conn.execute(
        select(func.count().label("calls"), func.coalesce(func.sum(c.charge_micro_yuan), 0).label("charge_micro_yuan"))
    ).one()


def sample_calls(conn: Connection, limit: int) -> Sequence[Row[Any]]:
    """Some rated calls for re-explaining."""
    c = rated_usage.c
    return conn.execute(select(rated_usage).order_by(c.period, c.account_id, c.usage_id).limit(limit)).all()
