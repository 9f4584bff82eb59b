"""The cash desk's acts: sessions in ``till.py``, others' in ``supervise.py``, papers in ``papers.py``."""

from server_api.billing.cashdesk.service.bank import bank_session
from server_api.billing.cashdesk.service.entries import (
    Entry,
    book_entries,
    drawer_cash,
    lock_live_till,
    lock_own_till,
    write_entries,
)
from server_api.billing.cashdesk.service.papers import keep_receipt, read_receipt, reprint_receipt, take_receipt_no
from server_api.billing.cashdesk.service.supervise import audit_till, close_for_other
from server_api.billing.cashdesk.service.till import (
    close_till,
    count_till,
    current_till,
    deposit_cash,
    list_tills,
    open_till,
)

__all__ = [
    "Entry",
    "audit_till",
    "bank_session",
    "book_entries",
    "close_for_other",
    "close_till",
    "count_till",
    "current_till",
    "deposit_cash",
    "drawer_cash",
    "keep_receipt",
    "list_tills",
    "lock_live_till",
    "lock_own_till",
    "open_till",
    "read_receipt",
    "reprint_receipt",
    "take_receipt_no",
    "write_entries",
]
