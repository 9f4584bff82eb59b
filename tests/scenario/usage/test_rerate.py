"""Usage rated again: what differs is written and nothing else, as if it had been rated so from the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from server_api.billing.rating import importer, rerate, rerate_acts, rerate_read
from server_api.billing.rating import service as rating
from server_api.billing.rating.checks import charge_explains_itself
from server_api.billing.rating.rerate_read import Asked
from server_api.billing.rating.service import import_tariffs, sample_tariffs
from server_api.billing.rating.tariff.model import Tariff
from server_api.billing.usage.samples import write_month
from server_api.platform.database import Database, Databases
from server_api.platform.jobs import run_all
from shared_models.contracts.rerate import BeginRerate, RerateView
from shared_models.tables.billing.allowances import rated_change
from shared_models.tables.billing.bill import bill_period, pay_relation
from shared_models.tables.billing.rating import rated_step, rated_usage, rating_due
from shared_models.tables.billing.usage import usage_file, usage_pool, usage_seen
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.faults.rating import RerateEnded, RerateUnderWay
from shared_models.values.period import Month
from tests.support import usage_town as town

MONTH = Month(202602)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(24)]
LOGINS = [f"bb{index:04d}" for index in range(8)]
ALL_DAYS = BeginRerate(from_on=MONTH.first_on, until_on=MONTH.until_on, reason="资费更正")


@pytest.fixture
def billing(databases: Databases, tmp_path: Path) -> Database:
    """A month of calls and sessions, some of them of products with units included."""
    town.small_town(databases.billing, NUMBERS, LOGINS)
    _import(databases.billing, tmp_path)
    return databases.billing


def _import(database: Database, folder: Path) -> None:
    for file in write_month(folder, NUMBERS, LOGINS, MONTH, call_count=1_200, session_count=150, seed=11):
        importer.import_file(database, file.path)
    rating.deal_included_units(database)


def dearer(by: int = 2) -> list[Tariff]:
    """The sample tariffs with every price so many times as high."""
    return [
        replace(tariff, rows=tuple(_times(row, by) for row in tariff.rows))
        if tariff.code.startswith("VOICE")
        else tariff
        for tariff in sample_tariffs()
    ]


def _times(row: Any, by: int) -> Any:
    prices = {name: {window: price * by for window, price in getattr(row, name).items()}
              for name in ("prices_micro_yuan", "first_prices_micro_yuan")}  # fmt: skip
    return replace(row, **prices)


def publish(database: Database, tariffs: Sequence[Tariff]) -> None:
    town.act(database, lambda uow: import_tariffs(uow, tariffs=tariffs))


def rated(database: Database) -> dict[str, Any]:
    """Everything that says what calls cost; which version of equal tariffs priced them is left out."""
    usage = [c for c in rated_usage.c if c.name not in ("file_no", "price_no")]
    with database.reading() as conn:
        return {
            table.name: [tuple(row) for row in conn.execute(select(*columns).order_by(*table.primary_key.columns))]
            for table, columns in (
                (rated_usage, usage),
                (rated_step, list(rated_step.c)),
                (rating_due, list(rating_due.c)),
            )
        }


def again(database: Database, request: BeginRerate = ALL_DAYS) -> RerateView:
    """Rate again, here and now."""
    rerate_id = begin(database, request).rerate_id
    rerate_acts.carry_on(database, rerate_id)
    with database.reading() as conn:
        return rerate_acts.read_rerate(conn, rerate_id)


def begin(database: Database, request: BeginRerate = ALL_DAYS, *, by_worker: bool = False) -> RerateView:
    done = town.act(database, lambda uow: rerate_acts.begin_rerate(uow, request=request, by_worker=by_worker))
    return RerateView.model_validate_json(done.reply)


def total(database: Database) -> int:
    """What all usage of the month costs in effect, with its corrections, in micro-yuan."""
    with database.reading() as conn:
        own = conn.execute(select(func.sum(rated_usage.c.charge_micro_yuan))).scalar_one()
        c = rated_change.c
        since = conn.execute(select(func.sum(c.now_micro_yuan - c.was_micro_yuan))).scalar_one()
    return int(own or 0) + int(since or 0)


def close(database: Database, month: Month = MONTH) -> None:
    """The month was billed."""
    with database.batch() as conn:
        conn.execute(insert(bill_period).values(period=month.yyyymm, state="closed"))


def test_under_the_same_tariffs_nothing_changes(billing: Database) -> None:
    before = rated(billing)
    view = again(billing)
    assert (view.state, view.changed_count, view.was_micro_yuan) == ("done", 0, view.now_micro_yuan)
    assert view.call_count == len(before["rated_usage"]) > 1_000
    assert rated(billing) == before


def test_an_open_month_is_as_if_rated_so_from_the_start(billing: Database, tmp_path: Path) -> None:
    was = total(billing)
    publish(billing, dearer())
    view = again(billing)
    anew = rated(billing)
    assert view.changed_count > 500
    assert view.now_micro_yuan.amount_micro_yuan - view.was_micro_yuan.amount_micro_yuan == total(billing) - was
    assert charge_explains_itself(billing).holds
    assert again(billing).changed_count == 0
    assert rated(billing) == anew
    with billing.batch() as conn:
        for table in (rated_usage, rated_step, rating_due, usage_pool, usage_seen, usage_file):
            conn.execute(delete(table))
    _import(billing, tmp_path)
    assert rated(billing) == anew


def test_a_billed_month_keeps_its_rows_and_the_difference_is_billed_next(billing: Database) -> None:
    before, was = rated(billing), total(billing)
    close(billing)
    publish(billing, dearer(3))
    view = again(billing)
    assert rated(billing)["rated_usage"] == before["rated_usage"]
    more = view.now_micro_yuan.amount_micro_yuan - view.was_micro_yuan.amount_micro_yuan
    assert more == total(billing) - was > 0
    with billing.reading() as conn:
        sums = rating.charges_for(conn, MONTH.next().yyyymm)
    assert {one.for_month for one in sums} == {MONTH.yyyymm}
    assert sum(one.charge.amount_micro_yuan for one in sums) == more
    assert again(billing).changed_count == 0, "done twice it is done once"
    publish(billing, sample_tariffs())
    again(billing)
    assert total(billing) == was, "the correction taken back comes to nothing"
    assert rated(billing)["rated_usage"] == before["rated_usage"]


def test_only_what_was_asked_for(billing: Database) -> None:
    publish(billing, dearer())
    one = town.account_of(NUMBERS[1])
    view = again(billing, ALL_DAYS.model_copy(update={"account_id": one}))
    assert 0 < view.changed_count <= view.call_count < 200
    early = ALL_DAYS.model_copy(update={"until_on": date(2026, 2, 10), "tariff_code": "VOICE-STD"})
    first = again(billing, early).changed_count
    rest = again(billing).changed_count
    assert first and rest
    assert again(billing).changed_count == 0


def test_nothing_is_written_by_a_preview(billing: Database) -> None:
    publish(billing, dearer())
    before = rated(billing)
    asked = Asked(MONTH.first_on, MONTH.until_on)
    seen = rerate.rerate(billing, asked, rerate_id="", dry=True)
    assert rated(billing) == before
    done = again(billing)
    assert (seen.changed_count, seen.was_micro_yuan) == (done.changed_count, done.was_micro_yuan.amount_micro_yuan)
    assert sum(seen.by_account.values()) == seen.now_micro_yuan - seen.was_micro_yuan


def test_calls_follow_who_pays_for_the_number_today(billing: Database) -> None:
    """A change of payer with a date in the past: the difference on both sides and nothing else."""
    before, number = total(billing), NUMBERS[5]
    with billing.reading() as conn:
        mine = conn.execute(
            select(func.count(), func.sum(rated_usage.c.charge_micro_yuan)).where(
                rated_usage.c.account_id == town.account_of(number)
            )
        ).one()
    with billing.batch() as conn:
        relation = update(pay_relation).where(pay_relation.c.account_id == town.account_of(number))
        conn.execute(relation.values(account_id=town.account_of("another")))
    view = again(billing)
    assert view.moved_count == mine[0] > 0
    assert total(billing) == before
    with billing.reading() as conn:
        theirs = select(func.count(), func.sum(rated_usage.c.charge_micro_yuan)).where(
            rated_usage.c.account_id == town.account_of("another")
        )
        assert conn.execute(theirs).one() == mine
    assert again(billing).changed_count == 0


def test_stopped_and_gone_on(billing: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rerate_read, "CALLS_AT_ONCE", 100)
    publish(billing, dearer())
    rerate_id = begin(billing).rerate_id
    beats = iter(range(1_000))

    def stop_in_the_middle() -> None:
        if next(beats) == 4:
            town.act(billing, lambda uow: rerate_acts.cancel_rerate(uow, rerate_id=rerate_id))

    assert rerate_acts.carry_on(billing, rerate_id, beat=stop_in_the_middle) is None
    with billing.reading() as conn:
        halfway = rerate_acts.read_rerate(conn, rerate_id)
    assert halfway.state == "cancelled" and 0 < halfway.changed_count
    town.act(billing, lambda uow: rerate_acts.resume_rerate(uow, rerate_id=rerate_id, by_worker=False))
    rerate_acts.carry_on(billing, rerate_id)
    with billing.reading() as conn:
        done = rerate_acts.read_rerate(conn, rerate_id)
    assert done.state == "done" and done.changed_count > halfway.changed_count
    assert done.call_count == len(rated(billing)["rated_usage"])
    assert again(billing).changed_count == 0


@pytest.mark.parametrize("beat_no", [0, 1, 3, 6])
def test_killed_anywhere_and_begun_again(billing: Database, monkeypatch: pytest.MonkeyPatch, beat_no: int) -> None:
    monkeypatch.setattr(rerate_read, "CALLS_AT_ONCE", 100)
    publish(billing, dearer())
    rerate_id = begin(billing).rerate_id
    beats = iter(range(1_000))

    def die() -> None:
        if next(beats) == beat_no:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rerate_acts.carry_on(billing, rerate_id, beat=die)
    rerate_acts.carry_on(billing, rerate_id)
    after = rated(billing)
    publish(billing, dearer(2))
    assert again(billing).changed_count == 0
    assert rated(billing) == after and charge_explains_itself(billing).holds


@pytest.mark.one_engine
def test_the_worker_does_it_one_at_a_time(billing: Database, databases: Databases) -> None:
    from server_api.wiring import wire_databases

    publish(billing, dearer())
    view = begin(billing, by_worker=True)
    with pytest.raises(RerateUnderWay):
        begin(billing)
    run_all(billing, wire_databases(databases).jobs["billing"])
    with billing.reading() as conn:
        assert rerate_acts.read_rerate(conn, view.rerate_id).state == "done"
        assert [one.rerate_id for one in rerate_acts.latest_rerates(conn)] == [view.rerate_id]
    for ended in (rerate_acts.cancel_rerate, rerate_acts.resume_rerate):
        with pytest.raises(RerateEnded):
            town.act(billing, lambda uow, ended=ended: ended(uow, rerate_id=view.rerate_id))


@pytest.mark.one_engine
@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"until_on": MONTH.first_on}, InputNotValid),
        ({"until_on": date(2030, 1, 1)}, InputNotValid),
        ({"tariff_code": "NOSUCH"}, NotFound),
    ],
)
def test_what_cannot_be_meant_is_refused(
    databases: Databases, change: dict[str, Any], refused: type[Exception]
) -> None:
    with pytest.raises(refused):
        begin(databases.billing, ALL_DAYS.model_copy(update=change))
