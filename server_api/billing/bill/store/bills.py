"""Writing bills in bulk and reading them one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, insert, select

from server_api.billing.account import store as account_store
from server_api.platform.database import Database
from shared_models.tables.billing.account import billing_account
from shared_models.tables.billing.bill import bill, bill_aside, bill_charge, bill_line
from shared_models.values.bill_ids import month_of_bill

BILL_COLUMNS = (
    "period",
    "bill_id",
    "bill_no",
    "account_id",
    "account_no",
    "customer_id",
    "run_id",
    "origin",
    "state",
    "from_on",
    "until_on",
    "issued_on",
    "due_on",
    "customer_no",
    "sealed_name",
    "sealed_address",
    "sealed_tax_no",
    "owed_before_fen",
    "advance_before_fen",
    "total_fen",
    "net_fen",
    "tax_fen",
    "open_fen",
    "line_count",
    "frozen_at",
    "settled_at",
)
LINE_COLUMNS = (
    "period",
    "bill_id",
    "line_no",
    "kind",
    "product_id",
    "product_no",
    "service",
    "shown_as",
    "region",
    "item_code",
    "item_group",
    "label",
    "label_en",
    "offering_code",
    "offering_label",
    "offering_en",
    "from_on",
    "until_on",
    "part_count",
    "quantity",
    "charge_micro_yuan",
    "amount_fen",
    "tax_per_mille",
    "net_fen",
    "tax_fen",
    "netted_fen",
)
CHARGE_COLUMNS = (
    "period",
    "bill_id",
    "line_no",
    "charge_no",
    "product_id",
    "event_id",
    "offering_code",
    "price_code",
    "price_version",
    "bundle_code",
    "bundle_instance",
    "charge_month",
    "kind",
    "rule_code",
    "from_on",
    "until_on",
    "price_micro_yuan",
    "numerator",
    "denominator",
    "share_per_mille",
    "amount_micro_yuan",
)


class BillRows(NamedTuple):
    """Bills as raw rows, in the order of the columns above."""

    bills: list[tuple[Any, ...]]
    lines: list[tuple[Any, ...]]
    charges: list[tuple[Any, ...]]


def insert_bills(database: Database, conn: Connection, rows: BillRows) -> None:
    """Add bills by the driver's array path. A bill that is there already violates its key."""
    database.bulk_insert(conn, bill, BILL_COLUMNS, rows.bills)
    database.bulk_insert(conn, bill_line, LINE_COLUMNS, rows.lines)
    database.bulk_insert(conn, bill_charge, CHARGE_COLUMNS, rows.charges)


def set_aside(conn: Connection, rows: Sequence[tuple[int, str, str, str, str, datetime]]) -> None:
    """Note accounts that could not be billed: (period, account, run, reason, remark, at). The newest reason holds."""
    for period, account_id, run_id, reason, remark, at in rows:
        values = {"run_id": run_id, "reason": reason, "remark": remark[:300], "set_at": at}
        same = (bill_aside.c.period == period) & (bill_aside.c.account_id == account_id)
        if conn.execute(bill_aside.update().where(same).values(**values)).rowcount == 0:
            conn.execute(insert(bill_aside).values(period=period, account_id=account_id, **values))


def forget_asides(conn: Connection, period: int, account_ids: Iterable[str]) -> None:
    """The accounts are billed after all."""
    for account_id in account_ids:
        conn.execute(bill_aside.delete().where(bill_aside.c.period == period, bill_aside.c.account_id == account_id))


def asides(conn: Connection, period: int, after_id: str | None, limit: int) -> Sequence[Row[Any]]:
    """Accounts set aside in a period with their numbers, by id."""
    named = bill_aside.outerjoin(billing_account, billing_account.c.account_id == bill_aside.c.account_id)
    query = select(bill_aside, billing_account.c.account_no).select_from(named).where(bill_aside.c.period == period)
    if after_id:
        query = query.where(bill_aside.c.account_id > after_id)
    return conn.execute(query.order_by(bill_aside.c.account_id).limit(limit)).all()


def is_aside(conn: Connection, period: int, account_id: str) -> str | None:
    """The run that set an account aside in a period, if one did."""
    query = select(bill_aside.c.run_id).where(bill_aside.c.period == period, bill_aside.c.account_id == account_id)
    return conn.execute(query).scalar_one_or_none()


