"""Jobs: work that outlives a request. A row in the side's own table, claimed with a lease, resumable and cancellable.

A job that dies with its worker is claimed again when its lease runs out, so every job function must bear being run
again from the last state it remembered: give the acts inside it ids by ``run.act_id(step)``.
Claims are a conditional UPDATE (rowcount 1 = mine), which is right on every engine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from server_api.platform.database import Database
from server_api.platform.dialects import Trouble
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import WorkContext, system_context
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import NotFound
from shared_models.values.ids import derived_id, new_id

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
LEASE_S = 60.0
#: A job that took its worker down this often is not tried again by itself.
MAX_ATTEMPTS = 5
_PROGRESS_EVERY_S = 0.5


class JobCancelled(Exception):
    """Somebody asked for this job to stop; raised out of ``JobRun.progress``."""


class JobLost(Exception):
    """The lease ran out and another worker has the job: stop at once, without a trace."""


class JobRun:
    """A job while it runs: what it was asked, how far it is, whether it shall stop."""

    def __init__(self, database: Database, row: Row[Any], lease_s: float = LEASE_S) -> None:
        self.database = database
        self.job_id: str = row.job_id
        self.kind: str = row.kind
        self.arguments: dict[str, Any] = row.arguments or {}
        #: What ``remember`` stored last, by this run or by one that died.
        self.state: dict[str, Any] = row.state_kept or {}
        self.attempt: int = int(row.attempts)
        self.context: WorkContext = system_context(f"job {row.kind}")
        self._lease_s = lease_s
        self._said_at = 0.0
        self._cancelled = bool(row.cancel_wanted)

    def act_id(self, *step: object) -> str:
        """The id of one act of this job: the same whenever the job is run again."""
        return derived_id(self.job_id, *(str(part) for part in step))

    @property
    def cancelled(self) -> bool:
        """True once somebody asked for the job to stop (as of the last progress or heartbeat)."""
        return self._cancelled

    def progress(self, done: int, total: int) -> None:
        """Say how far the work is (at most twice a second is written). Raises JobCancelled, JobLost."""
        if time.monotonic() - self._said_at >= _PROGRESS_EVERY_S or done >= total:
            self._store({"done_count": done, "total_count": total})
        if self._cancelled:
            raise JobCancelled(self.job_id)

    def remember(self, **state: Any) -> None:
        """Keep where to go on after a crash. Raises JobCancelled, JobLost."""
        self.state = {**self.state, **state}
        self._store({"state_kept": self.state})
        if self._cancelled:
            raise JobCancelled(self.job_id)

    def beat(self) -> None:
        """Prolong the lease and learn whether the job shall stop. Raises JobLost."""
        self._store({})

    def _store(self, values: dict[str, Any]) -> None:
        self._said_at = time.monotonic()
        table = self.database.platform.job

        def work(connection: Connection) -> bool:
            until = self.database.clock.now() + timedelta(seconds=self._lease_s)
            mine = and_(table.c.job_id == self.job_id, table.c.state == RUNNING,
                        table.c.worker == self.database.worker_name, table.c.attempts == self.attempt)
            if connection.execute(update(table).where(mine).values(lease_until=until, **values)).rowcount != 1:
                raise JobLost(self.job_id)
            wanted = select(table.c.cancel_wanted).where(table.c.job_id == self.job_id)
            return bool(connection.execute(wanted).scalar_one())

        self._cancelled = self.database.write(work)


#: Runs a job; what it returns is kept as its outcome (shown by ``onehall`` and the API).
JobFunction = Callable[[JobRun], Mapping[str, Any] | None]


def enqueue(
    uow: UnitOfWork, kind: str, arguments: Mapping[str, Any] | None = None, job_id: str = "",
    due_at: datetime | None = None,
) -> str:
    """Ask for a job inside an act: it exists if and only if the act is stored. Returns its id.

    Give ``job_id`` where repeating the act must not ask twice (``derived_id(uow.act_id, ...)`` is the default).
    """
    job_id = job_id or derived_id(uow.act_id, "job", kind)
    uow.conn.execute(insert(uow.platform.job).values(_new_row(job_id, kind, arguments, due_at or uow.now, uow.now)))
    return job_id


def enqueue_now(database: Database, kind: str, arguments: Mapping[str, Any] | None = None, job_id: str = "") -> str:
    """Ask for a job outside any act (command line, calendar). An id that is already there is left as it is."""
    job_id = job_id or new_id()
    now = database.clock.now()
    try:
        database.write(lambda connection: connection.execute(
            insert(database.platform.job).values(_new_row(job_id, kind, arguments, now, now))))
    except DBAPIError as error:
        if database.dialect.classify(error) is not Trouble.DUPLICATE:
            raise
    return job_id


def _new_row(
    job_id: str, kind: str, arguments: Mapping[str, Any] | None, due_at: datetime, now: datetime,
) -> dict[str, Any]:
    return {
        "job_id": job_id, "kind": kind, "state": WAITING, "asked_at": now, "due_at": due_at, "attempts": 0,
        "done_count": 0, "total_count": 0, "cancel_wanted": False, "arguments": dict(arguments or {}),
    }


def cancel(database: Database, job_id: str) -> None:
    """Ask for a job to stop: at once if it has not begun, else at its next progress. Raises NotFound."""
    table = database.platform.job

    def work(connection: Connection) -> int:
        waiting = connection.execute(update(table).where(table.c.job_id == job_id, table.c.state == WAITING).values(
            state=CANCELLED, cancel_wanted=True)).rowcount
        return waiting or connection.execute(
            update(table).where(table.c.job_id == job_id, table.c.state == RUNNING).values(cancel_wanted=True)).rowcount

    if not database.write(work) and read_job(database, job_id) is None:
        raise NotFound(what="job", id=job_id)


def read_job(database: Database, job_id: str) -> Row[Any] | None:
    """The job's row, or None."""
    table = database.platform.job
    with database.reading() as connection:
        return connection.execute(select(table).where(table.c.job_id == job_id)).one_or_none()


