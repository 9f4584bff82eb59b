"""Undoing a payment (冲正); after the day close as a red entry (红冲) of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from server_api.billing.account import store as account_store
from server_api.billing.account.service import keep_standing, lock_account
from server_api.billing.account.store import AccountState
from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.cashdesk.rules import REVERSAL
from server_api.billing.ledger.rules import LedgerName
from server_api.billing.ledger.service import reverse_postings
from server_api.billing.ledger.store import postings_of
from server_api.billing.payment import rules, store
from server_api.billing.payment.fapiao.service import require_red
from server_api.billing.payment.news import ArrearsReturned
from server_api.billing.payment.service.credit import take_back_returns
from server_api.billing.payment.service.record import Movement, keep_movement, paper_head
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import Standing
from shared_models.contracts.payment import PaymentReversed, ReversePayment
from shared_models.contracts.receipt import MethodLine, Receipt, ReceiptKind
from shared_models.values.clock import town_day
from shared_models.values.fapiao import RedReason
from shared_models.values.faults.cashdesk import TillCashTooLittle
from shared_models.values.faults.payment import (
    AdvanceAlreadySpent,
    PaymentAlreadyReversed,
    PaymentDayClosed,
    PaymentNotFound,
    PaymentNotReversible,
    PaymentOfAnother,
)
from shared_models.values.ids import derived_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import TAKES_MONEY, PaymentKind, PaymentState, PayMethod, TillState
from shared_models.values.period import Month
from shared_models.values.permissions import Permission
from shared_models.values.rmb import rmb_capitals

#: Above the mirrors of any payment's postings.
_AGAIN_FROM = 901


def reverse_payment(uow: UnitOfWork, *, payment_id: str, request: ReversePayment) -> PaymentReversed:
    """Undo a payment: the bills it paid are open again, its advance is taken back, the money goes out of the caller's
    own till. A payment of a closed day is undone the same way as a red entry of today, by those who may.

    Raises PaymentNotFound, PaymentNotReversible, PaymentAlreadyReversed, PaymentOfAnother, PaymentDayClosed,
    AdvanceAlreadySpent, TillCashTooLittle, CounterUnknown, TillNotOpen, AccountClosed.
    """
    seen = store.find_payment(uow.conn, payment_id, uow.context)
    if seen is None:
        raise PaymentNotFound()
    state = lock_account(uow, seen.account_id)
    paid = store.find_payment(uow.conn, payment_id, uow.context)
    if paid is None:
        raise PaymentNotFound()
    _check_may_reverse(uow, paid)
    till = cashdesk.lock_own_till(uow)
    method = PayMethod(paid.method)
    if method is PayMethod.CASH:
        cash = cashdesk.drawer_cash(uow, till)
        if cash < paid.amount_fen:
            raise TillCashTooLittle(cash=str(cash), amount=str(paid.amount_fen))
    reversal_id = derived_id(uow.act_id, "reversal")
    if not store.mark_reversed(uow.conn, payment_id, reversal_id):
        raise PaymentAlreadyReversed(receipt_no=paid.receipt_no)
    book_left = _undo_settling(uow, state, paid, reversal_id)
    _undo_postings(uow, paid, till, request.reason, reversal_id)
    cashdesk.book_entries(uow, till, [cashdesk.Entry(REVERSAL, method, -paid.amount_fen, reversal_id)])
    owing = rules.owing_of(store.open_bills(uow.conn, paid.account_id))
    standing = Standing(state.row.standing) if state.held else keep_standing(uow, state, owing=owing)
    if standing in (Standing.OVERDUE, Standing.RESTRICTED) and standing != state.row.standing:
        uow.announce(ArrearsReturned(paid.account_id, standing, payment_id))
    seq_no, receipt_no = cashdesk.take_receipt_no(uow)
    receipt = _receipt(uow, paid, reversal_id, receipt_no, request.reason, book_left, owing.owed)
    cashdesk.keep_receipt(
        uow,
        receipt,
        seq_no=seq_no,
        till_id=till.till_id,
        account_id=paid.account_id,
        payment_id=reversal_id,
    )
    keep_movement(uow, _movement(paid, till, reversal_id, receipt_no, request.reason))
    audit.note(uow, "payment.reversed", f"payment:{payment_id}", f"{paid.receipt_no} -> {receipt_no}")
    return PaymentReversed(
        payment_id=payment_id,
        reversal_id=reversal_id,
        receipt=receipt,
        standing=standing,
        refund_cash_fen=paid.amount_fen if method is PayMethod.CASH else ZERO_FEN,
    )


def _check_may_reverse(uow: UnitOfWork, paid: Row[Any]) -> None:
    if paid.kind != PaymentKind.PAYMENT:
        raise PaymentNotReversible()
    if paid.state != PaymentState.DONE:
        raise PaymentAlreadyReversed(receipt_no=paid.receipt_no)
    may_any = uow.context.may(Permission.PAYMENT_REVERSE_ANY)
    if paid.staff_id != uow.context.staff_id and not may_any:
        raise PaymentOfAnother(staff_no=paid.staff_no)
    if not is_of_open_day(paid, uow) and not may_any:
        raise PaymentDayClosed()


def is_of_open_day(paid: Row[Any], uow: UnitOfWork) -> bool:
    """True while the session that took the payment is not closed and the day is still the same."""
    return TillState(paid.till_state) in TAKES_MONEY and town_day(paid.paid_at) == uow.today


def _undo_settling(uow: UnitOfWork, state: AccountState, paid: Row[Any], reversal_id: str) -> Fen:
    """Take the payment's share out of the book and open the bills it paid; returns what the book holds then."""
    item = next(one for one in state.books if one.book.book_id == paid.book_id)
    settled = store.applied_of_payment(uow.conn, paid.payment_id)
    store.insert_applied(
        uow.conn,
        [
            {
                "period": row.period,
                "bill_id": row.bill_id,
                "bill_line_no": row.bill_line_no,
                "act_id": uow.act_id,
                "seq_no": seq_no,
                "account_id": paid.account_id,
                "book_id": row.book_id,
                "payment_id": reversal_id,
                "amount_fen": -row.amount_fen,
                "applied_on": uow.today,
            }
            for seq_no, row in enumerate(settled, 1)
        ],
    )
    bills = {(row.period, row.bill_id) for row in settled}
    again = take_back_returns(
        uow, account_id=paid.account_id, book_id=paid.book_id, bill_ids=bills, first_line=_AGAIN_FROM
    )
    needed = paid.advance_fen + Fen.total(again.values())
    if item.book.left < needed:
        raise AdvanceAlreadySpent(left=str(item.book.left), needed=str(needed))
    account_store.move_books(
        uow.conn,
        [
            (
                paid.book_id,
                item.in_sum - paid.amount_fen,
                item.out_sum - paid.applied_fen + Fen.total(again.values()),
            )
        ],
    )
    _reopen_bills(uow, settled, again)
    require_red(uow, account_id=paid.account_id, bills=bills, why="reversed", reason_code=RedReason.RETURNED)
    return item.book.left - needed


