"""Guide and rate as column expressions, written once against narwhals.

Input columns: usage_id, start_s (UTC), quantity columns (duration_s, octets), called_15 (the called number in full,
left aligned to 15 digits, 0 for none), free, and the key its owner is found by. Nothing here depends on the order or
the size of a batch except included units, whose order is (start, usage_id) within owner and period.

Rules of this file, held by a test: a window function always has order_by; no division outside arithmetic.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw

from server_api.billing.rating.arithmetic import at_least, at_most, ceil_div, constant, floor_div, remainder

Frame = nw.LazyFrame[Any]
c = nw.col
DAY_S = 86_400
TOWN_OFFSET_S = 28_800
NUMBER_DIGITS = 15


def in_segments(calls: Frame, ranks: Sequence[Frame], key: str, takes: Sequence[str], at: str) -> Frame:
    """Join what held for ``key`` at the time ``at``.

    Each rank frame holds (key, from_s, until_s, takes…) with a row per key at most. An
    equi-join per rank and then the interval: a row is never multiplied, whatever the intervals are.
    """
    for rank, frame in enumerate(ranks):
        renamed = frame.rename({name: f"{name}_r" for name in ("from_s", "until_s", *takes)})
        calls = calls.join(renamed, on=key, how="left")
        holds = (c(at) >= c("from_s_r")) & (c(at) < c("until_s_r"))
        for name in takes:
            earlier = c(name) if rank else nw.lit(None)
            calls = calls.with_columns(nw.when(holds).then(c(f"{name}_r")).otherwise(earlier).alias(name))
        calls = calls.drop("from_s_r", "until_s_r", *[f"{name}_r" for name in takes])
    return calls


def with_zone(calls: Frame, prefixes: Mapping[int, Frame]) -> Frame:
    """``zone_no`` of ``called_15``: one equi-join per occurring prefix length, the longest wins; -1 where none does."""
    calls = calls.with_columns(zone_no=constant(-1))
    for length, frame in sorted(prefixes.items()):
        calls = calls.with_columns(prefix=floor_div(c("called_15"), 10 ** (NUMBER_DIGITS - length)))
        calls = calls.join(frame.rename({"zone_no": "zone_r"}), on="prefix", how="left")
        found = ~c("zone_r").is_null() & (c("called_15") > 0)
        calls = calls.with_columns(zone_no=nw.when(found).then(c("zone_r")).otherwise(c("zone_no"))).drop(
            "prefix", "zone_r"
        )
    return calls


def with_quantity(calls: Frame) -> Frame:
    """``quantity``: what the price row charges for (seconds, octets or one session); nothing where a call is free."""
    return calls.with_columns(
        quantity=nw.when(c("quantity_no") == 0)
        .then(c("duration_s"))
        .when(c("quantity_no") == 1)
        .then(c("octets"))
        .otherwise(constant(1))
    )


def with_covered(calls: Frame, ranks: int) -> Frame:
    """``covered``: how much of each call's quantity its included units take, and ``draw<r>`` per rank.

    A pass per rank over each owner's month in one total order; a call draws whole counting units from its beginning.
    """
    calls = calls.with_columns(left=nw.when(c("free") == 1).then(constant(0)).otherwise(c("quantity")))
    for rank in range(ranks):
        number, cap, per = c(f"a{rank}_no"), c(f"a{rank}_cap"), c(f"a{rank}_per")
        wish = nw.when(number.is_null()).then(constant(0)).otherwise(ceil_div(c("left"), per) * per)
        calls = calls.with_columns(wish=wish, allowance=number.fill_null(-1))
        calls = calls.with_columns(
            total=c("wish").cum_sum().over("product_id", "period", "allowance", order_by=["start_s", "usage_id"])
        )
        draw = at_most(c("total"), cap) - at_most(c("total") - c("wish"), cap)
        calls = calls.with_columns(
            nw.when(c("wish") > 0).then(at_most(draw, c("left"))).otherwise(constant(0)).alias(f"draw{rank}")
        )
        calls = calls.with_columns(left=c("left") - c(f"draw{rank}")).drop("wish", "allowance", "total")
    free_or_all = nw.when(c("free") == 1).then(constant(0)).otherwise(c("quantity") - c("left"))
    return calls.with_columns(covered=free_or_all).drop("left")


def priced(calls: Frame, *, windows: int, days: int, day_types: bool, explain: bool = False) -> Frame:
    """``units`` and ``charge_micro_yuan``; what is covered is taken off the beginning of the call first.

    A block costs the price of the window in which it begins, so a call crossing a boundary is split exactly there. The
    count of blocks beginning before an edge has a closed form; nothing is multiplied out. One floor at the end.
    With ``explain`` the block counts stay as columns ``s<d>_<j>_first`` and ``s<d>_<j>_rest``.
    """
    rest = nw.when(c("free") == 1).then(constant(0)).otherwise(at_least(c("quantity") - c("covered"), constant(0)))
    begin = (
        nw.when(c("quantity_no") == 0)
        .then(c("start_s") + TOWN_OFFSET_S + c("covered"))
        .otherwise(c("start_s") + TOWN_OFFSET_S)
    )
    calls = calls.with_columns(rest=rest, begin=begin)
    more = ceil_div(at_least(c("rest") - c("first"), constant(0)), c("step"))
    calls = calls.with_columns(units=nw.when(c("rest") > 0).then(more + 1).otherwise(constant(0)))
    if windows == 1 and not day_types:
        total = nw.when(c("units") > 0).then(c("w0_first") + (c("units") - 1) * c("w0_price")).otherwise(constant(0))
        if explain:
            first = at_most(c("units"), constant(1))
            calls = calls.with_columns(s0_0_first=first, s0_0_rest=c("units") - first)
    else:
        calls, total = _by_windows(calls, windows, days, day_types, explain)
    charge = floor_div(c("connect") * c("den") + total, c("den"))
    charge = at_most(at_least(charge, c("minimum")), c("cap"))
    return calls.with_columns(charge_micro_yuan=nw.when(c("units") > 0).then(charge).otherwise(constant(0))).drop(
        "rest", "begin"
    )


def _by_windows(calls: Frame, windows: int, days: int, day_types: bool, explain: bool) -> tuple[Frame, nw.Expr]:
    """The numerator of the charge, summed over the calendar days a call may touch and the windows of each.

    Every intermediate result is a column: an expression used twice would be built and worked out twice.
    """
    calls = calls.with_columns(into_day=remainder(c("begin"), DAY_S), day=floor_div(c("begin"), DAY_S))
    calls = calls.with_columns(numerator=constant(0), one_block=at_most(c("units"), constant(1)))
    for day in range(days):
        for window in range(windows):
            calls = calls.with_columns(
                from_edge=c(f"w{window}_from") + day * DAY_S - c("into_day"),
                until_edge=c(f"w{window}_until") + day * DAY_S - c("into_day"),
            ).with_columns(before=_begun_before(c("from_edge")), upto=_begun_before(c("until_edge")))
            begins_here = (c("before") == 0) & (c("upto") > 0)
            blocks = c("upto") - c("before")
            if day_types:
                holds = _on_weekday(c(f"w{window}_days"), c("day") + day)
                begins_here = begins_here & holds
                blocks = nw.when(holds).then(blocks).otherwise(constant(0))
            first, rest = f"s{day}_{window}_first", f"s{day}_{window}_rest"
            calls = calls.with_columns(
                nw.when(begins_here).then(constant(1)).otherwise(constant(0)).alias(first), blocks.alias(rest)
            )
            calls = calls.with_columns((c(rest) - c(first)).alias(rest)).with_columns(
                numerator=c("numerator") + c(first) * c(f"w{window}_first") + c(rest) * c(f"w{window}_price")
            )
            if not explain:
                calls = calls.drop(first, rest)
    drop = ("into_day", "day", "one_block", "from_edge", "until_edge", "before", "upto")
    return calls.drop(*drop), c("numerator")


def _begun_before(edge: nw.Expr) -> nw.Expr:
    """How many of a call's blocks begin before ``edge`` seconds from its start; octets and sessions begin at once."""
    steps = at_most(floor_div(edge - c("first") - 1, c("step")) + 2, c("units"))
    by_time = nw.when(edge <= c("first")).then(c("one_block")).otherwise(steps)
    begun = nw.when(c("quantity_no") == 0).then(by_time).otherwise(c("units"))
    return nw.when(edge <= 0).then(constant(0)).otherwise(begun)


def _on_weekday(mask: nw.Expr, day: nw.Expr) -> nw.Expr:
    """Whether the weekday of a day number (0 = Thursday 1 January 1970) is in the mask (bit 0 is Monday)."""
    weekday = remainder(day + 3, 7)
    power: nw.Expr = constant(64)
    for bit in range(6):
        power = nw.when(weekday == bit).then(constant(1 << bit)).otherwise(power)
    return remainder(floor_div(mask, power), 2) == 1
