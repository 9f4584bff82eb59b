"""Jobs are claimed once, resumed after a crash, cancelled when asked; calendar entries fire once for all workers."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import func, select, update

from server_api.platform import jobs
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.calendar import Calendar
from server_api.platform.database import Database, Databases
from server_api.platform.jobs import JobRun
from server_api.platform.registry import CalendarEntry
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.values.clock import ManualClock
from shared_models.values.faults.common import InputNotValid, NotFound, TooBusy
from shared_models.values.ids import new_id


def _state(database: Database, job_id: str) -> Any:
    return jobs.read_job(database, job_id)


def test_a_job_asked_for_in_an_act_exists_if_and_only_if_the_act_does(databases: Databases) -> None:
    billing = databases.billing
    asked: list[str] = []

    def work(uow: UnitOfWork) -> None:
        asked.append(jobs.enqueue(uow, "tests.count", {"to": 3}))

    def refuse(uow: UnitOfWork) -> None:
        asked.append(jobs.enqueue(uow, "tests.count"))
        raise InputNotValid(field="x", reason="y")

    act = Act(new_id(), "tests.ask", digest_of({}), system_context("tests"))
    perform(billing, act, work)
    perform(billing, act, work)
    with pytest.raises(InputNotValid):
        perform(billing, Act(new_id(), "tests.ask", digest_of({}), system_context("tests")), refuse)
    assert _state(billing, asked[0]).state == jobs.WAITING
    assert _state(billing, asked[-1]) is None

    def count(run: JobRun) -> dict[str, Any]:
        for number in range(run.arguments["to"]):
            run.progress(number + 1, run.arguments["to"])
        return {"counted": run.arguments["to"]}

    assert jobs.run_all(billing, {"tests.count": count}) == 1
    row = _state(billing, asked[0])
    assert (row.state, row.done_count, row.total_count, row.outcome) == (jobs.DONE, 3, 3, {"counted": 3})
    assert jobs.run_all(billing, {"tests.count": count}) == 0


def test_two_workers_claim_a_job_once(databases: Databases) -> None:
    for _ in range(20):
        jobs.enqueue_now(databases.billing, "tests.once")
    ran: list[str] = []
    barrier = threading.Barrier(3)

    def worker() -> None:
        barrier.wait()
        jobs.run_all(databases.billing, {"tests.once": lambda run: ran.append(run.job_id)})

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ran) == len(set(ran)) == 20


def test_a_job_whose_worker_died_goes_on_where_it_was(databases: Databases, clock: ManualClock) -> None:
    billing = databases.billing
    job_id = jobs.enqueue_now(billing, "tests.long")
    run = jobs.claim_next(billing, ("tests.long",), lease_s=60)
    assert run is not None
    run.remember(at=7)
    first_act = run.act_id("step", 1)
    # The worker is gone; until the lease is over nobody else takes the job.
    assert jobs.claim_next(billing, ("tests.long",)) is None
    clock.advance(timedelta(seconds=61))
    seen: dict[str, Any] = {}

    def resume(again: JobRun) -> None:
        seen.update(state=again.state, attempt=again.attempt, act=again.act_id("step", 1))

    assert jobs.run_next(billing, {"tests.long": resume})
    assert seen == {"state": {"at": 7}, "attempt": 2, "act": first_act}
    assert _state(billing, job_id).state == jobs.DONE
    with pytest.raises(jobs.JobLost):
        run.beat()


def test_a_job_that_takes_its_worker_down_is_given_up(databases: Databases, clock: ManualClock) -> None:
    job_id = jobs.enqueue_now(databases.billing, "tests.deadly")
    for _ in range(jobs.MAX_ATTEMPTS):
        assert jobs.claim_next(databases.billing, ("tests.deadly",)) is not None
        clock.advance(timedelta(seconds=61))
    assert jobs.claim_next(databases.billing, ("tests.deadly",)) is None
    row = _state(databases.billing, job_id)
    assert (row.state, row.outcome) == (jobs.FAILED, {"error": "its worker ended 5 times while it ran"})


def test_cancelling(databases: Databases) -> None:
    billing = databases.billing
    waiting = jobs.enqueue_now(billing, "tests.slow")
    jobs.cancel(billing, waiting)
    assert _state(billing, waiting).state == jobs.CANCELLED
    running = jobs.enqueue_now(billing, "tests.slow")

    def slow(run: JobRun) -> None:
        for number in range(100):
            jobs.cancel(billing, run.job_id)
            run.progress(number, 100)
            run.remember(number=number)
        raise AssertionError("it was not stopped")

    assert jobs.run_all(billing, {"tests.slow": slow}) == 1
    assert _state(billing, running).state == jobs.CANCELLED
    with pytest.raises(NotFound):
        jobs.cancel(billing, new_id())


def test_a_refusal_ends_a_job_and_a_passing_trouble_puts_it_back(databases: Databases, clock: ManualClock) -> None:
    billing = databases.billing
    refused = jobs.enqueue_now(billing, "tests.refused")
    broken = jobs.enqueue_now(billing, "tests.broken")
    busy = jobs.enqueue_now(billing, "tests.busy")

    def raising(error: Exception) -> jobs.JobFunction:
        def run(_run: JobRun) -> None:
            raise error
        return run

    functions = {"tests.refused": raising(NotFound(what="x")), "tests.broken": raising(ValueError("oops")),
                 "tests.busy": raising(TooBusy(what="y"))}
    assert jobs.run_all(billing, functions) == 3
    assert _state(billing, refused).outcome["fault"] == "not_found"
    assert _state(billing, broken).outcome == {"error": "ValueError: oops"}
    assert _state(billing, busy).state == jobs.WAITING
    assert jobs.run_all(billing, functions) == 0
    clock.advance(timedelta(seconds=3))
    assert jobs.run_all(billing, functions) == 1


def _jobs_of(database: Database, kind: str) -> int:
    table = database.platform.job
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table).where(table.c.kind == kind)).scalar_one())


def test_the_calendar_fires_once_for_all_workers_and_makes_up_for_a_missed_night(
    databases: Databases, clock: ManualClock,
) -> None:
    entry = CalendarEntry("nightly", "billing", "tests.nightly", "30 3 * * *")
    _installed(databases.billing, clock.now() - timedelta(days=9))
    clock.set(datetime(2026, 3, 16, 19, 0, tzinfo=timezone.utc))  # 03:00 on the 17th in the town
    workers = [Calendar(databases, [entry]) for _ in range(3)]
    assert [worker.look() for worker in workers] == [1, 1, 1]  # the night of the 16th, missed
    assert _jobs_of(databases.billing, "tests.nightly") == 1
    clock.advance(timedelta(minutes=29))
    assert [worker.look() for worker in workers] == [0, 0, 0]
    clock.advance(timedelta(minutes=2))
    assert [worker.look() for worker in workers] == [1, 1, 1]
    assert _jobs_of(databases.billing, "tests.nightly") == 2
    assert Calendar(databases, [entry]).look() == 1  # a restarted worker makes up for nothing that was done
    assert _jobs_of(databases.billing, "tests.nightly") == 2


def test_a_fresh_installation_has_missed_nothing(databases: Databases) -> None:
    assert Calendar(databases, [CalendarEntry("n", "billing", "tests.nightly", "* * * * *")]).look() == 0


def _installed(database: Database, at: datetime) -> None:
    side = database.platform.side

    def work(connection: Any) -> None:
        if connection.execute(update(side).values(epoch_since=at)).rowcount == 0:
            connection.execute(side.insert().values(role=database.role, epoch=1, epoch_since=at))

    database.write(work)
