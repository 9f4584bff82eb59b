"""What must always hold of balance books, for ``onehall check-books``."""

from __future__ import annotations

from server_api.billing.account import store
from server_api.billing.account.store import debit as debit_store
from server_api.billing.account.store import giving as giving_store
from server_api.billing.ledger import store as ledger_store
from server_api.billing.ledger.policy import money_policy
from server_api.platform.database import Database
from server_api.platform.registry import Finding
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen


def book_is_in_less_out(database: Database) -> Finding:
    """No book was ever spent below zero."""
    with database.reading() as conn:
        books = store.all_books(conn)
    left = Fen.total(book.in_fen - book.out_fen for book in books)
    wrong = tuple(
        f"{book.book_id}: {book.in_fen} in, {book.out_fen} out" for book in books if book.in_fen < book.out_fen
    )
    return Finding(counted=len(books), amount=left, wrong=wrong)


def book_equals_postings(database: Database) -> Finding:
    """What a book holds is what the ledger owes for it: the credits less the debits of ``advance:<book>``."""
    with database.reading() as conn:
        books = store.all_books(conn)
        ledger = ledger_store.sums_by_name(conn, LedgerCode.ADVANCE)
    wrong: list[str] = []
    for book in books:
        posted = -ledger.pop(book.book_id, ZERO_FEN)
        if posted != book.in_fen - book.out_fen:
            wrong.append(f"{book.book_id}: holds {book.in_fen - book.out_fen}, postings say {posted}")
    wrong += [
        f"{owner}: postings of {-amount} for a book that is not there" for owner, amount in ledger.items() if amount
    ]
    return Finding(
        counted=len(books),
        amount=Fen.total(book.in_fen - book.out_fen for book in books),
        wrong=tuple(wrong),
    )


def allowances_equal_acts(database: Database) -> Finding:
    """What the limits say a person gave away on a day is what that person's acts gave away."""
    with database.reading() as conn:
        sums = giving_store.allowance_sums(conn)
        acts = giving_store.giving_sums(conn)
    wrong = tuple(
        f"{staff_id} {day} {what}: counted {sums.get((staff_id, day, what))}, acts {acts.get((staff_id, day, what))}"
        for staff_id, day, what in sorted({*sums, *acts})
        if sums.get((staff_id, day, what)) != acts.get((staff_id, day, what))
    )
    return Finding(counted=len(acts), amount=Fen.total(amount for amount, _count in acts.values()), wrong=wrong)


def approvals_by_a_second_person(database: Database) -> Finding:
    """Each approval was used by another person than gave it, and for exactly what it was given."""
    with database.reading() as conn:
        approvals = giving_store.all_approvals(conn)
        used = giving_store.approved_givings(conn)
    wrong = [
        f"{row.approval_id}: {row.amount_fen} approved by {row.approver_no} for {row.asked_by_no}"
        for row in approvals
        if row.approver_id == row.asked_by_id
        or used.pop(row.approval_id, None) != (row.account_id, row.amount_fen)
        or row.used_at >= row.given_at + money_policy().approval_for
    ]
    wrong += [f"{approval_id}: an act names an approval nobody gave" for approval_id in used]
    return Finding(counted=len(approvals), amount=Fen.total(row.amount_fen for row in approvals), wrong=tuple(wrong))


def one_live_debit_contract(database: Database) -> Finding:
    """A contract that runs stands under its account, an ended one under itself; so none runs beside another."""
    with database.reading() as conn:
        counted, wrong = debit_store.wrong_contracts(conn)
    return Finding(counted=counted, wrong=tuple(wrong))
