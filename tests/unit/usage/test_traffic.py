"""Traffic: every call at every trunk group it went over, once, in its hours."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from server_api.billing.usage.traffic.rules import TRAFFIC_COLUMNS, traffic_of

TOWN = timezone(timedelta(hours=8))
KINDS = {
    "start_s": pl.Int64,
    "duration_s": pl.Int64,
    "in_trunk": pl.Int32,
    "out_trunk": pl.Int32,
    "call_type": pl.Int16,
}


def second(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=TOWN).timestamp())  # type: ignore[arg-type, misc]


def calls(*rows: tuple[int, int, int, int, int]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=KINDS, orient="row")


def found(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return traffic_of(frame).to_dicts()


def test_a_call_out() -> None:
    assert found(calls((second(2026, 11, 22, 9, 15, 30), 191, 0, 12, 5))) == [
        {
            "period": 202611,
            "hour_no": 2026112209,
            "trunk_no": 12,
            "direction": 2,
            "call_type": 5,
            "call_count": 1,
            "answered_count": 1,
            "talked_s": 191,
            "minute_count": 4,
            "six_second_count": 32,
            "held_s": 191,
        }
    ]


def test_transit_is_at_both_ends_and_an_attempt_is_not_answered() -> None:
    at = second(2026, 11, 22, 9)
    rows = found(calls((at, 60, 3, 12, 9), (at, 0, 3, 12, 9), (at, 30, 0, 0, 3)))
    assert [(row["trunk_no"], row["direction"], row["call_count"], row["answered_count"]) for row in rows] == [
        (0, 0, 1, 1),
        (3, 1, 2, 1),
        (12, 2, 2, 1),
    ]


def test_over_the_end_of_a_month() -> None:
    """The call counts where it began; the circuit is held in both hours."""
    rows = found(calls((second(2026, 11, 30, 23, 59, 0), 3_720, 0, 12, 5)))
    assert [(row["period"], row["hour_no"], row["call_count"], row["talked_s"], row["held_s"]) for row in rows] == [
        (202611, 2026113023, 1, 3_720, 60),
        (202612, 2026120100, 0, 0, 3_600),
        (202612, 2026120101, 0, 0, 60),
    ]


def test_an_hour_exactly_touches_no_other() -> None:
    assert len(found(calls((second(2026, 11, 30, 8), 3_600, 0, 12, 5)))) == 1


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.integers(1_700_000_000, 1_700_400_000),
            st.integers(0, 90_000),
            st.sampled_from([0, 1, 7]),
            st.sampled_from([0, 2, 7]),
            st.sampled_from([3, 5, 9]),
        ),
        max_size=30,
    )
)
def test_sums_are_those_of_the_calls(rows: list[tuple[int, int, int, int, int]]) -> None:
    frame = traffic_of(calls(*rows))
    assert frame.columns == list(TRAFFIC_COLUMNS)
    legs = [(duration, max((i != 0) + (o != 0), 1)) for _at, duration, i, o, _kind in rows]
    assert frame["call_count"].sum() == sum(count for _, count in legs)
    assert frame["talked_s"].sum() == frame["held_s"].sum() == sum(duration * count for duration, count in legs)
    assert frame["minute_count"].sum() == sum(-(-duration // 60) * count for duration, count in legs)
    halves = pl.concat([traffic_of(calls(*rows[::2])), traffic_of(calls(*rows[1::2]))])
    key = list(TRAFFIC_COLUMNS[:5])
    assert halves.group_by(key).sum().sort(key).equals(frame)
