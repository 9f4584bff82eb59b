"""Every charge model of the tariff format, mixed at random, agrees with the slow rater to the last micro-yuan.

A hundred thousand calls and a tariff for each 250 of them; ``RATING_CALLS`` compares as many as one likes.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import date
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server_api.billing.rating.decks import Deck, deck_of
from server_api.billing.rating.rater import rate
from server_api.billing.rating.tariff.choice import Choice, NotClear
from server_api.billing.rating.tariff.compile import compile_tariffs
from server_api.billing.rating.tariff.model import HOLIDAY, WHOLE_CALL, Quantity, Row, Steps, Tariff, Window
from server_api.billing.rating.zones import INLAND
from shared_models.values.faults.rating import TariffNotValid
from tests.unit.rating import reference

DAY_S = 86_400
#: Monday 28 September 2026 on the town's clock; the week before and after the National Day.
BASE_DAY = (date(2026, 9, 28) - date(1970, 1, 1)).days
ZONES = {"86937": "local", "86": "national", "81": "JP", "852": "HK", "1": "US", "44": "GB"}
NUMBERS = (
    "869373960001", "869378001234", "862164851234", "8613800138000", "81312345678", "85223456789", "12125550123",
    "14165550123", "442071234567", "447700900123", "999123456",
)  # fmt: skip
CALLS = int(os.environ.get("RATING_CALLS", "100000"))
PER_TARIFF = 250
ALL = 255


def zone_of(number: str) -> str:
    heads = [prefix for prefix in ZONES if number.startswith(prefix)]
    return ZONES[max(heads, key=len)] if heads else ""


def random_windows(rng: random.Random) -> tuple[Window, ...]:
    return rng.choice(
        [
            (Window("all", 0, DAY_S, ALL),),
            (Window("night", 0, 25_200, ALL), Window("day", 25_200, DAY_S, ALL)),
            (
                Window("off", 0, 25_200, ALL),
                Window("holiday", 25_200, DAY_S, HOLIDAY),
                Window("week", 25_200, 64_800, 31),
                Window("weekend", 25_200, 64_800, 96),
                Window("off", 64_800, DAY_S, 127),
            ),
        ]
    )


def random_deck(rng: random.Random) -> Deck:
    """Prefixes of the numbers called, some of them in two versions by date."""
    heads = sorted({number[: rng.randrange(1, 8)] for number in NUMBERS for _ in range(3)})
    lines = []
    for head in heads:
        for day in ("", "2026-10-02") if rng.random() < 0.3 else ("",):
            price = f"{rng.randrange(3)}.{rng.randrange(10**6):06d}"
            lines.append(
                (head, price, rng.choice(["", "0.05"]), rng.choice(["", "30"]), rng.choice(["", "1", "6"]), day)
            )
    names = ("prefix", "price", "connect", "first", "step", "effective_from")
    table = pl.DataFrame(lines, schema=dict.fromkeys(names, pl.String), orient="row")
    deck, problems = deck_of("D", table, {**{name: name for name in names[:5]}, "from": "effective_from"})
    assert problems == []
    return deck


def random_row(rng: random.Random, code: str, codes: list[str]) -> Row:
    def prices() -> dict[str, int]:
        return {name: rng.choice([0, 1, 70_000, 333_333, rng.randrange(2_000_000)]) for name in codes}

    step, first = rng.choice([1, 6, 60, 7]), rng.choice([0, 0, 30, 180])
    quantity = rng.choice([None, None, None, Quantity.OCTETS, Quantity.SESSIONS])
    then = []
    begin, length = first, step
    for _ in range(rng.choice([0, 0, 1, 2])):
        begin, length = begin + length * rng.randrange(1, 60), rng.choice([1, 6, 60])
        then.append(Steps(begin, length, rng.choice([length, 60, 11]), prices()))
    flat = rng.random() < 0.1
    place = rng.choice(["zones", "zones", "prefixes", "deck"])
    adjust = rng.choice([1_000_000, 1_000_000, 1_100_000, 850_000, 333_333, 0])
    row = Row(
        code=code,
        zones=(),
        item_code=code,
        step=step,
        per=rng.choice([step, 60, 3600, 11]),
        prices_micro_yuan=prices(),
        first=first,
        first_prices_micro_yuan=prices() if first else {},
        connect_micro_yuan=rng.choice([0, 0, 50_000]),
        minimum_micro_yuan=rng.choice([0, 0, 100_000]),
        cap_micro_yuan=rng.choice([None, None, 2_000_000]),
        then=tuple(then),
        adjust_ppm=adjust,
        quantity=quantity,
        from_zones=rng.choice([(), (), ("local",), ("*",), ("national", "HK"), ("international",)]),
        in_trunks=rng.choice([(), (), (), (1, 2), (3,)]),
        out_trunks=rng.choice([(), (), (), (7,)]),
        call_types=rng.choice([(), (), (3, 5), (6,)]),
        priority=rng.choice([0, 0, rng.randrange(1, 99)]),
    )
    if flat:
        row = replace(row, step=WHOLE_CALL, per=WHOLE_CALL, first=0, first_prices_micro_yuan={}, then=())
    elif rng.random() < 0.2 and place != "deck":
        lengths = {name: rng.choice([6, 30, 60, 77]) for name in codes}
        row = replace(row, window_steps=lengths, step=min(lengths.values()), per=rng.choice([0, 60, 11]), then=())
    if place == "zones":
        return replace(row, zones=tuple(rng.sample(["local", "national", "JP", "HK", "international", "*"], 2)))
    if place == "prefixes":
        return replace(row, prefixes=tuple({number[: rng.randrange(1, 8)] for number in rng.sample(NUMBERS, 3)}))
    zero = dict.fromkeys(codes, 0)
    first_deck = 0 if flat else first
    blocks = {"step": 60 if flat else step, "per": 60 if flat else row.per, "then": ()}
    return replace(row, deck="D", prices_micro_yuan=zero, first=first_deck, first_prices_micro_yuan={},
                   connect_micro_yuan=0, quantity=None, **blocks)  # fmt: skip


def random_tariff(rng: random.Random) -> Tariff:
    windows = random_windows(rng)
    codes = list(dict.fromkeys(window.code for window in windows))
    calendar = {BASE_DAY + 3 + day: HOLIDAY for day in range(4)} | {BASE_DAY - 1: 1, BASE_DAY + 12: 1}
    deck = random_deck(rng)
    while True:
        rows = [random_row(rng, f"r{number}", codes) for number in range(rng.randrange(1, 5))]
        tariff = Tariff("T", date(2020, 1, 1), Quantity.SECONDS, tuple(rows), windows, calendar="C",
                        calendar_days=calendar, decks={"D": deck})  # fmt: skip
        try:
            Choice(tariff).check()
            compile_tariffs({1: tariff}, [("T",)], ZONES)
        except (NotClear, TariffNotValid):  # two rows for one call, or sums beyond 63 bits: refused, and rightly
            continue
        return tariff


def random_calls(rng: random.Random, count: int) -> list[reference.Call]:
    calls = []
    for usage_id in rng.sample(range(10 * count), count):
        edge = rng.choice([0, 25_200, 64_800]) + rng.randrange(-300, 300)
        begin = (BASE_DAY + rng.randrange(14)) * DAY_S + rng.choice([rng.randrange(DAY_S), edge])
        seconds = rng.choice([1, 30, 31, 60, 61, 180, 181, rng.randrange(1, 900), rng.randrange(1, 9_000)])
        number, caller = rng.choice(NUMBERS), rng.choice(NUMBERS)
        calls.append(
            reference.Call(usage_id, "p", 202610, begin, seconds, zone_of(number), rng.random() < 0.03, number,
                           zone_of(caller), rng.randrange(5), rng.choice([0, 7]), rng.choice([3, 5, 6]))
        )  # fmt: skip
    return calls


CALLERS = {zone_of(number): number for number in NUMBERS}


def aligned(number: str) -> int:
    return int(number.ljust(15, "0"))


def frame_of(calls: list[reference.Call]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "usage_id": [call.usage_id for call in calls],
            "owner_key": [call.owner for call in calls],
            "period": [call.month for call in calls],
            "start_s": [call.begin_local_s - 28_800 for call in calls],
            "duration_s": [call.quantity for call in calls],
            "octets": [call.quantity for call in calls],
            "called_15": [aligned(call.called) for call in calls],
            "caller_15": [aligned(CALLERS[call.origin]) for call in calls],
            "in_trunk": pl.Series([call.in_trunk for call in calls], dtype=pl.Int32),
            "out_trunk": pl.Series([call.out_trunk for call in calls], dtype=pl.Int32),
            "call_type": pl.Series([call.call_type for call in calls], dtype=pl.Int16),
            "free": [int(call.free) for call in calls],
        }
    )


def fast(tariff: Tariff, frame: pl.DataFrame) -> dict[int, tuple[str | None, int, int, int]]:
    tables = compile_tariffs({1: tariff}, [("T",)], ZONES)
    found: dict[int, tuple[str | None, int, int, int]] = {}
    for row in rate(frame.lazy(), tables, 0, included=True).collect().iter_rows(named=True):
        if row["price_no"] is None:
            found[row["usage_id"]] = (None, 0, 0, 0)
        else:
            key = tables.keys[row["price_no"]]
            assert key.row_no == row["row_no"]
            found[row["usage_id"]] = (key.row.code, row["covered"], row["units"], row["charge_micro_yuan"])
    return found


def counted(tariff: Tariff, call: reference.Call) -> reference.Call:
    """The call with what its row charges for: a session is one."""
    row = reference.row_for(tariff, call, INLAND)
    quantity = (row.quantity or tariff.quantity) if row else tariff.quantity
    return replace(call, quantity=1) if quantity is Quantity.SESSIONS else call


@pytest.mark.parametrize("seed", range(CALLS // PER_TARIFF))
def test_every_model_agrees(seed: int) -> None:
    rng = random.Random(seed)
    tariff = random_tariff(rng)
    calls = random_calls(rng, PER_TARIFF)
    expected = reference.rate_all(tariff, [counted(tariff, call) for call in calls], INLAND)
    assert fast(tariff, frame_of(calls)) == expected


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 300), max_size=4), order=st.integers(0, 2**32))
@example(seed=77, cuts=[1, 299], order=5)
def test_any_order_and_any_batch_give_the_same(seed: int, cuts: list[int], order: int) -> None:
    rng = random.Random(seed)
    tariff = random_tariff(rng)
    frame = frame_of(random_calls(rng, 300))
    whole = fast(tariff, frame)
    mixed = frame.sample(fraction=1, shuffle=True, seed=order)
    parts: dict[int, tuple[str | None, int, int, int]] = {}
    edges = [0, *sorted(cuts), len(mixed)]
    for begin, end in pairwise(edges):
        parts |= fast(tariff, mixed.slice(begin, end - begin))
    assert parts == whole
