"""A full disk, a file nobody may write, a database somebody else holds: an import is refused by name and goes on later.

What is left in the end is what an import without trouble leaves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from server_api.billing.rating import importer, turns
from server_api.billing.usage.jobs import usage_counts_add_up
from server_api.billing.usage.samples import SampleFile, write_month
from server_api.platform import locks
from server_api.platform.database import Database
from shared_models.tables.billing.rating import rated_usage
from shared_models.tables.billing.usage import usage_file, usage_pool
from shared_models.values.faults.common import DatabaseAway, DiskFull, TooBusy
from shared_models.values.period import Month
from tests.support import usage_town as town
from tests.support.engines import TEST_SECRETS, Urls

pytestmark = [pytest.mark.faults, pytest.mark.one_engine]
NUMBERS = [f"0937{3_960_000 + index}" for index in range(20)]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """PRAGMAs every connection is given when it is used; they may be changed on the way. Turns are small."""
    pragmas: dict[str, str] = {}

    def give(connection: sqlite3.Connection, *_others: object) -> None:
        for name, value in pragmas.items():
            connection.execute(f"PRAGMA {name}={value}")

    monkeypatch.setattr(turns.TurnSize, "learn", lambda self, _count, _ns: setattr(self, "rows", 50))
    event.listen(Engine, "checkout", give)
    yield pragmas
    event.remove(Engine, "checkout", give)


@pytest.fixture
def billing(database_urls: Urls, settings: dict[str, str]) -> Iterator[Database]:
    database = Database("billing", database_urls.billing, secrets=TEST_SECRETS, label="tests", pool_size=4)
    town.small_town(database, NUMBERS)
    yield database
    database.close()


@pytest.fixture
def file(tmp_path: Path) -> SampleFile:
    return write_month(tmp_path, NUMBERS, [], Month(202602), call_count=2_000, seed=3)[0]


def _counted(database: Database, table: Any) -> int:
    with database.reading() as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def _goes_on(database: Database, file: SampleFile) -> None:
    report = importer.import_file(database, file.path)
    assert report.state == "done"
    assert (report.read_count, report.duplicate_count, report.rejected_count) == (
        file.read_count, file.duplicate_count, file.dirty_count,
    )  # fmt: skip
    assert _counted(database, rated_usage) == report.accepted_count
    assert _counted(database, usage_pool) == report.rejected_count
    assert usage_counts_add_up(database).holds


def _after_some_turns(monkeypatch: pytest.MonkeyPatch, count: int, happens: Callable[[], None]) -> None:
    """Let something happen once so many write turns are through."""
    whole_turn, left = Database.batch, [count]

    def counted(self: Database) -> Any:
        left[0] -= 1
        if left[0] == 0:
            happens()
        return whole_turn(self)

    monkeypatch.setattr(Database, "batch", counted)


def test_the_disk_is_full(
    billing: Database, file: SampleFile, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with billing.reading() as conn:
        pages = int(conn.exec_driver_sql("PRAGMA page_count").scalar_one())
    _after_some_turns(monkeypatch, 8, lambda: settings.update(max_page_count=str(pages + 10)))
    with pytest.raises(DiskFull):
        importer.import_file(billing, file.path)
    assert 0 < _counted(billing, rated_usage) < file.read_count
    settings["max_page_count"] = "1000000"
    _goes_on(billing, file)


def test_nobody_may_write(
    billing: Database, file: SampleFile, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _after_some_turns(monkeypatch, 8, lambda: settings.update(query_only="ON"))
    with pytest.raises(DatabaseAway):
        importer.import_file(billing, file.path)
    settings["query_only"] = "OFF"
    with billing.reading() as conn:
        held = conn.execute(select(usage_file.c.worker)).scalar_one()
    assert held, "it could not even be given back"
    monkeypatch.setattr(importer, "_is_dead", lambda worker: worker == held)  # as after a restart
    _goes_on(billing, file)


def test_somebody_else_holds_the_file(
    billing: Database, file: SampleFile, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool that was left open in the middle of a change, not one of our processes."""
    settings["busy_timeout"] = "30"
    other = sqlite3.connect(str(billing.dialect.url.database), isolation_level=None)
    _after_some_turns(monkeypatch, 8, lambda: other.execute("BEGIN IMMEDIATE") and None)
    with pytest.raises(TooBusy):
        importer.import_file(billing, file.path)
    other.execute("ROLLBACK")
    other.close()
    with billing.reading() as conn:
        held = conn.execute(select(usage_file.c.worker)).scalar_one()
    monkeypatch.setattr(importer, "_is_dead", lambda worker: worker == held)
    _goes_on(billing, file)


def test_the_turn_does_not_come(billing: Database, file: SampleFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of our processes hangs in the middle of its turn."""
    turn_file = Path(str(billing.dialect.url.database) + ".turn")
    other = turn_file.open("a+b")
    with monkeypatch.context() as patch:
        patch.setattr(locks, "_TURN_TIMEOUT_S", 0.2)
        _after_some_turns(patch, 8, lambda: locks.portalocker.lock(other, locks.portalocker.LOCK_SH))
        patch.setattr(importer, "_let_go", lambda run: None)
        with pytest.raises(TooBusy):
            importer.import_file(billing, file.path)
    locks.portalocker.unlock(other)
    other.close()
    monkeypatch.setattr(importer, "_is_dead", lambda worker: True)
    _goes_on(billing, file)


def test_an_error_of_the_reading_thread_is_raised_here(
    billing: Database, file: SampleFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file vanishes while it is read ahead."""
    whole = importer.made_pieces

    def vanishing(*arguments: Any) -> Any:
        yield next(whole(*arguments))
        raise FileNotFoundError(file.path)

    with monkeypatch.context() as patch:
        patch.setattr(importer, "made_pieces", vanishing)
        with pytest.raises(FileNotFoundError):
            importer.import_file(billing, file.path)
    _goes_on(billing, file)
