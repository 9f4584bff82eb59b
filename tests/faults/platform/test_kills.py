"""kill -9 at random points: after it nothing is lost, nothing doubled, numbers have no gap.

The short form is part of every run; ``ONEHALL_KILLS=300`` makes it as long as one likes.
"""

from __future__ import annotations

import os
import random
import time
from typing import Any

import pytest
from sqlalchemy import func, select

from server_api.platform import audit, jobs
from server_api.platform.acts import perform
from server_api.platform.database import Databases
from server_api.platform.facts.dispatcher import deliver_all
from server_api.platform.facts.parking import list_parked
from server_api.platform.facts.replay import compare
from tests.support import actors
from tests.support.engines import Urls

pytestmark = [pytest.mark.faults, pytest.mark.slow]
KILLS = int(os.environ.get("ONEHALL_KILLS", "20"))
_LIFE_S = (0.05, 0.45)


def _kill_in_turn(urls: Urls, done: Any) -> int:
    """Writer and worker live beside each other; one of them is killed at a random moment and started again."""
    chance = random.Random(4711)
    worker = actors.start(actors.carry, urls, 1.0)
    writer = actors.start(actors.write_until_told, urls, 0, 10**9, done)
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(*_LIFE_S))
            if chance.random() < 0.5:
                writer.kill()
                writer.join()
                # The journal says what was confirmed; what was on its way is sent again under its id.
                writer = actors.start(actors.write_until_told, urls, max(0, done.value - 8), 10**9, done)
            else:
                worker.kill()
                worker.join()
                worker = actors.start(actors.carry, urls, 1.0)
    finally:
        writer.kill()
        writer.join()
        worker.kill()
        worker.join()
    return int(done.value)


def test_writer_and_worker_are_killed_at_random(database_urls: Urls) -> None:
    done = actors.counter()
    starter = actors.open_pair(database_urls, "tests")
    job_id = jobs.enqueue_now(starter.billing, actors.JOB, {"acts": 150})
    starter.close()
    last = _kill_in_turn(database_urls, done)
    databases = actors.open_pair(database_urls, "tests")
    try:
        # What a teller's journal would do: every act up to the last is sent once more under its id.
        replies = [perform(databases.billing, actors.act_of(index), lambda uow, i=index: actors.number_and_tell(uow, i))
                   for index in range(last + 1)]
        deliver_all(actors.crossings_of(databases))
        _finish_job(databases, job_id)
        _nothing_lost_nothing_doubled(databases, replies)
        assert last > KILLS, "the killing left no time to work"
    finally:
        databases.close()


def _finish_job(databases: Databases, job_id: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        row = jobs.read_job(databases.billing, job_id)
        assert row is not None
        if row.state == jobs.DONE:
            break
        if row.state == jobs.FAILED:  # killed more often than a job is tried by itself
            assert row.attempts >= jobs.MAX_ATTEMPTS
            run = actors.JobRun(databases.billing, row)
            run.remember = lambda **state: None  # type: ignore[method-assign]
            run.progress = lambda done, total: None  # type: ignore[method-assign]
            actors.long_job(run)
            break
        jobs.run_next(databases.billing, {actors.JOB: actors.long_job}, lease_s=1.0)
        time.sleep(0.05)
    assert actors.counters(databases.billing, "steps") == {"steps": 150}


def _nothing_lost_nothing_doubled(databases: Databases, replies: list[Any]) -> None:
    billing, business = databases.billing, databases.business
    with billing.reading() as connection:
        act = billing.platform.act
        count = select(func.count()).select_from(act).where(act.c.kind == "tests.number")
        stored = int(connection.execute(count).scalar_one())
    numbers = sorted(actors.Numbered.model_validate_json(reply.reply).number for reply in replies)
    beyond = stored - len(replies)  # acts the writer stored and could not report before it was killed
    assert 0 <= beyond <= 64
    assert len(set(numbers)) == len(numbers) and numbers[-1] <= stored
    assert actors.counters(billing, "receipts") == {"receipts": stored}
    heard = actors.counters(business, "heard")
    assert sum(heard.values()) == stored
    assert set(actors.counters(business, "effect").values()) == {1}
    assert sum(actors.counters(billing, "answered").values()) == stored
    for source, target in ((billing, business), (business, billing)):
        assert list_parked(source) == []
        found = compare(source, target)
        assert (found.missing, found.waiting, found.lost_future) == (0, 0, [])
    while audit.seal(billing):
        pass
    report = audit.verify(billing)
    assert (report.wrong, report.sealed) == ([], stored)
