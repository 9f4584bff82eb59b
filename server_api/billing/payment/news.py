"""News of payments for the slices above (dunning): heard inside the transaction that made it."""

from __future__ import annotations

from dataclasses import dataclass

from shared_models.contracts.events import Standing


@dataclass(frozen=True)
class ArrearsCleared:
    """A payment or a book brought an account that was overdue or restricted back to clear or owing."""

    account_id: str
    before: Standing
    now: Standing
    payment_id: str = ""


@dataclass(frozen=True)
class ArrearsReturned:
    """A reversal made an account overdue or restricted again."""

    account_id: str
    now: Standing
    payment_id: str
