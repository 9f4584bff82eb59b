"""Billing days: an account's cycles may begin on any day of the month."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from server_api.billing.account.service import lock_account
from server_api.billing.bill.store import cycles as store
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.bill import BillingDayView, CycleOfMonth, CyclesOfMonth, SetBillingDay
from shared_models.values.faults.bill import BillingDayTooSoon
from shared_models.values.period import Cycle, Month, closing_day, cycle_end


def set_billing_day(uow: UnitOfWork, *, account_id: str, request: SetBillingDay) -> BillingDayView:
    """Let an account's cycles begin on another day of the month, from a month on.

    The cycle before grows or shrinks to meet the new day and costs days / nominal days of a month. Nothing that has
    begun moves: neither the old nor the new first day of the month's cycle may have come. A day the month does not have
    is its last. Raises AccountNotFound, AccountClosed, BillingDayTooSoon.
    """
    lock_account(uow, account_id)
    days = store.billing_days(uow.conn, account_id).get(account_id, ())
    month = _first_possible(days, request.billing_day, uow.today)
    if request.from_month is not None:
        if request.from_month < month.yyyymm:
            raise BillingDayTooSoon(earliest=str(month))
        month = Month(request.from_month)
    store.put_billing_day(
        uow.conn,
        {
            "account_id": account_id,
            "from_month": month.yyyymm,
            "billing_day": request.billing_day,
            "staff_id": uow.context.staff_id,
            "set_at": uow.now,
            "act_id": uow.act_id,
        },
    )
    audit.note(uow, "account.billing_day", f"account:{account_id}", f"{request.billing_day} from {month}")
    after = _with(days, month, request.billing_day)
    last, first = Cycle.of(month.previous().yyyymm, after), Cycle.of(month.yyyymm, after)
    return BillingDayView(
        account_id=account_id,
        billing_day=request.billing_day,
        from_month=month.yyyymm,
        last_from_on=last.first_on,
        last_until_on=last.until_on,
        first_until_on=first.until_on,
    )


def _with(days: store.BillingDays, month: Month, day: int) -> store.BillingDays:
    return (*(pair for pair in days if pair[0] < month.yyyymm), (month.yyyymm, day))


def _first_possible(days: store.BillingDays, day: int, today: date) -> Month:
    """The first month whose cycle begins after today, as it stands and as it would."""
    month = Month.of(today)
    while (
        Cycle.of(month.yyyymm, days).first_on <= today
        or Cycle.of(month.yyyymm, _with(days, month, day)).first_on <= today
    ):
        month = month.next()
    return month


def cycles_of_month(conn: Connection, month: Month) -> CyclesOfMonth:
    """The runs a month needs: one for the calendar, and one for each other day cycles of the month end on."""
    own = store.open_with_days(conn)
    counts = {1: store.count_open_accounts(conn) - len(own)}
    for days in own.values():
        day = closing_day(month.yyyymm, days)
        counts[day] = counts.get(day, 0) + 1
    states = {row.billing_day: row.state for row in store.runs_of_month(conn, month.yyyymm)}
    return CyclesOfMonth(
        items=tuple(
            CycleOfMonth(
                billing_day=day,
                until_on=cycle_end(month.yyyymm, day),
                account_count=counts.get(day, 0),
                state=states.get(day, "open"),
            )
            for day in sorted(counts.keys() | states.keys())
        )
    )
