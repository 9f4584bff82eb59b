"""Bill ids: 32 hex digits that hold the month and the account, so that a bill is found by its id without an index.

yyyymm (6) + the first 24 digits of the account's id + which bill of that month (2 hex digits; 00 is the month's own).
"""

from __future__ import annotations

from shared_models.values.ids import is_id
from shared_models.values.period import Month

_ACCOUNT_DIGITS = 24
MAX_BILLS_A_MONTH = 256


def bill_id_of(month: Month, account_id: str, bill_seq: int = 0) -> str:
    """The id of an account's ``bill_seq``-th bill of a month; 0 is the one the month run makes.

    >>> bill_id_of(Month(202603), "0123456789abcdef0123456789abcdef")
    '2026030123456789abcdef0123456700'
    """
    if not is_id(account_id) or not 0 <= bill_seq < MAX_BILLS_A_MONTH:
        raise ValueError(f"no bill id for account {account_id} bill {bill_seq}")
    return f"{month.yyyymm}{account_id[:_ACCOUNT_DIGITS]}{bill_seq:02x}"


def month_of_bill(bill_id: str) -> Month:
    """The month a bill's id names. Raises ValueError where it names none.

    >>> month_of_bill("2026030123456789abcdef0123456700")
    Month(yyyymm=202603)
    """
    if not is_id(bill_id) or not bill_id[:6].isdecimal():
        raise ValueError(f"not a bill id: {bill_id[:40]}")
    return Month(int(bill_id[:6]))


def bill_no_of(month: Month, account_no: str, bill_seq: int = 0) -> str:
    """The number people read: month, account number, and which bill where the month has several.

    >>> bill_no_of(Month(202603), "A10086"), bill_no_of(Month(202603), "A10086", 2)
    ('202603-A10086', '202603-A10086-2')
    """
    return f"{month.yyyymm}-{account_no}" + (f"-{bill_seq}" if bill_seq else "")
