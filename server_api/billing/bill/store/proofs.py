"""The reads behind the invariants: sums held against sums, month by month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from shared_models.tables.billing.bill import bill, bill_charge, bill_line
from shared_models.tables.billing.rating import rated_usage

_PARTITION = 2000


def periods(conn: Connection) -> Sequence[int]:
    """The months that have bills."""
    return list(conn.execute(select(bill.c.period).distinct().order_by(bill.c.period)).scalars())


def bills_with_line_sums(conn: Connection, period: int) -> Iterator[Any]:
    """Each bill with what it says and what its lines sum to."""
    sums = (
        select(
            bill_line.c.bill_id,
            func.count().label("lines"),
            func.sum(bill_line.c.amount_fen).label("amount"),
            func.sum(bill_line.c.net_fen).label("net"),
            func.sum(bill_line.c.tax_fen).label("tax"),
            func.sum(bill_line.c.netted_fen).label("netted"),
        )
        .where(bill_line.c.period == period)
        .group_by(bill_line.c.bill_id)
        .subquery()
    )
    query = (
        select(
            bill.c.bill_id,
            bill.c.line_count,
            bill.c.total_fen,
            bill.c.net_fen,
            bill.c.tax_fen,
            bill.c.open_fen,
            bill.c.state,
            sums.c.lines,
            sums.c.amount,
            sums.c.net,
            sums.c.tax,
            sums.c.netted,
        )
        .select_from(bill.outerjoin(sums, sums.c.bill_id == bill.c.bill_id))
        .where(bill.c.period == period)
        .order_by(bill.c.bill_id)
    )
    for partition in conn.execute(query).partitions(_PARTITION):
        yield from partition


def lines(conn: Connection, period: int) -> Iterator[Any]:
    """Each line with the account of its bill."""
    query = (
        select(
            bill_line.c.bill_id,
            bill_line.c.line_no,
            bill_line.c.kind,
            bill_line.c.product_id,
            bill_line.c.item_code,
            bill_line.c.part_count,
            bill_line.c.charge_micro_yuan,
            bill_line.c.amount_fen,
            bill_line.c.tax_per_mille,
            bill_line.c.net_fen,
            bill_line.c.tax_fen,
            bill.c.account_id,
        )
        .join(bill, (bill.c.period == bill_line.c.period) & (bill.c.bill_id == bill_line.c.bill_id))
        .where(bill_line.c.period == period)
        .order_by(bill_line.c.bill_id, bill_line.c.line_no)
    )
    for partition in conn.execute(query).partitions(_PARTITION):
        yield from partition


def charge_sums(conn: Connection, period: int) -> dict[tuple[str, int], tuple[int, int]]:
    """Micro-yuan and count of the recurring charges behind each line."""
    query = (
        select(
            bill_charge.c.bill_id,
            bill_charge.c.line_no,
            func.sum(bill_charge.c.amount_micro_yuan).label("amount"),
            func.count().label("parts"),
        )
        .where(bill_charge.c.period == period)
        .group_by(bill_charge.c.bill_id, bill_charge.c.line_no)
    )
    return {(row.bill_id, row.line_no): (plain(row.amount), int(row.parts)) for row in conn.execute(query)}


def usage_sums(conn: Connection, period: int) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Micro-yuan and count of the rated usage behind each (account, product, item)."""
    query = (
        select(
            rated_usage.c.account_id,
            rated_usage.c.product_id,
            rated_usage.c.item_code,
            func.sum(rated_usage.c.charge_micro_yuan).label("amount"),
            func.count().label("parts"),
        )
        .where(rated_usage.c.period == period)
        .group_by(rated_usage.c.account_id, rated_usage.c.product_id, rated_usage.c.item_code)
    )
    return {(row[0], row[1], row[2]): (plain(row.amount), int(row.parts)) for row in conn.execute(query)}


def plain(value: Any) -> int:
    """A sum as a bare number, whatever the engine and column type made of it."""
    if value is None:
        return 0
    for name in ("amount_fen", "amount_micro_yuan"):
        if hasattr(value, name):
            return int(getattr(value, name))
    return int(value)
