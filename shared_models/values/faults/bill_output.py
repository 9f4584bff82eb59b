"""Refusals about output files of a month."""

from shared_models.values.faults.base import Fault


class BillMonthNotClosed(Fault):
    """The month's run is not closed: some of its bills are still to come."""

    code = "bill_month_not_closed"
    status = 409
