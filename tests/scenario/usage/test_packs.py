"""Packs and pools as acts: units given by date are drawn on by calls of those days, and taken back without a trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from server_api.billing.account.service import AccountToImport, import_accounts
from server_api.billing.rating import importer, packs
from server_api.billing.rating.checks import charge_explains_itself
from server_api.billing.rating.included import deal_included_units
from server_api.billing.rating.service import sample_tariffs
from server_api.billing.rating.tariff.allowance import Included, Scope
from server_api.billing.rating.tariff.model import Tariff
from server_api.platform.database import Database, Databases
from server_api.platform.jobs import run_all
from server_api.wiring import wire_databases
from shared_models.contracts.allowance import EndPack, GrantPack, JoinPool, LeavePool, PackView
from shared_models.tables.billing.rating import rated_usage
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.faults.rating import AlreadyInPool
from shared_models.values.ids import derived_id
from shared_models.values.period import Month
from tests.scenario.usage.test_rerate import again, close
from tests.support import usage_town as town

MONTH = Month(202602)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(4)]
CALLER, OTHER = NUMBERS[1], NUMBERS[2]
HEAD = "caller,called,start,duration_s\n"
GIFT = Included("gift", ("local",), 1, 60, by_pack=True)
SHARED = Included("together", ("local",), 600, 60, shared_by=Scope.POOL)


def tariffs(*included: Included) -> list[Tariff]:
    """The sample tariffs, the standard one with packages."""
    mine = [one for one in sample_tariffs() if one.code == "VOICE-STD"]
    return [one for one in sample_tariffs() if one not in mine] + [replace(one, included=included) for one in mine]


@pytest.fixture
def package() -> Included:
    return GIFT


@pytest.fixture
def billing(databases: Databases, tmp_path: Path, package: Included) -> Database:
    """Two subscribers with a call of ten minutes a day for ten days each: 0.99 yuan a call."""
    town.small_town(databases.billing, NUMBERS, tariffs=tariffs(package))
    accounts = [
        AccountToImport(town.account_of(key), f"{1_000_000 + index}", derived_id("customer", str(index // 2)))
        for index, key in enumerate(NUMBERS)
    ]
    town.act(databases.billing, lambda uow: import_accounts(uow, accounts=accounts))
    lines = [
        f"{number[4:]},2685123,2026-02-{day:02d} {10 + at}:00:00,600\n"
        for at, number in enumerate((CALLER, OTHER)) for day in range(1, 11)
    ]  # fmt: skip
    (tmp_path / "calls.csv").write_text(HEAD + "".join(lines), encoding="ascii")
    importer.import_file(databases.billing, tmp_path / "calls.csv")
    return databases.billing


def costs(database: Database, number: str = CALLER) -> int:
    c = rated_usage.c
    with database.reading() as conn:
        query = select(func.sum(c.charge_micro_yuan)).where(c.account_id == town.account_of(number))
        return int(conn.execute(query).scalar_one() or 0)


def grant(database: Database, **changes: Any) -> PackView:
    wanted = GrantPack(
        **{"owner_kind": "account", "owner_id": town.account_of(CALLER), "code": "gift", "quantity": 1_200,
           "from_on": date(2026, 2, 3), "until_on": date(2026, 2, 6)} | changes
    )  # fmt: skip
    done = town.act(database, lambda uow: packs.grant_pack(uow, database, request=wanted))
    deal_included_units(database)
    return PackView.model_validate_json(done.reply)


FULL = 10 * 990_000


def test_given_drawn_ended_and_taken_back(billing: Database) -> None:
    assert costs(billing) == costs(billing, OTHER) == FULL
    pack = grant(billing)
    assert costs(billing) == FULL - 2 * 990_000, "two whole calls of the three days' are inside"
    assert costs(billing, OTHER) == FULL and charge_explains_itself(billing).holds
    end = EndPack(until_on=date(2026, 2, 4))
    town.act(billing, lambda uow: packs.end_pack(uow, billing, pack_id=pack.pack_id, request=end))
    deal_included_units(billing)
    assert costs(billing) == FULL - 990_000, "only the third of February is left of its days"
    gone = EndPack(until_on=date(2026, 2, 3))
    town.act(billing, lambda uow: packs.end_pack(uow, billing, pack_id=pack.pack_id, request=gone))
    deal_included_units(billing)
    assert costs(billing) == FULL
    with billing.reading() as conn:
        (kept,) = packs.packs_of(conn, town.account_of(CALLER)).items
    assert (kept.from_on, kept.until_on, kept.quantity) == (date(2026, 2, 3), date(2026, 2, 3), 1_200)


def test_the_soonest_to_end_is_drawn_first_then_by_priority(billing: Database) -> None:
    grant(billing, quantity=600, until_on=date(2026, 2, 11), from_on=date(2026, 2, 1))
    grant(billing, quantity=600, until_on=date(2026, 2, 2), from_on=date(2026, 2, 1))
    assert costs(billing) == FULL - 2 * 990_000, "the first day's call took the pack that ended with it"


def test_a_customers_pack_serves_all_its_accounts(billing: Database) -> None:
    grant(billing, owner_kind="customer", owner_id=derived_id("customer", "0"), quantity=60_000)
    assert costs(billing) == FULL - 3 * 990_000 and costs(billing, OTHER) == FULL


@pytest.mark.parametrize("package", [SHARED])
def test_a_pool_is_joined_and_left(billing: Database) -> None:
    products = [derived_id("product", number) for number in (CALLER, OTHER)]
    for product in products:
        join = JoinPool(product_id=product, from_on=date(2026, 2, 1))
        town.act(billing, lambda uow, join=join: packs.join_pool(uow, billing, pool_id="FAMILY", request=join))
    deal_included_units(billing)
    assert costs(billing) + costs(billing, OTHER) == 2 * FULL - 990_000, "ten minutes for both, once"
    with pytest.raises(AlreadyInPool):
        town.act(billing, lambda uow: packs.join_pool(uow, billing, pool_id="OTHER", request=join))
    leave = LeavePool(until_on=date(2026, 2, 1))
    town.act(billing, lambda uow: packs.leave_pool(
        uow, billing, pool_id="FAMILY", product_id=products[0], request=leave
    ))  # fmt: skip
    deal_included_units(billing)
    with billing.reading() as conn:
        assert [one.product_id for one in packs.read_pool(conn, "FAMILY").members] == [products[1]]
    assert costs(billing) == costs(billing, OTHER) == FULL - 990_000, "each by itself again"


@pytest.mark.one_engine
def test_a_billed_month_is_put_right_by_rating_again(billing: Database) -> None:
    close(billing)
    pack = grant(billing)
    assert pack.rate_again_from == date(2026, 2, 3) and costs(billing) == FULL
    view = again(billing)
    assert view.now_micro_yuan.amount_micro_yuan - view.was_micro_yuan.amount_micro_yuan == -2 * 990_000
    assert again(billing).changed_count == 0


@pytest.mark.one_engine
def test_the_worker_deals_and_refusals_leave_nothing(billing: Database, databases: Databases) -> None:
    wanted = GrantPack(
        owner_kind="product", owner_id=derived_id("product", CALLER), code="gift", quantity=600,
        from_on=date(2026, 2, 3), until_on=date(2026, 2, 6),
    )  # fmt: skip
    town.act(billing, lambda uow: packs.grant_pack(uow, billing, request=wanted))
    run_all(billing, wire_databases(databases).jobs["billing"])
    assert costs(billing) == FULL - 990_000
    for change, refused in (
        ({"code": "nosuch"}, NotFound), ({"owner_id": "f" * 32}, NotFound),
        ({"until_on": date(2026, 2, 3)}, InputNotValid),
    ):  # fmt: skip
        with pytest.raises(refused):
            grant(billing, **{"owner_kind": "product", "owner_id": wanted.owner_id} | change)
    with pytest.raises(NotFound):
        town.act(billing, lambda uow: packs.end_pack(
            uow, billing, pack_id="f" * 32, request=EndPack(until_on=date(2026, 2, 4))
        ))  # fmt: skip
    assert costs(billing) == FULL - 990_000


@pytest.mark.one_engine
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(1, 10), st.integers(1, 60), st.integers(0, 3)), min_size=1, max_size=5
    )
)
def test_however_packs_are_given_no_call_costs_more_and_none_is_covered_twice(
    billing: Database, given_packs: list[tuple[int, int, int, int]]
) -> None:
    """Whatever packs come in whatever order: what is covered is at most what was given and what was called."""
    begin = date(2026, 2, 1)
    made = []
    for start, days, minutes, priority in given_packs:
        from_on = begin + timedelta(days=start)
        made.append(grant(billing, from_on=from_on, until_on=from_on + timedelta(days=days), quantity=minutes * 60,
                          priority=priority))  # fmt: skip
    c = rated_usage.c
    with billing.reading() as conn:
        query = select(c.quantity, c.covered, c.charge_micro_yuan).where(c.account_id == town.account_of(CALLER))
        calls = conn.execute(query).all()
    assert all(0 <= call.covered <= call.quantity and 0 <= call.charge_micro_yuan <= 990_000 for call in calls)
    assert sum(call.covered for call in calls) <= sum(pack.quantity for pack in made)
    for pack in made:
        end = EndPack(until_on=pack.from_on)
        town.act(billing, lambda uow, pack=pack, end=end: packs.end_pack(
            uow, billing, pack_id=pack.pack_id, request=end
        ))  # fmt: skip
    deal_included_units(billing)
    assert costs(billing) == FULL