def wait_for_job(database: Database, job_id: str, timeout_s: float) -> Row[Any] | None:
    """The job's row once it has ended, or as it stands when the time is up."""
    until = time.monotonic() + timeout_s
    while True:
        row = read_job(database, job_id)
        if row is None or row.state in (DONE, FAILED, CANCELLED) or time.monotonic() > until:
            return row
        time.sleep(0.05)


def claim_next(database: Database, kinds: tuple[str, ...], lease_s: float = LEASE_S) -> JobRun | None:
    """Claim the next job that is due, or one whose worker died; None when there is none."""
    table = database.platform.job
    now = database.clock.now()
    free = or_(and_(table.c.state == WAITING, table.c.due_at <= now),
               and_(table.c.state == RUNNING, table.c.lease_until < now))
    candidates = (select(table.c.job_id, table.c.state, table.c.attempts).where(table.c.kind.in_(kinds), free)
                  .order_by(table.c.due_at, table.c.job_id).limit(5))
    with database.reading() as connection:
        found = connection.execute(candidates).all()
    for row in found:
        run = database.write(lambda connection, row=row: _claim(database, connection, row, lease_s))  # type: ignore[misc]
        if run is not None:
            return run
    return None


def _claim(database: Database, connection: Connection, seen: Row[Any], lease_s: float) -> JobRun | None:
    table = database.platform.job
    now = database.clock.now()
    same = and_(table.c.job_id == seen.job_id, table.c.state == seen.state, table.c.attempts == seen.attempts)
    if seen.state == RUNNING and seen.attempts >= MAX_ATTEMPTS:
        connection.execute(update(table).where(same, table.c.lease_until < now).values(
            state=FAILED, ended_at=now, outcome={"error": f"its worker ended {seen.attempts} times while it ran"}))
        return None
    if seen.state == RUNNING:
        same = and_(same, table.c.lease_until < now)
    taken = connection.execute(update(table).where(same).values(
        state=RUNNING, worker=database.worker_name, attempts=table.c.attempts + 1, begun_at=now,
        lease_until=now + timedelta(seconds=lease_s))).rowcount
    if taken != 1:
        return None
    return JobRun(database, connection.execute(select(table).where(table.c.job_id == seen.job_id)).one(), lease_s)


def run_next(database: Database, functions: Mapping[str, JobFunction], lease_s: float = LEASE_S) -> bool:
    """Claim and run one job to its end; False when none was due."""
    run = claim_next(database, tuple(functions), lease_s) if functions else None
    if run is None:
        return False
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(run, stop, lease_s / 4), name=f"job-{run.kind}", daemon=True)
    heart.start()
    try:
        outcome = functions[run.kind](run)
        _end(run, DONE, dict(outcome or {}))
    except JobCancelled:
        _end(run, CANCELLED, {})
    except JobLost:
        return True
    except Fault as fault:
        _end_refused(run, fault)
    except Exception as error:  # noqa: BLE001 - a job's defect must not stop the worker: it is kept with the job and shown
        _end(run, FAILED, {"error": f"{type(error).__name__}: {error}"[:2000]})
    finally:
        stop.set()
        heart.join()
    return True


def _beat(run: JobRun, stop: threading.Event, every_s: float) -> None:
    while not stop.wait(every_s):
        try:
            run.beat()
        except (JobLost, Fault):  # the job itself meets the same at its next progress and acts on it
            return


def _end_refused(run: JobRun, fault: Fault) -> None:
    """A passing trouble (database away, disk full) puts the job back for later; a refusal ends it."""
    if not fault.retry or run.attempt >= MAX_ATTEMPTS:
        _end(run, FAILED, {"fault": fault.code, "error": str(fault)})
        return
    table = run.database.platform.job
    due = run.database.clock.now() + timedelta(seconds=2.0**run.attempt)
    run.database.write(lambda connection: connection.execute(
        update(table).where(table.c.job_id == run.job_id, table.c.attempts == run.attempt).values(
            state=WAITING, worker=None, lease_until=None, due_at=due)))


def _end(run: JobRun, state: str, outcome: dict[str, Any]) -> None:
    table = run.database.platform.job
    run.database.write(lambda connection: connection.execute(
        update(table).where(table.c.job_id == run.job_id, table.c.attempts == run.attempt).values(
            state=state, outcome=outcome, ended_at=run.database.clock.now(), lease_until=None)))


def run_all(database: Database, functions: Mapping[str, JobFunction]) -> int:
    """Run everything that is due, here and now. For tests and tools; returns how many jobs ran."""
    count = 0
    while run_next(database, functions):
        count += 1
    return count
