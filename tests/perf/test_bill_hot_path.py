"""What a month run asks the database for, counted and not timed: by chunks and turns, never by accounts.

Prevents: the query for each account of a chunk, which no other test fails on and which halves the speed of a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from server_api.billing.bill import run as run_module
from server_api.billing.bill import service
from server_api.platform.database import Database, Databases
from shared_models.values.clock import ManualClock
from shared_models.values.period import Month
from tests.support.bill_town import PATIENT, BillTown

pytestmark = pytest.mark.one_engine
MARCH = Month(202603)


@contextmanager
def _statements(database: Database) -> Iterator[list[str]]:
    told: list[str] = []

    def tell(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        told.append(statement.split("\n")[0][:80])

    engines = {id(engine): engine for engine in (database.engine, database.reader)}.values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", tell)
    yield told
    for engine in engines:
        event.remove(engine, "before_cursor_execute", tell)


def _run(town: BillTown, month: Month) -> list[str]:
    policy = replace(PATIENT, run=replace(PATIENT.run, chunk_accounts=1_000, turn_accounts=1_000))
    town.clock.set(max(town.clock.now(), month.ends_at))
    town.begin(month.yyyymm)
    with _statements(town.billing) as told:
        done = service.run_month(town.billing, service.run_id_of(month), policy=policy)
    assert done.aside_count == 0 and done.bill_count == done.done_count
    return told


def _settle(town: BillTown, first: int, until: int, yyyymm: int) -> None:
    for number in range(first, until):
        account = town.account(number)
        line = town.install(account, "PSTN", f"{yyyymm // 100}-{yyyymm % 100:02d}-01", shown_as=f"0937-3{number:06d}")
        town.calls(account, line, yyyymm, [123_456, 5_000])


def test_statements_do_not_grow_with_accounts(
    databases: Databases, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six times the accounts in one turn: the same statements; the books of whoever has money are read together."""
    monkeypatch.setattr(run_module, "_TURN_LEAST", 1_000)
    monkeypatch.setattr(run_module, "_TURN_MOST", 1_000)
    monkeypatch.setattr("server_api.billing.bill.service.runs._CHUNKS_AT_LEAST", 1)
    town = BillTown(databases, clock).on("2026-03-01")
    _settle(town, 1, 11, 202603)
    few = _run(town, MARCH)
    town.on("2026-04-01")
    _settle(town, 11, 61, 202604)
    many = _run(town, MARCH.next())
    new = sorted(set(many) - set(few))
    assert len(many) - len(few) <= 8, (len(few), len(many), new)


def test_statements_go_by_turns(databases: Databases, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server_api.billing.bill.service.runs._CHUNKS_AT_LEAST", 1)
    town = BillTown(databases, clock).on("2026-03-01")
    _settle(town, 1, 41, 202603)
    counts = []
    for month, size in ((MARCH, 1_000), (MARCH.next(), 10)):
        monkeypatch.setattr(run_module, "_TURN_LEAST", size)
        monkeypatch.setattr(run_module, "_TURN_MOST", size)
        monkeypatch.setattr(run_module.MonthRun, "_fit_turn", lambda self, _n, _s, size=size: None)
        policy = replace(PATIENT, run=replace(PATIENT.run, chunk_accounts=1_000, turn_accounts=size))
        town.clock.set(max(town.clock.now(), month.ends_at))
        town.begin(month.yyyymm)
        with _statements(town.billing) as told:
            service.run_month(town.billing, service.run_id_of(month), policy=policy)
        counts.append(len(told))
    assert counts[1] - counts[0] <= 3 * 40, counts
