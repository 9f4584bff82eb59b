"""What must always hold of deposits and transfers, for ``onehall check-books``."""

from __future__ import annotations

from typing import Any

from server_api.billing.payment.store import debit as debit_store
from server_api.billing.payment.store import moves as store
from server_api.platform.database import Database
from server_api.platform.registry import Finding
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import DepositState


def deposits_equal_books(database: Database) -> Finding:
    """What is held of a deposit lies in its own book: taken, less what its moves returned and forfeited; its state says
    which of the two ended it."""
    with database.reading() as conn:
        deposits = store.deposits_with_books(conn)
        moves = store.move_sums(conn)
        books = store.deposit_books(conn)
    wrong: list[str] = []
    held = ZERO_FEN
    for row in deposits:
        books.discard(row.book_id)
        returned, forfeited = moves.pop(row.deposit_id, (ZERO_FEN, ZERO_FEN))
        held = held + row.amount_fen - row.returned_fen - row.forfeited_fen
        if (
            (row.returned_fen, row.forfeited_fen) != (returned, forfeited)
            or (row.in_fen, row.out_fen) != (row.amount_fen, returned + forfeited)
            or row.book_type != "deposit"
            or row.book_account_id != row.account_id
            or row.state != _state(row)
        ):
            wrong.append(
                f"{row.deposit_id}: {row.amount_fen} taken, {returned} returned, {forfeited} forfeited, {row.state}"
            )
    wrong += [f"{deposit_id}: moved without a deposit" for deposit_id in moves]
    wrong += [f"{book_id}: a deposit's book without a deposit" for book_id in sorted(books)]
    return Finding(counted=len(deposits), amount=held, wrong=tuple(wrong))


def transfers_are_posted(database: Database) -> Finding:
    """Each transfer has postings of exactly its amount from the one book to the other."""
    with database.reading() as conn:
        transfers = store.transfers_with_postings(conn)
    wrong = tuple(
        f"{row.transfer_id}: {row.amount_fen} transferred, {row.posted_fen} posted"
        for row in transfers
        if row.posted_fen != row.amount_fen
    )
    return Finding(counted=len(transfers), amount=Fen.total(row.amount_fen for row in transfers), wrong=wrong)


def _state(row: Any) -> str:
    if row.amount_fen > row.returned_fen + row.forfeited_fen:
        return DepositState.HELD.value
    if not row.forfeited_fen:
        return DepositState.RETURNED.value
    return DepositState.PARTLY_FORFEITED.value if row.returned_fen else DepositState.FORFEITED.value


def debit_items_are_paid(database: Database) -> Finding:
    """Each item a bank paid has a payment of exactly its amount."""
    with database.reading() as conn:
        items = debit_store.paid_items(conn)
    wrong = tuple(
        f"{row.file_no}/{row.seq_no}: {row.amount_fen} paid, {row.booked_fen} booked"
        for row in items
        if row.booked_fen != row.amount_fen
    )
    return Finding(counted=len(items), amount=sum((row.amount_fen for row in items), ZERO_FEN), wrong=wrong)
