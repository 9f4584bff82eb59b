"""The reads behind the income report: lines of bills and what was taken off them, by what accounting asks for."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, select

from shared_models.tables.billing.bill import bill, bill_line, bill_run
from shared_models.tables.billing.charges import bill_adjustment

#: The columns of a line an income row is told apart by, in the order rows are returned.
KEYS = ("service", "region", "offering_code", "item_code", "tax_per_mille")


def billed_periods(conn: Connection, from_on: date, until_on: date) -> list[int]:
    """The months that may have bills issued between two days: by their run, or later, of accounts it had set aside."""
    late = (bill_run.c.late_bill_on >= from_on) & (bill_run.c.issued_on < until_on)
    issued = select(bill_run.c.period).where(
        ((bill_run.c.issued_on >= from_on) & (bill_run.c.issued_on < until_on)) | late
    )
    return sorted(set(conn.execute(issued).scalars()))


def line_sums(conn: Connection, period: int, from_on: date, until_on: date) -> list[Row[Any]]:
    """Lines of a month's own bills issued between two days: ``KEYS``, then count, gross, net and tax."""
    keys = [bill_line.c[name] for name in KEYS]
    query = (
        select(
            *keys,
            func.count().label("count"),
            func.sum(bill_line.c.amount_fen).label("gross"),
            func.sum(bill_line.c.net_fen).label("net"),
            func.sum(bill_line.c.tax_fen).label("tax"),
        )
        .join(bill, (bill.c.period == bill_line.c.period) & (bill.c.bill_id == bill_line.c.bill_id))
        .where(
            bill_line.c.period == period,
            bill.c.origin == "run",
            bill.c.issued_on >= from_on,
            bill.c.issued_on < until_on,
        )
        .group_by(*keys)
    )
    return list(conn.execute(query))


def adjustment_sums(conn: Connection, from_on: date, until_on: date) -> list[Row[Any]]:
    """What was taken off lines of issued bills between two days: ``KEYS``, then count, gross, net and tax."""
    keys = [bill_line.c[name] for name in KEYS[:-1]]
    same_line = (
        (bill_line.c.period == bill_adjustment.c.period)
        & (bill_line.c.bill_id == bill_adjustment.c.bill_id)
        & (bill_line.c.line_no == bill_adjustment.c.line_no)
    )
    query = (
        select(
            *keys,
            bill_adjustment.c.tax_per_mille,
            func.count().label("count"),
            func.sum(bill_adjustment.c.amount_fen).label("gross"),
            func.sum(bill_adjustment.c.net_fen).label("net"),
            func.sum(bill_adjustment.c.tax_fen).label("tax"),
        )
        .select_from(bill_adjustment.join(bill_line, same_line))
        .where(bill_adjustment.c.booked_on >= from_on, bill_adjustment.c.booked_on < until_on)
        .group_by(*keys, bill_adjustment.c.tax_per_mille)
    )
    return list(conn.execute(query))
