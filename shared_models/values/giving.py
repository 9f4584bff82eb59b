"""What a member of staff may give away only within limits, or with the approval of a second person."""

from __future__ import annotations

from enum import StrEnum


class Giving(StrEnum):
    """The kinds of act that are limited per person, day and month; an approval names one of them."""

    REFUND = "refund"
    """Advance paid back in cash (退费)."""
    WAIVER = "waiver"
    """A late fee not asked for (违约金减免)."""
    CREDIT = "credit"
    """Something taken off a charge or an issued bill (调账减免)."""
    TRANSFER = "transfer"
    """Balance moved to another account (转账); to another customer's it always needs an approval."""
    DEPOSIT = "deposit"
    """A deposit returned or forfeited (押金退还、罚没)."""
    CREDIT_LIMIT = "credit_limit"
    """An account allowed to owe more (信用度)."""


def approved(kind: Giving) -> str:
    """The name under which approved acts of a kind are counted: apart, because they use up no limit."""
    return f"{kind.value}+"