def _reopen_bills(uow: UnitOfWork, settled: Sequence[Row[Any]], again: Mapping[str, Fen]) -> None:
    back: dict[tuple[int, str], Fen] = {}
    for row in settled:
        key = (row.period, row.bill_id)
        back[key] = back.get(key, ZERO_FEN) + row.amount_fen
    heads = store.bill_heads(uow.conn, back)
    store.set_bills(
        uow.conn,
        [
            (period, bill_id, heads[bill_id].open_fen + amount - again.get(bill_id, ZERO_FEN), uow.now)
            for (period, bill_id), amount in back.items()
        ],
    )


def _undo_postings(uow: UnitOfWork, paid: Row[Any], till: Row[Any], reason: str, reversal_id: str) -> None:
    """Mirror what the payment posted; the cash goes out of today's drawer, never out of a closed one."""
    period = Month.of(town_day(paid.paid_at)).yyyymm
    booked = [item for item in postings_of(uow.conn, period, paid.act_id) if item.posting.ref_id == paid.payment_id]
    reverse_postings(
        uow,
        booked,
        reason=reason,
        ref_id=reversal_id,
        instead_of={LedgerName(LedgerCode.CASH, paid.till_id): LedgerName(LedgerCode.CASH, till.till_id)},
    )


def _receipt(
    uow: UnitOfWork, paid: Row[Any], reversal_id: str, receipt_no: str, reason: str, book_left: Fen, owed: Fen
) -> Receipt:
    """The first receipt with every amount below zero."""
    first = cashdesk.read_receipt(uow.conn, paid.receipt_no, uow.context, uow.database.secrets)
    total = -first.total_fen
    return first.model_copy(
        update={
            **paper_head(uow, receipt_no),
            "kind": ReceiptKind.REVERSAL,
            "lines": tuple(line.model_copy(update={"amount_fen": -line.amount_fen}) for line in first.lines),
            "methods": tuple(
                MethodLine(method=line.method, amount_fen=-line.amount_fen, trace_no=line.trace_no)
                for line in first.methods
            ),
            "total_fen": total,
            "total_capitals": rmb_capitals(total),
            "received_fen": ZERO_FEN,
            "change_fen": ZERO_FEN,
            "advance_fen": -first.advance_fen,
            "balance_after_fen": book_left,
            "owed_after_fen": owed,
            "payment_id": reversal_id,
            "reverses_receipt_no": paid.receipt_no,
            "note": reason,
        }
    )


def _movement(paid: Row[Any], till: Row[Any], reversal_id: str, receipt_no: str, reason: str) -> Movement:
    return Movement(
        reversal_id,
        PaymentKind.REVERSAL,
        paid.account_id,
        paid.book_id,
        till.till_id,
        PayMethod(paid.method),
        amount=-paid.amount_fen,
        applied=-paid.applied_fen,
        advance=-paid.advance_fen,
        receipt_no=receipt_no,
        reverses_id=paid.payment_id,
        trace_no=paid.trace_no or "",
        remark=reason,
    )
