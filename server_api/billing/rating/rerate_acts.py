"""Asking for a re-rating, stopping it, going on with it: acts about the row a re-rating keeps its place in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from server_api.billing.rating import store
from server_api.billing.rating.store import changes as change_store
from server_api.platform.database import Database
from server_api.platform.jobs import JobCancelled, JobRun, enqueue
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.rerate import BeginRerate, RerateView
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.faults.rating import RerateEnded, RerateUnderWay
from shared_models.values.money import MicroYuan
from shared_models.values.period import Month

if TYPE_CHECKING:
    from server_api.billing.rating.rerate import Outcome
    from server_api.billing.rating.rerate_read import Asked

RERATE_JOB = "rating.rerate"
RUNNING, DONE, CANCELLED = "running", "done", "cancelled"
#: More days at once is a mistake in a date; two years of usage are kept to be billed at all.
_LONGEST = timedelta(days=800)
_SHOWN = 50
Progress = Callable[[int, int], None]


def begin_rerate(uow: UnitOfWork, *, request: BeginRerate, by_worker: bool = True) -> RerateView:
    """Keep what is to be rated again; the worker does it, unless who asks does (``carry_on``).

    Raises InputNotValid for days that are no span, NotFound for a tariff nobody keeps, RerateUnderWay.
    """
    if not timedelta(0) < request.until_on - request.from_on <= _LONGEST:
        reason = {"zh": f"应晚于起始日，且不超过 {_LONGEST.days} 天", "en": f"1 to {_LONGEST.days} days after from_on"}
        raise InputNotValid(field="until_on", reason=reason)
    if request.tariff_code and request.tariff_code not in {row.tariff_code for row in store.tariff_rows(uow.conn)}:
        raise NotFound(what="tariff", id=request.tariff_code)
    _insist_on_none_running(uow.conn)
    change_store.add_rerate(
        uow.conn,
        rerate_id=uow.act_id,
        state=RUNNING,
        from_on=request.from_on,
        until_on=request.until_on,
        tariff_code=request.tariff_code or None,
        account_id=request.account_id,
        reason=request.reason,
        staff_id=uow.context.staff_id or None,
        asked_at=uow.now,
        at_month=Month.of(request.from_on).yyyymm,
        **dict.fromkeys(("call_count", "changed_count", "moved_count", "was_micro_yuan", "now_micro_yuan"), 0),
    )
    if by_worker:
        enqueue(uow, RERATE_JOB, {"rerate_id": uow.act_id})
    return read_rerate(uow.conn, uow.act_id)


def cancel_rerate(uow: UnitOfWork, *, rerate_id: str) -> RerateView:
    """Stop a re-rating after what it is at; what was rated again stays so. Raises NotFound, RerateEnded."""
    if _row(uow.conn, rerate_id).state != RUNNING:
        raise RerateEnded(id=rerate_id)
    change_store.rerate_at(uow.conn, rerate_id, state=CANCELLED)
    return read_rerate(uow.conn, rerate_id)


def resume_rerate(uow: UnitOfWork, *, rerate_id: str, by_worker: bool = True) -> RerateView:
    """Go on with a re-rating where it stopped. Raises NotFound, RerateEnded for one that is done, RerateUnderWay."""
    row = _row(uow.conn, rerate_id)
    if row.state == DONE:
        raise RerateEnded(id=rerate_id)
    _insist_on_none_running(uow.conn, but=rerate_id)
    change_store.rerate_at(uow.conn, rerate_id, state=RUNNING)
    if by_worker:
        enqueue(uow, RERATE_JOB, {"rerate_id": rerate_id})
    return read_rerate(uow.conn, rerate_id)


def read_rerate(conn: Connection, rerate_id: str) -> RerateView:
    """One re-rating and how far it is. Raises NotFound."""
    return _view(_row(conn, rerate_id))


def latest_rerates(conn: Connection, limit: int = _SHOWN) -> tuple[RerateView, ...]:
    """The latest re-ratings, newest first."""
    return tuple(_view(row) for row in change_store.rerates(conn, limit))


def carry_on(
    database: Database,
    rerate_id: str,
    *,
    progress: Progress = lambda _done, _total: None,
    beat: Callable[[], None] = lambda: None,
) -> Outcome | None:
    """Do a re-rating's work from where it is; None if it was cancelled. Doing it twice, or in two places, is harmless.

    Raises NotFound. Counts are of what is done since; the row has those of all starts.
    """
    from server_api.billing.rating.rerate import rerate  # the engine is loaded by who rates

    with database.reading() as conn:
        row = _row(conn, rerate_id)
    if row.state != RUNNING:
        return None
    kept = _Kept(database, row)
    try:
        outcome = rerate(
            database,
            asked_of(row),
            rerate_id=rerate_id,
            go_on_at=(row.at_month, row.at_account),
            progress=progress,
            reached=kept.reached,
            beat=beat,
        )
    except _Stopped:
        return None
    kept.end(outcome)
    return outcome


def asked_of(row: Any) -> Asked:
    """What a re-rating's row asks for."""
    from server_api.billing.rating.rerate_read import Asked

    return Asked(row.from_on, row.until_on, row.tariff_code, (row.account_id,) if row.account_id else ())


