"""Beginning a month's run from any face: the act that opens the run also puts the work in the worker's queue."""

from __future__ import annotations

from server_api.billing.bill import service as bill
from server_api.platform.jobs import enqueue
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.bill import RunProgress
from shared_models.values.period import Month


def begin_month(uow: UnitOfWork, *, month: Month, billing_day: int = 1) -> RunProgress:
    """Open the run of a month and billing day, or go on with the one that stopped; the worker does it.

    Raises what begin_run raises.
    """
    progress = bill.begin_run(uow, month=month, billing_day=billing_day)
    enqueue(uow, bill.MONTH_RUN_JOB, {"yyyymm": month.yyyymm, "billing_day": billing_day})
    return progress
