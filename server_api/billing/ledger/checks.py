"""What must always hold of the ledger, for ``onehall check-books``."""

from __future__ import annotations

from server_api.billing.ledger import store
from server_api.platform.database import Database
from server_api.platform.registry import Finding
from shared_models.values.money import ZERO_FEN, Fen


def trial_balance_zero(database: Database) -> Finding:
    """Debits equal credits over all codes, and no posting has an amount of zero or below."""
    with database.reading() as conn:
        sums = store.sums_by_code(conn)
        counted = store.count_postings(conn)
        not_positive = store.not_positive(conn)
    debits = Fen.total(debit for debit, _ in sums.values())
    credits = Fen.total(credit for _, credit in sums.values())
    wrong = [f"posting {where} is not above zero" for where in not_positive]
    if debits - credits != ZERO_FEN:
        wrong.append(f"debits {debits}, credits {credits}")
    return Finding(counted=counted, amount=debits, wrong=tuple(wrong))


def mirrors_undo_exactly(database: Database) -> Finding:
    """Every reversing posting names one that exists, has its amount, and goes the other way."""
    with database.reading() as conn:
        wrong = store.mirrors_with_difference(conn)
        counted = store.count_mirrors(conn)
    return Finding(counted=counted, wrong=tuple(wrong))
