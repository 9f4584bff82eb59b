"""Deposits (押金): each in a book of its own; returned in cash or into the balance, or forfeited, also in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

import resources
from server_api.billing.account import store as account_store
from server_api.billing.account.giving import Allowed, allow_giving
from server_api.billing.account.rules import advance_book_id
from server_api.billing.account.service import lock_account
from server_api.billing.account.store import AccountState
from server_api.billing.bill.policy import billing_policy
from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.cashdesk.rules import DEPOSIT_IN, DEPOSIT_OUT
from server_api.billing.ledger.policy import money_policy
from server_api.billing.ledger.rules import LedgerName, Posting
from server_api.billing.ledger.service import post
from server_api.billing.payment.rails import RAILS
from server_api.billing.payment.service.intents import use_intent
from server_api.billing.payment.service.paper import account_paper
from server_api.billing.payment.service.record import Movement, keep_movement, paper_head
from server_api.billing.payment.service.settle import settle_accounts
from server_api.billing.payment.store import moves as store
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.deposit import DepositMoved, DepositView, ForfeitDeposit, ReturnDeposit, TakeDeposit
from shared_models.contracts.receipt import MethodLine, Receipt, ReceiptKind, ReceiptLine
from shared_models.values.faults.cashdesk import TillCashTooLittle
from shared_models.values.faults.deposit import DepositNotFound, DepositTooLittle
from shared_models.values.faults.payment import PaymentTooLarge
from shared_models.values.giving import Giving
from shared_models.values.ids import derived_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen, split_tax
from shared_models.values.money_states import BookType, DepositState, PaymentKind, PayMethod
from shared_models.values.rmb import rmb_capitals

#: The item forfeited deposits are income of.
FORFEITED_ITEM = "deposit.forfeited"


def take_deposit(uow: UnitOfWork, *, request: TakeDeposit) -> DepositMoved:
    """Take a deposit and hand over its receipt. The money goes into a book of its own that pays no bill.

    Raises PaymentTooLarge, ReceivedTooLittle, ReceivedTooMuch, RailNotAvailable, IntentNotConfirmed, IntentMismatch,
    AccountNotFound, AccountClosed, CounterUnknown, TillNotOpen.
    """
    policy, amount = money_policy(), request.amount_fen
    if amount > policy.largest_payment:
        raise PaymentTooLarge(amount=str(amount), most=str(policy.largest_payment))
    rail = RAILS.of(request.method)
    change = rail.change_for(amount, request.received_fen, policy.largest_change)
    state = lock_account(uow, request.account_id)
    till = cashdesk.lock_own_till(uow)
    deposit_id = derived_id(uow.act_id, "deposit")
    book_id = derived_id(deposit_id, "book")
    trace_no = use_intent(uow, request) if rail.needs_intent else ""
    money_at = LedgerName(
        rail.ledger_code, till.till_id if rail.ledger_code is LedgerCode.CASH else request.method.value
    )
    store.insert_book(uow.conn, _book_row(uow, request.account_id, book_id, amount))
    post(uow, [Posting(LedgerName(LedgerCode.ADVANCE, book_id), money_at, amount, deposit_id)])
    cashdesk.book_entries(uow, till, [cashdesk.Entry(DEPOSIT_IN, request.method, amount, deposit_id)])
    seq_no, receipt_no = cashdesk.take_receipt_no(uow)
    line = ReceiptLine(label=request.purpose, amount_fen=amount)
    receipt = _receipt(uow, state, ReceiptKind.DEPOSIT, receipt_no, line, request.method, trace_no, request.note)
    receipt = receipt.model_copy(
        update={"received_fen": request.received_fen, "change_fen": change, "payment_id": deposit_id}
    )
    cashdesk.keep_receipt(
        uow, receipt, seq_no=seq_no, till_id=till.till_id, account_id=request.account_id, payment_id=deposit_id
    )
    keep_movement(
        uow,
        Movement(
            deposit_id,
            PaymentKind.DEPOSIT,
            request.account_id,
            book_id,
            till.till_id,
            request.method,
            amount=amount,
            applied=ZERO_FEN,
            advance=amount,
            receipt_no=receipt_no,
            received=request.received_fen,
            change=change,
            trace_no=trace_no,
            remark=request.note,
        ),
    )
    store.insert_deposit(uow.conn, _deposit_row(uow, request, deposit_id, book_id, receipt_no))
    return DepositMoved(deposit=_view_of(uow.conn, deposit_id), receipt=receipt, change_fen=change)


def return_deposit(uow: UnitOfWork, *, deposit_id: str, request: ReturnDeposit) -> DepositMoved:
    """Give back what is held of a deposit, or a part: in cash, or as balance that pays what is owed at once.

    Raises DepositNotFound, DepositTooLittle, TillCashTooLittle, LimitReached and what is wrong with an approval,
    CounterUnknown, TillNotOpen, AccountClosed.
    """
    taken = _begin(uow, deposit_id, request.amount_fen)
    if request.to == "balance":
        return _into_balance(uow, taken, request)
    till = cashdesk.lock_own_till(uow)
    cash = cashdesk.drawer_cash(uow, till)
    amount = request.amount_fen
    if cash < amount:
        raise TillCashTooLittle(cash=str(cash), amount=str(amount))
    allowed = allow_giving(uow, Giving.DEPOSIT, account_id=taken.row.account_id, amount=amount)
    back_id = derived_id(uow.act_id, "deposit_back")
    drawer = LedgerName(LedgerCode.CASH, till.till_id)
    post(uow, [Posting(drawer, LedgerName(LedgerCode.ADVANCE, taken.row.book_id), amount, back_id)])
    cashdesk.book_entries(uow, till, [cashdesk.Entry(DEPOSIT_OUT, PayMethod.CASH, -amount, back_id)])
    seq_no, receipt_no = cashdesk.take_receipt_no(uow)
    label = resources.text("deposit.back_label", "zh_CN", purpose=taken.row.purpose)
    line = ReceiptLine(label=label, detail=taken.row.receipt_no, amount_fen=-amount)
    receipt = _receipt(
        uow, taken.state, ReceiptKind.DEPOSIT_BACK, receipt_no, line, PayMethod.CASH, "", request.reason
    ).model_copy(update={"payment_id": back_id})
    cashdesk.keep_receipt(
        uow, receipt, seq_no=seq_no, till_id=till.till_id, account_id=taken.row.account_id, payment_id=back_id
    )
    keep_movement(
        uow,
        Movement(
            back_id,
            PaymentKind.DEPOSIT_BACK,
            taken.row.account_id,
            taken.row.book_id,
            till.till_id,
            PayMethod.CASH,
            amount=-amount,
            applied=ZERO_FEN,
            advance=-amount,
            receipt_no=receipt_no,
            remark=request.reason,
        ),
    )
    return _end(uow, taken, "returned", request.amount_fen, request.reason, allowed, receipt)


def forfeit_deposit(uow: UnitOfWork, *, deposit_id: str, request: ForfeitDeposit) -> DepositMoved:
    """Keep a deposit, or a part, as income with its VAT. Counts against the caller's limits as a return does.

    Raises DepositNotFound, DepositTooLittle, LimitReached and what is wrong with an approval, AccountClosed.
    """
    taken = _begin(uow, deposit_id, request.amount_fen)
    cashdesk.lock_live_till(uow)
    allowed = allow_giving(uow, Giving.DEPOSIT, account_id=taken.row.account_id, amount=request.amount_fen)
    item = billing_policy().bill.items[FORFEITED_ITEM]
    net, tax = split_tax(request.amount_fen, item.tax_per_mille)
    book = LedgerName(LedgerCode.ADVANCE, taken.row.book_id)
    parts = (
        (LedgerName(LedgerCode.REVENUE, FORFEITED_ITEM), net),
        (LedgerName(LedgerCode.VAT, str(item.tax_per_mille)), tax),
    )
    post(uow, [Posting(source, book, amount, deposit_id) for source, amount in parts if amount])
    return _end(uow, taken, "forfeited", request.amount_fen, request.reason, allowed, None)


def deposits_of(conn: Connection, account_id: str) -> list[DepositView]:
    """The deposits of an account, oldest first."""
    return [_view(row) for row in store.deposits_of(conn, account_id)]


@dataclass(frozen=True, slots=True)
class _Taken:
    """A deposit on its locked account."""

    row: Row[Any]
    state: AccountState

    @property
    def held(self) -> Fen:
        held: Fen = self.row.amount_fen - self.row.returned_fen - self.row.forfeited_fen
        return held


def _begin(uow: UnitOfWork, deposit_id: str, amount: Fen) -> _Taken:
    seen = store.find_deposit(uow.conn, deposit_id)
    if seen is None:
        raise DepositNotFound()
    state = lock_account(uow, seen.account_id)
    row = store.find_deposit(uow.conn, deposit_id)
    if row is None:
        raise DepositNotFound()
    taken = _Taken(row, state)
    if taken.held < amount:
        raise DepositTooLittle(held=str(taken.held), amount=str(amount))
    return taken


def _into_balance(uow: UnitOfWork, taken: _Taken, request: ReturnDeposit) -> DepositMoved:
    """Nothing leaves the house, so no limit is used: the deposit becomes advance and settles what is open."""
    cashdesk.lock_live_till(uow)
    own = advance_book_id(taken.row.account_id)
    item = next(one for one in taken.state.books if one.book.book_id == own)
    account_store.move_books(uow.conn, [(own, item.in_sum + request.amount_fen, item.out_sum)])
    books = LedgerName(LedgerCode.ADVANCE, own), LedgerName(LedgerCode.ADVANCE, taken.row.book_id)
    post(uow, [Posting(*books, request.amount_fen, taken.row.deposit_id)])
    label = resources.text("deposit.balance_label", "zh_CN", purpose=taken.row.purpose)
    receipt = account_paper(
        uow,
        taken.state,
        kind=ReceiptKind.TRANSFER,
        lines=(ReceiptLine(label=label, detail=taken.row.receipt_no, amount_fen=request.amount_fen),),
        method="account",
        note=request.reason,
    )
    moved = _end(uow, taken, "to_balance", request.amount_fen, request.reason, Allowed(False), receipt)
    if taken.state.held:
        account_store.want_settling(uow.conn, taken.row.account_id)
    else:
        settle_accounts(uow, [taken.row.account_id])
    return moved


def _end(
    uow: UnitOfWork, taken: _Taken, kind: str, amount: Fen, reason: str, allowed: Allowed, receipt: Receipt | None
) -> DepositMoved:
    row = taken.row
    item = next(one for one in taken.state.books if one.book.book_id == row.book_id)
    account_store.move_books(uow.conn, [(row.book_id, item.in_sum, item.out_sum + amount)])
    forfeited = row.forfeited_fen + (amount if kind == "forfeited" else ZERO_FEN)
    returned = row.returned_fen + (ZERO_FEN if kind == "forfeited" else amount)
    over = taken.held == amount
    state = DepositState.HELD
    if over:
        state = (
            DepositState.RETURNED
            if not forfeited
            else DepositState.PARTLY_FORFEITED
            if returned
            else DepositState.FORFEITED
        )
    store.change_deposit(
        uow.conn,
        row.deposit_id,
        state=state.value,
        returned_fen=returned,
        forfeited_fen=forfeited,
        ended_at=uow.now if over else None,
    )
    store.insert_move(
        uow.conn,
        {
            "deposit_id": row.deposit_id,
            "act_id": uow.act_id,
            "kind": kind,
            "amount_fen": amount,
            "reason": reason,
            "approval_id": allowed.approval_id,
            "receipt_no": receipt.receipt_no if receipt else "",
            "staff_id": uow.context.staff_id,
            "moved_on": uow.today,
        },
    )
    audit.note(uow, f"deposit.{kind}", f"account:{row.account_id}", f"{row.receipt_no} {amount}")
    return DepositMoved(deposit=_view_of(uow.conn, row.deposit_id), receipt=receipt, limit_warning=allowed.warning)


def _book_row(uow: UnitOfWork, account_id: str, book_id: str, amount: Fen) -> dict[str, Any]:
    return {
        "book_id": book_id,
        "account_id": account_id,
        "book_type": BookType.DEPOSIT.value,
        "item_group": "*",
        "spend_order": 900,
        "from_on": uow.today,
        "in_fen": amount,
        "out_fen": ZERO_FEN,
        "opened_at": uow.now,
    }


def _deposit_row(
    uow: UnitOfWork, request: TakeDeposit, deposit_id: str, book_id: str, receipt_no: str
) -> dict[str, Any]:
    return {
        "deposit_id": deposit_id,
        "account_id": request.account_id,
        "book_id": book_id,
        "product_id": request.product_id,
        "purpose": request.purpose,
        "state": DepositState.HELD.value,
        "amount_fen": request.amount_fen,
        "returned_fen": ZERO_FEN,
        "forfeited_fen": ZERO_FEN,
        "receipt_no": receipt_no,
        "hall_code": uow.context.hall_code,
        "district_code": uow.context.district_code,
        "staff_id": uow.context.staff_id,
        "taken_at": uow.now,
        "act_id": uow.act_id,
    }


def _receipt(
    uow: UnitOfWork,
    state: AccountState,
    kind: ReceiptKind,
    receipt_no: str,
    line: ReceiptLine,
    method: PayMethod,
    trace_no: str,
    note: str,
) -> Receipt:
    total = line.amount_fen
    return Receipt(
        **paper_head(uow, receipt_no),
        kind=kind,
        customer_no=state.row.customer_no or "",
        customer_name=uow.database.secrets.unseal(state.row.sealed_name),
        account_no=state.row.account_no,
        lines=(line,),
        total_fen=total,
        total_capitals=rmb_capitals(total),
        methods=(MethodLine(method=method.value, amount_fen=total, trace_no=trace_no),),
        note=note,
    )


def _view_of(conn: Connection, deposit_id: str) -> DepositView:
    row = store.find_deposit(conn, deposit_id)
    if row is None:
        raise DepositNotFound()
    return _view(row)


def _view(row: Row[Any]) -> DepositView:
    return DepositView(
        deposit_id=row.deposit_id,
        account_id=row.account_id,
        purpose=row.purpose,
        product_id=row.product_id or "",
        state=DepositState(row.state),
        amount_fen=row.amount_fen,
        returned_fen=row.returned_fen,
        forfeited_fen=row.forfeited_fen,
        held_fen=row.amount_fen - row.returned_fen - row.forfeited_fen,
        receipt_no=row.receipt_no,
        taken_at=row.taken_at,
        ended_at=row.ended_at,
    )
