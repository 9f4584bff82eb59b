"""Taking a payment: account, allocation, payment, postings, till entry, receipt; one transaction.

This is the hot path of the counter: every statement here costs each payment of the day, so there are as few as the
books need and none is built at run time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row

import resources
from server_api.billing.account import store as account_store
from server_api.billing.account.rules import Book, advance_book_id
from server_api.billing.account.service import keep_standing, lock_account
from server_api.billing.account.store import AccountState
from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.cashdesk.rules import PAYMENT
from server_api.billing.ledger.policy import money_policy
from server_api.billing.ledger.rules import LedgerName, Posting
from server_api.billing.ledger.service import post
from server_api.billing.payment import rules, store
from server_api.billing.payment.news import ArrearsCleared
from server_api.billing.payment.rails import RAILS
from server_api.billing.payment.rules import ANYTHING, Allocation, NewMoney, OpenBill, Order, Portion, Wish
from server_api.billing.payment.service.intents import use_intent
from server_api.billing.payment.service.record import Movement, keep_movement, paper_head
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import Standing
from shared_models.contracts.payment import AppliedTo, PaymentPreview, PaymentTaken, TakePayment
from shared_models.contracts.receipt import MethodLine, Receipt, ReceiptKind, ReceiptLine
from shared_models.contracts.work import WorkContext
from shared_models.values.clock import Clock, town_day
from shared_models.values.faults.account import AccountClosed, AccountNotFound
from shared_models.values.faults.payment import PaymentTooLarge
from shared_models.values.ids import derived_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import SPENDABLE, PaymentKind
from shared_models.values.period import Month
from shared_models.values.rmb import rmb_capitals


@dataclass(frozen=True, slots=True)
class Plan:
    """What a payment will do, calculated from what the account is now."""

    state: AccountState
    bills: Sequence[OpenBill]
    allocation: Allocation
    book_id: str


def take_payment(uow: UnitOfWork, *, request: TakePayment) -> PaymentTaken:
    """Take money for an account and hand over the receipt. What the bills do not need is kept as advance; while a bill
    run holds the account all of it is, and settles when the run lets go.

    Raises PaymentTooLarge, ReceivedTooLittle, ReceivedTooMuch, RailNotAvailable, IntentNotConfirmed, IntentMismatch,
    AccountNotFound, AccountClosed, BillNotOpen, CounterUnknown, TillNotOpen.
    """
    change = _checked_change(request, uow.context)
    rail = RAILS.of(request.method)
    state = lock_account(uow, request.account_id)
    plan = plan_payment(uow.conn, state, request, uow.today)
    till = cashdesk.lock_own_till(uow)
    payment_id = derived_id(uow.act_id, "payment")
    trace_no = use_intent(uow, request) if rail.needs_intent else ""
    money_at = LedgerName(
        rail.ledger_code, till.till_id if rail.ledger_code is LedgerCode.CASH else request.method.value
    )
    settle_plan(uow, plan, payment_id)
    post(uow, plan_postings(plan, money_at, request.amount_fen, payment_id))
    cashdesk.book_entries(uow, till, [cashdesk.Entry(PAYMENT, request.method, request.amount_fen, payment_id)])
    before = Standing(state.row.standing)
    if state.held:
        account_store.want_settling(uow.conn, request.account_id)
        standing = before
    else:
        standing = keep_standing(uow, state, owing=plan.allocation.owing_after)
        announce_standing(
            uow, account_id=request.account_id, before=before, now=standing, payment_id=payment_id
        )
    seq_no, receipt_no = cashdesk.take_receipt_no(uow)
    receipt = _receipt(uow, request, plan, change, payment_id, receipt_no, trace_no)
    cashdesk.keep_receipt(
        uow,
        receipt,
        seq_no=seq_no,
        till_id=till.till_id,
        account_id=request.account_id,
        payment_id=payment_id,
    )
    keep_movement(uow, _movement(request, plan, change, till, payment_id, receipt_no, trace_no))
    return PaymentTaken(
        payment_id=payment_id,
        receipt=receipt,
        applied=_applied_to(plan.allocation.portions),
        advance_fen=plan.allocation.new_left,
        change_fen=change,
        balance_after_fen=balance_after(plan),
        owed_after_fen=plan.allocation.owing_after.owed,
        standing=standing,
        settled_later=state.held,
    )


def preview_payment(conn: Connection, context: WorkContext, clock: Clock, *, request: TakePayment) -> PaymentPreview:
    """What a payment would do, by the same calculation; nothing is stored and nothing locked.

    Raises what take_payment raises, but for the till and intents.
    """
    change = _checked_change(request, context)
    state = account_store.read(conn, request.account_id)
    if state is None:
        raise AccountNotFound(account_id=request.account_id)
    if state.row.closed_at is not None:
        raise AccountClosed(account_no=state.row.account_no)
    plan = plan_payment(conn, state, request, town_day(clock.now()))
    return PaymentPreview(
        applied=_applied_to(plan.allocation.portions),
        advance_fen=plan.allocation.new_left,
        owed_after_fen=plan.allocation.owing_after.owed,
        balance_after_fen=balance_after(plan),
        change_fen=change,
        explanation=_explanation(plan),
    )


def order_of_policy() -> Order:
    """The order of settling this hall has set."""
    policy = money_policy()
    return Order(policy.line_order, policy.book_order)


def balance_after(plan: Plan) -> Fen:
    """What the account can spend on anything after the payment."""
    spent = plan.allocation.spent_by_book
    total_fen = plan.allocation.new_applied.amount_fen + plan.allocation.new_left.amount_fen
    for item in plan.state.books:
        book = item.book
        if book.item_group == ANYTHING and book.book_type in SPENDABLE:
            total_fen += book.left.amount_fen - spent.get(book.book_id, ZERO_FEN).amount_fen
    return Fen(total_fen)


def _checked_change(request: TakePayment, context: WorkContext) -> Fen:
    policy = money_policy()
    most = Fen(context.limits_fen.get("payment", policy.largest_payment.amount_fen))
    if request.amount_fen > most:
        raise PaymentTooLarge(amount=str(request.amount_fen), most=str(most))
    return RAILS.of(request.method).change_for(request.amount_fen, request.received_fen, policy.largest_change)


def plan_payment(conn: Connection, state: AccountState, request: TakePayment, today: Any) -> Plan:
    """What the payment will do to an account as it is. Raises BillNotOpen."""
    book_id = advance_book_id(request.account_id)
    books: Sequence[Book] = [item.book for item in state.books]
    bills = store.open_bills(conn, request.account_id)
    wish = Wish(request.bill_ids, request.product_id or "")
    money = NewMoney(book_id, request.amount_fen)
    if state.held:
        # nothing settles while a run holds the account, but a bill that is not there is refused all the same
        rules.allocate(bills, (), new_money=None, wish=wish, today=today, order=order_of_policy())
        allocation = Allocation((), ZERO_FEN, request.amount_fen, rules.owing_of(bills))
    else:
        allocation = rules.allocate(bills, books, new_money=money, wish=wish, today=today, order=order_of_policy())
    return Plan(state, bills, allocation, book_id)


def settle_plan(uow: UnitOfWork, plan: Plan, payment_id: str) -> None:
    """Write what the allocation says: applied rows, bills, books."""
    portions = plan.allocation.portions
    account_id = plan.state.row.account_id
    store.insert_applied(uow.conn, applied_rows(uow, account_id=account_id, portions=portions, payment_id=payment_id))
    paid = plan.allocation.paid_by_bill
    store.set_bills(
        uow.conn,
        [
            (bill.period, bill.bill_id, bill.left - paid[bill.bill_id], uow.now)
            for bill in plan.bills
            if bill.bill_id in paid
        ],
    )
    spent = plan.allocation.spent_by_book
    new_money = plan.allocation.new_applied + plan.allocation.new_left
    moves: list[tuple[str, Fen, Fen]] = []
    for item in plan.state.books:
        book_id = item.book.book_id
        paid_in = new_money if book_id == plan.book_id else ZERO_FEN
        out = spent.get(book_id, ZERO_FEN)
        if paid_in or out:
            moves.append((book_id, item.in_sum + paid_in, item.out_sum + out))
    account_store.move_books(uow.conn, moves)


def applied_rows(
    uow: UnitOfWork, *, account_id: str, portions: Sequence[Portion], payment_id: str
) -> list[dict[str, Any]]:
    """The rows of applied_payment for an allocation; only new money belongs to the payment."""
    today = uow.today
    return [
        {
            "period": portion.line.period,
            "bill_id": portion.line.bill_id,
            "bill_line_no": portion.line.line_no,
            "act_id": uow.act_id,
            "seq_no": seq_no,
            "account_id": account_id,
            "book_id": portion.book.book_id,
            "payment_id": payment_id if portion.is_new else None,
            "amount_fen": portion.amount,
            "applied_on": today,
        }
        for seq_no, portion in enumerate(portions, 1)
    ]


def settling_postings(account_id: str, portions: Sequence[Portion], payment_id: str) -> list[Posting]:
    """One posting per book and bill: from the account's receivable to the book. New money names the payment."""
    sums: dict[tuple[str, str, bool], int] = {}
    for portion in portions:
        key = (portion.book.book_id, portion.bill.bill_id, portion.is_new)
        sums[key] = sums.get(key, 0) + portion.amount.amount_fen
    receivable = LedgerName(LedgerCode.RECEIVABLE, account_id)
    return [
        Posting(receivable, LedgerName(LedgerCode.ADVANCE, book_id), Fen(amount_fen), payment_id if is_new else bill_id)
        for (book_id, bill_id, is_new), amount_fen in sums.items()
    ]


