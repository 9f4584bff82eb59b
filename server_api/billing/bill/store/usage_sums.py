"""Rated usage summed per line, read by account range."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from shared_models.tables.billing.rating import rated_usage

_U = rated_usage.c
_SUMS = (
    select(
        _U.account_id,
        _U.product_id,
        _U.item_code,
        func.sum(_U.charge_micro_yuan),
        func.count(),
        func.sum(_U.quantity),
    )
    .where(
        _U.period == bindparam("b_period"), _U.account_id >= bindparam("b_from"), _U.account_id < bindparam("b_until")
    )
    .group_by(_U.account_id, _U.product_id, _U.item_code)
    .order_by(_U.account_id, _U.product_id, _U.item_code)
)


class UsageSum(NamedTuple):
    """One item of one product: what its calls cost, how many, how much was measured."""

    account_id: str
    product_id: str
    item_code: str
    charge_micro_yuan: int
    call_count: int
    quantity: int


def usage_sums(conn: Connection, period: int, from_id: str, until_id: str) -> list[UsageSum]:
    """The usage of a half-open range of accounts in a period, one row per (account, product, item)."""
    rows = conn.execute(_SUMS, {"b_period": period, "b_from": from_id, "b_until": until_id})
    return [UsageSum(row[0], row[1], row[2], int(row[3]), int(row[4]), int(row[5])) for row in rows]
