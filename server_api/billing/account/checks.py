"""What must always hold of balance books, for ``onehall check-books``."""

from __future__ import annotations

from server_api.billing.account import store
from server_api.billing.ledger import store as ledger_store
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
