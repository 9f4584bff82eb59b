"""kill -9 of an import and of the dealing of included units: started again, they leave what an undisturbed one leaves.

The short form is part of every run; ``ONEHALL_KILLS=300`` makes it as long as one likes.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from server_api.billing.rating import importer
from server_api.billing.rating import service as rating
from server_api.billing.rating.included import deal_included_units
from server_api.billing.usage.jobs import usage_counts_add_up
from server_api.billing.usage.samples import write_month
from server_api.platform.database import Database
from shared_models.tables.billing.rating import rated_step, rated_usage, rating_due
from shared_models.tables.billing.usage import usage_file, usage_pool, usage_seen, usage_span
from shared_models.values.period import Month
from tests.support import import_worker
from tests.support import usage_town as town
from tests.support.engines import TEST_SECRETS, Urls

pytestmark = [pytest.mark.faults, pytest.mark.slow]
KILLS = int(os.environ.get("ONEHALL_KILLS", "5"))
MONTH = Month(202602)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(30)]
LOGINS = [f"bb{index:04d}" for index in range(10)]
_TABLES = (rated_usage, rated_step, rating_due, usage_pool, usage_seen, usage_span, usage_file)


@pytest.fixture
def billing(database_urls: Urls) -> Iterator[Database]:
    database = Database("billing", database_urls.billing, secrets=TEST_SECRETS, label="tests", pool_size=4)
    town.small_town(database, NUMBERS[:25], LOGINS)
    yield database
    database.close()


def _left(database: Database) -> dict[str, Any]:
    """What an import leaves that must not depend on how often it was killed."""
    with database.reading() as conn:
        rows = {
            table.name: [tuple(row) for row in conn.execute(select(*columns).order_by(*table.primary_key.columns))]
            for table, columns in (
                (rated_usage, [c for c in rated_usage.c if c.name != "file_no"]),
                (rated_step, list(rated_step.c)),
                (rating_due, list(rating_due.c)),
            )
        }
        rows["pool"] = sorted(
            tuple(row) for row in conn.execute(select(usage_pool.c.file_pos, usage_pool.c.reason, usage_pool.c.period))
        )
        seen = [bytes(row.identities) for row in conn.execute(select(usage_seen.c.identities))]
        rows["seen"] = sorted(one[at : at + 8] for one in seen for at in range(0, len(one), 8))
        c = usage_file.c
        counts = select(
            c.sha256, c.state, c.record_count, c.read_count, c.accepted_count, c.rejected_count, c.duplicate_count,
            c.charge_micro_yuan, c.pieces_done, c.lines_done,
        )  # fmt: skip
        rows["files"] = sorted(tuple(row) for row in conn.execute(counts))
    return rows


def test_an_import_is_killed_at_random(billing: Database, database_urls: Urls, tmp_path: Path) -> None:
    paths = [one.path for one in write_month(tmp_path, NUMBERS, LOGINS, MONTH, call_count=1_500, session_count=200)]
    chance = random.Random(20261124)
    for _ in range(KILLS):
        turns = import_worker.counter()
        process = import_worker.start(database_urls, paths, turns)
        last = chance.randint(1, 25)
        until = time.monotonic() + 60
        while process.is_alive() and turns.value < last and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.004))
        process.kill()
        process.join()
    turns = import_worker.counter()
    process = import_worker.start(database_urls, paths, turns)
    process.join(timeout=120)
    assert process.exitcode == 0
    with billing.reading() as conn:
        assert rating.allowances_due(conn, MONTH.yyyymm) == 0
    assert usage_counts_add_up(billing).holds
    disturbed = _left(billing)
    with billing.batch() as conn:
        for table in _TABLES:
            conn.execute(delete(table))
    for path in paths:
        importer.import_file(billing, path, deal=False)
    deal_included_units(billing)
    undisturbed = _left(billing)
    undisturbed["files"] = [(*row[:8], None, None) for row in undisturbed["files"]]  # cut in larger pieces here
    disturbed["files"] = [(*row[:8], None, None) for row in disturbed["files"]]
    for name, rows in undisturbed.items():
        assert disturbed[name] == rows, name
