"""Looking: what an account owes, and what was paid."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from server_api.billing.account import store as account_store
from server_api.billing.account.store import AccountState
from server_api.billing.payment import store
from server_api.billing.payment.rules import ANYTHING, OpenBill
from server_api.platform.secrets import Secrets
from shared_models.contracts.account import AccountOwed, OwedBill, OwedLine
from shared_models.contracts.events import Standing
from shared_models.contracts.payment import PaymentRow
from shared_models.contracts.work import WorkContext
from shared_models.values.clock import Clock, town_day
from shared_models.values.faults.account import AccountNotFound
from shared_models.values.money import Fen
from shared_models.values.money_states import (
    SPENDABLE,
    TAKES_MONEY,
    PaymentKind,
    PaymentState,
    PaymentType,
    PayMethod,
    TillState,
)
from shared_models.values.period import Month
from shared_models.values.permissions import Permission


def account_owed(conn: Connection, clock: Clock, account_id: str) -> AccountOwed:
    """Everything one account owes, oldest bill first, line by line. Raises AccountNotFound."""
    state = account_store.read(conn, account_id)
    if state is None:
        raise AccountNotFound(account_id=account_id)
    return _owed(state, store.open_bills(conn, account_id), clock)


def owed_of_customer(conn: Connection, clock: Clock, customer_id: str) -> list[AccountOwed]:
    """Everything a customer's accounts owe, by account number."""
    ids = account_store.accounts_of_customer(conn, customer_id)
    states = account_store.states_of(conn, ids)
    bills = store.open_bills_of(conn, ids)
    return [_owed(states[account_id], bills.get(account_id, []), clock) for account_id in ids if account_id in states]


def list_payments(
    conn: Connection,
    context: WorkContext,
    clock: Clock,
    secrets: Secrets,
    *,
    account_id: str = "",
    receipt_no: str = "",
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[PaymentRow]:
    """Payments, reversals and refunds in the caller's data scope, newest first."""
    rows = store.list_payments(conn, context, account_id=account_id, receipt_no=receipt_no, after=after, limit=limit)
    return [_payment(row, context, clock, secrets) for row in rows]


def recent_payments(
    conn: Connection,
    context: WorkContext,
    clock: Clock,
    secrets: Secrets,
    *,
    account_id: str,
    limit: int = 10,
) -> list[PaymentRow]:
    """An account's last payments, newest first."""
    return list_payments(conn, context, clock, secrets, account_id=account_id, limit=limit)


def _owed(state: AccountState, bills: list[OpenBill], clock: Clock) -> AccountOwed:
    now = clock.now()
    today = town_day(now)
    row = state.row
    usable = [item.book for item in state.books if item.book.book_type in SPENDABLE and item.book.usable_on(today)]
    return AccountOwed(
        account_id=row.account_id,
        account_no=row.account_no,
        customer_id=row.customer_id,
        payment_type=PaymentType(row.payment_type),
        standing=Standing(row.standing),
        owed_fen=Fen.total(bill.left for bill in bills),
        balance_fen=Fen.total(book.left for book in usable if book.item_group == ANYTHING),
        earmarked_fen=Fen.total(book.left for book in usable if book.item_group != ANYTHING),
        bills=tuple(
            OwedBill(
                bill_id=bill.bill_id,
                bill_no=bill.bill_no,
                yyyymm=bill.period,
                issued_on=bill.issued_on,
                due_on=bill.due_on,
                total_fen=bill.total,
                paid_fen=bill.total - bill.left,
                owed_fen=bill.left,
                overdue=bill.due_on < today,
                lines=tuple(
                    OwedLine(
                        line_no=line.line_no,
                        label=line.label,
                        detail=f"{line.shown_as} {Month(line.period)}".strip(),
                        service=line.service,
                        product_id=line.product_id,
                        item_code=line.item_code,
                        amount_fen=line.amount,
                        open_fen=line.payable,
                    )
                    for line in bill.lines
                ),
            )
            for bill in bills
        ),
        as_of=now,
    )


def _payment(row: Row[Any], context: WorkContext, clock: Clock, secrets: Secrets) -> PaymentRow:
    open_day = TillState(row.till_state) in TAKES_MONEY and town_day(row.paid_at) == town_day(clock.now())
    own = row.staff_id == context.staff_id and context.may(Permission.PAYMENT_REVERSE_OWN) and open_day
    done = row.kind == PaymentKind.PAYMENT and row.state == PaymentState.DONE
    return PaymentRow(
        payment_id=row.payment_id,
        kind=PaymentKind(row.kind),
        receipt_no=row.receipt_no,
        paid_at=row.paid_at,
        amount_fen=row.amount_fen,
        method=PayMethod(row.method),
        state=PaymentState(row.state),
        staff_no=row.staff_no,
        counter_no=row.counter_no,
        account_id=row.account_id,
        account_no=row.account_no,
        customer_name=secrets.unseal(row.sealed_name),
        reversible=done and (own or context.may(Permission.PAYMENT_REVERSE_ANY)),
    )
