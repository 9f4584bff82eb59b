"""Paying advance back in cash (退费), within the person's limits or with the approval of a second person."""

from __future__ import annotations

from functools import lru_cache

import resources
from server_api.billing.account import store as account_store
from server_api.billing.account.giving import allow_giving
from server_api.billing.account.rules import advance_book_id
from server_api.billing.account.service import lock_account
from server_api.billing.account.store import AccountState
from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.cashdesk.rules import REFUND
from server_api.billing.ledger.rules import LedgerName, Posting
from server_api.billing.ledger.service import post
from server_api.billing.payment import rules, store
from server_api.billing.payment.service.record import Movement, keep_movement, paper_head
from server_api.billing.rating.credit import service as credit
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.payment import AdvanceRefunded, RefundAdvance
from shared_models.contracts.receipt import MethodLine, Receipt, ReceiptKind, ReceiptLine
from shared_models.values.faults.cashdesk import TillCashTooLittle
from shared_models.values.faults.payment import AdvanceTooLittle
from shared_models.values.giving import Giving
from shared_models.values.ids import derived_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import PaymentKind, PayMethod
from shared_models.values.rmb import rmb_capitals

_REFUND = "refund"


def refund_advance(uow: UnitOfWork, *, request: RefundAdvance) -> AdvanceRefunded:
    """Pay advance back out of the caller's drawer. Grants and deposits are not paid back here.

    Raises AdvanceTooLittle, LimitReached, TillCashTooLittle, AccountNotFound, AccountClosed, CounterUnknown,
    TillNotOpen, and what is wrong with an approval.
    """
    amount = request.amount_fen
    state = lock_account(uow, request.account_id)
    book_id = advance_book_id(request.account_id)
    item = next(one for one in state.books if one.book.book_id == book_id)
    left = min(item.book.left, credit.free_to_leave(uow.conn, state, uow.today))
    if left < amount:
        raise AdvanceTooLittle(left=str(left), amount=str(amount))
    till = cashdesk.lock_own_till(uow)
    cash = cashdesk.drawer_cash(uow, till)
    if cash < amount:
        raise TillCashTooLittle(cash=str(cash), amount=str(amount))
    allowed = allow_giving(uow, Giving.REFUND, account_id=request.account_id, amount=amount)
    refund_id = derived_id(uow.act_id, _REFUND)
    account_store.move_books(uow.conn, [(book_id, item.in_sum, item.out_sum + amount)])
    drawer, book = LedgerName(LedgerCode.CASH, till.till_id), LedgerName(LedgerCode.ADVANCE, book_id)
    post(uow, [Posting(drawer, book, amount, refund_id)])
    cashdesk.book_entries(uow, till, [cashdesk.Entry(REFUND, PayMethod.CASH, -amount, refund_id)])
    balance = item.book.left - amount
    owed = rules.owing_of(store.open_bills(uow.conn, request.account_id)).owed
    seq_no, receipt_no = cashdesk.take_receipt_no(uow)
    receipt = _receipt(uow, request, state, refund_id, receipt_no, balance, owed)
    cashdesk.keep_receipt(
        uow, receipt, seq_no=seq_no, till_id=till.till_id, account_id=request.account_id, payment_id=refund_id
    )
    movement = Movement(
        refund_id,
        PaymentKind.REFUND,
        request.account_id,
        book_id,
        till.till_id,
        PayMethod.CASH,
        amount=-amount,
        applied=ZERO_FEN,
        advance=-amount,
        receipt_no=receipt_no,
        remark=request.reason,
    )
    keep_movement(uow, movement)
    audit.note(uow, "payment.refunded", f"account:{request.account_id}", receipt_no)
    return AdvanceRefunded(
        refund_id=refund_id, receipt=receipt, balance_after_fen=balance, limit_warning=allowed.warning
    )


def _receipt(
    uow: UnitOfWork,
    request: RefundAdvance,
    state: AccountState,
    refund_id: str,
    receipt_no: str,
    balance: Fen,
    owed: Fen,
) -> Receipt:
    row, amount = state.row, request.amount_fen
    return Receipt(
        **paper_head(uow, receipt_no),
        kind=ReceiptKind.REFUND,
        customer_no=row.customer_no or "",
        customer_name=uow.database.secrets.unseal(row.sealed_name),
        account_no=row.account_no,
        lines=(ReceiptLine(label=_label(), amount_fen=-amount),),
        total_fen=-amount,
        total_capitals=rmb_capitals(-amount),
        methods=(MethodLine(method=PayMethod.CASH.value, amount_fen=-amount),),
        advance_fen=-amount,
        balance_after_fen=balance,
        owed_after_fen=owed,
        payment_id=refund_id,
        note=request.reason,
    )


@lru_cache(maxsize=1)
def _label() -> str:
    return resources.text("payment.refund_label", "zh_CN")
