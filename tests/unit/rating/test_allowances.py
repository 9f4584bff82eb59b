"""What depends on the month's other usage: the column expressions agree with the slow month, call by call."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server_api.billing.rating import allowances
from server_api.billing.rating.arithmetic import at_least, ceil_div, constant
from server_api.billing.rating.tariff.allowance import Included, PeriodCap, Scope, Tier, TierKind, Tiers
from server_api.billing.rating.tariff.model import WHOLE_DAY, Quantity, Row, Tariff
from server_api.billing.rating.tariff.monthly import compile_monthly
from tests.unit.rating import reference_month
from tests.unit.rating.reference_month import Charged, Used

ROWS = 1_000
BASE_S = (date(2026, 10, 1) - date(1970, 1, 1)).days * 86_400 - 28_800
MONTH_S = 31 * 86_400


def row(code: str, step: int = 60, price: int = 110_000, tiers: Tiers | None = None) -> Row:
    return Row(code, ("*",), code, step, step, {WHOLE_DAY: 0 if tiers else price}, tiers=tiers)


def tariff(code: str, on: int, rows: Sequence[Row], *included: Included, caps: Sequence[PeriodCap] = ()) -> Tariff:
    return Tariff(
        code, date(2026, 10, on), Quantity.SECONDS, tuple(rows), included=tuple(included), period_caps=tuple(caps)
    )


def price(frame: Any) -> Any:
    """What a call costs by itself: whole steps of what is left of it. The real thing has tests of its own."""
    c = nw.col
    rest = nw.when(c("free") == 1).then(constant(0)).otherwise(at_least(c("quantity") - c("covered"), constant(0)))
    frame = frame.with_columns(units=ceil_div(rest, c("step")))
    return frame.with_columns(charge_micro_yuan=c("units") * c("price"))


def alone(call: Used, covered: int) -> int:
    return -(-(call.quantity - covered) // call.row.step) * call.row.prices_micro_yuan[WHOLE_DAY]


def fast(calls: Sequence[Used], versions: Mapping[int, Tariff], *, explain: bool = False) -> pl.DataFrame:
    numbers = {
        (version.code, version.effective_on, one.code): number * ROWS + at
        for number, version in versions.items()
        for at, one in enumerate(version.rows)
    }
    frame = pl.DataFrame(
        [
            {
                "usage_id": call.usage_id,
                "start_s": call.start_s,
                "period": call.month,
                "quantity": call.quantity,
                "row_no": numbers[call.tariff.code, call.tariff.effective_on, call.row.code],
                "step": call.row.step,
                "price": call.row.prices_micro_yuan[WHOLE_DAY],
                "product_id": call.product,
                "account_id": call.account,
                "customer_id": call.customer,
                "pool_id": call.pool,
                "free": int(call.free),
            }
            for call in calls
        ]
    )
    monthly = compile_monthly(versions, lambda version, index: version * ROWS + index)
    native: Any = nw.to_native(allowances.rated(nw.from_native(frame.lazy()), monthly, price, explain=explain))
    result: pl.DataFrame = native.collect()
    return result


def agree(calls: Sequence[Used], versions: Mapping[int, Tariff]) -> dict[int, Charged]:
    slow = reference_month.month_of(calls, alone)
    for one in fast(calls, versions).iter_rows(named=True):
        call = slow[one["usage_id"]]
        assert (one["covered"], one["charge_micro_yuan"]) == (call.covered, call.charge), one
    return slow


def random_tiers(rng: random.Random, step: int) -> Tiers | None:
    kind = rng.choice([None, *TierKind])
    if kind is None:
        return None
    scope = rng.choice(list(Scope))
    if kind is TierKind.PACKAGES:
        return Tiers(kind, step * rng.randrange(3, 30), (Tier(None, rng.randrange(5_000_000)),), "k", scope)
    bounds = sorted(rng.sample(range(1, 60), rng.choice([0, 1, 2])))
    tiers = [Tier(step * bound, rng.randrange(400_000), rng.choice([0, 700_000])) for bound in bounds]
    return Tiers(kind, rng.choice([step, 7]), (*tiers, Tier(None, rng.randrange(400_000), 0)), "k", scope)


def random_versions(rng: random.Random) -> dict[int, Tariff]:
    versions: dict[int, Tariff] = {}
    for code in ("A", "B"):
        step = rng.choice([1, 6, 60])
        rows = [
            row("local", step, rng.randrange(500_000)),
            row("long", step, 70_000),
            row("more", step, 0, random_tiers(rng, step)),
        ]
        included = [
            Included(
                f"pack{at}",
                tuple(rng.sample(["local", "long", "more"], rng.choice([1, 2, 3]))),
                60 * rng.randrange(1, 60),
                rng.choice([1, 60]),
                rng.choice(list(Scope)),
                priority=rng.choice([1, 1, 2]),
                price_micro_yuan=rng.choice([0, 0, 20_000]),
                percent_off=rng.choice([100, 100, 30]),
            )
            for at in range(rng.choice([0, 1, 2, 3]))
        ]
        caps = [PeriodCap("cap", ("local", "more"), rng.randrange(20_000_000), rng.choice(list(Scope)))]
        caps = caps[: rng.choice([0, 1])]
        versions[len(versions) + 1] = tariff(code, 1, rows, *included, caps=caps)
        if rng.random() < 0.5:  # the same packages at another size from the middle of the month
            changed = [replace(one, quantity=60 * rng.randrange(1, 60)) for one in included]
            versions[len(versions) + 1] = tariff(code, 15, rows, *changed, caps=caps)
    return versions


def random_calls(rng: random.Random, versions: Mapping[int, Tariff], count: int) -> list[Used]:
    calls = []
    for usage_id in rng.sample(range(10 * count), count):
        product = rng.randrange(8)
        code = "AB"[product % 2]
        start_s = BASE_S + rng.randrange(MONTH_S)
        day = date.fromordinal(date(1970, 1, 1).toordinal() + (start_s + 28_800) // 86_400)
        version = max(
            (one for one in versions.values() if one.code == code and one.effective_on <= day),
            key=lambda one: one.effective_on,
        )
        calls.append(
            Used(
                usage_id,
                start_s,
                202610,
                rng.choice([1, 59, 60, 61, 300, rng.randrange(1, 3_000)]),
                version,
                rng.choice(version.rows),
                f"p{product}",
                f"a{product // 2}",
                f"c{product // 4}",
                rng.choice(["", "x"]) if product < 3 else "",
                free=rng.random() < 0.05,
            )
        )
    return calls


@pytest.mark.parametrize("seed", range(60))
def test_any_month_agrees_with_the_slow_one(seed: int) -> None:
    rng = random.Random(seed)
    versions = random_versions(rng)
    agree(random_calls(rng, versions, 150), versions)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    rng = random.Random(seed)
    versions = random_versions(rng)
    calls = random_calls(rng, versions, 60)
    shuffled = rng.sample(calls, len(calls))
    assert fast(calls, versions).sort("usage_id").equals(fast(shuffled, versions).sort("usage_id"))


def test_a_tariff_that_changes_within_the_month_does_not_hand_its_package_out_again() -> None:
    """300 minutes before and after: 200 drawn until the 15th leave 100."""
    rows = [row("local")]
    pack = Included("local-300", ("local",), 300 * 60, 60)
    versions = {1: tariff("V", 1, rows, pack), 2: tariff("V", 15, rows, pack)}
    calls = [
        Used(1, BASE_S, 202610, 200 * 60, versions[1], rows[0], "p"),
        Used(2, BASE_S + 20 * 86_400, 202610, 150 * 60, versions[2], rows[0], "p"),
    ]
    found = agree(calls, versions)
    assert (found[1].covered, found[2].covered, found[2].charge) == (200 * 60, 100 * 60, 50 * 110_000)


def test_a_package_that_shrinks_gives_no_more_than_its_new_size() -> None:
    rows = [row("local")]
    versions = {
        1: tariff("V", 1, rows, Included("p", ("local",), 300 * 60, 60)),
        2: tariff("V", 15, rows, Included("p", ("local",), 100 * 60, 60)),
    }
    calls = [
        Used(1, BASE_S, 202610, 80 * 60, versions[1], rows[0], "p"),
        Used(2, BASE_S + 20 * 86_400, 202610, 50 * 60, versions[2], rows[0], "p"),
    ]
    assert [one.covered for one in agree(calls, versions).values()] == [80 * 60, 20 * 60]


@given(
    calls=st.lists(st.integers(1, 4_000), min_size=1, max_size=12),
    size=st.integers(1, 200),
    counted_in=st.sampled_from([1, 60]),
)
@settings(max_examples=40, deadline=None)
def test_draws_never_exceed_the_package_and_use_it_up_first(calls: list[int], size: int, counted_in: int) -> None:
    rows = [row("local")]
    version = tariff("V", 1, rows, Included("p", ("local",), size * 60, counted_in))
    used = [Used(at, BASE_S + at, 202610, length, version, rows[0], "p") for at, length in enumerate(calls)]
    result = fast(used, {1: version}, explain=True).sort("start_s")
    counted = [-(-length // counted_in) * counted_in for length in result["draw0"].to_list()]
    assert sum(counted) == min(size * 60, sum(-(-length // counted_in) * counted_in for length in calls))
    assert result["room0"].to_list()[-1] == size * 60 - sum(counted)
    for one in result.iter_rows(named=True):  # half in, half out: the parts are the whole
        assert one["covered"] + max(one["quantity"] - one["covered"], 0) == one["quantity"]


@given(lengths=st.lists(st.integers(1, 4_000), min_size=1, max_size=10), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_calls_of_a_month_come_to_what_their_sum_costs(lengths: list[int], seed: int) -> None:
    tiers = None
    rng = random.Random(seed)
    while tiers is None:
        tiers = random_tiers(rng, 7)
    tiers = replace(tiers, shared_by=Scope.PRODUCT)
    rows = [row("more", 7, 0, tiers)]
    version = tariff("V", 1, rows)
    used = [Used(at, BASE_S + at, 202610, length, version, rows[0], "p") for at, length in enumerate(lengths)]
    steps = sum(-(-length // 7) for length in lengths)
    exact = reference_month._exact(tiers, 7, steps, steps)
    assert fast(used, {1: version})["charge_micro_yuan"].sum() == exact.numerator // exact.denominator
