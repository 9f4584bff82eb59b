"""From exact live charges to books: a line a day, given back when the bill, made of call records, takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from server_api.billing.account import store as account_store
from server_api.billing.account.service import lock_account
from server_api.billing.account.store import AccountState
from server_api.billing.ledger.rules import LedgerName, Posting
from server_api.billing.ledger.service import post
from server_api.billing.rating.credit import store
from server_api.billing.rating.credit.rules import Purse, Taken, cut_due, share_out
from server_api.billing.rating.credit.service.purse import OpenPurse
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.credit import CreditView, CreditViews
from shared_models.values.clock import Clock, town_day
from shared_models.values.faults.account import AccountNotFound
from shared_models.values.ids import derived_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen, MicroYuan
from shared_models.values.money_states import BookType, PaymentType


def cut_account(uow: UnitOfWork, *, account_id: str) -> Fen:
    """Take today's line of an account's live charges from its books; what was taken.

    Each month is rounded once, over all its days so far. What the books cannot pay stays unbooked and is tried again.
    Nothing is taken while a bill run holds the account.
    """
    state = lock_account(uow, account_id)
    taken_fen = ZERO_FEN
    if state.held:
        return taken_fen
    for number, row in enumerate(store.due_of(uow.conn, account_id)):
        wanted = cut_due(MicroYuan(int(row.debited_micro_yuan)), row.cut_fen)
        parts = _take(uow, state, row, wanted, number) if wanted > ZERO_FEN else []
        cut = Fen.total(part for _book, part in parts)
        store.cut_month(uow.conn, row, row.cut_fen + cut, due=cut != wanted and wanted > ZERO_FEN)
        if not cut:
            continue
        state = _read_again(uow, account_id)
        purse = OpenPurse.of(uow, state, row.item_group)
        taken = purse.taken
        purse.put(Taken(taken.held, taken.unbooked - MicroYuan.of_fen(cut)))
        taken_fen = taken_fen + cut
    return taken_fen


def _take(uow: UnitOfWork, state: AccountState, row: Any, wanted: Fen, number: int) -> list[tuple[str, Fen]]:
    """Move a line from books to ``used:<account>``."""
    books = {item.book.book_id: item for item in state.books}
    parts = share_out(wanted, [item.book for item in state.books], row.item_group, uow.today)
    account_store.move_books(
        uow.conn,
        [(book_id, books[book_id].in_sum, books[book_id].out_sum + part) for book_id, part in parts],
    )
    used = LedgerName(LedgerCode.USED, row.account_id)
    post(
        uow,
        [
            Posting(used, LedgerName(LedgerCode.ADVANCE, book_id), part, f"{row.period}:{row.item_group}")
            for book_id, part in parts
        ],
        act_id=derived_id(uow.act_id, "cut", row.account_id, str(number)),
    )
    store.add_cut(uow.conn, row, uow.today, parts)
    return parts


def release_live_debits(uow: UnitOfWork, *, period: int, account_ids: Iterable[str]) -> dict[str, Fen]:
    """Give back what live calls of a month took from books: a bill made of call records now claims it.

    Returns how much, by account. The accounts are locked. A month is given back once; doing it again changes nothing.
    """
    given: dict[str, Fen] = {}
    if not store.any_month(uow.conn, period):
        return given
    for row in store.unreleased(uow.conn, period, account_ids):
        given[row.account_id] = given.get(row.account_id, ZERO_FEN) + _give_back(uow, row)
    return given


def _give_back(uow: UnitOfWork, row: Any) -> Fen:
    state = _read_again(uow, row.account_id)
    books = {item.book.book_id: item for item in state.books}
    parts = [(book_id, part) for book_id, part in store.cuts_of(uow.conn, row).items() if part > ZERO_FEN]
    account_store.move_books(
        uow.conn,
        [(book_id, books[book_id].in_sum + part, books[book_id].out_sum) for book_id, part in parts],
    )
    used = LedgerName(LedgerCode.USED, row.account_id)
    post(
        uow,
        [
            Posting(LedgerName(LedgerCode.ADVANCE, book_id), used, part, f"{row.period}:{row.item_group}")
            for book_id, part in parts
        ],
        act_id=derived_id(uow.act_id, "release", row.account_id, str(row.period), row.item_group),
    )
    store.release_month(uow.conn, row)
    cut = Fen.total(part for _book, part in parts)
    purse = OpenPurse.of(uow, _read_again(uow, row.account_id), row.item_group)
    taken = purse.taken
    left = MicroYuan(int(row.debited_micro_yuan)) - MicroYuan.of_fen(cut)
    purse.put(Taken(taken.held, taken.unbooked - left))
    return cut


def _read_again(uow: UnitOfWork, account_id: str) -> AccountState:
    state = account_store.read(uow.conn, account_id)
    if state is None:
        raise AccountNotFound(account_id=account_id)
    return state


def reconsider(uow: UnitOfWork, *, account_id: str) -> None:
    """Money came to a locked account or left it: tell business where its balance is low, exhausted or restored now."""
    rows = store.sums(uow.conn, account_id)
    if not rows:
        return
    state = _read_again(uow, account_id)
    if state.row.payment_type != PaymentType.PREPAID.value:
        return
    for row in rows:
        purse = OpenPurse.of(uow, state, row.item_group)
        purse.put(purse.taken)


def spoken_for(conn: Connection, account_id: str) -> Fen:
    """What live calls have of an account's books, in whole fen: no refund and no transfer may touch it."""
    micro = sum(int(row.held_micro_yuan) + int(row.unbooked_micro_yuan) for row in store.sums(conn, account_id))
    exact = MicroYuan(max(0, micro))
    fen = exact.to_fen()
    return fen if MicroYuan.of_fen(fen) >= exact else fen + Fen(1)


