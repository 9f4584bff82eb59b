"""The bills of a month with where they go, in key order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from shared_models.tables.billing.account import payer
from shared_models.tables.billing.bill import bill

_B, _P = bill.c, payer.c


def bills_to_send(conn: Connection, period: int, after_id: str | None, limit: int) -> Sequence[Any]:
    """Bills a month run froze, after an id, each with its payer's contact as it is today (sealed)."""
    query = (
        select(
            _B.bill_id, _B.bill_no, _B.account_no, _B.due_on, _B.total_fen, _B.open_fen, _B.sealed_name,
            _B.sealed_address, _P.sealed_contact,
        )
        .select_from(bill.outerjoin(payer, _P.customer_id == _B.customer_id))
        .where(_B.period == period, _B.origin == "run")
        .order_by(_B.bill_id)
        .limit(limit)
    )  # fmt: skip
    return conn.execute(query if after_id is None else query.where(_B.bill_id > after_id)).all()
