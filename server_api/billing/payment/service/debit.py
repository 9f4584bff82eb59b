"""Booking what a bank paid by contract (托收): payments without a drawer, a session of their own for each file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server_api.billing.account import store as account_store
from server_api.billing.account.service import keep_standing, lock_account
from server_api.billing.account.store import AccountState
from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.cashdesk.rules import PAYMENT
from server_api.billing.ledger.rules import LedgerName
from server_api.billing.ledger.service import post
from server_api.billing.payment import store
from server_api.billing.payment.service.record import Movement, keep_movement
from server_api.billing.payment.service.take import (
    Plan,
    announce_standing,
    plan_payment,
    plan_postings,
    settle_plan,
)
from server_api.platform.numbering import take_numbers
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import Standing
from shared_models.contracts.payment import TakePayment
from shared_models.values.ids import derived_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import Fen
from shared_models.values.money_states import PaymentKind, PayMethod

#: The counter of the numbers such payments get in place of a receipt's.
NUMBERS = "bank_debit"
_BANK = LedgerName(LedgerCode.BANK, PayMethod.BANK_DEBIT.value)


@dataclass(frozen=True, slots=True)
class DebitPaid:
    """One line of the bank's answer: so much was taken for this account. ``bill_ids`` are those the file asked for."""

    account_id: str
    amount: Fen
    trace_no: str
    bill_ids: tuple[str, ...] = ()


def book_bank_debit(uow: UnitOfWork, *, items: Sequence[DebitPaid], file_no: str) -> tuple[str, ...]:
    """Book what a bank paid; returns the payments' ids in the order of the items. One account comes once per act.

    Bills the file asked for are paid first, the rest stays as advance; held accounts settle when the run lets go. The
    same file and trace number always give the same payment id, so a line booked twice violates its key.

    Raises AccountNotFound, AccountClosed, ValueError (an account twice).
    """
    if len({item.account_id for item in items}) != len(items):
        raise ValueError("an account comes once per act")
    if not items:
        return ()
    states = {account_id: lock_account(uow, account_id) for account_id in sorted(item.account_id for item in items)}
    session_id = cashdesk.bank_session(uow, file_no)
    first_no = take_numbers(uow, NUMBERS, len(items))
    made: list[str] = []
    line_no = 1
    for number, item in enumerate(items, first_no):
        state = states[item.account_id]
        plan = _plan(uow, state, item)
        payment_id = derived_id("bank_debit", file_no, item.trace_no)
        settle_plan(uow, plan, payment_id)
        postings = plan_postings(plan, _BANK, item.amount, payment_id)
        post(uow, postings, first_line=line_no)
        line_no += len(postings)
        _stand(uow, plan, payment_id)
        keep_movement(uow, _movement(item, plan, payment_id, session_id, f"TS-{number:010d}"))
        made.append(payment_id)
    entries = [
        cashdesk.Entry(PAYMENT, PayMethod.BANK_DEBIT, item.amount, payment_id)
        for item, payment_id in zip(items, made, strict=True)
    ]
    cashdesk.write_entries(uow, session_id, entries)
    return tuple(made)


def _plan(uow: UnitOfWork, state: AccountState, item: DebitPaid) -> Plan:
    still_open = {bill.bill_id for bill in store.open_bills(uow.conn, item.account_id)} if item.bill_ids else set()
    request = TakePayment(
        account_id=item.account_id,
        amount_fen=item.amount,
        method=PayMethod.BANK_DEBIT,
        bill_ids=tuple(bill_id for bill_id in item.bill_ids if bill_id in still_open),
    )
    return plan_payment(uow.conn, state, request, uow.today)


def _stand(uow: UnitOfWork, plan: Plan, payment_id: str) -> None:
    account_id = plan.state.row.account_id
    if plan.state.held:
        account_store.want_settling(uow.conn, account_id)
        return
    before = Standing(plan.state.row.standing)
    standing = keep_standing(uow, plan.state, owing=plan.allocation.owing_after)
    announce_standing(uow, account_id=account_id, before=before, now=standing, payment_id=payment_id)


def _movement(item: DebitPaid, plan: Plan, payment_id: str, session_id: str, number: str) -> Movement:
    return Movement(
        payment_id,
        PaymentKind.PAYMENT,
        item.account_id,
        plan.book_id,
        session_id,
        PayMethod.BANK_DEBIT,
        amount=item.amount,
        applied=plan.allocation.new_applied,
        advance=plan.allocation.new_left,
        receipt_no=number,
        trace_no=item.trace_no,
        counter_no="bank",
    )
