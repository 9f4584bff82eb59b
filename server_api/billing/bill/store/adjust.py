"""One-off charges of the open month, and adjustments of issued bills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select

from server_api.billing.bill.store.cycles import BillingDays, shut_from
from server_api.platform.dialects.prepared import Prepared
from shared_models.tables.billing.bill import bill, bill_line
from shared_models.tables.billing.charges import account_charge, bill_adjustment
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.period import Month, closing_day

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

_ADJUSTED = Prepared(
    select(_A.line_no, func.sum(_A.amount_fen).label("amount_fen"))
    .where(_A.period == bindparam("b_period"), _A.bill_id == bindparam("b_bill_id"))
    .group_by(_A.line_no)
)


def charges_between(conn: Connection, period: int, from_id: str, until_id: str) -> Sequence[Any]:
    """The one-off charges of a month for a half-open range of accounts, by account and id. One statement."""
    return conn.execute(_CHARGES, {"b_period": period, "b_from": from_id, "b_until": until_id}).all()


def insert_charges(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add one-off charges; every row has the same keys."""
    conn.execute(insert(account_charge), list(rows))


def find_charge(conn: Connection, account_id: str, charge_id: str) -> Any | None:
    """A one-off charge of an account by id."""
    return conn.execute(
        select(account_charge).where(_C.account_id == account_id, _C.charge_id == charge_id)
    ).one_or_none()


def undone(conn: Connection, period: int, account_id: str, charge_id: str) -> bool:
    """True where the charge was taken back."""
    query = select(_C.charge_id).where(_C.period == period, _C.account_id == account_id, _C.undoes_id == charge_id)
    return conn.execute(query).first() is not None


def charges_of(conn: Connection, account_id: str, from_period: int) -> Sequence[Any]:
    """An account's one-off charges from a month on, oldest first."""
    query = select(account_charge).where(_C.account_id == account_id, _C.period >= from_period)
    return conn.execute(query.order_by(_C.period, _C.booked_at, _C.charge_id)).all()


def waived_of_bill(conn: Connection, account_id: str, bill_id: str, period: int) -> int:
    """Micro-yuan of late fee waived for a bill in a month that is not billed yet (not below zero)."""
    query = select(func.sum(_C.amount_micro_yuan)).where(
        _C.account_id == account_id, _C.period == period, _C.about_bill_id == bill_id, _C.kind == "late_fee_waived"
    )
    total = conn.execute(query).scalar_one()
    return 0 if total is None else -int(total.amount_micro_yuan)


def open_month(conn: Connection, month: Month, days: BillingDays = ()) -> Month:
    """The first month from this one on whose cycle charges may still enter, for an account with these billing days."""
    shut = shut_from(conn, month.yyyymm)
    while (month.yyyymm, closing_day(month.yyyymm, days)) in shut:
        month = month.next()
    return month


# ---- issued lines ---------------------------------------------------------------------------------------------------
def line_to_adjust(conn: Connection, period: int, bill_id: str, line_no: int) -> Any | None:
    """A line of an issued bill with the head it stands under."""
    query = (
        select(
            bill.c.account_id,
            bill.c.bill_no,
            bill.c.state.label("bill_state"),
            bill.c.total_fen,
            bill.c.open_fen,
            bill_line,
        )
        .select_from(
            bill.join(bill_line, (bill_line.c.period == bill.c.period) & (bill_line.c.bill_id == bill.c.bill_id))
        )
        .where(bill_line.c.period == period, bill_line.c.bill_id == bill_id, bill_line.c.line_no == line_no)
    )
    return conn.execute(query).one_or_none()


def adjusted_by_line(conn: Connection, period: int, bill_id: str) -> dict[int, Fen]:
    """What was taken off the lines of a bill."""
    rows = _ADJUSTED.all(conn, {"b_period": period, "b_bill_id": bill_id})
    return {row.line_no: row.amount_fen for row in rows}


def adjusted_of_line(conn: Connection, period: int, bill_id: str, line_no: int) -> tuple[Fen, Fen]:
    """What was taken off one line, and the tax within it."""
    query = select(func.sum(_A.amount_fen).label("amount_fen"), func.sum(_A.tax_fen).label("tax_fen")).where(
        _A.period == period, _A.bill_id == bill_id, _A.line_no == line_no
    )
    row = conn.execute(query).one()
    return row.amount_fen or ZERO_FEN, row.tax_fen or ZERO_FEN


def insert_adjustment(conn: Connection, values: dict[str, Any]) -> None:
    """Keep what was taken off a line."""
    conn.execute(insert(bill_adjustment).values(**values))


def adjustments_of(conn: Connection, bill_id: str) -> Sequence[Any]:
    """What was taken off a bill, in the order it was booked."""
    query = select(bill_adjustment).where(_A.period == int(bill_id[:6]), _A.bill_id == bill_id)
    return conn.execute(query.order_by(_A.booked_at, _A.adjustment_id)).all()


# ---- for check-books ------------------------------------------------------------------------------------------------
def adjusted_lines(conn: Connection) -> Sequence[Any]:
    """Every adjusted line with what it was, what was taken off, and the tax of both."""
    return conn.execute(
        select(
            _A.bill_id,
            _A.line_no,
            func.sum(_A.amount_fen).label("taken_fen"),
            func.sum(_A.net_fen).label("taken_net"),
            func.sum(_A.tax_fen).label("taken_tax"),
            func.max(bill_line.c.amount_fen).label("amount_fen"),
            func.max(bill_line.c.netted_fen).label("netted_fen"),
            func.max(bill_line.c.tax_fen).label("tax_fen"),
        )
        .select_from(
            bill_adjustment.outerjoin(
                bill_line,
                (bill_line.c.period == _A.period)
                & (bill_line.c.bill_id == _A.bill_id)
                & (bill_line.c.line_no == _A.line_no),
            )
        )
        .group_by(_A.bill_id, _A.line_no)
        .order_by(_A.bill_id, _A.line_no)
    ).all()


def adjusted_by_bill(conn: Connection) -> dict[str, Fen]:
    """What was taken off every bill."""
    return dict(conn.execute(select(_A.bill_id, func.sum(_A.amount_fen)).group_by(_A.bill_id)).all())


def returned_by_line(conn: Connection) -> dict[tuple[str, int], Fen]:
    """What adjustments gave back of each line."""
    query = select(_A.bill_id, _A.line_no, func.sum(_A.returned_fen).label("returned_fen"))
    rows = conn.execute(query.group_by(_A.bill_id, _A.line_no))
    return {(row.bill_id, row.line_no): row.returned_fen for row in rows}
