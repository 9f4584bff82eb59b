"""Numbers as the town dials them, identities, checks and long calls in parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_api.billing.rating.zones import build, town_zones
from server_api.billing.usage.formats.frame import REASON_NO, REASONS, in_shape
from server_api.billing.usage.identity import identities, switch_seed
from server_api.billing.usage.partials import apply_joined, join_parts
from server_api.billing.usage.policy import numbering
from server_api.billing.usage.ready import made_ready
from server_api.billing.usage.rules import access_key, full_number, full_number_of

DIALLED = {
    "3961234": 869_373_961_234,
    "09373961234": 869_373_961_234,
    "02164851234": 862_164_851_234,
    "13909371234": 8_613_909_371_234,
    "8613909371234": 8_613_909_371_234,
    "0012125550000": 12_125_550_000,
    "110": 86_937_110,
    "4008101234": 864_008_101_234,
    "": 0,
    "0": 869_370,
    "00": 860,
}


@pytest.mark.parametrize(("text", "full"), DIALLED.items())
def test_numbers_in_full(text: str, full: int) -> None:
    assert full_number_of(text) == full


@given(st.text("0123456789", max_size=18))
def test_one_number_and_a_column_of_them_agree(text: str) -> None:
    frame = pl.DataFrame(
        {"x_n": [int(text or 0)], "x_len": [len(text)], "x_nature": [0]},
        schema={"x_n": pl.Int64, "x_len": pl.Int8, "x_nature": pl.Int16},
    )
    value, aligned = (frame.select(part).item() for part in full_number("x", numbering()))
    assert value == full_number_of(text)
    if not text.startswith("000"):  # no country code begins with 0, so such a number reaches no zone
        assert str(aligned).startswith(str(value)[:15].rstrip("0") or "0")


def test_access_keys_meet_calls() -> None:
    assert access_key("number", "09373961234") == access_key("number", "3961234") == "869373961234"
    assert access_key("login", " BB00001 ") == "bb00001"


def test_zones_are_the_librarys() -> None:
    """resources/usage/zones.csv is what the phonenumbers library says; ``python -m …zones`` writes it anew."""
    assert town_zones() == build(numbering())


def test_zones_of_some_prefixes() -> None:
    zones = town_zones()
    assert (zones["86937"], zones["86"], zones["852"], zones["1"], zones["1416"], zones["86800"]) == (
        "local",
        "national",
        "HK",
        "US",
        "CA",
        "tollfree",
    )


def test_identities_differ_where_calls_differ() -> None:
    random = np.random.default_rng(1)
    columns = [random.integers(0, 1_000, 200_000) for _ in range(5)]
    distinct = len(np.unique(np.stack(columns), axis=1).T)
    assert len(np.unique(identities(switch_seed("A"), *columns))) == distinct
    assert identities(switch_seed("A"), *columns)[0] != identities(switch_seed("B"), *columns)[0]


def test_identities_never_change() -> None:
    """Last month's calls are told from new ones by these values; another value would bill every call again."""
    fixed = identities(
        switch_seed("MAIN"), np.array([1]), np.array([1_795_310_130]), np.array([3]), np.array([4]), np.array([5])
    )
    assert fixed.tolist() == [KNOWN_IDENTITY]


KNOWN_IDENTITY = 8_013_144_587_263_146_241


def record(**values: Any) -> dict[str, Any]:
    return {
        "file_pos": 0,
        "seq_no": 1,
        "caller_n": 3_961_234,
        "caller_len": 7,
        "called_n": 3_962_001,
        "called_len": 7,
        "start_s": 1_790_000_000,
        "duration_s": 60,
        "call_type": 3,
        "charged_party": 1,
        "partial": 0,
        "reason": 0,
        **values,
    }


def ready_of(*rows: dict[str, Any], oldest: int = 0, newest: int = 2**40) -> pl.DataFrame:
    return made_ready(in_shape(pl.DataFrame(list(rows))), "voice", "MAIN", oldest, newest)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"caller_n": 0, "caller_len": 0}, "no_caller"),
        ({"called_n": 0, "called_len": 0}, "no_called"),
        ({"duration_s": 0}, "zero_duration"),
        ({"duration_s": 86_401}, "too_long"),
        ({"start_s": 999}, "date_too_old"),
        ({"start_s": 3_000_000_000}, "date_in_future"),
        ({"call_type": 9}, "not_retail"),
        ({"reason": REASON_NO["bad_time"], "duration_s": 0}, "bad_time"),
        ({}, ""),
    ],
)
def test_checks(values: dict[str, Any], reason: str) -> None:
    frame = ready_of(record(**values), oldest=1_000, newest=2_000_000_000)
    assert REASONS[frame["reason"][0]] == reason


@pytest.mark.parametrize(
    ("charged", "link", "owner"),
    [
        (1, 0, 869_373_961_234),
        (2, 0, 869_373_962_001),
        (127, 3_968_888, 869_373_968_888),
        (127, 0, 869_373_961_234),
    ],
)
def test_who_is_charged(charged: int, link: int, owner: int) -> None:
    frame = ready_of(record(charged_party=charged, link_n=link, link_len=7 if link else 0))
    assert frame["owner_key"][0] == owner


def parts(*triples: tuple[int, int, int]) -> pl.DataFrame:
    """(partial, start, duration) of one caller's call."""
    rows = [
        record(file_pos=100 * index, seq_no=index, partial=partial, start_s=start, duration_s=duration)
        for index, (partial, start, duration) in enumerate(triples)
    ]
    return in_shape(pl.DataFrame(rows))


def test_first_middle_last_become_one_call() -> None:
    frame = parts((1, 1_000, 600), (2, 1_600, 600), (2, 2_200, 600), (3, 2_800, 30))
    joined = join_parts(frame)
    (call,) = joined.calls.to_dicts()
    assert (call["start_s"], call["duration_s"], call["partial"], call["file_pos"]) == (1_000, 1_830, 0, 0)
    assert (joined.absorbed, joined.open_ends) == ([100, 200, 300], [])
    records, absorbed = apply_joined(frame, joined, 0, 1_000)
    assert (len(records), absorbed) == (1, 3)


@pytest.mark.parametrize(
    ("triples", "open_ends"),
    [
        ([(1, 1_000, 600)], [0]),
        ([(3, 1_000, 600)], [0]),
        ([(2, 1_000, 600)], [0]),
        ([(1, 1_000, 600), (2, 1_600, 600)], [0, 100]),
        ([(1, 1_000, 600), (3, 1_700, 30)], [0, 100]),
        ([(1, 1_000, 600), (1, 1_600, 600), (3, 2_200, 5)], [0]),
    ],
)
def test_open_ends_go_to_the_pool(triples: list[tuple[int, int, int]], open_ends: list[int]) -> None:
    frame = parts(*triples)
    joined = join_parts(frame)
    assert joined.open_ends == open_ends
    records, absorbed = apply_joined(frame, joined, 0, 10_000)
    reasons = [REASONS[number] for number in records["reason"]]
    assert reasons.count("awaiting_parts") == len(open_ends)
    assert len(records) + absorbed == len(triples)


def test_parts_in_two_pieces_add_up() -> None:
    frame = parts((1, 1_000, 600), (2, 1_600, 600), (3, 2_200, 30))
    joined = join_parts(frame)
    first, second = frame.filter(pl.col("file_pos") < 150), frame.filter(pl.col("file_pos") >= 150)
    left, gone_left = apply_joined(first, joined, 0, 150)
    right, gone_right = apply_joined(second, joined, 150, 1_000)
    assert (len(left), gone_left, len(right), gone_right) == (1, 1, 0, 1)
