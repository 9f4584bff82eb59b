"""From calls to traffic: sums by hour, trunk group, direction and type of call. Pure.

A call over two trunk groups (transit) is counted at both; one over none is counted once, as within the exchange. Begun
minutes and begun six seconds are counted call by call, because that is what operators settle by and no sum of seconds
gives it back. ``held_s`` is dealt to the hours the call lasted in, which is what a circuit group's load is.
"""

from __future__ import annotations

import polars as pl

from server_api.billing.usage.formats.reasons import TOWN_OFFSET_S
from server_api.billing.usage.traffic.words import INCOMING, OUTGOING, WITHIN

_HOUR_S = 3_600
_KEY = ("period", "hour_no", "trunk_no", "direction", "call_type")
_SUMS = ("call_count", "answered_count", "talked_s", "minute_count", "six_second_count", "held_s")
TRAFFIC_COLUMNS = (*_KEY, *_SUMS)


def traffic_of(calls: pl.DataFrame) -> pl.DataFrame:
    """The traffic of unique calls (canonical columns start_s, duration_s, in_trunk, out_trunk, call_type), one row per
    hour, trunk group, direction and type, in key order. Attempts have duration 0. Sessions have no traffic."""
    legs = _legs(calls.select("start_s", "duration_s", "in_trunk", "out_trunk", "call_type"))
    town = pl.col("start_s") + TOWN_OFFSET_S
    legs = legs.with_columns(
        hour=town // _HOUR_S,
        last=(town + (pl.col("duration_s") - 1).clip(0)) // _HOUR_S,
        duration_s=pl.col("duration_s").clip(0),
    )
    begun = legs.with_columns(
        call_count=pl.lit(1, pl.Int64),
        answered_count=(pl.col("duration_s") > 0).cast(pl.Int64),
        talked_s=pl.col("duration_s"),
        minute_count=(pl.col("duration_s") + 59) // 60,
        six_second_count=(pl.col("duration_s") + 5) // 6,
        held_s=pl.when(pl.col("last") == pl.col("hour")).then(pl.col("duration_s")).otherwise(0),
    )
    both = pl.concat([begun.select(_LEG_KEY + _SUMS), _held_longer(legs)])
    summed = both.group_by(_LEG_KEY).agg([pl.col(name).sum() for name in _SUMS])
    moment = pl.from_epoch(pl.col("hour") * _HOUR_S, time_unit="s")
    month = moment.dt.year().cast(pl.Int64) * 100 + moment.dt.month()
    return (
        summed.with_columns(
            period=month, hour_no=month * 10_000 + moment.dt.day().cast(pl.Int64) * 100 + moment.dt.hour()
        )
        .select(TRAFFIC_COLUMNS)
        .sort(_KEY)
    )


_LEG_KEY = ("hour", "trunk_no", "direction", "call_type")


def _legs(calls: pl.DataFrame) -> pl.DataFrame:
    """A row for each trunk group a call went over, or one with trunk 0 where it went over none."""
    incoming, outgoing = pl.col("in_trunk") != 0, pl.col("out_trunk") != 0
    return pl.concat(
        [
            calls.filter(holds).with_columns(
                trunk_no=trunk.cast(pl.Int64), direction=pl.lit(direction, pl.Int64), call_type=_TYPE
            )
            for holds, trunk, direction in (
                (incoming, pl.col("in_trunk"), INCOMING),
                (outgoing, pl.col("out_trunk"), OUTGOING),
                (~incoming & ~outgoing, pl.lit(0), WITHIN),
            )
        ]
    )


_TYPE = pl.col("call_type").cast(pl.Int64)


def _held_longer(legs: pl.DataFrame) -> pl.DataFrame:
    """What calls over the end of an hour held in each hour they touched."""
    longer = legs.filter(pl.col("last") > pl.col("hour")).with_columns(
        from_s=pl.col("start_s") + TOWN_OFFSET_S,
        until_s=pl.col("start_s") + TOWN_OFFSET_S + pl.col("duration_s"),
    )
    touched = longer.with_columns(hour=pl.int_ranges(pl.col("hour"), pl.col("last") + 1)).explode("hour")
    begins = pl.max_horizontal(pl.col("from_s"), pl.col("hour") * _HOUR_S)
    ends = pl.min_horizontal(pl.col("until_s"), (pl.col("hour") + 1) * _HOUR_S)
    nothing = [pl.lit(0, pl.Int64).alias(name) for name in _SUMS[:-1]]
    return touched.with_columns(*nothing, held_s=ends - begins).select(_LEG_KEY + _SUMS)
