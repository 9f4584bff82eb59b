"""The fast rater agrees with the slow one to the last micro-yuan, whatever the tariff, the calls, order or batch."""

from __future__ import annotations

import random
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server_api.billing.rating.rater import rate
from server_api.billing.rating.tariff.compile import Compiled, compile_tariffs
from server_api.billing.rating.tariff.model import Included, Quantity, Row, Tariff, Window
from server_api.billing.rating.zones import INLAND
from tests.unit.rating import reference

DAY_S = 86_400
#: Monday 5 October 2026, midnight in the town, on the town's clock.
BASE_S = (date(2026, 10, 5) - date(1970, 1, 1)).days * DAY_S
ZONES = {"86937": "local", "86": "national", "81": "JP", "8610": "national", "852": "HK"}
NUMBERS = {"local": 869373960001, "national": 862164851234, "JP": 81312345678, "HK": 85223456789, "-": 0}
TWO_WINDOWS = (Window("night", 0, 7 * 3600), Window("day", 7 * 3600, DAY_S))
WEEK_WINDOWS = (
    Window("day", 0, 8 * 3600, 31),
    Window("peak", 8 * 3600, 18 * 3600, 31),
    Window("day", 18 * 3600, DAY_S, 31),
    Window("weekend", 0, DAY_S, 96),
)


def random_tariff(rng: random.Random) -> Tariff:
    windows = rng.choice([(Window("all", 0, DAY_S),), TWO_WINDOWS, WEEK_WINDOWS])
    codes = list(dict.fromkeys(window.code for window in windows))

    def prices() -> dict[str, int]:
        return {code: rng.choice([0, 1, 70_000, 110_000, 333_333, rng.randrange(2_000_000)]) for code in codes}

    rows = []
    for code, zones in (("local", ("local",)), ("long", ("national", "HK")), ("abroad", ("international",))):
        step = rng.choice([1, 6, 60, 7])
        first = rng.choice([0, 0, 30, 180])
        rows.append(
            Row(
                code=code,
                zones=zones,
                item_code=code,
                step=step,
                per=rng.choice([step, 3600, 11]),
                prices_micro_yuan=prices(),
                first=first,
                first_prices_micro_yuan=prices() if first else {},
                connect_micro_yuan=rng.choice([0, 0, 50_000]),
                minimum_micro_yuan=rng.choice([0, 0, 100_000]),
                cap_micro_yuan=rng.choice([None, None, 2_000_000]),
            )
        )
    included = tuple(
        Included(
            f"pack{rank}",
            tuple(rng.sample(["local", "long", "abroad"], rng.choice([1, 2]))),
            60 * rng.randrange(1, 40),
            rng.choice([1, 60]),
        )
        for rank in range(rng.choice([0, 0, 1, 2, 3]))
    )
    return Tariff("T", date(2020, 1, 1), Quantity.SECONDS, tuple(rows), windows, included)


def random_calls(rng: random.Random, count: int) -> list[reference.Call]:
    calls = []
    for usage_id in rng.sample(range(10 * count), count):
        begin = BASE_S + rng.choice(
            [
                rng.randrange(7 * DAY_S),
                rng.randrange(7) * DAY_S + rng.choice([0, 7, 8, 18]) * 3600 + rng.randrange(-300, 300),
            ]
        )
        seconds = rng.choice([1, 59, 60, 61, 179, 180, 181, 359, 3600, rng.randrange(1, 900), rng.randrange(1, 9_000)])
        calls.append(
            reference.Call(
                usage_id,
                f"p{rng.randrange(6)}",
                202610,
                begin,
                seconds,
                rng.choice(["local", "national", "JP", "HK"]),
                free=rng.random() < 0.05,
            )
        )
    return calls


