"""A database of an earlier release, with data in it, becomes one of today and still means the same."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, insert, select

from server_api.platform import schema
from server_api.platform.database import Database, Role
from tests.support.engines import ROLES, TEST_SECRETS, Urls

#: Rows as the first release wrote them, by table.
OF_FIRST_RELEASE: dict[str, dict[str, Any]] = {
    "rated_usage": {
        "period": 202603, "account_id": "a" * 32, "usage_id": 2**62 + 1, "product_id": "b" * 32, "price_no": 2_003,
        "item_code": "voice.local", "zone_code": "local", "start_s": 1_772_000_000, "duration_s": 61, "quantity": 61,
        "units": 2, "covered": 0, "charge_micro_yuan": 220_000, "peer_no": "3961234", "call_type": 1, "file_no": 1,
        "file_pos": 7,
    },
    "rating_due": {"period": 202603, "account_id": "a" * 32, "product_id": "b" * 32},
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_a_database_of_the_first_release_is_upgraded(empty_urls: Urls, role: Role) -> None:
    database = Database(role, empty_urls.of(role), secrets=TEST_SECRETS, label="tests")
    try:
        assert schema.upgrade(database, "0001") == ("", "0001")
        if role == "billing":
            database.write(_fill)
        before, after = schema.upgrade(database)
        assert (before, after) == ("0001", schema.head(role))
        assert schema.differences(database) == []
        if role == "billing":
            with database.reading() as conn:
                kept = {name: conn.execute(select(_as_it_is(conn, name))).mappings().one() for name in OF_FIRST_RELEASE}
            # a tariff may have a million rows since: row 3 of version 2 is called otherwise
            assert kept["rated_usage"]["price_no"] == 2_000_003
            assert kept["rating_due"]["dealing"] == 0
            for name, row in OF_FIRST_RELEASE.items():
                assert {key: kept[name][key] for key in row if key != "price_no"} == {
                    key: value for key, value in row.items() if key != "price_no"
                }
    finally:
        database.close()


def _fill(conn: Connection) -> None:
    for name, row in OF_FIRST_RELEASE.items():
        conn.execute(insert(_as_it_is(conn, name)), row)


def _as_it_is(conn: Connection, name: str) -> Table:
    """The table as the database has it now, whatever the models say."""
    return Table(name, MetaData(), autoload_with=conn)