def aside_ids(conn: Connection, period: int, account_ids: Sequence[str]) -> set[str]:
    """Those of the accounts that are set aside."""
    if not account_ids:
        return set()
    return set(
        conn.execute(
            select(bill_aside.c.account_id).where(
                bill_aside.c.period == period,
                bill_aside.c.account_id >= min(account_ids),
                bill_aside.c.account_id <= max(account_ids),
            )
        ).scalars()
    )


# ---- reading -------------------------------------------------------------------------------------------------------
def read_bill(conn: Connection, bill_id: str) -> Row[Any] | None:
    """A bill's head by id."""
    month = _month(bill_id)
    if month is None:
        return None
    return conn.execute(select(bill).where(bill.c.period == month, bill.c.bill_id == bill_id)).one_or_none()


def id_by_number(conn: Connection, bill_no: str) -> str | None:
    """A bill's id by its number, found through the account number in it."""
    period, _dash, rest = bill_no.partition("-")
    if not period.isdecimal() or not rest:
        return None
    account_id = account_store.account_id_of(conn, rest) or account_store.account_id_of(conn, rest.rpartition("-")[0])
    if account_id is None:
        return None
    return conn.execute(
        select(bill.c.bill_id).where(
            bill.c.account_id == account_id, bill.c.period == int(period), bill.c.bill_no == bill_no
        )
    ).scalar_one_or_none()


def lines_of(conn: Connection, bill_id: str) -> Sequence[Row[Any]]:
    """A bill's lines in order."""
    return conn.execute(
        select(bill_line)
        .where(bill_line.c.period == _month(bill_id), bill_line.c.bill_id == bill_id)
        .order_by(bill_line.c.line_no)
    ).all()


def read_line(conn: Connection, bill_id: str, line_no: int) -> Row[Any] | None:
    """One line."""
    return conn.execute(
        select(bill_line).where(
            bill_line.c.period == _month(bill_id),
            bill_line.c.bill_id == bill_id,
            bill_line.c.line_no == line_no,
        )
    ).one_or_none()


def charges_of_line(conn: Connection, bill_id: str, line_no: int) -> Sequence[Row[Any]]:
    """The recurring charges behind a line, in order."""
    return conn.execute(
        select(bill_charge)
        .where(
            bill_charge.c.period == _month(bill_id),
            bill_charge.c.bill_id == bill_id,
            bill_charge.c.line_no == line_no,
        )
        .order_by(bill_charge.c.charge_no)
    ).all()


def bills_of_account(
    conn: Connection, account_id: str, before: tuple[int, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """An account's bills, newest first, after the key (period, bill_id) where one is given."""
    query: Select[Any] = select(bill).where(bill.c.account_id == account_id)
    if before is not None:
        period, bill_id = before
        query = query.where((bill.c.period < period) | ((bill.c.period == period) & (bill.c.bill_id < bill_id)))
    return conn.execute(query.order_by(bill.c.period.desc(), bill.c.bill_id.desc()).limit(limit)).all()


def open_bills(conn: Connection, account_id: str) -> Sequence[Row[Any]]:
    """Bills of an account that are not settled, oldest first."""
    return conn.execute(
        select(bill)
        .where(bill.c.account_id == account_id, bill.c.state == "open")
        .order_by(bill.c.period, bill.c.bill_id)
    ).all()


def bills_in_month(conn: Connection, period: int, account_id: str) -> set[str]:
    """The ids of an account's bills of a month."""
    return set(
        conn.execute(select(bill.c.bill_id).where(bill.c.period == period, bill.c.account_id == account_id)).scalars()
    )


def totals_by_account(conn: Connection, period: int, first_id: str, last_id: str) -> dict[str, tuple[str, int]]:
    """Number and run total (fen) of the month's own bills whose ids lie in [first, last), by account."""
    rows = conn.execute(
        select(bill.c.account_id, bill.c.account_no, bill.c.total_fen).where(
            bill.c.period == period, bill.c.bill_id >= first_id, bill.c.bill_id < last_id, bill.c.origin == "run"
        )
    )
    return {row.account_id: (row.account_no, row.total_fen.amount_fen) for row in rows}


def _month(bill_id: str) -> int | None:
    try:
        return month_of_bill(bill_id).yyyymm
    except ValueError:
        return None