def frame_of(calls: list[reference.Call]) -> pl.DataFrame:
    called = [NUMBERS[call.zone] for call in calls]
    return pl.DataFrame(
        {
            "usage_id": [call.usage_id for call in calls],
            "owner_key": [call.owner for call in calls],
            "period": [call.month for call in calls],
            "start_s": [call.begin_local_s - 28_800 for call in calls],
            "duration_s": [call.quantity for call in calls],
            "octets": [0] * len(calls),
            "called_15": [number * 10 ** (15 - len(str(number))) if number else 0 for number in called],
            "free": [int(call.free) for call in calls],
        }
    )


def fast(tariff: Tariff, frame: pl.DataFrame) -> tuple[dict[int, tuple[str | None, int, int, int]], Compiled]:
    tables = compile_tariffs({1: tariff}, [("T",)], ZONES)
    result = rate(frame.lazy(), tables, 0, included=True).collect()
    found: dict[int, tuple[str | None, int, int, int]] = {}
    for row in result.iter_rows(named=True):
        code = tables.keys[row["price_no"]].row.code if row["price_no"] is not None else None
        found[row["usage_id"]] = (code, row["covered"], row["units"], row["charge_micro_yuan"])
    return found, tables


@pytest.mark.parametrize("seed", range(50))
def test_ten_thousand_calls_agree(seed: int) -> None:
    rng = random.Random(seed)
    tariff = random_tariff(rng)
    calls = random_calls(rng, 250)
    assert fast(tariff, frame_of(calls))[0] == reference.rate_all(tariff, calls, INLAND)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), begin=st.integers(0, 7 * DAY_S), seconds=st.integers(1, 20_000))
def test_any_call_agrees(seed: int, begin: int, seconds: int) -> None:
    rng = random.Random(seed)
    tariff = random_tariff(rng)
    calls = [reference.Call(1, "p", 202610, BASE_S + begin, seconds, rng.choice(["local", "national", "JP", "HK"]))]
    assert fast(tariff, frame_of(calls))[0] == reference.rate_all(tariff, calls, INLAND)


def test_order_of_rows_changes_nothing() -> None:
    rng = random.Random(4)
    tariff = random_tariff(random.Random(11))
    frame = frame_of(random_calls(rng, 2_000))
    assert fast(tariff, frame)[0] == fast(tariff, frame.sample(fraction=1, shuffle=True, seed=3))[0]


def test_batches_add_up_where_nothing_is_included() -> None:
    rng = random.Random(5)
    tariff = random_tariff(rng)
    tariff = Tariff(tariff.code, tariff.effective_on, tariff.quantity, tariff.rows, tariff.windows)
    frame = frame_of(random_calls(rng, 1_000))
    whole = fast(tariff, frame)[0]
    parts: dict[int, tuple[str | None, int, int, int]] = {}
    for begin in range(0, 1_000, 77):
        parts |= fast(tariff, frame.slice(begin, 77))[0]
    assert parts == whole


def test_streaming_gives_the_same() -> None:
    tariff = random_tariff(random.Random(2))
    frame = frame_of(random_calls(random.Random(9), 3_000))
    tables = compile_tariffs({1: tariff}, [("T",)], ZONES)
    lazy = rate(frame.lazy(), tables, 0, included=True).select("usage_id", "covered", "charge_micro_yuan")
    assert lazy.collect().sort("usage_id").equals(lazy.collect(engine="streaming").sort("usage_id"))


def test_a_day_long_call_crosses_every_window() -> None:
    tariff = Tariff(
        "T",
        date(2020, 1, 1),
        Quantity.SECONDS,
        (Row("r", ("*",), "i", 60, 60, {"day": 110_000, "peak": 220_000, "weekend": 10_000}),),
        WEEK_WINDOWS,
    )
    calls = [
        reference.Call(n, "p", 202610, BASE_S + at, DAY_S, "local")
        for n, at in enumerate((0, 4 * DAY_S + 86_399, 6 * DAY_S))
    ]
    assert fast(tariff, frame_of(calls))[0] == reference.rate_all(tariff, calls, INLAND)
