"""The chart of accounts: what money can be, by code. The second half of a ledger account's name is its owner.

A posting goes **from** one ledger account **to** another: "from" is credited, "to" is debited. So cash received from a
customer goes from ``advance:<book>`` to ``cash:<till>``, a bill from ``revenue:<item>`` to ``receivable:<account>``,
and settling it from ``receivable:<account>`` to ``advance:<book>``.
"""

from __future__ import annotations

from enum import StrEnum


class LedgerCode(StrEnum):
    """The kinds of ledger account. The comment behind each says what its owner part is."""

    CASH = "cash"  # till session
    BANK = "bank"  # deposit slip's till session, or rail
    CLEARING = "clearing"  # rail: money a device took that the bank has not sent yet
    RECEIVABLE = "receivable"  # billing account
    ADVANCE = "advance"  # balance book
    REVENUE = "revenue"  # item code
    VAT = "vat"  # rate in thousandths
    DEPOSIT = "deposit"  # billing account: deposits billed, owed back until a credit of the same item
    OVER_SHORT = "over_short"  # till session
    FLOAT = "float"  # hall
    OPENING = "opening"  # old system the balance was taken over from
    GRANT = "grant"  # why it was given
    USED = "used"  # billing account: prepaid usage taken from its books that no bill has claimed yet
    ROUNDING = "rounding"  # "-"


#: Assets and expenses grow by debits ("to"), everything else by credits ("from").
DEBIT_NATURED = frozenset(
    {
        LedgerCode.CASH,
        LedgerCode.BANK,
        LedgerCode.CLEARING,
        LedgerCode.RECEIVABLE,
        LedgerCode.OVER_SHORT,
        LedgerCode.GRANT,
    }
)
