"""Beginning, planning, stopping and closing a month run, and saying how far it is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from subprocess import TimeoutExpired
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from resources import text
from server_api.billing.bill.freeze import Issue
from server_api.billing.bill.policy import BillingPolicy, billing_policy
from server_api.billing.bill.run import MonthRun, RunStopped, remark_of
from server_api.billing.bill.store import bills, cycles, runs
from server_api.billing.rating import service as rating
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.dialects import Trouble
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.bill import RunProgress, RunState, SetAside, SetAsidePage
from shared_models.contracts.events import BillRunClosed
from shared_models.contracts.work import WorkContext, system_context
from shared_models.values.faults.base import Fault
from shared_models.values.faults.bill import (
    BillMonthFirst,
    BillMonthNotOver,
    BillRunClosedAlready,
    BillRunNotRunning,
    BillUsageNotReady,
)
from shared_models.values.faults.common import NotFound
from shared_models.values.ids import derived_id
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.period import Month, closing_day, cycle_end

#: A pace older than this says nothing about how long a run will still take.
_PACE_HOLDS_S = 30.0
#: The job that does a month run in the worker; arguments: yyyymm.
MONTH_RUN_JOB = "bill.month_run"
_WAIT_FOR_OTHERS_S = 0.05
_LEAST_CHUNK, _CHUNKS_AT_LEAST = 250, 32
#: The command a further process of a run is started with: ``onehall bill assist RUN``.
ASSIST = ("bill", "assist")
_HELPER_ENDS_S = 20.0


def begin_run(uow: UnitOfWork, *, month: Month, billing_day: int = 1) -> RunProgress:
    """Open the run of a month and billing day, or go on with the one there is. From now on its usage is for the next.

    Raises BillMonthNotOver, BillMonthFirst, BillRunClosedAlready, BillUsageNotReady.
    """
    run_id = run_id_of(month, billing_day)
    known = runs.read_run(uow.conn, run_id)
    _check_may_begin(uow, month, billing_day, known)
    policy = billing_policy()
    if known is not None:
        runs.set_run(uow.conn, month.yyyymm, run_id, state=runs.RUNNING)
    else:
        runs.insert_run(
            uow.conn,
            period=month.yyyymm,
            run_id=run_id,
            state=runs.RUNNING,
            billing_day=billing_day,
            issued_on=policy.issued_on(month, billing_day),
            due_on=policy.due_on(month, billing_day),
            began_at=uow.now,
            began_by=uow.context.staff_no,
            account_count=0,
            bill_count=0,
            aside_count=0,
            total_fen=ZERO_FEN,
        )
        if billing_day == 1:
            runs.put_period(uow.conn, month.yyyymm, state="billing", billing_since=uow.now, run_id=run_id)
    return read_run(uow.conn, run_id)


def _check_may_begin(uow: UnitOfWork, month: Month, billing_day: int, known: Any | None) -> None:
    if uow.today < cycle_end(month.yyyymm, billing_day):
        raise BillMonthNotOver(yyyymm=month.yyyymm)
    of_month = runs.period_state(uow.conn, month.yyyymm)
    if (known is not None and known.state == runs.CLOSED) or (billing_day == 1 and of_month == "closed"):
        raise BillRunClosedAlready(yyyymm=month.yyyymm)
    if billing_day != 1 and of_month == "open":
        raise BillMonthFirst(yyyymm=month.yyyymm, billing_day=billing_day)
    # a cycle that ends within the next month holds calls of both
    for each in (month,) if billing_day == 1 else (month, month.next()):
        waiting = rating.allowances_due(uow.conn, each.yyyymm)
        if waiting:
            raise BillUsageNotReady(yyyymm=each.yyyymm, count=waiting)


def run_id_of(month: Month, billing_day: int = 1) -> str:
    """The id of a run; a month and billing day have one."""
    day = "" if billing_day == 1 else f"/{billing_day}"
    return derived_id("month run", f"{month.yyyymm}{day}")


def plan_run(database: Database, run_id: str, policy: BillingPolicy | None = None) -> None:
    """Cut the accounts into chunks, once; a second call does nothing."""
    most = (policy or billing_policy()).run.chunk_accounts
    with database.reading() as conn:
        run = _run(conn, run_id)
        if runs.is_planned(conn, run.period, run_id):
            return
        # so many that workers end together, so large that reading one costs little an account
        size = min(most, max(_LEAST_CHUNK, runs.count_accounts(conn) // _CHUNKS_AT_LEAST))
        own, day = cycles.billing_days(conn), run.billing_day
        mine = {one for one, days in own.items() if closing_day(run.period, days) == day}
        bounds = runs.account_bounds(
            conn, size, mine.__contains__ if day != 1 else lambda one: one not in own or one in mine
        )

    def plan(conn: Connection) -> None:
        runs.insert_chunks(conn, run.period, run_id, bounds)
        runs.set_run(conn, run.period, run_id, account_count=sum(count for _first, count in bounds))

    try:
        database.write(plan)
    except DBAPIError as error:
        # Another worker planned the same run in the same moment: its chunks are as good as ours.
        if database.dialect.classify(error) is not Trouble.DUPLICATE:
            raise


def run_month(
    database: Database,
    run_id: str,
    *,
    context: WorkContext | None = None,
    policy: BillingPolicy | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    workers: int = 1,
) -> RunProgress:
    """Do a run's work until all is done, then close it. Several workers may do the same run at once.

    ``workers`` above 1: so many processes, this one among them, where the installation can start others.
    Raises BillRunNotRunning when it was cancelled meanwhile.
    """
    policy = policy or billing_policy()
    plan_run(database, run_id, policy)
    with _helpers(database, run_id, workers - 1):
        assist_run(database, run_id, policy=policy, on_progress=on_progress)
    with database.reading() as conn:
        if _run(conn, run_id).state == runs.CLOSED:
            return read_run(conn, run_id)
    close = Act(
        derived_id(run_id, "close"),
        "bill.close_run",
        digest_of({"run": run_id}),
        context or system_context("month run"),
    )
    perform(database, close, lambda uow: close_run(uow, run_id=run_id))
    with database.reading() as conn:
        return read_run(conn, run_id)


def assist_run(
    database: Database,
    run_id: str,
    *,
    policy: BillingPolicy | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Do a planned run's chunks until none is left. Raises BillRunNotRunning when it was cancelled meanwhile."""
    policy = policy or billing_policy()
    with database.reading() as conn:
        run = _run(conn, run_id)
    if run.state == runs.CLOSED:
        return
    issue = Issue(Month(run.period), run_id, run.issued_on, run.due_on, run.billing_day)
    worker = MonthRun(database, policy, issue, on_progress)
    try:
        while True:
            worker.work()
            with database.reading() as conn:
                if not runs.chunks_left(conn, run.period, run_id):
                    return
                if _run(conn, run_id).state != runs.RUNNING:
                    raise RunStopped(run_id)
            # other workers hold the rest; one that died is taken over when its lease ends
            time.sleep(_WAIT_FOR_OTHERS_S)
    except RunStopped:
        raise BillRunNotRunning(run_id=run_id) from None


