"""What an import asks and leaves beside the calls: billing days, and what included units must be dealt out anew."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select, update

from server_api.billing.rating.cycles import cycle_key
from server_api.platform.database import Database
from server_api.platform.dialects.prepared import Prepared
from shared_models.tables.billing.bill import account_cycle, bill_period, bill_run
from shared_models.tables.billing.rating import rating_due

_D = rating_due.c
#: Asked in every write turn.
_DUE = Prepared(
    select(_D.account_id, _D.product_id, _D.dealing).where(
        _D.period == bindparam("b_period"), _D.account_id >= bindparam("b_low"), _D.account_id <= bindparam("b_high")
    )
)
_CLOSED = Prepared(select(bill_period.c.period).where(bill_period.c.state != bindparam("b_open")))
_COLUMNS = ("period", "account_id", "product_id")


_CLOSED_CYCLES = Prepared(
    select(bill_run.c.period, bill_run.c.billing_day).where(bill_run.c.billing_day != bindparam("b_calendar"))
)


def closed_periods(conn: Connection) -> set[int]:
    """Months and cycles (``cycle_key``) that no usage may be added to any more, asked in a write turn."""
    months = {int(row.period) for row in _CLOSED.all(conn, {"b_open": "open"})}
    return months | {cycle_key(row.period, row.billing_day) for row in _CLOSED_CYCLES.all(conn, {"b_calendar": 1})}


def billing_days(conn: Connection) -> dict[str, tuple[tuple[int, int], ...]]:
    """(From month, billing day) in order of month, of the accounts that have days of their own."""
    c = account_cycle.c
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    query = select(c.account_id, c.from_month, c.billing_day).order_by(c.account_id, c.from_month)
    for account_id, from_month, day in conn.execute(query):
        found[account_id] = (*found.get(account_id, ()), (int(from_month), int(day)))
    return found


def note_due(database: Database, conn: Connection, keys: Iterable[tuple[int, str, str]]) -> None:
    """Products (month of the start, account, product) whose calls came: to be dealt, also where that is going on."""
    by_month: dict[int, set[tuple[str, str]]] = {}
    for month, account_id, product_id in keys:
        by_month.setdefault(month, set()).add((account_id, product_id))
    c = rating_due.c
    for month, wanted in sorted(by_month.items()):
        low, high = min(wanted)[0], max(wanted)[0]
        rows = _DUE.all(conn, {"b_period": month, "b_low": low, "b_high": high})
        known = {(row.account_id, row.product_id): bool(row.dealing) for row in rows}
        fresh = sorted(key for key in wanted if key not in known)
        database.bulk_insert(conn, rating_due, _COLUMNS, [(month, *key) for key in fresh])
        if again := sorted(key for key in wanted if known.get(key)):
            conn.execute(
                update(rating_due)
                .where(
                    c.period == bindparam("in_period"),
                    c.account_id == bindparam("of_account"),
                    c.product_id == bindparam("of_product"),
                )
                .values(dealing=0),
                [{"in_period": month, "of_account": key[0], "of_product": key[1]} for key in again],
            )
