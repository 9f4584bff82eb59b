"""A database away at the start and in the middle, a full disk, a side restored to an hour ago."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.engine import make_url

from server_api.platform.acts import perform
from server_api.platform.database import Databases, open_databases
from server_api.platform.facts.dispatcher import deliver_all
from server_api.platform.facts.parking import list_parked
from server_api.platform.facts.replay import compare, replay
from server_api.platform.facts.runner import Dispatcher
from shared_models.values.faults.common import DatabaseAway, DiskFull
from tests.support import actors
from tests.support.cable import Cable
from tests.support.engines import ENGINES, TEST_SECRETS, Urls

pytestmark = pytest.mark.faults


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[tuple[Cable, Urls]]:
    """PostgreSQL in both roles, business behind a cable that can be pulled."""
    missing = ENGINES["postgresql"].why_missing()
    if missing:
        pytest.skip(f"postgresql: {missing}")
    with ENGINES["postgresql"].pair(tmp_path) as urls:  # type: ignore[attr-defined]
        business = make_url(urls.business)
        held = Cable(str(business.host), int(business.port or 5432))
        through = business.set(port=held.port).render_as_string(hide_password=False)
        yield held, Urls(through, urls.billing)
        held.close()


def _act(databases: Databases, index: int) -> object:
    return perform(databases.billing, actors.act_of(index), lambda uow: actors.number_and_tell(uow, index))


def _until(condition: Callable[[], bool], within_s: float = 20.0) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def test_paying_goes_on_while_the_other_database_is_away(cable: tuple[Cable, Urls]) -> None:
    held, urls = cable
    held.pull()  # down at the start
    databases = actors.open_pair(urls, "tests")
    dispatcher = Dispatcher(actors.crossings_of(databases))
    dispatcher.start()
    try:
        for index in range(5):
            _act(databases, index)
        with pytest.raises(DatabaseAway), databases.business.reading():
            raise AssertionError("it was opened")
        held.plug_in()
        assert _until(lambda: compare(databases.billing, databases.business).waiting == 0)
        assert sum(actors.counters(databases.business, "heard").values()) == 5
        held.pull()  # and in the middle
        for index in range(5, 10):
            _act(databases, index)
        with pytest.raises(DatabaseAway):
            perform(databases.business, actors.act_of(99), lambda uow: None)
        held.plug_in()
        assert _until(lambda: sum(actors.counters(databases.billing, "answered").values()) == 10)
        assert list_parked(databases.billing) == []
        # The same act, sent again now that the database is back.
        perform(databases.business, actors.act_of(99), lambda uow: None)
    finally:
        dispatcher.close()
        databases.close()


def test_a_connection_cut_in_the_middle_of_an_act_stores_it_once_or_not_at_all(cable: tuple[Cable, Urls]) -> None:
    held, urls = cable
    databases = actors.open_pair(urls, "tests")
    try:
        calls: list[int] = []

        def cut(uow: object) -> None:
            calls.append(1)
            if len(calls) == 1:
                held.pull()
                held.plug_in()
                with uow.database.reading():  # type: ignore[attr-defined]
                    pass

        # The connection is gone before the commit: the act is run again on a new one, by itself.
        perform(databases.business, actors.act_of(1), cut)
        with databases.business.reading() as connection:
            count = select(func.count()).select_from(databases.business.platform.act)
            assert connection.execute(count).scalar_one() == 1
        assert len(calls) == 2
    finally:
        databases.close()


@pytest.mark.one_engine
def test_a_full_disk_refuses_stores_nothing_and_is_survived(database_urls: Urls) -> None:
    limit = {"pages": 1_000_000}

    def hold(connection: sqlite3.Connection, *_others: object) -> None:
        connection.execute(f"PRAGMA max_page_count={limit['pages']}")

    event.listen(Engine, "checkout", hold)
    databases = actors.open_pair(database_urls, "tests")
    try:
        index = 0
        _act(databases, index)
        with databases.billing.reading() as connection:
            limit["pages"] = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one()) + 3
        with pytest.raises(DiskFull):
            while True:
                index += 1
                _act(databases, index)
        before = actors.counters(databases.billing, "receipts")["receipts"]
        with pytest.raises(DiskFull):
            _act(databases, index)
        with pytest.raises(DiskFull):
            databases.billing.write_rows(
                databases.billing.platform.number_counter, ["counter_name", "next_value"],
                ((f"row {number:060d}", number) for number in range(5_000)))
        assert actors.counters(databases.billing, "receipts")["receipts"] == before == index
        limit["pages"] = 1_000_000
        _act(databases, index)
        _act(databases, index)
        assert actors.counters(databases.billing, "receipts")["receipts"] == index + 1
        deliver_all(actors.crossings_of(databases))
        assert sum(actors.counters(databases.business, "heard").values()) == index + 1
    finally:
        databases.close()
        event.remove(Engine, "checkout", hold)


def _copy(file: Path, to: Path) -> None:
    source, target = sqlite3.connect(file), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()


@pytest.mark.one_engine
@pytest.mark.parametrize("restored", ["business", "billing"])
def test_a_side_restored_to_an_hour_ago_comes_together_again(
    database_urls: Urls, tmp_path: Path, restored: str,
) -> None:
    def open_again() -> Databases:
        return open_databases(database_urls.business, database_urls.billing, secrets=TEST_SECRETS, label="tests")

    file = Path(make_url(database_urls.of(restored)).database or "")  # type: ignore[arg-type]
    databases = open_again()
    for index in range(20):
        _act(databases, index)
    deliver_all(actors.crossings_of(databases))
    backup = tmp_path / "backup.db"
    _copy(file, backup)
    for index in range(20, 35):
        _act(databases, index)
    deliver_all(actors.crossings_of(databases))
    databases.close()
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(backup, file)

    databases = open_again()
    try:
        lost = 35 if restored == "business" else 20
        for index in range(35, 45):
            _act(databases, index)
        for _ in range(2):
            for crossing in actors.crossings_of(databases):
                replay(crossing.source, crossing.target)
            deliver_all(actors.crossings_of(databases))
        for source, target in ((databases.billing, databases.business), (databases.business, databases.billing)):
            assert list_parked(source) == []
            found = compare(source, target)
            assert (found.missing, found.waiting) == (0, 0)
        told = actors.counters(databases.billing, "receipts")["receipts"]
        assert told == lost + 10
        assert set(actors.counters(databases.business, "effect").values()) == {1}
        difference = databases.business.platform.fact_difference
        with databases.business.reading() as connection:
            named = connection.execute(select(func.count()).select_from(difference)).scalar_one()
        # A restored receiver heard everything again; a restored sender's lost future (15 facts) is named.
        assert named == (0 if restored == "business" else 15)
        assert len(actors.counters(databases.business, "effect")) == told + named
    finally:
        databases.close()