@contextmanager
def _helpers(database: Database, run_id: str, count: int) -> Iterator[None]:
    """Further processes for a run while the block lasts. One that dies is made up for by those that are left."""
    start = database.start_command
    helpers = [start((*ASSIST, run_id)) for _ in range(count)] if start is not None else []
    try:
        yield
    except BaseException:
        for helper in helpers:
            helper.terminate()
        raise
    finally:
        for helper in helpers:
            try:
                helper.wait(_HELPER_ENDS_S)
            except TimeoutExpired:
                helper.kill()
                helper.wait()


def close_run(uow: UnitOfWork, *, run_id: str) -> RunProgress:
    """Close a run whose chunks are all done, and with the calendar's its month; tells BillRunClosed.

    Raises BillRunNotRunning.
    """
    run = _run(uow.conn, run_id)
    if run.state != runs.RUNNING or runs.chunks_left(uow.conn, run.period, run_id):
        raise BillRunNotRunning(run_id=run_id)
    sums = runs.chunk_sums(uow.conn, run.period, run_id)
    bill_count, total = int(sums.bills or 0), _fen(sums.total)
    runs.set_run(
        uow.conn,
        run.period,
        run_id,
        state=runs.CLOSED,
        closed_at=uow.now,
        bill_count=bill_count,
        aside_count=int(sums.aside or 0),
        total_fen=total,
    )
    if run.billing_day == 1:
        runs.put_period(uow.conn, run.period, state="closed", closed_at=uow.now)
    uow.tell(
        f"billrun:{run_id}",
        BillRunClosed(run_id=run_id, yyyymm=run.period, bill_count=bill_count, total_fen=total.amount_fen),
    )
    return read_run(uow.conn, run_id)


