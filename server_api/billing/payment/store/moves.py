"""Deposits and transfers: their SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from shared_models.tables.billing.account import balance_book
from shared_models.tables.billing.ledger import posting
from shared_models.tables.billing.payment import account_deposit, balance_transfer, deposit_move
from shared_models.values.money import Fen

_D, _M, _T = account_deposit.c, deposit_move.c, balance_transfer.c


def insert_book(conn: Connection, values: dict[str, Any]) -> None:
    """Open a book for a deposit."""
    conn.execute(insert(balance_book).values(**values))


def insert_deposit(conn: Connection, values: dict[str, Any]) -> None:
    """Keep a deposit."""
    conn.execute(insert(account_deposit).values(**values))


def find_deposit(conn: Connection, deposit_id: str) -> Any | None:
    """A deposit by id."""
    return conn.execute(select(account_deposit).where(_D.deposit_id == deposit_id)).one_or_none()


def change_deposit(conn: Connection, deposit_id: str, **values: Any) -> None:
    """Store how a deposit stands whose account is locked."""
    conn.execute(update(account_deposit).where(_D.deposit_id == deposit_id).values(**values))


def insert_move(conn: Connection, values: dict[str, Any]) -> None:
    """Keep what was done with a deposit."""
    conn.execute(insert(deposit_move).values(**values))


def deposits_of(conn: Connection, account_id: str) -> Sequence[Any]:
    """The deposits of an account, oldest first."""
    query = select(account_deposit).where(_D.account_id == account_id)
    return conn.execute(query.order_by(_D.taken_at, _D.deposit_id)).all()


def insert_transfer(conn: Connection, values: dict[str, Any]) -> None:
    """Keep a transfer."""
    conn.execute(insert(balance_transfer).values(**values))


def transfers_of(conn: Connection, account_id: str) -> Sequence[Any]:
    """Transfers from or to an account, oldest first."""
    query = select(balance_transfer).where(or_(_T.from_account_id == account_id, _T.to_account_id == account_id))
    return conn.execute(query.order_by(_T.moved_on, _T.transfer_id)).all()


# ---- for check-books ------------------------------------------------------------------------------------------------
def deposits_with_books(conn: Connection) -> Sequence[Any]:
    """Every deposit beside its book."""
    return conn.execute(
        select(
            account_deposit,
            balance_book.c.in_fen,
            balance_book.c.out_fen,
            balance_book.c.book_type,
            balance_book.c.account_id.label("book_account_id"),
        )
        .select_from(account_deposit.outerjoin(balance_book, balance_book.c.book_id == _D.book_id))
        .order_by(_D.deposit_id)
    ).all()


def move_sums(conn: Connection) -> dict[str, tuple[Fen, Fen]]:
    """What was returned and what was forfeited of each deposit, by its moves."""
    found: dict[str, tuple[Fen, Fen]] = {}
    query = select(_M.deposit_id, _M.kind, func.sum(_M.amount_fen).label("amount_fen"))
    for row in conn.execute(query.group_by(_M.deposit_id, _M.kind)):
        returned, forfeited = found.get(row.deposit_id, (Fen(0), Fen(0)))
        if row.kind == "forfeited":
            forfeited = forfeited + row.amount_fen
        else:
            returned = returned + row.amount_fen
        found[row.deposit_id] = (returned, forfeited)
    return found


def deposit_books(conn: Connection) -> set[str]:
    """The books of type deposit."""
    return set(conn.execute(select(balance_book.c.book_id).where(balance_book.c.book_type == "deposit")).scalars())


def transfers_with_postings(conn: Connection) -> Sequence[Any]:
    """Every transfer with what was posted for it from and to its two books."""
    return conn.execute(
        select(
            _T.transfer_id,
            _T.amount_fen,
            _T.from_book_id,
            _T.to_book_id,
            func.sum(posting.c.amount_fen).label("posted_fen"),
        )
        .select_from(
            balance_transfer.outerjoin(
                posting,
                (posting.c.act_id == _T.act_id)
                & (posting.c.ref_id == _T.transfer_id)
                & (posting.c.from_code == "advance")
                & (posting.c.from_owner == _T.to_book_id)
                & (posting.c.to_code == "advance")
                & (posting.c.to_owner == _T.from_book_id),
            )
        )
        .group_by(_T.transfer_id, _T.amount_fen, _T.from_book_id, _T.to_book_id)
        .order_by(_T.transfer_id)
    ).all()
