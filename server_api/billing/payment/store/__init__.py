"""The payments' SQL. Statements on the way of a payment are built once; there are as few of them as can be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from server_api.billing.account.store import chunks
from server_api.billing.bill.store.adjust import adjusted_by_line
from server_api.billing.cashdesk.store import within
from server_api.billing.payment.rules import OpenBill, OpenLine
from server_api.platform.dialects.prepared import Prepared
from shared_models.contracts.work import WorkContext
from shared_models.tables.billing.account import billing_account, payer
from shared_models.tables.billing.bill import bill, bill_line
from shared_models.tables.billing.cashdesk import till_session
from shared_models.tables.billing.payment import applied_payment, payment, payment_intent
from shared_models.values.money import ZERO_FEN, Fen

_B, _L, _P, _A, _I = bill.c, bill_line.c, payment.c, applied_payment.c, payment_intent.c

_OPEN_COLUMNS = (
    _B.account_id,
    _B.period,
    _B.bill_id,
    _B.bill_no,
    _B.issued_on,
    _B.due_on,
    _B.total_fen,
    _B.open_fen,
    _L.line_no,
    _L.product_id,
    _L.item_group,
    _L.item_code,
    _L.service,
    _L.label,
    _L.shown_as,
    _L.amount_fen,
    _L.netted_fen,
)
_OPEN_FROM = bill.join(bill_line, and_(_L.period == _B.period, _L.bill_id == _B.bill_id))
_OPEN_BILLS = Prepared(
    select(*_OPEN_COLUMNS)
    .select_from(_OPEN_FROM)
    .where(_B.account_id == bindparam("b_account_id"), _B.state == "open")
    .order_by(_B.period, _B.bill_id, _L.line_no)
)
_APPLIED_OF_BILL = Prepared(
    select(_A.bill_line_no, func.sum(_A.amount_fen).label("paid_fen"))
    .where(_A.period == bindparam("b_period"), _A.bill_id == bindparam("b_bill_id"))
    .group_by(_A.bill_line_no)
)
_SET_BILL = Prepared(
    update(bill)
    .where(_B.period == bindparam("b_period"), _B.bill_id == bindparam("b_bill_id"))
    .values(open_fen=bindparam("b_open"), state=bindparam("b_state"), settled_at=bindparam("b_settled"))
)
_INSERT_PAYMENT = Prepared(insert(payment))
_INSERT_APPLIED = Prepared(insert(applied_payment))


# ---- open bills -----------------------------------------------------------------------------------------------------
def open_bills(conn: Connection, account_id: str) -> list[OpenBill]:
    """An account's open bills, oldest first, each line with what is left to pay of it."""
    return _bills_of(conn, _OPEN_BILLS.all(conn, {"b_account_id": account_id}))


def open_bills_of(conn: Connection, account_ids: Sequence[str]) -> dict[str, list[OpenBill]]:
    """The open bills of many accounts, by account."""
    grouped: dict[str, list[Any]] = {}
    for chunk in chunks(sorted(set(account_ids))):
        query = (
            select(*_OPEN_COLUMNS)
            .select_from(_OPEN_FROM)
            .where(_B.account_id.in_(chunk), _B.state == "open")
            .order_by(_B.period, _B.bill_id, _L.line_no)
        )
        for row in conn.execute(query):
            grouped.setdefault(row.account_id, []).append(row)
    return {account_id: _bills_of(conn, rows) for account_id, rows in grouped.items()}


def _bills_of(conn: Connection, rows: Sequence[Any]) -> list[OpenBill]:
    heads: dict[str, Any] = {}
    lines: dict[str, list[Any]] = {}
    for row in rows:
        heads.setdefault(row.bill_id, row)
        lines.setdefault(row.bill_id, []).append(row)
    return [_bill_of(conn, head, lines[bill_id]) for bill_id, head in heads.items()]


