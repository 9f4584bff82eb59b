"""The ground the database tests stand on: fresh, separate, complete databases on every engine."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, inspect, select

from server_api.platform.database import Database, Databases
from tests.support.engines import ENGINES, is_required


def _rows(database: Database) -> int:
    table = database.platform.number_counter
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_an_empty_pair(databases: Databases, turn: int) -> None:
    for database in (databases.business, databases.billing):
        assert _rows(database) == 0
        table = database.platform.number_counter
        database.write(lambda conn, t=table: conn.execute(insert(t).values(counter_name="left behind", next_value=1)))
        assert _rows(database) == 1


def test_both_roles_have_all_their_tables(databases: Databases) -> None:
    for database in (databases.business, databases.billing):
        assert set(database.metadata.tables) <= set(inspect(database.engine).get_table_names())


@pytest.mark.parametrize("name", list(ENGINES))
def test_engine_is_here(name: str) -> None:
    missing = ENGINES[name].why_missing()
    if missing:
        (pytest.fail if is_required(name) else pytest.skip)(f"{name}: {missing}")