def run_job(run: JobRun) -> dict[str, Any]:
    """The worker's part: progress is the job's, stopping the job stops the re-rating."""
    rerate_id = str(run.arguments["rerate_id"])
    try:
        outcome = carry_on(run.database, rerate_id, progress=run.progress, beat=run.beat)
    except JobCancelled:
        run.database.write(lambda conn: change_store.rerate_at(conn, rerate_id, state=CANCELLED))
        raise
    return {"cancelled": True} if outcome is None else {"unresolved": outcome.unresolved_count}


class _Stopped(Exception):
    """Somebody cancelled the re-rating."""


class _Kept:
    """Keeps in the row how far the work is; the counts of earlier starts are part of it."""

    def __init__(self, database: Database, row: Any) -> None:
        self._database = database
        self._row = row

    def reached(self, yyyymm: int, account: str, outcome: Outcome) -> None:
        """All accounts of the month up to this one are done."""

        def work(conn: Connection) -> str:
            change_store.rerate_at(
                conn, self._row.rerate_id, at_month=yyyymm, at_account=account, **self._counts(outcome)
            )
            return str(_row(conn, self._row.rerate_id).state)

        if self._database.write(work) != RUNNING:
            raise _Stopped(self._row.rerate_id)

    def end(self, outcome: Outcome) -> None:
        """All is done."""
        now = self._database.clock.now()
        self._database.write(
            lambda conn: change_store.rerate_at(
                conn, self._row.rerate_id, state=DONE, done_at=now, **self._counts(outcome)
            )
        )

    def _counts(self, outcome: Outcome) -> dict[str, int]:
        return {
            "call_count": self._row.call_count + outcome.call_count,
            "changed_count": self._row.changed_count + outcome.changed_count + outcome.corrected_count,
            "moved_count": self._row.moved_count + outcome.moved_count,
            "was_micro_yuan": self._row.was_micro_yuan + outcome.was_micro_yuan,
            "now_micro_yuan": self._row.now_micro_yuan + outcome.now_micro_yuan,
        }


def _insist_on_none_running(conn: Connection, but: str = "") -> None:
    for row in change_store.rerates(conn, _SHOWN):
        if row.state == RUNNING and row.rerate_id != but:
            raise RerateUnderWay(id=row.rerate_id)


def _row(conn: Connection, rerate_id: str) -> Any:
    row = change_store.rerate_row(conn, rerate_id)
    if row is None:
        raise NotFound(what="rerate", id=rerate_id)
    return row


def _view(row: Any) -> RerateView:
    return RerateView(
        rerate_id=row.rerate_id,
        state=row.state,
        from_on=row.from_on,
        until_on=row.until_on,
        tariff_code=row.tariff_code or "",
        account_id=row.account_id or "",
        reason=row.reason,
        asked_at=row.asked_at,
        done_at=row.done_at,
        at_month=row.at_month,
        call_count=row.call_count,
        changed_count=row.changed_count,
        moved_count=row.moved_count,
        was_micro_yuan=MicroYuan(int(row.was_micro_yuan)),
        now_micro_yuan=MicroYuan(int(row.now_micro_yuan)),
    )