def _bill_of(conn: Connection, head: Any, rows: Sequence[Any]) -> OpenBill:
    paid: dict[int, Fen] = {}
    taken: dict[int, Fen] = {}
    if head.open_fen != head.total_fen:
        found = _APPLIED_OF_BILL.all(conn, {"b_period": head.period, "b_bill_id": head.bill_id})
        paid = {row.bill_line_no: row.paid_fen for row in found}
        taken = adjusted_by_line(conn, head.period, head.bill_id)
    return OpenBill(
        head.period,
        head.bill_id,
        head.bill_no,
        head.issued_on,
        head.due_on,
        head.total_fen,
        head.open_fen,
        tuple(
            OpenLine(
                row.period,
                row.bill_id,
                row.line_no,
                row.product_id or "",
                row.item_group,
                row.item_code,
                row.service,
                row.label,
                row.shown_as or "",
                row.amount_fen,
                row.amount_fen - row.netted_fen - taken.get(row.line_no, ZERO_FEN) - paid.get(row.line_no, ZERO_FEN),
            )
            for row in rows
        ),
    )


def set_bills(conn: Connection, changes: Iterable[tuple[int, str, Fen, datetime]]) -> None:
    """Store what is open of bills whose account is locked: (period, bill_id, open, now); nothing open is settled."""
    rows = [
        {
            "b_period": period,
            "b_bill_id": bill_id,
            "b_open": left,
            "b_state": "open" if left else "settled",
            "b_settled": None if left else now,
        }
        for period, bill_id, left, now in changes
    ]
    if rows:
        _SET_BILL.many(conn, rows)


def bill_heads(conn: Connection, keys: Iterable[tuple[int, str]]) -> dict[str, Any]:
    """The heads of bills by id, whatever their state."""
    found: dict[str, Any] = {}
    for period, bill_id in sorted(set(keys)):
        query = select(_B.period, _B.bill_id, _B.bill_no, _B.due_on, _B.total_fen, _B.open_fen, _B.state)
        row = conn.execute(query.where(_B.period == period, _B.bill_id == bill_id)).one_or_none()
        if row is not None:
            found[bill_id] = row
    return found


# ---- payments -------------------------------------------------------------------------------------------------------
def insert_payment(conn: Connection, values: dict[str, Any]) -> None:
    """Keep a payment, reversal or refund."""
    _INSERT_PAYMENT.run(conn, values)