def cancel_run(uow: UnitOfWork, *, run_id: str) -> RunProgress:
    """Stop a run after the turns under way. Bills made stay; ``begin_run`` goes on.

    Raises BillRunNotRunning, NotFound.
    """
    run = _run(uow.conn, run_id)
    if run.state != runs.RUNNING:
        raise BillRunNotRunning(run_id=run_id)
    runs.set_run(uow.conn, run.period, run_id, state=runs.CANCELLED)
    return read_run(uow.conn, run_id)


def read_run(conn: Connection, run_id: str, now: datetime | None = None) -> RunProgress:
    """How far a run is. The remaining time is from the last minute's pace, None where nobody works. Raises NotFound."""
    run = _run(conn, run_id)
    sums = runs.chunk_sums(conn, run.period, run_id)
    done = int(sums.done or 0)
    remaining = None
    if run.state == runs.RUNNING and run.accounts_per_min and run.paced_at is not None:
        seen_s = (now - run.paced_at).total_seconds() if now is not None else 0.0
        if seen_s < _PACE_HOLDS_S:
            remaining = max(0, run.account_count - done) * 60 // run.accounts_per_min
    return RunProgress(
        run_id=run_id,
        yyyymm=run.period,
        billing_day=run.billing_day,
        state=RunState(run.state),
        issued_on=run.issued_on,
        due_on=run.due_on,
        account_count=run.account_count,
        done_count=done,
        bill_count=int(sums.bills or 0),
        aside_count=int(sums.aside or 0),
        total_fen=_fen(sums.total),
        began_at=run.began_at,
        closed_at=run.closed_at,
        remaining_s=remaining,
    )


def latest_runs(conn: Connection, limit: int = 12, now: datetime | None = None) -> tuple[RunProgress, ...]:
    """The latest month runs, newest month first."""
    return tuple(read_run(conn, row.run_id, now) for row in runs.latest_runs(conn, limit))


def set_asides(conn: Connection, yyyymm: int, limit: int, cursor: str | None, language: str = "zh_CN") -> SetAsidePage:
    """Accounts a month's run set aside, with the reason in words."""
    rows = bills.asides(conn, yyyymm, cursor, limit + 1)
    items = tuple(
        SetAside(
            account_id=row.account_id,
            account_no=row.account_no or "",
            reason=row.reason,
            text=reason_words(row.reason, row.remark or "", language),
        )
        for row in rows[:limit]
    )
    return SetAsidePage(items=items, next_cursor=items[-1].account_id if len(rows) > limit else None)


def reason_words(code: str, remark: str, language: str) -> str:
    """The refusal in words, from its code and stored parameters."""
    try:
        params = json.loads(remark or "{}")
        key = "bill.defect" if code == "defect" else f"fault.{code}.text"
        return text(key, language, **params)
    except (ValueError, KeyError):  # parameters of a defect need not fit any text
        return remark


def fault_words(fault: Fault, language: str) -> str:
    """A refusal that keeps an account from being billed, in words."""
    return reason_words(fault.code or "defect", remark_of(fault), language)


def _run(conn: Connection, run_id: str) -> Any:
    run = runs.read_run(conn, run_id)
    if run is None:
        raise NotFound(what="bill run")
    return run


def _fen(value: Any) -> Fen:
    return value if isinstance(value, Fen) else Fen(int(value or 0))
