"""The SQL of corrections: what usage of billed months should have cost, and the re-ratings that found it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from server_api.billing.rating.store import months as month_store
from server_api.billing.rating.store import sums_of_range, update_calls
from server_api.platform.database import Database
from server_api.platform.dialects.prepared import Prepared
from shared_models.tables.billing.allowances import rated_change, rerate
from shared_models.tables.billing.rating import rated_step, rated_usage

_KEYS_AT_ONCE = 300
CHANGE_COLUMNS = tuple(column.name for column in rated_change.c)
_KEY = ("period", "account_id", "usage_id", "product_id", "item_code")


def changes_of(
    conn: Connection, for_month: Sequence[int], *, rated_accounts: Iterable[str] = (), accounts: Iterable[str] = ()
) -> list[Any]:
    """The corrections of usage billed in some months: that lies in some accounts, or was moved to some accounts."""
    c = rated_change.c
    found: dict[tuple[Any, ...], Any] = {}
    for column, keys in ((c.rated_account_id, rated_accounts), (c.account_id, accounts)):
        listed = sorted(set(keys))
        for begin in range(0, len(listed), _KEYS_AT_ONCE):
            some = listed[begin : begin + _KEYS_AT_ONCE]
            query = select(rated_change).where(c.period > min(for_month), c.for_month.in_(for_month), column.in_(some))
            found |= {tuple(row[: len(_KEY)]): row for row in conn.execute(query).all()}
    return list(found.values())


def any_change(conn: Connection, for_month: Sequence[int]) -> bool:
    """Whether usage billed in some months was ever corrected."""
    c = rated_change.c
    query = select(c.usage_id).where(c.period > min(for_month), c.for_month.in_(for_month))
    return conn.execute(query.order_by(c.usage_id).limit(1)).first() is not None


def put_changes(database: Database, conn: Connection, rows: Sequence[tuple[Any, ...]], *, drop: bool = True) -> None:
    """Keep corrections, replacing those of the same key; one that comes to nothing at its own place is only dropped."""
    c = rated_change.c
    statement = delete(rated_change).where(*[c[name] == bindparam(f"of_{name}") for name in _KEY])
    if rows and drop:
        conn.execute(statement, [{f"of_{n}": v for n, v in zip(_KEY, row, strict=False)} for row in rows])
    was, now = CHANGE_COLUMNS.index("was_micro_yuan"), CHANGE_COLUMNS.index("now_micro_yuan")
    home, place = CHANGE_COLUMNS.index("rated_account_id"), CHANGE_COLUMNS.index("price_no")
    kept = [row for row in rows if row[was] != row[now] or (row[place] is not None and row[1] != row[home])]
    database.bulk_insert(conn, rated_change, CHANGE_COLUMNS, kept)


def change_sums(conn: Connection, period: int, account_from: str | None, account_until: str | None) -> Sequence[Any]:
    """What corrections come to in a period by account, product, item and the month they are of."""
    query = _sums_between(account_from is not None, account_until is not None)
    return sums_of_range(conn, query, period, account_from, account_until)


@lru_cache(maxsize=4)
def _sums_between(from_one: bool, until_one: bool) -> Prepared:
    c = rated_change.c
    keys = (c.account_id, c.product_id, c.item_code, c.for_month)
    query = select(
        *keys,
        func.sum(c.now_micro_yuan - c.was_micro_yuan).label("charge_micro_yuan"),
        func.count().label("call_count"),
        func.sum(c.quantity).label("quantity"),
    ).where(c.period == bindparam("b_period"))
    if from_one:
        query = query.where(c.account_id >= bindparam("b_from"))
    if until_one:
        query = query.where(c.account_id < bindparam("b_until"))
    return Prepared(query.group_by(*keys).order_by(*keys))


def changes_of_line(
    conn: Connection, period: int, account_id: str, product_id: str, item_code: str, for_month: int
) -> Sequence[Row[Any]]:
    """The corrections behind a line, with the call each is of."""
    c, u = rated_change.c, rated_usage.c
    joined = rated_change.outerjoin(
        rated_usage,
        (u.period == c.for_month) & (u.account_id == c.rated_account_id) & (u.usage_id == c.usage_id),
    )
    return conn.execute(
        select(rated_change, u.start_s, u.duration_s, u.peer_no, u.zone_code, u.price_no.label("rated_price_no"))
        .select_from(joined)
        .where(
            c.period == period,
            c.account_id == account_id,
            c.product_id == product_id,
            c.item_code == item_code,
            c.for_month == for_month,
        )
        .order_by(c.usage_id)
    ).all()


# ---- re-ratings ------------------------------------------------------------------------------------------------------
def rerate_row(conn: Connection, rerate_id: str) -> Row[Any] | None:
    """One re-rating."""
    return conn.execute(select(rerate).where(rerate.c.rerate_id == rerate_id)).one_or_none()


def rerates(conn: Connection, limit: int) -> Sequence[Row[Any]]:
    """The latest re-ratings."""
    return conn.execute(select(rerate).order_by(rerate.c.asked_at.desc(), rerate.c.rerate_id).limit(limit)).all()


def add_rerate(conn: Connection, **values: Any) -> None:
    """Keep what was asked."""
    conn.execute(insert(rerate).values(**values))


def rerate_at(conn: Connection, rerate_id: str, **values: Any) -> None:
    """Keep how far a re-rating is."""
    conn.execute(update(rerate).where(rerate.c.rerate_id == rerate_id).values(**values))


def accounts_with_usage(conn: Connection, period: int, after: str | None, limit: int) -> list[tuple[str, int]]:
    """The next accounts with rated usage in a period, and how much of it; a range of the key."""
    c = rated_usage.c
    query = select(c.account_id, func.count()).where(c.period == period).group_by(c.account_id).order_by(c.account_id)
    if after is not None:
        query = query.where(c.account_id > after)
    return [(row[0], int(row[1])) for row in conn.execute(query.limit(limit))]


def usage_count(conn: Connection, period: int) -> int:
    """How many rated calls a period has."""
    query = select(func.count()).select_from(rated_usage).where(rated_usage.c.period == period)
    return int(conn.execute(query).scalar_one())


RERATE_COLUMNS = (
    *month_store.CALL_COLUMNS,
    "zone_code",
    "peer_no",
    "call_type",
    "owner_key",
    "octets",
)


def move_rated(
    database: Database, conn: Connection, period: int, moves: Sequence[tuple[str, int, dict[str, Any]]]
) -> None:
    """Give calls of an open period to another account: (account, call, new values with account_id)."""
    c = rated_usage.c
    columns = tuple(column.name for column in c)
    by_key = {(account, call): values for account, call, values in moves}
    rows: list[tuple[Any, ...]] = []
    for account in sorted({key[0] for key in by_key}):
        calls = sorted(call for owner, call in by_key if owner == account)
        for begin in range(0, len(calls), _KEYS_AT_ONCE):
            some = calls[begin : begin + _KEYS_AT_ONCE]
            mine = (c.period == period) & (c.account_id == account) & c.usage_id.in_(some)
            for row in conn.execute(select(rated_usage).where(mine)).all():
                values = row._asdict() | by_key[account, row.usage_id]
                rows.append(tuple(values[name] for name in columns))
            conn.execute(delete(rated_usage).where(mine))
            s = rated_step.c
            conn.execute(delete(rated_step).where(s.period == period, s.account_id == account, s.usage_id.in_(some)))
    database.bulk_insert(conn, rated_usage, columns, sorted(rows, key=lambda row: tuple(row[:3])))


def reprice_rated(conn: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """New product, price and charge of calls of an open period: (``REPRICED``, period, account, call)."""
    update_calls(conn, REPRICED, rows)


REPRICED = (
    "product_id",
    "price_no",
    "item_code",
    "zone_code",
    "quantity",
    "covered",
    "units",
    "charge_micro_yuan",
)