def plan_postings(plan: Plan, money_at: LedgerName, amount: Fen, payment_id: str) -> list[Posting]:
    """The money into the advance book, and from there to what it settled."""
    received = Posting(LedgerName(LedgerCode.ADVANCE, plan.book_id), money_at, amount, payment_id)
    return [received, *settling_postings(plan.state.row.account_id, plan.allocation.portions, payment_id)]


def announce_standing(
    uow: UnitOfWork, *, account_id: str, before: Standing, now: Standing, payment_id: str
) -> None:
    """Tell the slices above where a payment brought the account out of arrears."""
    arrears = (Standing.OVERDUE, Standing.RESTRICTED)
    if before in arrears and now not in arrears:
        uow.announce(ArrearsCleared(account_id, before, now, payment_id))


def _movement(
    request: TakePayment, plan: Plan, change: Fen, till: Row[Any], payment_id: str, receipt_no: str, trace_no: str
) -> Movement:
    return Movement(
        payment_id,
        PaymentKind.PAYMENT,
        request.account_id,
        plan.book_id,
        till.till_id,
        request.method,
        amount=request.amount_fen,
        applied=plan.allocation.new_applied,
        advance=plan.allocation.new_left,
        receipt_no=receipt_no,
        received=request.received_fen,
        change=change,
        trace_no=trace_no,
        remark=request.note,
    )


