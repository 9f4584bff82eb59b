"""News of accounts for the slices above: heard inside the transaction that made it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MoneyMoved:
    """Money came into the books of a locked prepaid account, or left them."""

    account_id: str


@dataclass(frozen=True)
class CreditLimitChanged:
    """A locked account may owe more or less than before: how it stands is to be told anew."""

    account_id: str
