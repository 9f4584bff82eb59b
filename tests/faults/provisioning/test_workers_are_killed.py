"""kill -9 of two workers while they work a system that makes trouble: every command ends once, is heard once, and the
network has each effect once.

The short form is part of every run; ``ONEHALL_KILLS=300`` makes it as long as one likes.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter

import pytest

from server_api.business.provisioning import checks
from server_api.business.provisioning.news import NewTask
from server_api.business.provisioning.registry import build_simulator
from server_api.business.provisioning.simulation import Fault, FaultMenu
from server_api.business.provisioning.store import tasks as commands
from server_api.business.provisioning.training import Training, site_to
from server_api.platform.database import open_databases
from tests.support import provisioning_worker
from tests.support.audits import noted
from tests.support.engines import TEST_SECRETS, Urls
from tests.support.network import connected, request, states

pytestmark = [pytest.mark.faults, pytest.mark.slow]
KILLS = int(os.environ.get("ONEHALL_KILLS", "6"))
SUBSCRIBERS = 40 if KILLS <= 10 else KILLS * 6


def test_workers_are_killed_at_random(database_urls: Urls) -> None:
    databases = open_databases(database_urls.business, database_urls.billing, secrets=TEST_SECRETS, label="tests")
    simulator = build_simulator("srun", FaultMenu(seed=5, late_s=0.5))
    for fault in Fault:
        simulator.menu.add(fault, probability=0.1 / len(Fault))
    chance = random.Random(20261124)
    try:
        with Training(simulator) as training, connected(site_to(simulator, pace={"night": ""})):
            for number in range(SUBSCRIBERS):
                request(databases.business, *_story(f"kd{number}"))
            settings = dict(simulator.settings())
            workers = [provisioning_worker.start(database_urls, settings) for _ in range(2)]
            kills = 0
            deadline = time.monotonic() + 60 + KILLS
            try:
                while _open(databases) and time.monotonic() < deadline:
                    time.sleep(chance.uniform(0.1, 0.6))
                    victim = chance.randrange(2)
                    if kills < KILLS and states(databases.business)["done"]:
                        workers[victim].kill()
                        kills += 1
                    if not workers[victim].is_alive():
                        workers[victim].join()
                        workers[victim] = provisioning_worker.start(database_urls, settings)
            finally:
                for worker in workers:
                    worker.kill()
                    worker.join()
            assert kills >= min(KILLS, 2), kills
            book, effects = training.call(lambda: (dict(simulator.book), Counter(simulator.effects)))
        ends = states(databases.business)
        assert sum(ends.values()) == SUBSCRIBERS * 3
        assert ends["done"] == SUBSCRIBERS * 3, ends
        assert {key: state["status"] for key, state in book.items()} == {f"kd{n}": "0" for n in range(SUBSCRIBERS)}
        # Suspending drops the session that resuming dials anew: each change of state happened once.
        assert {name: number for name, number in effects.items() if number != 1} == {}
        told = noted(databases.business, provisioning_worker.HEARD)
        with databases.business.reading() as connection:
            done = {f"{row.task_id}:done" for row in commands.listed(connection, "done", limit=10_000)}
        assert told == Counter(done)
        assert checks.commands_in_order(databases.business).holds
    finally:
        databases.close()


def _story(name: str) -> list[NewTask]:
    return [
        NewTask("srun", name, "open", {"password": f"pw-{name}", "product_id": "3"}),
        NewTask("srun", name, "suspend"),
        NewTask("srun", name, "resume"),
    ]


def _open(databases: object) -> int:
    counts = states(databases.business)  # type: ignore[attr-defined]
    return counts["waiting"] + counts["sent"]