def insert_applied(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Keep what settled what; every row has the same keys."""
    if rows:
        _INSERT_APPLIED.many(conn, rows)


def applied_of_payment(conn: Connection, payment_id: str) -> Sequence[Any]:
    """What a payment settled, line by line."""
    query = (
        select(_A.period, _A.bill_id, _A.bill_line_no, _A.seq_no, _A.book_id, _A.amount_fen)
        .where(_A.payment_id == payment_id)
        .order_by(_A.period, _A.bill_id, _A.bill_line_no, _A.act_id, _A.seq_no)
    )
    return conn.execute(query).all()


def paid_of_line(conn: Connection, period: int, bill_id: str, line_no: int) -> Sequence[Any]:
    """What each book has paid of one line."""
    query = (
        select(_A.book_id, func.sum(_A.amount_fen).label("amount_fen"))
        .where(_A.period == period, _A.bill_id == bill_id, _A.bill_line_no == line_no)
        .group_by(_A.book_id)
        .order_by(_A.book_id)
    )
    return conn.execute(query).all()


def overdrawn_lines(conn: Connection, period: int, bill_id: str, book_id: str) -> Sequence[Any]:
    """Lines of a bill for which a book was given back more than it has paid."""
    paid = func.sum(_A.amount_fen)
    query = (
        select(_A.bill_line_no, paid.label("amount_fen"))
        .where(_A.period == period, _A.bill_id == bill_id, _A.book_id == book_id)
        .group_by(_A.bill_line_no)
        .having(paid < ZERO_FEN)
        .order_by(_A.bill_line_no)
    )
    return conn.execute(query).all()


def find_payment(conn: Connection, payment_id: str, context: WorkContext) -> Any | None:
    """A payment within the caller's scope, with the state of its till."""
    query = (
        select(payment, till_session.c.state.label("till_state"))
        .join_from(payment, till_session, till_session.c.till_id == _P.till_id)
        .where(_P.payment_id == payment_id, within(payment, context))
    )
    return conn.execute(query).one_or_none()


def mark_reversed(conn: Connection, payment_id: str, reversal_id: str) -> bool:
    """Turn a done payment into a reversed one; False where somebody did so before."""
    statement = (
        update(payment)
        .where(_P.payment_id == payment_id, _P.state == "done")
        .values(state="reversed", reversed_by_id=reversal_id)
    )
    return conn.execute(statement).rowcount == 1


def list_payments(
    conn: Connection,
    context: WorkContext,
    *,
    account_id: str,
    receipt_no: str,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[Any]:
    """Payments in the caller's scope, newest first; keyset by (paid_at, id)."""
    query = (
        select(payment, billing_account.c.account_no, payer.c.sealed_name, till_session.c.state.label("till_state"))
        .select_from(
            payment.join(billing_account, billing_account.c.account_id == _P.account_id)
            .join(till_session, till_session.c.till_id == _P.till_id)
            .outerjoin(payer, payer.c.customer_id == billing_account.c.customer_id)
        )
        .where(within(payment, context))
    )
    if account_id:
        query = query.where(_P.account_id == account_id)
    if receipt_no:
        query = query.where(_P.receipt_no == receipt_no)
    if after is not None:
        paid_at, payment_id = after
        query = query.where(or_(_P.paid_at < paid_at, and_(_P.paid_at == paid_at, _P.payment_id < payment_id)))
    return conn.execute(query.order_by(_P.paid_at.desc(), _P.payment_id.desc()).limit(limit)).all()


# ---- intents --------------------------------------------------------------------------------------------------------
def insert_intent(conn: Connection, values: dict[str, Any]) -> None:
    """Keep what is about to be asked of a device."""
    conn.execute(insert(payment_intent).values(**values))


def find_intent(conn: Connection, intent_id: str, context: WorkContext) -> Any | None:
    """An intent within the caller's scope."""
    return conn.execute(
        select(payment_intent).where(_I.intent_id == intent_id, within(payment_intent, context))
    ).one_or_none()


def move_intent(conn: Connection, intent_id: str, from_states: Sequence[str], **values: Any) -> bool:
    """Move an intent on, where it is in one of these states; False where it is not."""
    statement = (
        update(payment_intent).where(_I.intent_id == intent_id, _I.state.in_(list(from_states))).values(**values)
    )
    return conn.execute(statement).rowcount == 1


def open_intents(conn: Connection, context: WorkContext, limit: int) -> Sequence[Any]:
    """Intents whose outcome is not known or not booked, oldest first."""
    return conn.execute(
        select(payment_intent)
        .where(_I.state.in_(["intended", "unknown", "confirmed"]), within(payment_intent, context))
        .order_by(_I.intended_at, _I.intent_id)
        .limit(limit)
    ).all()


# ---- for check-books ------------------------------------------------------------------------------------------------
def all_payments(conn: Connection) -> Sequence[Any]:
    """Every payment with its amounts."""
    return conn.execute(
        select(_P.payment_id, _P.amount_fen, _P.applied_fen, _P.advance_fen).order_by(_P.payment_id)
    ).all()


def applied_by_payment(conn: Connection) -> dict[str, Fen]:
    """What every payment settled."""
    query = select(_A.payment_id, func.sum(_A.amount_fen)).where(_A.payment_id.is_not(None)).group_by(_A.payment_id)
    return dict(conn.execute(query).all())


def applied_by_bill(conn: Connection) -> dict[str, Fen]:
    """What settled every bill."""
    query = select(_A.bill_id, func.sum(_A.amount_fen)).group_by(_A.bill_id)
    return dict(conn.execute(query).all())


def applied_by_line(conn: Connection, bill_ids: Iterable[str]) -> dict[tuple[str, int], Fen]:
    """What settled each line of some bills."""
    found: dict[tuple[str, int], Fen] = {}
    for chunk in chunks(sorted(bill_ids)):
        query = (
            select(_A.bill_id, _A.bill_line_no, func.sum(_A.amount_fen).label("amount_fen"))
            .where(_A.bill_id.in_(chunk))
            .group_by(_A.bill_id, _A.bill_line_no)
        )
        found.update({(row.bill_id, row.bill_line_no): row.amount_fen for row in conn.execute(query)})
    return found


def all_bills(conn: Connection) -> Sequence[Any]:
    """Every bill with what is open of it."""
    return conn.execute(
        select(_B.bill_id, _B.account_id, _B.total_fen, _B.open_fen, _B.state, _B.due_on).order_by(
            _B.period, _B.bill_id
        )
    ).all()


def all_standings(conn: Connection) -> Sequence[Any]:
    """Every account with how it was last said to stand."""
    columns = billing_account.c
    return conn.execute(
        select(columns.account_id, columns.standing, columns.owed_since_on, columns.restricted).order_by(
            columns.account_id
        )
    ).all()
