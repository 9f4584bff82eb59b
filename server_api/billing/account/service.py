"""Opening accounts, taking accounts and balances over, and keeping their standing true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from server_api.billing.account import store
from server_api.billing.account.giving import allow_giving
from server_api.billing.account.news import CreditLimitChanged, MoneyMoved
from server_api.billing.account.rules import Owing, advance_book_id, standing_of
from server_api.billing.account.store import AccountState
from server_api.billing.ledger.policy import money_policy
from server_api.billing.ledger.rules import LedgerName, Posting, over_or_short
from server_api.billing.ledger.service import post
from server_api.platform import audit
from server_api.platform.numbering import next_number
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.account import AccountView, BalanceBookView, OpenAccount, SetCreditLimit
from shared_models.contracts.events import AccountRecorded, AccountStandingChanged, Standing
from shared_models.values.faults.account import AccountClosed, AccountNoTaken, AccountNotFound, CreditLimitNotValid
from shared_models.values.giving import Giving
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import BookType, PaymentType

#: Account numbers of our own begin here, so that they are told from those of old systems by their length.
FIRST_ACCOUNT_NO = 1_000_000_000


@dataclass(frozen=True)
class AccountToImport:
    """An account of an old system."""

    account_id: str
    account_no: str
    customer_id: str
    payment_type: PaymentType = PaymentType.POSTPAID
    credit_limit: Fen = ZERO_FEN
    opened_at: datetime | None = None


@dataclass(frozen=True)
class OpeningBalance:
    """What an account held in advance in an old system (below zero: an amount it owed outside any bill)."""

    account_id: str
    amount: Fen
    source: str


def open_account(uow: UnitOfWork, *, request: OpenAccount) -> AccountView:
    """Open a billing account with its advance book, and tell business of it.

    Raises AccountNoTaken, CreditLimitNotValid.
    """
    _check_limit(request.credit_limit_fen)
    number = request.account_no or str(FIRST_ACCOUNT_NO + next_number(uow, "account"))
    if store.taken(uow.conn, request.account_id, number):
        raise AccountNoTaken(account_no=number)
    _record(
        uow,
        [
            AccountToImport(
                request.account_id,
                number,
                request.customer_id,
                request.payment_type,
                request.credit_limit_fen,
            )
        ],
    )
    return view_account(uow.conn, request.account_id)


def import_accounts(uow: UnitOfWork, *, accounts: Sequence[AccountToImport]) -> None:
    """Take accounts over from an old system, as if they had been opened here, and tell business of each."""
    if accounts:
        _record(uow, accounts)


def import_account(uow: UnitOfWork, *, account: AccountToImport) -> None:
    """Take one account over. Raises AccountNoTaken."""
    if store.taken(uow.conn, account.account_id, account.account_no):
        raise AccountNoTaken(account_no=account.account_no)
    _record(uow, [account])


def import_opening_balances(uow: UnitOfWork, *, balances: Sequence[OpeningBalance], first_line: int = 1) -> None:
    """Book what accounts held in their old systems: postings from ``opening:<source>`` into their advance books.

    Raises AccountNotFound. A balance below zero is refused by ValueError: debts are taken over as bills.
    """
    if not balances:
        return
    ids = [balance.account_id for balance in balances]
    store.touch_many(uow.conn, ids)
    states = store.states_of(uow.conn, ids)
    moved: dict[str, tuple[Fen, Fen]] = {}
    postings: list[Posting] = []
    for balance in balances:
        if balance.amount.amount_fen < 0:
            raise ValueError("a debt is taken over as an open bill, not as a balance")
        if not balance.amount:
            continue
        state = states.get(balance.account_id)
        if state is None:
            raise AccountNotFound(account_id=balance.account_id)
        book_id = advance_book_id(balance.account_id)
        first = _book(state, book_id)
        paid_in, out = moved.get(book_id, (first.in_sum, first.out_sum))
        moved[book_id] = (paid_in + balance.amount, out)
        postings.append(
            Posting(
                LedgerName(LedgerCode.ADVANCE, book_id),
                LedgerName(LedgerCode.OPENING, balance.source),
                balance.amount,
                balance.account_id,
            )
        )
    store.move_books(uow.conn, [(book_id, *sums) for book_id, sums in moved.items()])
    post(uow, postings, first_line=first_line)


def import_opening_balance(uow: UnitOfWork, *, balance: OpeningBalance) -> None:
    """Book what one account held in its old system."""
    import_opening_balances(uow, balances=[balance])


def add_credit(
    uow: UnitOfWork, account_id: str, *, amount: Fen, ref_id: str, act_id: str = "", first_line: int = 1
) -> None:
    """Keep the credit of a bill below zero as advance: from the advance book to the account's receivable.

    Raises AccountNotFound.
    """
    state = lock_account(uow, account_id)
    book = _book(state, advance_book_id(account_id))
    store.move_books(uow.conn, [(book.book.book_id, book.in_sum + amount, book.out_sum)])
    post(
        uow,
        over_or_short(
            LedgerCode.ADVANCE,
            book.book.book_id,
            LedgerName(LedgerCode.RECEIVABLE, account_id),
            amount,
            ref_id,
        ),
        act_id=act_id,
        first_line=first_line,
    )


def set_credit_limit(uow: UnitOfWork, *, account_id: str, request: SetCreditLimit) -> AccountView:
    """Change how far an account may owe; the raise counts against the caller's limits.

    Raises AccountNotFound, AccountClosed, CreditLimitNotValid, LimitReached and what is wrong with an approval.
    """
    _check_limit(request.credit_limit_fen)
    state = lock_account(uow, account_id)
    more = request.credit_limit_fen - state.row.credit_limit_fen
    if more > ZERO_FEN:
        allow_giving(uow, Giving.CREDIT_LIMIT, account_id=account_id, amount=more)
    store.set_limits(uow.conn, account_id, credit_limit_fen=request.credit_limit_fen)
    uow.announce(CreditLimitChanged(account_id))
    audit.note(uow, "account.credit_limit", f"account:{account_id}", str(request.credit_limit_fen))
    return view_account(uow.conn, account_id)


def lock_account(uow: UnitOfWork, account_id: str) -> AccountState:
    """Lock an account that takes money, with its books and payer. Raises AccountNotFound, AccountClosed."""
    if not store.touch(uow.conn, account_id):
        raise AccountNotFound(account_id=account_id)
    state = store.read(uow.conn, account_id)
    if state is None:
        raise AccountNotFound(account_id=account_id)
    if state.row.closed_at is not None:
        raise AccountClosed(account_no=state.row.account_no)
    return state


def keep_standing(uow: UnitOfWork, state: AccountState, *, owing: Owing) -> Standing:
    """Store how a locked account stands now and tell business, but only where its class changed."""
    row = state.row
    standing = standing_of(owing, uow.today, restricted=row.restricted, credit_limit=row.credit_limit_fen)
    since = owing.earliest_due_on if owing.owed else None
    if standing != row.standing:
        uow.tell(
            f"account:{row.account_id}",
            AccountStandingChanged(
                account_id=row.account_id,
                standing=standing,
                owed_since_on=since,
            ),
        )
    if standing != row.standing or since != row.owed_since_on:
        store.set_standing(uow.conn, row.account_id, standing.value, since)
    if row.payment_type == PaymentType.PREPAID.value:
        uow.announce(MoneyMoved(row.account_id))
    return standing


def view_account(conn: Connection, account_id: str) -> AccountView:
    """An account as a person sees it. Raises AccountNotFound."""
    state = store.read(conn, account_id)
    if state is None:
        raise AccountNotFound(account_id=account_id)
    row = state.row
    return AccountView(
        account_id=row.account_id,
        account_no=row.account_no,
        customer_id=row.customer_id,
        payment_type=PaymentType(row.payment_type),
        credit_limit_fen=row.credit_limit_fen,
        standing=Standing(row.standing),
        owed_since_on=row.owed_since_on,
        restricted=row.restricted,
        closed=row.closed_at is not None,
        opened_at=row.opened_at,
        books=tuple(
            BalanceBookView(
                book_id=item.book.book_id,
                book_type=item.book.book_type,
                item_group=item.book.item_group,
                until_on=item.book.until_on,
                balance_fen=item.book.left,
            )
            for item in state.books
        ),
    )


def find_account(conn: Connection, account_no: str) -> str:
    """The id of the account with this number. Raises AccountNotFound."""
    account_id = store.account_id_of(conn, account_no)
    if account_id is None:
        raise AccountNotFound(account_id=account_no)
    return account_id


def _check_limit(limit: Fen) -> None:
    most = money_policy().largest_credit_limit
    if not ZERO_FEN <= limit <= most:
        raise CreditLimitNotValid(most=str(most))


def _book(state: AccountState, book_id: str) -> store.BookState:
    return next(item for item in state.books if item.book.book_id == book_id)


def _record(uow: UnitOfWork, accounts: Sequence[AccountToImport]) -> None:
    rows: list[dict[str, Any]] = []
    books: list[dict[str, Any]] = []
    for account in accounts:
        rows.append(
            {
                "account_id": account.account_id,
                "account_no": account.account_no,
                "customer_id": account.customer_id,
                "payment_type": account.payment_type.value,
                "credit_limit_fen": account.credit_limit,
                "standing": Standing.CLEAR.value,
                "version": 1,
                "settle_wanted": False,
                "restricted": False,
                "opened_at": account.opened_at or uow.now,
                "opened_hall": uow.context.hall_code,
            }
        )
        books.append(
            {
                "book_id": advance_book_id(account.account_id),
                "account_id": account.account_id,
                "book_type": BookType.ADVANCE.value,
                "item_group": "*",
                "spend_order": 100,
                "from_on": uow.today,
                "in_fen": ZERO_FEN,
                "out_fen": ZERO_FEN,
                "opened_at": uow.now,
            }
        )
        uow.tell(
            f"account:{account.account_id}",
            AccountRecorded(
                account_id=account.account_id,
                account_no=account.account_no,
                customer_id=account.customer_id,
            ),
            bulk=len(accounts) > 1,
        )
    store.insert_accounts(uow.conn, rows, books)
