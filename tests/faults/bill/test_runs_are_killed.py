"""kill -9 of two workers in the middle of one month run: nothing lost, nothing doubled, the books balance.

The short form is part of every run; ``ONEHALL_KILLS=300`` makes it as long as one likes.
"""

from __future__ import annotations

import os
import random
import time

import pytest

from server_api.billing.bill import service
from server_api.platform.database import open_databases
from shared_models.values.clock import ManualClock, SystemClock
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support import billing_worker
from tests.support.bill_town import BillTown
from tests.support.engines import TEST_SECRETS, Urls

pytestmark = [pytest.mark.faults, pytest.mark.slow]
KILLS = int(os.environ.get("ONEHALL_KILLS", "6"))
ACCOUNTS = 40
MONTH = Month(202603)


def test_a_month_run_is_killed_at_random(database_urls: Urls, clock: ManualClock) -> None:
    databases = open_databases(database_urls.business, database_urls.billing, secrets=TEST_SECRETS, clock=clock)
    town = BillTown(databases, clock).on("2026-03-01")
    accounts = [town.account(number) for number in range(1, ACCOUNTS + 1)]
    for account in accounts:
        town.calls(account, town.install(account, "PSTN", "2026-01-01"), 202603, [123_456, 5_000])
    clock.set(max(SystemClock().now(), MONTH.ends_at))
    town.begin(202603)
    run_id = service.run_id_of(MONTH)
    chance = random.Random(20260401)
    workers = [billing_worker.start(database_urls, run_id) for _ in range(2)]
    kills = 0
    deadline = time.monotonic() + 240
    try:
        while _done(town, run_id) < ACCOUNTS and time.monotonic() < deadline:
            time.sleep(chance.uniform(0.05, 0.4))
            victim = chance.randrange(2)
            if kills < KILLS and _done(town, run_id):
                workers[victim].kill()
                kills += 1
            if not workers[victim].is_alive():
                workers[victim].join()
                workers[victim] = billing_worker.start(database_urls, run_id)
        for worker in workers:
            worker.join(timeout=60)
    finally:
        for worker in workers:
            worker.kill()
            worker.join()
    clock.set(max(clock.now(), SystemClock().now()))
    done = service.run_month(databases.billing, run_id)
    assert (str(done.state), done.done_count, done.bill_count, done.aside_count) == ("closed", ACCOUNTS, ACCOUNTS, 0)
    assert done.total_fen == Fen(ACCOUNTS * 2_513)
    assert {str(town.bill(account, 202603).head.total_fen) for account in accounts} == {"25.13"}
    assert town.broken() == []
    databases.close()


def _done(town: BillTown, run_id: str) -> int:
    with town.billing.reading() as connection:
        return service.read_run(connection, run_id).done_count