def _receipt(
    uow: UnitOfWork,
    request: TakePayment,
    plan: Plan,
    change: Fen,
    payment_id: str,
    receipt_no: str,
    trace_no: str,
) -> Receipt:
    row, allocation = plan.state.row, plan.allocation
    lines = receipt_lines([portion for portion in allocation.portions if portion.is_new])
    if allocation.new_left:
        lines.append(ReceiptLine(label=_words("payment.advance_label"), amount_fen=allocation.new_left))
    amount = request.amount_fen
    return Receipt(
        **paper_head(uow, receipt_no),
        kind=ReceiptKind.PAYMENT,
        customer_no=row.customer_no or "",
        customer_name=uow.database.secrets.unseal(row.sealed_name),
        account_no=row.account_no,
        lines=tuple(lines),
        total_fen=amount,
        total_capitals=rmb_capitals(amount),
        methods=(MethodLine(method=request.method.value, amount_fen=amount, trace_no=trace_no),),
        received_fen=request.received_fen,
        change_fen=change,
        advance_fen=allocation.new_left,
        balance_after_fen=balance_after(plan),
        owed_after_fen=allocation.owing_after.owed,
        payment_id=payment_id,
        bill_refs=tuple(dict.fromkeys(portion.bill.bill_no for portion in allocation.portions if portion.is_new)),
        note=request.note,
    )


def receipt_lines(portions: Sequence[Portion]) -> list[ReceiptLine]:
    """A receipt line per bill line, or per bill where there are too many of them for a slip of paper."""
    if len(portions) <= money_policy().most_receipt_lines:
        return [
            ReceiptLine(
                label=portion.line.label,
                detail=f"{portion.line.shown_as} {_month_text(portion.bill.period)}".strip(),
                amount_fen=portion.amount,
            )
            for portion in portions
        ]
    return [
        ReceiptLine(label=part.label, detail=part.bill_no, amount_fen=part.amount_fen) for part in _applied_to(portions)
    ]


def _applied_to(portions: Sequence[Portion]) -> tuple[AppliedTo, ...]:
    sums: dict[str, int] = {}
    bills: dict[str, OpenBill] = {}
    for portion in portions:
        bill_id = portion.bill.bill_id
        bills[bill_id] = portion.bill
        sums[bill_id] = sums.get(bill_id, 0) + portion.amount.amount_fen
    return tuple(
        AppliedTo(
            bill_id=bill_id,
            bill_no=bill.bill_no,
            yyyymm=bill.period,
            label=bill_label(bill.period),
            amount_fen=Fen(sums[bill_id]),
        )
        for bill_id, bill in bills.items()
    )


def _explanation(plan: Plan) -> tuple[str, ...]:
    steps = [
        resources.text(
            "payment.step.new" if portion.is_new else "payment.step.book",
            "zh_CN",
            bill_no=portion.bill.bill_no,
            label=portion.line.label,
            amount=portion.amount,
            book=portion.book.book_type.value,
        )
        for portion in plan.allocation.portions
    ]
    left = plan.allocation.new_left
    if left:
        steps.append(
            resources.text("payment.step.held" if plan.state.held else "payment.step.advance", "zh_CN", amount=left)
        )
    return tuple(steps)


@lru_cache(maxsize=256)
def bill_label(period: int) -> str:
    """A bill's name on a screen or slip: its month."""
    return resources.text("payment.bill_label", "zh_CN", month=_month_text(period))


@lru_cache(maxsize=256)
def _month_text(period: int) -> str:
    return str(Month(period))


@lru_cache(maxsize=16)
def _words(key: str) -> str:
    return resources.text(key, "zh_CN")
