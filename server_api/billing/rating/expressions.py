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
#: A key of a prefix table is table × this + prefix; one of a calendar is calendar × the other + day since 1970.
TABLE_SPAN = 10**NUMBER_DIGITS
CALENDAR_SPAN = 10**6
#: Later than any block begins.
NEVER = 2**54


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


def with_zone(calls: Frame, prefixes: Mapping[int, Frame], number: str = "called_15", zone: str = "zone_no") -> Frame:
    """``zone_no`` of ``called_15``: one equi-join per occurring prefix length, the longest wins; -1 where none does."""
    calls = calls.with_columns(constant(-1).alias(zone))
    for length, frame in sorted(prefixes.items()):
        calls = calls.with_columns(prefix=floor_div(c(number), 10 ** (NUMBER_DIGITS - length)))
        calls = calls.join(frame.rename({"zone_no": "zone_r"}), on="prefix", how="left")
        found = ~c("zone_r").is_null() & (c(number) > 0)
        calls = calls.with_columns(nw.when(found).then(c("zone_r")).otherwise(c(zone)).alias(zone)).drop(
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


def with_places(calls: Frame, plans: Frame, tables: Mapping[int, Sequence[Frame]], count: int, dated: bool) -> Frame:
    """``place<k>``: the line of the plan's k-th prefix table with the longest prefix, -1 for none; its group counts in
    ``case_no``. One equi-join a length; of a prefix with several prices by date, the one in force at the start."""
    calls = calls.join(plans, on="plan_version", how="left").with_columns(case_no=constant(0))
    for k in range(count):
        calls = calls.with_columns(constant(-1).alias(f"place{k}"), group_k=constant(0))
        for length, frames in sorted(tables.items()):
            key = c(f"table{k}") * TABLE_SPAN + floor_div(c("called_15"), 10 ** (NUMBER_DIGITS - length))
            calls = calls.with_columns(table_key=key)
            for frame in frames:
                calls = calls.join(frame.rename({"place": "place_r", "group": "group_r"}), on="table_key", how="left")
                found = ~c("place_r").is_null() & (c("called_15") > 0)
                if dated:
                    found = (
                        found & (c("start_local_s") >= c("place_from_s")) & (c("start_local_s") < c("place_until_s"))
                    )
                calls = calls.with_columns(
                    nw.when(found).then(c("place_r")).otherwise(c(f"place{k}")).alias(f"place{k}"),
                    nw.when(found).then(c("group_r")).otherwise(c("group_k")).alias("group_k"),
                ).drop("place_r", "group_r", *(("place_from_s", "place_until_s") if dated else ()))
            calls = calls.drop("table_key")
        more = nw.when(c("group_k") > 0).then(c("group_k") * c(f"stride{k}")).otherwise(constant(0))
        calls = calls.with_columns(case_no=c("case_no") + more).drop("group_k")
    return calls.drop(*[f"{name}{k}" for name in ("table", "stride") for k in range(count)])


def with_conditions(calls: Frame, axes: Mapping[str, Frame]) -> Frame:
    """``case_no`` with what the caller's zone, trunk groups and call type count for; one not named counts nothing."""
    for column, frame in axes.items():
        calls = calls.with_columns(c(column).cast(nw.Int64()))
        calls = calls.join(frame, on=["plan_version", column], how="left")
        calls = calls.with_columns(case_no=c("case_no") + c("part").fill_null(0)).drop("part")
    return calls


def with_deck_prices(calls: Frame, prices: Frame, windows: int, window_steps: bool) -> Frame:
    """The price columns, those of a rate deck's line put in where it brought the price."""
    calls = calls.join(prices, on="price_no", how="left")
    decked = ~c("d_price").is_null()
    own = {"first": "d_len", "step": "d_step", "den": "d_den", "connect": "d_connect"}
    for window in range(windows):
        own |= {f"w{window}_first": "d_first", f"w{window}_price": "d_price"}
        own |= {f"w{window}_step": "d_step"} if window_steps else {}
    put = [nw.when(decked).then(c(theirs)).otherwise(c(ours)).alias(ours) for ours, theirs in own.items()]
    return calls.with_columns(*put).drop("d_len", "d_step", "d_den", "d_connect", "d_first", "d_price")


def with_kind_of_day(calls: Frame, holidays: Frame | None, days: int) -> Frame:
    """``bit<d>``: the bit of ``Window.days`` that stands for the d-th calendar day of a call: a weekday, or what the
    tariff's calendar makes of the day."""
    for day in range(days):
        weekday = remainder(c("day") + day + 3, 7)  # day 0 was a Thursday; bit 0 is Monday
        power: nw.Expr = constant(64)
        for bit in range(6):
            power = nw.when(weekday == bit).then(constant(1 << bit)).otherwise(power)
        calls = calls.with_columns(power.alias(f"bit{day}"))
        if holidays is not None:
            key = nw.when(c("calendar_no") >= 0).then(c("calendar_no") * CALENDAR_SPAN + c("day") + day)
            calls = calls.with_columns(holiday_key=key.otherwise(constant(-1)))
            calls = calls.join(holidays, on="holiday_key", how="left")
            special = nw.when(c("day_bit").is_null()).then(c(f"bit{day}")).otherwise(c("day_bit"))
            calls = calls.with_columns(special.alias(f"bit{day}")).drop("day_bit", "holiday_key")
    return calls


def priced(
    calls: Frame,
    *,
    windows: int,
    days: int,
    day_types: bool,
    groups: int = 1,
    timed: bool = False,
    window_steps: bool = False,
    holidays: Frame | None = None,
    explain: bool = False,
    exact: bool = False,
) -> Frame:
    """``units`` and ``charge_micro_yuan``; what is covered is taken off the beginning of the call first.

    A block costs the price of the window in which it begins, so a call crossing a boundary is split exactly there. The
    count of blocks beginning before an edge has a closed form; nothing is multiplied out. One floor at the end.
    ``groups``: the most groups of steps a row has; ``timed``: every row charges for seconds; ``window_steps``: a row's
    step may be of another length in each window (``w<j>_step``), and ``first`` is 0 where it has no block of its own.
    With ``explain`` the block counts stay as columns ``s<d>_<j>_first`` and ``s<d>_<j>_rest<g>``; with ``exact`` the
    charge before minimum and cap as ``exact`` over ``den``.
    """
    free = nw.when(c("free") == 1).then(constant(0))
    calls = calls.with_columns(rest=free.otherwise(at_least(c("quantity") - c("covered"), constant(0))))
    for group in range(groups):
        until = at_most(c("rest"), c(f"at{group + 1}")) if group + 1 < groups else c("rest")
        begin, step = (c(f"at{group}"), c(f"step{group}")) if group else (c("first"), c("step"))
        if window_steps and not group:  # counted window by window, as each has a step of its own
            calls = calls.with_columns(n0=constant(0), until0=until)
        else:
            calls = calls.with_columns(ceil_div(at_least(until - begin, constant(0)), step).alias(f"n{group}"))
    counts = c("n0")
    for group in range(1, groups):
        counts = counts + c(f"n{group}")
    if windows > 1 or day_types:
        calls, total = _by_windows(calls, windows, days, day_types, groups, timed, window_steps, holidays, explain)
    first = nw.when(c("first") > 0).then(constant(1)).otherwise(constant(0)) if window_steps else constant(1)
    calls = calls.with_columns(units=nw.when(c("rest") > 0).then(counts + first).otherwise(constant(0)))
    if windows == 1 and not day_types:
        total = c("w0_first") + c("n0") * c("w0_price")
        for group in range(1, groups):
            total = total + c(f"n{group}") * c(f"w0_price{group}")
        if explain:
            kept = [c(f"n{group}").alias(_rest(0, 0, group)) for group in range(groups)]
            calls = calls.with_columns(*kept, s0_0_first=at_most(c("units"), constant(1)))
    whole = c("connect") + total
    if exact:
        calls = calls.with_columns(exact=nw.when(c("units") > 0).then(whole).otherwise(constant(0)))
    charge = at_most(at_least(floor_div(whole, c("den")), c("minimum")), c("cap"))
    return calls.with_columns(charge_micro_yuan=nw.when(c("units") > 0).then(charge).otherwise(constant(0))).drop(
        "rest", *[f"n{group}" for group in range(groups)], *(["until0"] if window_steps else [])
    )


def _rest(day: int, window: int, group: int) -> str:
    return f"s{day}_{window}_rest{group or ''}"


def _by_windows(
    calls: Frame,
    windows: int,
    days: int,
    day_types: bool,
    groups: int,
    timed: bool,
    window_steps: bool,
    holidays: Frame | None,
    explain: bool,
) -> tuple[Frame, nw.Expr]:
    """The numerator of the charge, summed over the calendar days a call may touch and the windows of each.

    Every intermediate result is a column: an expression used twice would be built and worked out twice. Without kinds
    of days a row's windows follow one another, so the end of one is the beginning of the next.
    """
    begin = c("start_s") + TOWN_OFFSET_S + (c("covered") if timed else _if_timed(c("covered"), constant(0)))
    calls = calls.with_columns(begin=begin)
    calls = calls.with_columns(into_day=remainder(c("begin"), DAY_S), day=floor_div(c("begin"), DAY_S))
    calls = calls.with_columns(numerator=constant(0), **{f"upto{g}": constant(0) for g in range(groups)})
    if day_types:
        calls = with_kind_of_day(calls, holidays, days)
    if window_steps:
        calls = calls.with_columns(next=c("first"))
    for day in range(days):
        for window in range(windows):
            holds = remainder(floor_div(c(f"w{window}_days"), c(f"bit{day}")), 2) == 1 if day_types else None
            if day_types:
                calls = _begun(calls, "before", c(f"w{window}_from"), day, groups, timed)
            else:
                calls = calls.with_columns(**{f"before{g}": c(f"upto{g}") for g in range(groups)})
            calls = _begun(calls, "upto", c(f"w{window}_until"), day, groups, timed)
            parts = [c(f"upto{g}") - c(f"before{g}") for g in range(groups)]
            if window_steps:
                parts[0] = ceil_div(
                    at_least(at_most(c("edge"), c("until0")) - c("next"), constant(0)), c(f"w{window}_step")
                )
            if holds is not None:
                parts = [nw.when(holds).then(part).otherwise(constant(0)) for part in parts]
            names = [_rest(day, window, g) for g in range(groups)]
            calls = calls.with_columns(*[part.alias(name) for part, name in zip(parts, names, strict=True)])
            if window_steps:
                counted = c(names[0])
                calls = calls.with_columns(n0=c("n0") + counted, next=c("next") + counted * c(f"w{window}_step"))
            numerator = c("numerator")
            for g, name in enumerate(names):
                numerator = numerator + c(name) * c(f"w{window}_price{g or ''}")
            if day == 0:
                first = f"s0_{window}_first"
                calls = calls.with_columns(_first_here(window, holds, window_steps).alias(first))
                names.append(first)
                numerator = numerator + c(first) * c(f"w{window}_first")
            calls = calls.with_columns(numerator=numerator)
            if not explain:
                calls = calls.drop(*names)
    drop = ["begin", "into_day", "day", "edge", *(["next"] if window_steps else [])]
    drop += [f"{name}{g}" for name in ("before", "upto") for g in range(groups)]
    drop += [f"bit{day}" for day in range(days)] if day_types else []
    return calls.drop(*drop), c("numerator")


def _first_here(window: int, holds: nw.Expr | None, window_steps: bool) -> nw.Expr:
    """1 where the first block begins in this window of the first day."""
    here = (c("into_day") >= c(f"w{window}_from")) & (c("into_day") < c(f"w{window}_until")) & (c("rest") > 0)
    if window_steps:
        here = here & (c("first") > 0)
    return nw.when(here if holds is None else here & holds).then(constant(1)).otherwise(constant(0))


def _begun(calls: Frame, name: str, edge: nw.Expr, day: int, groups: int, timed: bool) -> Frame:
    """``<name><g>``: how many steps of each group begin before an edge of a day; the first block is not among them.

    Octets and sessions begin at once.
    """
    calls = calls.with_columns(edge=edge + day * DAY_S - c("into_day"))
    if not timed:
        calls = calls.with_columns(
            edge=nw.when(c("edge") > 0).then(_if_timed(c("edge"), constant(NEVER))).otherwise(c("edge"))
        )
    counts = {}
    for group in range(groups):
        at, step = (c(f"at{group}"), c(f"step{group}")) if group else (c("first"), c("step"))
        begun = ceil_div(at_least(c("edge") - at, constant(0)), step)
        counts[f"{name}{group}"] = at_most(begun, c(f"n{group}"))
    return calls.with_columns(**counts)


def _if_timed(yes: nw.Expr, no: nw.Expr) -> nw.Expr:
    return nw.when(c("quantity_no") == 0).then(yes).otherwise(no)
