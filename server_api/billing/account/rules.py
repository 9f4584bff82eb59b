"""How an account stands, and what a book is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shared_models.contracts.events import Standing
from shared_models.values.ids import derived_id
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import BookType


@dataclass(frozen=True, slots=True)
class Owing:
    """What an account owes now: the sum of its open bills, and the due day of the earliest."""

    owed: Fen = ZERO_FEN
    earliest_due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Book:
    """A balance book with what is left of it."""

    book_id: str
    book_type: BookType
    item_group: str
    spend_order: int
    from_on: date
    until_on: date | None
    left: Fen

    def usable_on(self, day: date) -> bool:
        """True when the book may pay on that day; ``until_on`` is exclusive."""
        return self.from_on <= day and (self.until_on is None or day < self.until_on)


def standing_of(owing: Owing, today: date, *, restricted: bool, credit_limit: Fen) -> Standing:
    """The class of an account: restricted by hand, or owing above its credit limit when overdue; overdue from the day
    after the earliest bill was due; owing; clear.

    A credit limit of zero means that none was set.
    """
    if restricted:
        return Standing.RESTRICTED
    if not owing.owed.amount_fen > 0:
        return Standing.CLEAR
    if owing.earliest_due_on is None or owing.earliest_due_on >= today:
        return Standing.OWING
    if credit_limit and owing.owed > credit_limit:
        return Standing.RESTRICTED
    return Standing.OVERDUE


def advance_book_id(account_id: str) -> str:
    """The id of the book every account has from its first day: advance that never expires and pays for anything."""
    return derived_id(account_id, "advance")