def free_to_leave(conn: Connection, state: AccountState, today: date) -> Fen:
    """How much may leave an account's books without taking what live calls have of them."""
    every = Fen.total(
        item.book.left
        for item in state.books
        if item.book.book_type is not BookType.DEPOSIT and item.book.usable_on(today)
    )
    return max(ZERO_FEN, every - spoken_for(conn, state.row.account_id))


def credit_views(conn: Connection, clock: Clock, account_id: str) -> CreditViews:
    """How an account stands with its live calls, by item group. Raises AccountNotFound."""
    state = account_store.read(conn, account_id)
    if state is None:
        raise AccountNotFound(account_id=account_id)
    rows = store.sums(conn, account_id)
    taken = {
        row.item_group: Taken(MicroYuan(int(row.held_micro_yuan)), MicroYuan(int(row.unbooked_micro_yuan)))
        for row in rows
    }
    books = [item.book for item in state.books]
    purse = Purse.of(books, state.row.credit_limit_fen, taken, town_day(clock.now()))
    counts = store.open_counts(conn, account_id)
    return CreditViews(items=tuple(_view(row, purse, counts) for row in rows))


def _view(row: Any, purse: Purse, counts: dict[str, int]) -> CreditView:
    return CreditView(
        account_id=row.account_id,
        item_group=row.item_group,
        held_micro_yuan=MicroYuan(int(row.held_micro_yuan)),
        unbooked_micro_yuan=MicroYuan(int(row.unbooked_micro_yuan)),
        available_micro_yuan=purse.available(row.item_group),
        balance_state=row.balance_state,
        open_sessions=counts.get(row.item_group, 0),
    )


def available_of(conn: Connection, clock: Clock, account_ids: Sequence[str], group: str) -> dict[str, MicroYuan]:
    """What accounts have for calls of an item group as of now, read without a lock; prepaid ones only."""
    found: dict[str, MicroYuan] = {}
    today = town_day(clock.now())
    states = account_store.states_of(conn, account_ids)
    for account_id, state in states.items():
        if state.row.payment_type != PaymentType.PREPAID.value:
            continue
        taken = {
            row.item_group: Taken(MicroYuan(int(row.held_micro_yuan)), MicroYuan(int(row.unbooked_micro_yuan)))
            for row in store.sums(conn, account_id)
        }
        books = [item.book for item in state.books]
        found[account_id] = Purse.of(books, state.row.credit_limit_fen, taken, today).available(group)
    return found
