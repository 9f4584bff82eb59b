"""One-off charges of the open month, and adjustments of issued bills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from shared_models.tables.billing.charges import account_charge, bill_adjustment

_C, _A = account_charge.c, bill_adjustment.c

_CHARGES = (
    select(
        _C.account_id,
        _C.charge_id,
        _C.product_id,
        _C.item_code,
        _C.kind,
        _C.amount_micro_yuan,
        _C.from_on,
        _C.until_on,
        _C.reason,
        _C.about_bill_id,
        _C.about_line_no,
    )
    .where(
        _C.period == bindparam("b_period"), _C.account_id >= bindparam("b_from"), _C.account_id < bindparam("b_until")
    )
    .order_by(_C.account_id, _C.charge_id)
)


def charges_between(conn: Connection, period: int, from_id: str, until_id: str) -> Sequence[Any]:
    """The one-off charges of a month for a half-open range of accounts, by account and id. One statement."""
    return conn.execute(_CHARGES, {"b_period": period, "b_from": from_id, "b_until": until_id}).all()


def insert_charges(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add one-off charges; every row has the same keys."""
    conn.execute(insert(account_charge), list(rows))
