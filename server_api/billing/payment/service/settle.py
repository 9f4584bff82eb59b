"""Settling from books when bills are issued, and when a bill run lets accounts go. In bulk, in their transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server_api.billing.account import store as account_store
from server_api.billing.account.news import CreditLimitChanged
from server_api.billing.account.rules import Owing, standing_of
from server_api.billing.account.store import AccountState, StandingRow
from server_api.billing.bill.news import BillsDrafted, BillsIssued, IssuedBill
from server_api.billing.ledger.rules import Posting
from server_api.billing.ledger.service import post
from server_api.billing.payment import rules, store
from server_api.billing.payment.news import ArrearsCleared
from server_api.billing.payment.rules import Allocation, Wish
from server_api.billing.payment.service.take import applied_rows, order_of_policy, settling_postings
from server_api.billing.rating.credit import service as credit
from server_api.platform.unit_of_work import Told, UnitOfWork
from shared_models.contracts.events import AccountStandingChanged, Standing
from shared_models.values.ids import derived_id
from shared_models.values.money import ZERO_FEN, Fen

_ARREARS = (Standing.OVERDUE, Standing.RESTRICTED)


@dataclass(frozen=True, slots=True)
class _Stand:
    """How an account will stand once its bill is stored: the row to set and the news to tell, None for no change."""

    row: tuple[str, str, Any] | None
    told: Told | None
    cleared: ArrearsCleared | None


def reckon_standings(uow: UnitOfWork, news: BillsDrafted) -> None:
    """Listener of a month run, outside its turns: how accounts without money will stand with the bill to come."""
    for issued in news.bills:
        if issued.total > ZERO_FEN and issued.account_id not in news.with_money:
            row = news.standings[issued.account_id]
            if not row.credit_limit:
                news.reckoned[issued.account_id] = _billed(uow, row, issued)


def _billed(uow: UnitOfWork, row: StandingRow, issued: IssuedBill) -> _Stand:
    since = issued.due_on if row.owed_since_on is None else min(row.owed_since_on, issued.due_on)
    standing = standing_of(Owing(issued.total, since), uow.today, restricted=row.restricted, credit_limit=ZERO_FEN)
    stand = _change(uow, row, standing, since)
    if stand.told is not None:
        _ = stand.told.digest, stand.told.plain  # made here, so that the turn finds them made
    return stand


def settle_issued_bills(uow: UnitOfWork, news: BillsIssued) -> None:
    """Listener of a month run: accounts with money settle at once, and every account stands as its bills now say.

    Most accounts hold nothing; how they stand was reckoned ahead, or costs one row of one query. What live prepaid
    calls of the month took goes back to the books first: the bill, made of call records, takes its place, so a call is
    charged once.
    """
    ids = [issued.account_id for issued in news.bills]
    returned = credit.release_live_debits(uow, period=news.month.yyyymm, account_ids=ids)
    due = [issued for issued in news.bills if issued.total > ZERO_FEN]
    changed: list[tuple[str, str, Any]] = []
    unsure: list[IssuedBill] = []
    for issued in due:
        stand = None if issued.account_id in returned else news.reckoned.get(issued.account_id)
        if stand is None:
            unsure.append(issued)
        else:
            _note(uow, changed, stand)
    if unsure:
        ids = [issued.account_id for issued in unsure]
        with_money = account_store.balances_of(uow.conn, ids, any_group=True)
        standings = account_store.standings_of(uow.conn, ids)
        full: list[str] = []
        for issued in unsure:
            row = standings.get(issued.account_id)
            if row is None:
                continue
            if issued.account_id in with_money or row.credit_limit:
                full.append(issued.account_id)
            else:
                _note(uow, changed, _billed(uow, row, issued))
        if full:
            settle_accounts(uow, sorted(set(full)))
    account_store.set_standings(uow.conn, changed)


def settle_accounts(uow: UnitOfWork, account_ids: Sequence[str]) -> Fen:
    """Pay open bills of locked accounts from what their books hold; returns what was settled.

    The act's share of the ledger has an id of its own (derived), because the caller numbers its own postings.
    """
    states = account_store.states_of(uow.conn, account_ids)
    bills = store.open_bills_of(uow.conn, account_ids)
    order, today = order_of_policy(), uow.today
    applied: list[dict[str, Any]] = []
    postings: list[Posting] = []
    moves: list[tuple[str, Fen, Fen]] = []
    bill_changes: list[tuple[int, str, Fen, Any]] = []
    changed: list[tuple[str, str, Any]] = []
    settled_fen = 0
    for account_id, state in states.items():
        open_bills = bills.get(account_id, [])
        books = [item.book for item in state.books]
        allocation = rules.allocate(open_bills, books, new_money=None, wish=Wish(), today=today, order=order)
        applied += applied_rows(uow, account_id=account_id, portions=allocation.portions, payment_id="")
        postings += settling_postings(account_id, allocation.portions, "")
        paid, spent = allocation.paid_by_bill, allocation.spent_by_book
        bill_changes += [
            (bill.period, bill.bill_id, bill.left - paid[bill.bill_id], uow.now)
            for bill in open_bills
            if bill.bill_id in paid
        ]
        moves += [
            (item.book.book_id, item.in_sum, item.out_sum + spent[item.book.book_id])
            for item in state.books
            if item.book.book_id in spent
        ]
        settled_fen += sum(amount.amount_fen for amount in paid.values())
        _stand(uow, changed, state, allocation)
    store.insert_applied(uow.conn, applied)
    account_store.move_books(uow.conn, moves)
    store.set_bills(uow.conn, bill_changes)
    account_store.set_standings(uow.conn, changed)
    # An act may issue several bills of one account, one after another: the first bill paid tells its turns apart.
    turn = [bill_id for _period, bill_id, _left, _at in bill_changes[:1]]
    post(uow, postings, act_id=derived_id(uow.act_id, "settle", *account_ids[:1], *turn))
    return Fen(settled_fen)


def stand_again(uow: UnitOfWork, news: CreditLimitChanged) -> None:
    """Listener: an account may owe more or less than before, so it may be restricted no more, or from now on."""
    state = account_store.read(uow.conn, news.account_id)
    if state is not None and not state.held:
        settle_accounts(uow, [news.account_id])


def _stand(uow: UnitOfWork, changed: list[tuple[str, str, Any]], state: AccountState, allocation: Allocation) -> None:
    owing = allocation.owing_after
    row = StandingRow.of(state.row)
    standing = standing_of(owing, uow.today, restricted=row.restricted, credit_limit=row.credit_limit)
    _note(uow, changed, _change(uow, row, standing, owing.earliest_due_on if owing.owed else None))


def _change(uow: UnitOfWork, row: StandingRow, standing: Standing, since: Any) -> _Stand:
    told = cleared = None
    if standing != row.standing:
        payload = AccountStandingChanged(account_id=row.account_id, standing=standing, owed_since_on=since)
        told = Told(f"account:{row.account_id}", payload, uow.now, bulk=True)
        if row.standing in _ARREARS and standing not in _ARREARS:
            cleared = ArrearsCleared(row.account_id, row.standing, standing)
    moved = standing != row.standing or since != row.owed_since_on
    return _Stand((row.account_id, standing.value, since) if moved else None, told, cleared)


def _note(uow: UnitOfWork, changed: list[tuple[str, str, Any]], stand: _Stand) -> None:
    if stand.told is not None:
        uow.told.append(stand.told)
    if stand.cleared is not None:
        uow.announce(stand.cleared)
    if stand.row is not None:
        changed.append(stand.row)
