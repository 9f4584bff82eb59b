"""What a month was billed, summed up for comparing the next one with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from shared_models.tables.billing.bill import bill_line

_IN_LIST = 900
_L = bill_line.c


def item_sums(conn: Connection, period: int) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Lines and fen of a month's own bills by service, region and item; lines of old systems' bills are left out."""
    query = (
        select(
            _L.service, _L.region, _L.item_code, func.count().label("lines"), func.sum(_L.amount_fen).label("amount")
        )
        .where(_L.period == period, _L.kind != "imported")
        .group_by(_L.service, _L.region, _L.item_code)
    )
    return {(row[0], row[1] or "", row[2]): (int(row[3]), row[4].amount_fen) for row in conn.execute(query)}


def lines_of_bills(conn: Connection, period: int, bill_ids: Sequence[str]) -> dict[str, list[Any]]:
    """Product, item and amount of the lines of some bills of a month."""
    found: dict[str, list[Any]] = {}
    for start in range(0, len(bill_ids), _IN_LIST):
        query = select(_L.bill_id, _L.product_id, _L.item_code, _L.amount_fen).where(
            _L.period == period, _L.bill_id.in_(bill_ids[start : start + _IN_LIST])
        )
        for row in conn.execute(query):
            found.setdefault(row.bill_id, []).append(row)
    return found
