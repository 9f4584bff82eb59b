"""Fifty sessions on one balance at the same time: it is never overdrawn, and every fen is accounted for."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from server_api.platform.database import Database, Databases
from server_api.platform.secrets import Secrets
from shared_models.values.ids import new_id
from tests.support.credit_town import Switch, prepaid_town
from tests.support.engines import Urls
from tests.support.source import REPOSITORY
from tests.support.usage_town import account_of

POOR = "3960001"
BLOCK = 70_000
#: A longer form: ONEHALL_CREDIT_SESSIONS=2000 pytest tests/scenario/credit
SESSIONS = int(os.environ.get("ONEHALL_CREDIT_SESSIONS", "50"))


def talk(switch: Switch, seed: int, took: list[int], troubles: list[BaseException]) -> None:
    """One subscriber's phone: begins, asks for more until nothing is left, hangs up."""
    rng = random.Random(seed)
    try:
        begun = switch.begin(POOR, ask=rng.choice([30, 60, 90]))
        if begun.verdict == "exhausted":
            return
        used, number, granted = 0, 0, begun.granted_total
        for number in range(1, rng.randrange(1, 4)):
            used = rng.randrange(used, granted + 1)
            # each answer replaces the grant before it
            granted = switch.update(begun.session_id, number, used, ask=30).granted_total
        ended = switch.end(begun.session_id, number + 1, rng.randrange(used, granted + 1))
        assert ended.shortfall_micro_yuan.amount_micro_yuan == 0
        took.append(ended.charged_micro_yuan.amount_micro_yuan)
    except BaseException as trouble:  # noqa: BLE001 - handed to the test
        troubles.append(trouble)


def test_fifty_sessions_never_overdraw(databases: Databases) -> None:
    """Threads with pricers of their own, as several API processes have; 10 yuan pay for 142 blocks among them all."""
    prepaid_town(databases.billing, {"3960000": 0, POOR: 10_00})
    took: list[int] = []
    troubles: list[BaseException] = []
    switches = [Switch.of(databases.billing) for _ in range(4)]
    guards = [threading.Lock() for _ in switches]
    for switch, guard in zip(switches, guards, strict=True):
        quotes = switch.pricer.quotes
        switch.pricer.quotes = lambda asks, quotes=quotes, guard=guard: _alone(guard, quotes, asks)  # type: ignore[method-assign]
    threads = [
        threading.Thread(target=talk, args=(switches[number % len(switches)], number, took, troubles))
        for number in range(SESSIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    switch = switches[0]
    view = switch.view(POOR)
    assert (view.held_micro_yuan.amount_micro_yuan, view.open_sessions) == (0, 0)
    assert view.unbooked_micro_yuan.amount_micro_yuan == sum(took) <= 10_000_000
    assert view.available_micro_yuan.amount_micro_yuan == 10_000_000 - sum(took) >= 0
    switch.checked()


def _alone(guard: threading.Lock, quotes: object, asks: object) -> object:
    with guard:
        return quotes(asks)  # type: ignore[operator]


_SWITCH = """
import sys
from server_api.platform.database import Database
from server_api.platform.secrets import Secrets
from tests.support.credit_town import Switch
import random
database = Database("billing", sys.argv[1], secrets=Secrets(bytes(range(32))), label="switch")
switch = Switch.of(database)
rng = random.Random(int(sys.argv[2]))
print("ready", flush=True)
while True:
    begun = switch.begin(sys.argv[3], ask=rng.choice([6, 12]))
    if begun.verdict == "exhausted":
        continue
    switch.update(begun.session_id, 1, rng.randrange(0, begun.granted + 1), ask=6)
    switch.end(begun.session_id, 2, rng.randrange(begun.granted, begun.granted + 3))
"""


def test_processes_killed_in_the_middle_of_sessions(databases: Databases, database_urls: Urls) -> None:
    """Two processes on one balance, killed -9 at any point: what is stored always adds up, and nothing is overdrawn."""
    prepaid_town(databases.billing, {"3960000": 0, POOR: 50_00})
    switch = Switch.of(databases.billing)
    for round_no in range(2):
        command = [sys.executable, "-c", _SWITCH, database_urls.billing]
        running = [
            subprocess.Popen(
                [*command, str(10 * round_no + number), POOR],
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                env={**os.environ},
            )
            for number in range(2)
        ]
        for process in running:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        time.sleep(random.Random(round_no).uniform(0.2, 0.5))
        for process in running:
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        switch.checked()
    view = switch.view(POOR)
    assert view.available_micro_yuan.amount_micro_yuan >= 0
    assert view.unbooked_micro_yuan.amount_micro_yuan > 0
    left = switch.begin(POOR, ask=6)
    assert left.verdict == "granted"
    assert account_of(POOR) == left.account_id


@pytest.mark.one_engine
def test_a_reservation_runs_few_statements(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The hot path counts statements, not seconds: reserving is seven, whatever the account has behind it."""
    from sqlalchemy import event

    prepaid_town(databases.billing, {"3960000": 0, POOR: 100_00})
    switch = Switch.of(databases.billing)
    switch.end(switch.begin(POOR, ask=6).session_id, 1, 6)
    counted: list[str] = []
    database: Database = databases.billing

    def count(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        counted.append(statement)

    event.listen(database.engine, "before_cursor_execute", count)
    try:
        begun = switch.begin(POOR, session_id=new_id(), ask=6)
        reserving = [text for text in counted if not text.startswith(("PRAGMA", "SAVEPOINT", "RELEASE"))]
        counted.clear()
        switch.end(begun.session_id, 1, 6)
        ending = [text for text in counted if not text.startswith(("PRAGMA", "SAVEPOINT", "RELEASE"))]
    finally:
        event.remove(database.engine, "before_cursor_execute", count)
    assert isinstance(database.secrets, Secrets)
    assert len(reserving) <= 9, reserving
    assert len(ending) <= 10, ending
