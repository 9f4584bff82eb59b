"""The Alembic history makes exactly the tables of the models, on every engine, and can be run twice."""

from __future__ import annotations

import pytest

from server_api.platform import schema
from server_api.platform.database import Database, Role
from tests.support.engines import ROLES, TEST_SECRETS, Urls


@pytest.mark.parametrize("role", ROLES)
def test_migrations_equal_models(empty_urls: Urls, role: Role) -> None:
    database = Database(role, empty_urls.of(role), secrets=TEST_SECRETS, label="tests")
    try:
        before, after = schema.upgrade(database)
        assert (before, after) == ("", schema.head(role))
        assert schema.differences(database) == []
        assert schema.upgrade(database) == (after, after)
    finally:
        database.close()
