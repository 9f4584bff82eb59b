"""The SQL of takeovers: which old record became what, on each side, and the totals that must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, func, insert, select, update

from shared_models.tables.billing.account import billing_account
from shared_models.tables.billing.ledger import posting
from shared_models.tables.billing.migration import migration_link as billing_link
from shared_models.tables.business.inventory import product, product_access
from shared_models.tables.business.migration import migration_error, migration_link, migration_run
from shared_models.tables.business.party import customer
from shared_models.tables.business.staff import hall
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen

_CHUNK = 400
#: The system code under which identities of customers are kept: they belong to no system.
EVERYWHERE = "*"


def _links(role: str) -> Table:
    return migration_link if role == "business" else billing_link


def links(conn: Connection, role: str, system: str, kind: str, old_keys: Sequence[str]) -> dict[str, Row[Any]]:
    """What these old records became, as far as they were taken over."""
    table = _links(role)
    found: dict[str, Row[Any]] = {}
    for start in range(0, len(old_keys), _CHUNK):
        chunk = list(old_keys[start : start + _CHUNK])
        query = select(table).where(
            table.c.system_code == system, table.c.record_kind == kind, table.c.old_key.in_(chunk)
        )
        found |= {row.old_key: row for row in conn.execute(query)}
    return found


def all_links(conn: Connection, role: str, system: str, kind: str) -> dict[str, str]:
    """Every old key of a kind with the id it became."""
    table = _links(role)
    query = select(table.c.old_key, table.c.new_id).where(table.c.system_code == system, table.c.record_kind == kind)
    return {row.old_key: row.new_id for row in conn.execute(query)}


def all_digests(conn: Connection, role: str, system: str, kind: str) -> dict[str, str]:
    """What every record of a kind said when it was taken over, by old key."""
    table = _links(role)
    query = select(table.c.old_key, table.c.digest).where(table.c.system_code == system, table.c.record_kind == kind)
    return {row.old_key: row.digest for row in conn.execute(query)}


def add_links(conn: Connection, role: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(_links(role)), list(rows))


def link_row(
    system: str, kind: str, old_key: str, new_id: str, digest: str, amount: Fen | None = None
) -> dict[str, Any]:
    """The row that says what an old record became."""
    return {
        "system_code": system, "record_kind": kind, "old_key": old_key, "new_id": new_id, "amount_fen": amount,
        "digest": digest,
    }  # fmt: skip


def halls(conn: Connection) -> dict[str, str]:
    """District by hall."""
    return {row.hall_code: row.district_code for row in conn.execute(select(hall.c.hall_code, hall.c.district_code))}


def customer_places(conn: Connection, customer_ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Hall, district and class of customers."""
    found: dict[str, Row[Any]] = {}
    for start in range(0, len(customer_ids), _CHUNK):
        query = select(
            customer.c.customer_id, customer.c.hall_code, customer.c.district_code, customer.c.customer_class
        ).where(customer.c.customer_id.in_(list(customer_ids[start : start + _CHUNK])))
        found |= {row.customer_id: row for row in conn.execute(query)}
    return found


def open_accesses(conn: Connection, access_kind: str) -> dict[str, str]:
    """Every access of a kind in use, with its product."""
    query = select(product_access.c.access_key, product_access.c.product_id).where(
        product_access.c.access_kind == access_kind, product_access.c.until_at.is_(None)
    )
    return {row.access_key: row.product_id for row in conn.execute(query)}


def count_customers(conn: Connection, system: str) -> int:
    """How many old customers of a system have a customer here."""
    return _count_joined(conn, migration_link, system, "customer", customer, customer.c.customer_id)


def count_products(conn: Connection, system: str) -> int:
    """How many old products of a system have a product here."""
    return _count_joined(conn, migration_link, system, "product", product, product.c.product_id)


def count_numbers(conn: Connection, system: str, access_kind: str) -> int:
    """How many numbers the products of a system are reached by."""
    query = (
        select(func.count())
        .select_from(migration_link)
        .join(product_access, product_access.c.product_id == migration_link.c.new_id)
        .where(
            migration_link.c.system_code == system, migration_link.c.record_kind == "product",
            product_access.c.access_kind == access_kind,
        )
    )  # fmt: skip
    return int(conn.execute(query).scalar_one())


def count_accounts(conn: Connection, system: str) -> int:
    """How many old accounts of a system have an account here."""
    return _count_joined(conn, billing_link, system, "account", billing_account, billing_account.c.account_id)


def _count_joined(conn: Connection, table: Table, system: str, kind: str, target: Table, key: Any) -> int:
    query = (
        select(func.count())
        .select_from(table)
        .join(target, key == table.c.new_id)
        .where(table.c.system_code == system, table.c.record_kind == kind)
    )
    return int(conn.execute(query).scalar_one())


def count_links(conn: Connection, system: str, kind: str) -> int:
    """How many old records of a kind billing took over."""
    query = select(func.count()).where(billing_link.c.system_code == system, billing_link.c.record_kind == kind)
    return int(conn.execute(query.select_from(billing_link)).scalar_one())


def opening_fen(conn: Connection, system: str) -> tuple[Fen, Fen]:
    """What was booked from a system: balances held, and open bills owed; from the postings, not from the links."""
    held = _sum(conn, posting.c.to_code == LedgerCode.OPENING.value, posting.c.to_owner == system)
    owed = _sum(conn, posting.c.from_code == LedgerCode.OPENING.value, posting.c.from_owner == system)
    return held, owed


def _sum(conn: Connection, *conditions: Any) -> Fen:
    total = conn.execute(select(func.sum(posting.c.amount_fen)).where(*conditions)).scalar_one()
    if total is None:
        return ZERO_FEN
    return total if isinstance(total, Fen) else Fen(int(total))


def existing_accounts(conn: Connection, account_ids: Sequence[str]) -> set[str]:
    """Which of these accounts there are."""
    found: set[str] = set()
    for start in range(0, len(account_ids), _CHUNK):
        chunk = list(account_ids[start : start + _CHUNK])
        query = select(billing_account.c.account_id).where(billing_account.c.account_id.in_(chunk))
        found.update(conn.execute(query).scalars())
    return found


def add_run(conn: Connection, **values: Any) -> None:
    conn.execute(insert(migration_run).values(**values))


def end_run(conn: Connection, run_id: str, **values: Any) -> None:
    conn.execute(update(migration_run).where(migration_run.c.run_id == run_id).values(**values))


def add_errors(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(migration_error), list(rows))
