"""kill -9 of two workers in the middle of one month run: every row is that of a run nobody disturbed.

The short form is part of every run; ``ONEHALL_KILLS=300`` makes it as long as one likes.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from server_api.billing.bill import service
from server_api.billing.bill.policy import billing_policy
from server_api.platform.database import Databases, open_databases
from shared_models.tables.billing.bill import bill, bill_charge, bill_line
from shared_models.tables.billing.ledger import posting
from shared_models.values.clock import ManualClock, SystemClock, town_midnight
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support import billing_worker
from tests.support.bill_town import BillTown
from tests.support.engines import TEST_SECRETS, Urls, sqlite_pair

pytestmark = [pytest.mark.faults, pytest.mark.slow]
KILLS = int(os.environ.get("ONEHALL_KILLS", "6"))
ACCOUNTS = 40
MONTH = Month(202603)


def test_a_month_run_is_killed_at_random(database_urls: Urls, clock: ManualClock, tmp_path: Path) -> None:
    databases = _open(database_urls, clock)
    town, accounts = _settled(databases, clock)
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
    assert kills, "nobody was killed: the run was too fast"
    clock.set(max(clock.now(), SystemClock().now()))
    done = service.run_month(databases.billing, run_id)
    assert (str(done.state), done.done_count, done.bill_count, done.aside_count) == ("closed", ACCOUNTS, ACCOUNTS, 0)
    found = {table.name: _rows(databases, table) for table in (bill, bill_line, bill_charge, posting)}
    assert town.broken() == []
    assert done.total_fen == Fen.total(town.bill(account, MONTH.yyyymm).head.total_fen for account in accounts)
    databases.close()
    with sqlite_pair(tmp_path) as urls:
        undisturbed = _open(urls, clock)
        other, _accounts = _settled(undisturbed, clock)
        other.run(MONTH.yyyymm, billing_policy())
        for table in (bill, bill_line, bill_charge, posting):
            assert found[table.name] == _rows(undisturbed, table), table.name
            assert len(found[table.name]) >= ACCOUNTS
        undisturbed.close()


def _open(urls: Urls, clock: ManualClock) -> Databases:
    return open_databases(urls.business, urls.billing, secrets=TEST_SECRETS, clock=clock)


def _settled(databases: Databases, clock: ManualClock) -> tuple[BillTown, list[str]]:
    """Accounts with lines, calls and every third with a bundle; the same ids on whatever databases."""
    clock.set(town_midnight(MONTH.first_on))
    town = BillTown(databases, clock)
    accounts = [town.account(number) for number in range(1, ACCOUNTS + 1)]
    for number, account in enumerate(accounts):
        town.calls(account, town.install(account, "PSTN", "2026-01-01"), MONTH.yyyymm, [123_456 + number, 5_000])
        if number % 3 == 0:
            for offering, service_name in (("BB100", "broadband"), ("TV", "tv")):
                town.install(account, offering, "2026-03-11", service_name, offering, "PLAY3", f"home{number}")
    return town, accounts


def _rows(databases: Databases, table: Table) -> list[tuple[Any, ...]]:
    """All of a table but when it was written and what was sealed with a fresh nonce."""
    columns = [each for each in table.c if not each.name.endswith("_at") and not each.name.startswith("sealed_")]
    with databases.billing.reading() as connection:
        return sorted((tuple(row) for row in connection.execute(select(*columns))), key=repr)


def _done(town: BillTown, run_id: str) -> int:
    with town.billing.reading() as connection:
        return service.read_run(connection, run_id).done_count
