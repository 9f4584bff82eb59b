"""Usage of an account with a billing day of its own lies in the cycle of its start, also when it waited in the pool."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from server_api.billing.rating import importer
from server_api.billing.rating.retry import retry_pool
from server_api.billing.usage.formats import calls_csv
from server_api.billing.usage.samples import sample_calls
from server_api.platform.database import Database, Databases
from shared_models.tables.billing.bill import account_cycle
from shared_models.tables.billing.rating import rated_usage
from shared_models.values.clock import UTC, town_day
from shared_models.values.ids import new_id
from shared_models.values.period import Month, cycle_label
from tests.support import usage_town as town

MONTH = Month(202602)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(6)]
#: The second begins its cycles on the 16th, the third changes from the 31st to the 10th.
DAYS = {NUMBERS[1]: ((202601, 16),), NUMBERS[2]: ((202501, 31), (202602, 10))}


def _cycle(database: Database) -> None:
    with database.batch() as conn:
        for number, days in DAYS.items():
            for from_month, day in days:
                conn.execute(
                    insert(account_cycle).values(
                        account_id=town.account_of(number), from_month=from_month, billing_day=day,
                        staff_id="s", set_at=datetime(2026, 1, 1, tzinfo=UTC), act_id=new_id(),
                    )
                )  # fmt: skip


@pytest.mark.parametrize("known", [True, False], ids=["at once", "from the pool"])
def test_each_call_in_the_cycle_of_its_day(databases: Databases, tmp_path: Path, known: bool) -> None:
    billing = databases.billing
    town.small_town(billing, NUMBERS if known else NUMBERS[3:])
    _cycle(billing)
    for index, month in enumerate((MONTH.previous(), MONTH)):
        path = tmp_path / f"{month}.csv"
        path.write_bytes(calls_csv.encode(sample_calls(NUMBERS, month, 300, 7 + index)))
        importer.import_file(billing, path)
    if not known:
        town.act(
            billing,
            lambda uow: [town.install(uow, town.product(n, "FIX"), town.account_of(n)) for n in NUMBERS[:3]] and None,
        )
        retry_pool(billing)
    days = {town.account_of(number): own for number, own in DAYS.items()}
    with billing.reading() as conn:
        rows = conn.execute(select(rated_usage.c.account_id, rated_usage.c.period, rated_usage.c.start_s)).all()
    assert len(rows) == 600
    for row in rows:
        on: date = town_day(datetime.fromtimestamp(row.start_s, UTC))
        assert row.period == cycle_label(on, days.get(row.account_id, ()))
    assert {row.period for row in rows} == {202512, 202601, 202602}
