"""Fixtures: a fresh pair of databases for each test, on every engine that is there.

``databases``      the pair as the product opens it (``server_api.platform.database.Databases``)
``database_urls``  the same as URLs, for tests that start processes of their own
``clock``          stands still on a Monday morning until the test moves it
A test marked ``one_engine`` runs on SQLite alone, because its rule does not depend on the engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from server_api.platform.database import Databases, open_databases
from server_api.platform.secrets import Secrets
from shared_models.values.clock import ManualClock
from tests.support.engines import ENGINES, TEST_SECRETS, TestEngine, Urls, engines_to_run, is_required

#: Monday 16 March 2026, 10:00 in the town.
MONDAY_MORNING = datetime(2026, 3, 16, 2, 0, tzinfo=timezone.utc)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at Monday 16 March 2026, 10:00 in Asia/Shanghai."""
    return ManualClock(MONDAY_MORNING)


@pytest.fixture
def secrets() -> Secrets:
    """A fixed key, so that sealed text and blind indexes can be told beforehand."""
    return TEST_SECRETS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that touches a database on every engine."""
    if "engine_name" in metafunc.fixturenames:
        one = metafunc.definition.get_closest_marker("one_engine") is not None
        metafunc.parametrize("engine_name", ["sqlite"] if one else engines_to_run(), scope="session")


@pytest.fixture
def database_urls(engine_name: str, tmp_path: Path) -> Iterator[Urls]:
    """URLs of two fresh databases with all tables and no rows."""
    with _engine(engine_name).pair(tmp_path) as urls:  # type: ignore[attr-defined]
        yield urls


@pytest.fixture
def empty_urls(engine_name: str, tmp_path: Path) -> Iterator[Urls]:
    """URLs of two fresh databases without any table."""
    with _engine(engine_name).pair(tmp_path, empty=True) as urls:  # type: ignore[attr-defined]
        yield urls


def _engine(name: str) -> TestEngine:
    missing = ENGINES[name].why_missing()
    if missing:
        (pytest.fail if is_required(name) else pytest.skip)(f"{name}: {missing}")
    return ENGINES[name]


@pytest.fixture
def databases(database_urls: Urls, clock: ManualClock, secrets: Secrets) -> Iterator[Databases]:
    """The two databases, opened as a process of the product opens them."""
    pair = open_databases(database_urls.business, database_urls.billing, secrets=secrets, clock=clock, label="tests")
    try:
        yield pair
    finally:
        pair.close()
