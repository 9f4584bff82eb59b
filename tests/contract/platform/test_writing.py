"""Writing: shared commits, write turns, bulk rows, what passes and what is run again."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from server_api.platform.database import Database, Databases
from server_api.platform.locks import WriteTurns
from shared_models.values.clock import ManualClock
from shared_models.values.faults.common import DatabaseAway, TooBusy


def _counters(database: Database) -> list[tuple[str, int]]:
    table = database.platform.number_counter
    with database.reading() as connection:
        rows = connection.execute(select(table).order_by(table.c.counter_name))
        return [(row.counter_name, int(row.next_value)) for row in rows]


def _add(database: Database, name: str, value: int = 1) -> None:
    table = database.platform.number_counter
    database.write(lambda connection: connection.execute(insert(table).values(counter_name=name, next_value=value)))


def test_a_piece_that_fails_undoes_itself_alone(databases: Databases) -> None:
    billing = databases.billing
    outcomes: dict[int, str] = {}
    barrier = threading.Barrier(12)

    def run(index: int) -> None:
        barrier.wait()
        try:
            _add(billing, f"c{index // 2:02d}", index)  # each name twice: one of two must fail
            outcomes[index] = "stored"
        except IntegrityError:
            outcomes[index] = "refused"

    threads = [threading.Thread(target=run, args=(index,)) for index in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes.values()).count("stored") == 6
    assert [name for name, _value in _counters(billing)] == [f"c{index:02d}" for index in range(6)]


def test_rows_are_written_in_turns_and_remembered_with_them(databases: Databases) -> None:
    billing = databases.billing
    table = billing.platform.number_counter
    _add(billing, "progress", 0)

    def remember(connection: Connection, total: int) -> None:
        connection.execute(update(table).where(table.c.counter_name == "progress").values(next_value=total))

    rows = ((f"row {number:06d}", number) for number in range(12_345))
    assert billing.write_rows(table, ["counter_name", "next_value"], rows, remember) == 12_345
    stored = dict(_counters(billing))
    assert stored["progress"] == 12_345
    assert (len(stored), stored["row 012344"]) == (12_346, 12_344)
    assert billing.write_rows(table, ["counter_name", "next_value"], []) == 0


def test_a_crash_between_turns_leaves_what_was_remembered(databases: Databases) -> None:
    billing = databases.billing
    table = billing.platform.number_counter
    seen: list[int] = []

    def remember(connection: Connection, total: int) -> None:
        seen.append(total)
        if len(seen) == 3:
            raise RuntimeError("killed")
        connection.execute(insert(table).values(counter_name=f"mark {total:06d}", next_value=total))

    with pytest.raises(RuntimeError):
        billing.write_rows(table, ["counter_name", "next_value"],
                           ((f"row {n:06d}", n) for n in range(40_000)), remember)
    with billing.reading() as connection:
        rows = connection.execute(select(func.count()).select_from(table).where(
            table.c.counter_name.like("row%"))).scalar_one()
        marks = connection.execute(select(func.max(table.c.next_value)).where(
            table.c.counter_name.like("mark%"))).scalar_one()
    assert rows == marks == seen[1]


def test_raw_days_and_instants_read_back_as_they_were(databases: Databases, clock: ManualClock) -> None:
    billing = databases.billing
    side = billing.platform.side
    at = datetime(2026, 3, 16, 2, 0, 0, 123456, tzinfo=timezone.utc)
    rows = [("billing", 1, billing.dialect.raw_instant(at))]
    with billing.batch() as connection:
        billing.bulk_insert(connection, side, ["role", "epoch", "epoch_since"], rows)
    with billing.reading() as connection:
        assert connection.execute(select(side.c.epoch_since)).scalar_one() == at


@pytest.mark.one_engine
def test_a_transaction_that_waits_for_another_behind_it_is_a_defect(databases: Databases) -> None:
    with pytest.raises(RuntimeError, match="behind it"):
        databases.billing.write(lambda _connection: _add(databases.billing, "inner"))


@pytest.mark.one_engine
def test_an_act_gets_its_turn_between_the_turns_of_a_busy_batch(databases: Databases) -> None:
    """The act waits for one short turn, not for the batch."""
    billing = databases.billing
    table = billing.platform.number_counter
    stop = threading.Event()

    def batch() -> None:
        number = 0
        while not stop.is_set():
            rows = [(f"batch {number + index:09d}", 1) for index in range(200)]
            with billing.batch() as connection:
                billing.bulk_insert(connection, table, ["counter_name", "next_value"], rows)
            number += 200

    thread = threading.Thread(target=batch)
    thread.start()
    try:
        waits = []
        for index in range(40):
            begun = time.monotonic()
            _add(billing, f"act {index}")
            waits.append(time.monotonic() - begun)
            time.sleep(0.005)
    finally:
        stop.set()
        thread.join()
    assert sorted(waits)[len(waits) // 2] < 0.25  # generous: the machine is shared with other tests


@pytest.mark.one_engine
def test_turns_keep_acts_and_batches_of_two_processes_apart(tmp_path: Path) -> None:
    here, there = WriteTurns(tmp_path / "x.db"), WriteTurns(tmp_path / "x.db")
    with here.act(), there.act():
        pass  # acts of two processes may hold it together
    entered = threading.Event()

    def batch() -> None:
        with there.batch():
            entered.set()

    with here.act():
        thread = threading.Thread(target=batch)
        thread.start()
        assert not entered.wait(0.05)
    assert entered.wait(2)
    thread.join()


@pytest.mark.one_engine
def test_a_full_queue_refuses_instead_of_growing(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    import queue

    billing = databases.billing
    _add(billing, "first")
    monkeypatch.setattr(billing.writer, "_waiting", queue.Queue(1))
    billing.writer._waiting.put((None, None))  # type: ignore[attr-defined]
    with pytest.raises(TooBusy):
        _add(billing, "second")


@pytest.mark.one_engine
def test_a_database_file_that_cannot_be_opened_is_away(tmp_path: Path, databases: Databases) -> None:
    folder = tmp_path / "gone.db"
    folder.mkdir()
    database = Database("billing", f"sqlite:///{folder}", secrets=databases.billing.secrets)
    try:
        with pytest.raises(DatabaseAway), database.reading():
            raise AssertionError("it was opened")
        with pytest.raises(DatabaseAway):
            _add(database, "x")
    finally:
        database.close()
