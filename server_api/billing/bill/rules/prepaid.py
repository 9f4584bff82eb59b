"""Monthly fees of prepaid accounts: what the balance must hold when a month begins, and whether it does."""

from __future__ import annotations

from typing import NamedTuple

from server_api.billing.bill.rules.house import BillPolicy
from server_api.billing.bill.rules.inputs import AccountInput, DraftLine
from server_api.billing.bill.rules.month import MonthOf
from server_api.billing.bill.rules.prices import PriceBook
from shared_models.values.period import Cycle, Month


class MonthBegins(NamedTuple):
    """The fees in advance of a month and what they leave of a balance. ``short_fen`` is what is missing, 0 if nothing.

    ``low``: they could be paid, but less is left than the account's warning level.
    """

    lines: tuple[DraftLine, ...]
    total_fen: int
    left_fen: int
    short_fen: int
    low: bool


def month_begins(
    book: PriceBook, policy: BillPolicy, month: Month, account: AccountInput, balance_fen: int, warn_below_fen: int = 0
) -> MonthBegins:
    """What a prepaid account's balance pays when ``month`` begins, by what is known before it.

    A fee is taken whole or not at all: with too little balance nothing is taken, and what is missing is named.
    """
    cycle = Cycle.of(month.yyyymm, account.billing_days) if account.billing_days else month
    lines = tuple(MonthOf(book, policy, account).ahead(cycle, sorted(account.events), cycle.first_on))
    total = sum(line.amount_fen for line in lines)
    short = max(0, total - balance_fen)
    left = balance_fen if short else balance_fen - total
    return MonthBegins(lines, total, left, short, not short and left < warn_below_fen)
