"""The tills' SQL. Lists look no further than the caller's data scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, func, insert, or_, select, true, update

from server_api.billing.cashdesk.rules import EntrySum
from server_api.platform.dialects.prepared import Prepared
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.tables.billing.cashdesk import (
    deposit_slip,
    receipt,
    till_audit,
    till_count,
    till_entry,
    till_session,
)
from shared_models.values.money import Fen
from shared_models.values.money_states import PayMethod

_T, _E, _R = till_session.c, till_entry.c, receipt.c

_LIVE = Prepared(select(till_session).where(_T.counter_key == bindparam("b_counter_key")))
_BY_ID = Prepared(select(till_session).where(_T.till_id == bindparam("b_till_id")))
_INSERT_ENTRY = Prepared(insert(till_entry))
_INSERT_RECEIPT = Prepared(insert(receipt))
_SUMS = (
    select(_E.item, _E.method, func.count().label("pieces"), func.sum(_E.amount_fen).label("amount_fen"))
    .where(_E.till_id == bindparam("b_till_id"))
    .group_by(_E.item, _E.method)
    .order_by(_E.method, _E.item)
)


def within(table: Table, context: WorkContext) -> ColumnElement[bool]:
    """The rows of a table with hall_code and district_code that the caller may see."""
    if context.scope is DataScope.ALL:
        return true()
    if context.scope is DataScope.DISTRICT:
        return table.c.district_code == context.district_code
    return table.c.hall_code == context.hall_code


# ---- sessions -------------------------------------------------------------------------------------------------------
def lock_live(uow: UnitOfWork, counter_key: str) -> Any | None:
    """The live session of a counter, locked; None where there is none."""
    return uow.lock(_LIVE, till_session, {"b_counter_key": counter_key})


def lock_till(uow: UnitOfWork, till_id: str) -> Any | None:
    """A session, locked."""
    return uow.lock(_BY_ID, till_session, {"b_till_id": till_id})


def live_till(conn: Connection, counter_key: str) -> Any | None:
    """The live session of a counter."""
    return _LIVE.one_or_none(conn, {"b_counter_key": counter_key})


def occupying(conn: Connection, counter_key: str, staff_key: str) -> Any | None:
    """A live session of the counter or of the person."""
    return conn.execute(
        select(till_session).where(or_(_T.counter_key == counter_key, _T.staff_key == staff_key)).order_by(_T.till_id)
    ).first()


def read_till(conn: Connection, till_id: str) -> Any | None:
    """A session by id."""
    return _BY_ID.one_or_none(conn, {"b_till_id": till_id})


def undeposited_of(conn: Connection, staff_id: str) -> str | None:
    """The oldest closed session not deposited yet: a person's own, or one they closed for another."""
    return conn.execute(
        select(_T.till_id)
        .where(or_(_T.staff_id == staff_id, _T.closed_by == staff_id), _T.state == "closed")
        .order_by(_T.closed_at, _T.till_id)
        .limit(1)
    ).scalar_one_or_none()


def insert_till(conn: Connection, values: dict[str, Any]) -> None:
    """Begin a session."""
    conn.execute(insert(till_session).values(**values))


def change_till(conn: Connection, till_id: str, **values: Any) -> None:
    """Move a locked session on."""
    conn.execute(update(till_session).where(_T.till_id == till_id).values(**values))


def list_tills(
    conn: Connection,
    context: WorkContext,
    business_on: date | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[Any]:
    """Sessions in the caller's scope, newest first; keyset by (opened_at, id)."""
    query = select(till_session).where(within(till_session, context))
    if business_on is not None:
        query = query.where(_T.business_on == business_on)
    if after is not None:
        opened_at, till_id = after
        query = query.where(or_(_T.opened_at < opened_at, and_(_T.opened_at == opened_at, _T.till_id < till_id)))
    return conn.execute(query.order_by(_T.opened_at.desc(), _T.till_id.desc()).limit(limit)).all()


def in_scope(conn: Connection, till_id: str, context: WorkContext) -> bool:
    """True for a session the caller may see."""
    query = select(_T.till_id).where(_T.till_id == till_id, within(till_session, context))
    return conn.execute(query).first() is not None


def audits_of(conn: Connection, till_ids: Sequence[str]) -> dict[str, list[Any]]:
    """The levels sessions were audited to, the first first."""
    found: dict[str, list[Any]] = {}
    if till_ids:
        query = select(till_audit).where(till_audit.c.till_id.in_(till_ids))
        for row in conn.execute(query.order_by(till_audit.c.till_id, till_audit.c.level_no)):
            found.setdefault(row.till_id, []).append(row)
    return found


def insert_audit(conn: Connection, values: dict[str, Any]) -> None:
    """Keep a level of an audit."""
    conn.execute(insert(till_audit).values(**values))


# ---- entries and counts ---------------------------------------------------------------------------------------------
def insert_entries(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Add entries; every row has the same keys."""
    _INSERT_ENTRY.many(conn, rows)


def sums_of(conn: Connection, till_id: str) -> list[EntrySum]:
    """What came and went in a session, by method and reason."""
    return [
        EntrySum(row.item, PayMethod(row.method), row.pieces, row.amount_fen)
        for row in conn.execute(_SUMS, {"b_till_id": till_id})
    ]


def insert_counts(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Keep a count by denomination."""
    conn.execute(insert(till_count), rows)


def insert_slip(conn: Connection, values: dict[str, Any]) -> None:
    """Keep a deposit slip."""
    conn.execute(insert(deposit_slip).values(**values))


# ---- papers ---------------------------------------------------------------------------------------------------------
def insert_receipt(conn: Connection, values: dict[str, Any]) -> None:
    """Keep a paper as issued."""
    _INSERT_RECEIPT.run(conn, values)


def find_receipt(conn: Connection, receipt_no: str, context: WorkContext) -> Any | None:
    """A paper by number, within the caller's scope."""
    return conn.execute(select(receipt).where(_R.receipt_no == receipt_no, within(receipt, context))).one_or_none()


def lock_receipt(uow: UnitOfWork, receipt_no: str, context: WorkContext) -> Any | None:
    """A paper by number, within the caller's scope, locked so that two copies never carry one number."""
    return uow.lock(select(receipt).where(_R.receipt_no == receipt_no, within(receipt, context)), receipt)


def count_copy(conn: Connection, receipt_no: str, copy_count: int) -> None:
    """Store how many copies of a paper there are."""
    conn.execute(update(receipt).where(_R.receipt_no == receipt_no).values(copy_count=copy_count))


# ---- for check-books ------------------------------------------------------------------------------------------------
def cash_by_till(conn: Connection) -> dict[str, Fen]:
    """The sum of the cash entries of every session."""
    query = select(_E.till_id, func.sum(_E.amount_fen)).where(_E.method == PayMethod.CASH.value).group_by(_E.till_id)
    return dict(conn.execute(query).all())


def all_tills(conn: Connection) -> Sequence[Any]:
    """Every session."""
    return conn.execute(select(till_session).order_by(_T.till_id)).all()


def receipt_spans(conn: Connection) -> Sequence[Any]:
    """Per counter: how many papers there are, and the first and last number."""
    return conn.execute(
        select(
            _R.hall_code,
            _R.counter_no,
            func.count().label("papers"),
            func.min(_R.seq_no).label("first_no"),
            func.max(_R.seq_no).label("last_no"),
        )
        .group_by(_R.hall_code, _R.counter_no)
        .order_by(_R.hall_code, _R.counter_no)
    ).all()
