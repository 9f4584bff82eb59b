"""What earlier months were billed as, for accounts of which something is heard late. Read account by account: few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from server_api.billing.bill.rules.inputs import BilledCharge, UsageInput
from server_api.billing.rating import service as rating
from shared_models.tables.billing.bill import bill, bill_charge, bill_line
from shared_models.values.bill_ids import bill_id_of
from shared_models.values.period import Month

_C, _L = bill_charge.c, bill_line.c


def billed_charges(conn: Connection, account_id: str, months: Sequence[int]) -> tuple[BilledCharge, ...]:
    """What an account was billed for recurring charges of these months, on any of its bills since."""
    own = bill_id_of(Month(200001), account_id)[6:30]
    latest = conn.execute(select(func.max(bill.c.period)).where(bill.c.account_id == account_id)).scalar_one_or_none()
    found: list[BilledCharge] = []
    period = Month(min(months))
    while latest is not None and period.yyyymm <= latest:
        query = (
            select(
                _C.product_id,
                _C.offering_code,
                _C.price_code,
                _L.item_code,
                _C.charge_month,
                func.sum(_C.amount_micro_yuan).label("amount"),
            )
            .join(bill_line, (_L.period == _C.period) & (_L.bill_id == _C.bill_id) & (_L.line_no == _C.line_no))
            .where(
                _C.period == period.yyyymm,
                _C.bill_id >= f"{period.yyyymm}{own}00",
                _C.bill_id <= f"{period.yyyymm}{own}ff",
                _C.charge_month.in_(list(months)),
            )
            .group_by(_C.product_id, _C.offering_code, _C.price_code, _L.item_code, _C.charge_month)
        )
        found += [
            BilledCharge(row[0], row[1], row[2], row[3], row[4], _micro_sum(row.amount)) for row in conn.execute(query)
        ]
        period = period.next()
    return tuple(found)


def _micro_sum(value: Any) -> int:
    return int(value.amount_micro_yuan) if hasattr(value, "amount_micro_yuan") else int(value)


def used_input(each: rating.ChargeSum, for_month: int) -> UsageInput:
    """A sum of rated usage as the calculator takes it."""
    charge = each.charge.amount_micro_yuan
    return UsageInput(each.product_id, each.item_code, charge, each.call_count, each.quantity, for_month)


def late_usage(conn: Connection, month: Month, account_id: str, months: Sequence[int]) -> tuple[UsageInput, ...]:
    """The usage of frozen months as rated now: what it was billed as, and every difference since."""
    found: list[UsageInput] = []
    period = Month(min(months))
    while period <= month:
        for each in rating.charges_for(conn, period.yyyymm, account_id, account_id + "0"):
            of_month = for_month_of(each) or period.yyyymm
            if of_month in months:
                found.append(used_input(each, of_month))
        period = period.next()
    return tuple(found)


def for_month_of(each: rating.ChargeSum) -> int:
    """The frozen month a sum is a difference of; 0 for the month's own usage."""
    return int(getattr(each, "for_month", 0))
