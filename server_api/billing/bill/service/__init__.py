"""What the bill slice does for others: month runs, bills read and opened, bills taken over from old systems."""

from server_api.billing.bill.service.cycles import cycles_of_month, set_billing_day
from server_api.billing.bill.service.importing import OpenBill, OpenBillLine, import_open_bill
from server_api.billing.bill.service.late_bill import bill_set_aside
from server_api.billing.bill.service.month_preview import preview_run
from server_api.billing.bill.service.preview import preview_account
from server_api.billing.bill.service.reading import (
    MOST_CALLS_ON_PAPER,
    account_of_bill,
    bills_of_account,
    find_bill,
    note_calls_viewed,
    open_line,
    read_bill,
)
from server_api.billing.bill.service.runs import (
    MONTH_RUN_JOB,
    assist_run,
    begin_run,
    cancel_run,
    close_run,
    fault_words,
    latest_runs,
    plan_run,
    read_run,
    run_id_of,
    run_month,
    set_asides,
)
from server_api.billing.bill.words import item_words, service_words

__all__ = [
    "MONTH_RUN_JOB",
    "MOST_CALLS_ON_PAPER",
    "OpenBill",
    "OpenBillLine",
    "account_of_bill",
    "assist_run",
    "begin_run",
    "bill_set_aside",
    "bills_of_account",
    "cancel_run",
    "close_run",
    "cycles_of_month",
    "fault_words",
    "find_bill",
    "import_open_bill",
    "item_words",
    "latest_runs",
    "note_calls_viewed",
    "open_line",
    "plan_run",
    "preview_account",
    "preview_run",
    "read_bill",
    "read_run",
    "run_id_of",
    "run_month",
    "set_billing_day",
    "service_words",
    "set_asides",
]
