"""Moving balance from one book to another (转账); what the receiving account owes is paid from it at once."""

from __future__ import annotations

import resources
from server_api.billing.account import store as account_store
from server_api.billing.account.giving import Allowed, allow_giving
from server_api.billing.account.rules import advance_book_id
from server_api.billing.account.service import lock_account
from server_api.billing.account.store import AccountState, BookState
from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.ledger.rules import LedgerName, Posting
from server_api.billing.ledger.service import post
from server_api.billing.payment import rules
from server_api.billing.payment import store as payment_store
from server_api.billing.payment.service.paper import account_paper
from server_api.billing.payment.service.settle import settle_accounts
from server_api.billing.payment.store import moves as store
from server_api.billing.rating.credit import service as credit
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.deposit import BalanceTransferred, TransferBalance
from shared_models.contracts.receipt import Receipt, ReceiptKind, ReceiptLine
from shared_models.values.faults.deposit import TransferNotPossible
from shared_models.values.faults.payment import AdvanceTooLittle
from shared_models.values.giving import Giving
from shared_models.values.ids import derived_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import BookType

#: Grants would become money and deposits would stop to secure: neither is transferred.
_MOVABLE = frozenset({BookType.ADVANCE, BookType.EARMARKED})


def transfer_balance(uow: UnitOfWork, *, request: TransferBalance) -> BalanceTransferred:
    """Move balance to another account or book and settle there. Both accounts are locked in the order of their ids.

    Within the accounts of one customer the caller's limits hold; to another customer, or out of an earmarked book,
    a second person must approve whatever the amount.

    Raises TransferNotPossible, AdvanceTooLittle, LimitReached, ApprovalNeeded and what is wrong with an approval,
    AccountNotFound, AccountClosed.
    """
    giver, taker = _locked(uow, request)
    source = _book(giver, request.from_book_id or advance_book_id(request.from_account_id))
    target = _book(taker, request.to_book_id or advance_book_id(request.to_account_id))
    _check_books(uow, source, target)
    amount = request.amount_fen
    left = min(source.book.left, credit.free_to_leave(uow.conn, giver, uow.today))
    if left < amount:
        raise AdvanceTooLittle(left=str(left), amount=str(amount))
    cashdesk.lock_live_till(uow)
    allowed = _allowed(uow, request, giver, taker, source)
    transfer_id = derived_id(uow.act_id, "transfer")
    account_store.move_books(
        uow.conn,
        [
            (source.book.book_id, source.in_sum, source.out_sum + amount),
            (target.book.book_id, target.in_sum + amount, target.out_sum),
        ],
    )
    books = LedgerName(LedgerCode.ADVANCE, target.book.book_id), LedgerName(LedgerCode.ADVANCE, source.book.book_id)
    post(uow, [Posting(*books, amount, transfer_id)])
    receipt = _paper(uow, giver, taker, request, source.book.left - amount)
    store.insert_transfer(
        uow.conn,
        {
            "transfer_id": transfer_id,
            "from_account_id": request.from_account_id,
            "from_book_id": source.book.book_id,
            "to_account_id": request.to_account_id,
            "to_book_id": target.book.book_id,
            "amount_fen": amount,
            "reason": request.reason,
            "approval_id": allowed.approval_id,
            "receipt_no": receipt.receipt_no if receipt else "",
            "hall_code": uow.context.hall_code,
            "staff_id": uow.context.staff_id,
            "moved_on": uow.today,
            "act_id": uow.act_id,
        },
    )
    _settle(uow, taker)
    audit.note(uow, "balance.transferred", f"account:{request.from_account_id}", f"{amount} -> {taker.row.account_no}")
    return BalanceTransferred(
        transfer_id=transfer_id,
        amount_fen=amount,
        from_balance_after_fen=source.book.left - amount,
        to_balance_after_fen=_left(uow, request.to_account_id, target.book.book_id),
        to_owed_after_fen=rules.owing_of(payment_store.open_bills(uow.conn, request.to_account_id)).owed,
        receipt=receipt,
        limit_warning=allowed.warning,
    )


def _allowed(
    uow: UnitOfWork, request: TransferBalance, giver: AccountState, taker: AccountState, source: BookState
) -> Allowed:
    strict = giver.row.customer_id != taker.row.customer_id or source.book.book_type is BookType.EARMARKED
    return allow_giving(
        uow,
        Giving.TRANSFER,
        account_id=request.from_account_id,
        amount=request.amount_fen,
        always_approved=strict,
    )


def _locked(uow: UnitOfWork, request: TransferBalance) -> tuple[AccountState, AccountState]:
    """Both accounts, locked in the order of their ids, so that two transfers cannot wait for each other."""
    states = {
        account_id: lock_account(uow, account_id)
        for account_id in sorted({request.from_account_id, request.to_account_id})
    }
    return states[request.from_account_id], states[request.to_account_id]


def _settle(uow: UnitOfWork, taker: AccountState) -> None:
    if taker.held:
        account_store.want_settling(uow.conn, taker.row.account_id)
    else:
        settle_accounts(uow, [taker.row.account_id])


def _check_books(uow: UnitOfWork, source: BookState, target: BookState) -> None:
    if source.book.book_id == target.book.book_id:
        raise _impossible("same")
    if not {source.book.book_type, target.book.book_type} <= _MOVABLE:
        raise _impossible("kind")
    if not target.book.usable_on(uow.today):
        raise _impossible("expired")


def _book(state: AccountState, book_id: str) -> BookState:
    found = next((item for item in state.books if item.book.book_id == book_id), None)
    if found is None:
        raise _impossible("book")
    return found


def _left(uow: UnitOfWork, account_id: str, book_id: str) -> Fen:
    state = account_store.read(uow.conn, account_id)
    books = state.books if state is not None else ()
    return next((item.book.left for item in books if item.book.book_id == book_id), ZERO_FEN)


def _impossible(why: str) -> TransferNotPossible:
    return TransferNotPossible(
        reason={language[:2]: resources.text(f"transfer.reason.{why}", language) for language in resources.LANGUAGES}
    )


def _paper(
    uow: UnitOfWork, giver: AccountState, taker: AccountState, request: TransferBalance, left: Fen
) -> Receipt | None:
    label = resources.text("transfer.out_label", "zh_CN", account_no=taker.row.account_no)
    return account_paper(
        uow,
        giver,
        kind=ReceiptKind.TRANSFER,
        lines=(ReceiptLine(label=label, amount_fen=request.amount_fen),),
        method="account",
        note=request.reason,
        balance_after=left,
    )
