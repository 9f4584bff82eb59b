"""What a call costs because of the owner's other usage of the month, as column expressions written against narwhals.

Input columns beside those of pricing: row_no, quantity, free, period (the month whose units are drawn), product_id,
account_id, and customer_id, pool_id, variant where the tables ask for them. Every window runs over an owner's calls in
the one order (start_s, usage_id); so the result depends on the calls alone, not on batches or the order of rows.

Rules of this file, held by a test: a window function always has order_by; no division outside arithmetic.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw
import polars as pl

from server_api.billing.rating.arithmetic import at_least, at_most, ceil_div, constant, floor_div
from server_api.billing.rating.tariff.monthly import SCOPE_COLUMN, Monthly

Frame = nw.LazyFrame[Any]
c = nw.col
ORDER = ["start_s", "usage_id"]
#: Prices the rest of each call: needs ``quantity``, ``covered``, ``free``; gives ``units`` and ``charge_micro_yuan``.
Price = Callable[[Frame], Frame]
#: Turns one of our small tables into a frame of the engine at work.
AsTable = Callable[[pl.DataFrame], Frame]


def polars_table(frame: pl.DataFrame) -> Frame:
    """A small table for Polars."""
    return nw.from_native(frame.lazy())


def rated(
    calls: Frame, monthly: Monthly, price: Price, *, table: AsTable = polars_table, explain: bool = False
) -> Frame:
    """``covered``, ``units`` and ``charge_micro_yuan``: included units dealt out, the rest priced, then tiers and caps.

    The calls are all of their owners' months. Per rank ``draw<r>``; with ``explain`` also ``room<r>`` (what was left of
    the package after the call), ``worth<r>``, ``t_before``, ``t_after`` and ``capped``.
    """
    if monthly.ranks:
        on = ["row_no", "variant"] if monthly.variants else ["row_no"]
        calls = calls.join(table(monthly.entitled), on=on, how="left")
        calls = with_covered(calls, monthly, explain=explain)
        calls = _priced_around_discounts(calls, monthly, price, explain) if monthly.percent_ranks else price(calls)
        if monthly.priced_ranks:
            calls = _with_special_prices(calls, monthly)
    else:
        calls = price(calls.with_columns(covered=constant(0)))
    if monthly.tier_count:
        calls = with_tiers(calls.join(table(monthly.tiers), on="row_no", how="left"), monthly, explain=explain)
    if len(monthly.caps):
        calls = with_caps(calls.join(table(monthly.caps), on="row_no", how="left"), monthly, explain=explain)
    return calls


def _owner(monthly: Monthly, scope: nw.Expr) -> nw.Expr:
    """Who owns the units of a scope: the product itself where it has no account, customer or pool that shares."""
    owner: nw.Expr = c("product_id")
    for number in sorted(monthly.scopes - {0}):
        sharer = c(SCOPE_COLUMN[number])
        owner = nw.when((scope == number) & ~sharer.is_null() & (sharer != "")).then(sharer).otherwise(owner)
    return owner


def with_covered(calls: Frame, monthly: Monthly, *, explain: bool = False) -> Frame:
    """``covered``: how much of each call's quantity packages take from its beginning, and ``draw<r>`` per rank.

    A pass per rank over each package in one total order; a call draws whole counting units.
    """
    calls = calls.with_columns(left=nw.when(c("free") == 1).then(constant(0)).otherwise(c("quantity")))
    for rank in range(monthly.ranks):
        calls = _drawn(calls, monthly, rank, explain)
        calls = calls.with_columns(left=c("left") - c(f"draw{rank}"))
    covered = nw.when(c("free") == 1).then(constant(0)).otherwise(c("quantity") - c("left"))
    return calls.with_columns(covered=covered).drop("left")


def _drawn(calls: Frame, monthly: Monthly, rank: int, explain: bool) -> Frame:
    number, cap, per = c(f"a{rank}_no"), c(f"a{rank}_cap").fill_null(0), c(f"a{rank}_per")
    may = ~number.is_null()
    if monthly.dated:
        may = may & (c("start_s") >= c(f"a{rank}_from")) & (c("start_s") < c(f"a{rank}_until"))
    shared = bool(monthly.scopes - {0})
    calls = calls.with_columns(
        wish=nw.when(may).then(ceil_div(c("left"), per) * per).otherwise(constant(0)),
        package=nw.when(may).then(number).otherwise(constant(-1)),
        **({"owner": _owner(monthly, c(f"a{rank}_scope"))} if shared else {}),
    )
    owner = "owner" if shared else "product_id"
    turns = monthly.turns[rank]
    for turn in range(turns):
        if turns > 1:  # what calls drew on the package at its former size stands; the others wish
            asked = nw.when(c(f"a{rank}_turn") == turn).then(c("wish")).otherwise(constant(0))
            if turn:
                asked = nw.when(c(f"a{rank}_turn") < turn).then(c("taken")).otherwise(asked)
            calls = calls.with_columns(asked=asked.fill_null(0))
        name = "asked" if turns > 1 else "wish"
        calls = calls.with_columns(total=c(name).cum_sum().over(owner, "period", "package", order_by=ORDER))
        now = at_most(c("total"), cap) - at_most(c("total") - c(name), cap)
        if turn:
            now = nw.when(c(f"a{rank}_turn") == turn).then(now).otherwise(c("taken"))
        calls = calls.with_columns(taken=now)
    drawn = nw.when(c("wish") > 0).then(at_most(c("taken"), c("left"))).otherwise(constant(0))
    calls = calls.with_columns(drawn.alias(f"draw{rank}"))
    if explain:
        calls = calls.with_columns(at_least(cap - c("total"), constant(0)).alias(f"room{rank}"))
    extra = [*(("owner",) if shared else ()), *(("asked",) if turns > 1 else ())]
    return calls.drop("wish", "package", "total", "taken", *extra)


def _with_special_prices(calls: Frame, monthly: Monthly) -> Frame:
    """Units inside a package that cost a price of their own, for each counting unit begun."""
    for rank in monthly.priced_ranks:
        units = ceil_div(c(f"draw{rank}"), c(f"a{rank}_per").fill_null(1))
        amount = nw.when(c(f"draw{rank}") > 0).then(units * c(f"a{rank}_price")).otherwise(constant(0))
        calls = calls.with_columns(charge_micro_yuan=c("charge_micro_yuan") + amount)
    return calls


def _priced_around_discounts(calls: Frame, monthly: Monthly, price: Price, explain: bool) -> Frame:
    """Units inside a package that cost some percent less: a call's part inside is worth what the call costs from there
    on, less what it costs from the part's end on."""
    ranks = monthly.percent_ranks
    edges = sorted({rank + inside for rank in ranks for inside in (0, 1)} | {monthly.ranks})
    for edge in edges:
        drawn: nw.Expr = constant(0)
        for rank in range(edge):
            drawn = drawn + c(f"draw{rank}")
        calls = price(calls.with_columns(covered=drawn)).with_columns(c("charge_micro_yuan").alias(f"from{edge}"))
    total = c(f"from{monthly.ranks}")
    for rank in ranks:
        off = c(f"a{rank}_off").fill_null(100)
        worth = floor_div((c(f"from{rank}") - c(f"from{rank + 1}")) * (constant(100) - off), 100)
        total = total + worth
        if explain:
            calls = calls.with_columns(worth.alias(f"worth{rank}"))
    return calls.with_columns(charge_micro_yuan=total).drop(*[f"from{edge}" for edge in edges])


def with_tiers(calls: Frame, monthly: Monthly, *, explain: bool = False) -> Frame:
    """Add what a call's units cost by the month's sum: what the sum costs with the call less what it costs without.

    So the calls of a month come to exactly what their sum costs, each rounding included.
    """
    rest = nw.when(c("free") == 1).then(constant(0)).otherwise(at_least(c("quantity") - c("covered"), constant(0)))
    calls = calls.with_columns(
        t_steps=nw.when(c("t_no").is_null()).then(constant(0)).otherwise(ceil_div(rest, c("t_step"))),
        t_owner=_owner(monthly, c("t_scope")),
        counter=c("t_no").fill_null(-1),
    )
    keys = ("t_owner", "period", "counter")
    calls = calls.with_columns(t_after=c("t_steps").cum_sum().over(*keys, order_by=ORDER))
    calls = calls.with_columns(t_before=c("t_after") - c("t_steps"))
    if 1 in monthly.tier_kinds:
        onwards = c("t_steps").cum_sum(reverse=True).over(*keys, order_by=ORDER)
        calls = calls.with_columns(t_sum=c("t_before") + onwards)
        calls = calls.with_columns(**_volume_price(monthly))
    amount = _sum_costs(monthly, c("t_after")) - _sum_costs(monthly, c("t_before"))
    calls = calls.with_columns(tier_amount=nw.when(c("t_steps") > 0).then(amount).otherwise(constant(0)))
    calls = calls.with_columns(charge_micro_yuan=c("charge_micro_yuan") + c("tier_amount").fill_null(0))
    drop = ["t_steps", "t_owner", "counter", *(("t_num", "t_flat") if 1 in monthly.tier_kinds else ())]
    if not explain:
        drop += ["t_after", "t_before", "tier_amount", *(("t_sum",) if 1 in monthly.tier_kinds else ())]
    return calls.drop(*drop)


def _volume_price(monthly: Monthly) -> dict[str, nw.Expr]:
    """The numerator and flat amount of the tier the month's sum falls in."""
    numerator: nw.Expr = c("t0_num")
    flat: nw.Expr = c("t0_flat")
    for tier in range(1, monthly.tier_count):
        within = (c("t_sum") > c(f"t{tier}_lo")) & (c(f"t{tier}_hi") > c(f"t{tier}_lo"))
        numerator = nw.when(within).then(c(f"t{tier}_num")).otherwise(numerator)
        flat = nw.when(within).then(c(f"t{tier}_flat")).otherwise(flat)
    return {"t_num": numerator, "t_flat": flat}


def _sum_costs(monthly: Monthly, steps: nw.Expr) -> nw.Expr:
    """What a month's sum of that many steps costs, floored to micro-yuan."""
    graduated: nw.Expr = constant(0)
    for tier in range(monthly.tier_count):
        inside = at_most(at_least(steps, c(f"t{tier}_lo")), c(f"t{tier}_hi")) - c(f"t{tier}_lo")
        flat = nw.when(inside > 0).then(c(f"t{tier}_flat")).otherwise(constant(0))
        graduated = graduated + inside * c(f"t{tier}_num") + flat
    costs = graduated
    if 1 in monthly.tier_kinds:
        flat = nw.when(steps > 0).then(c("t_flat")).otherwise(constant(0))
        costs = nw.when(c("t_kind") == 1).then(steps * c("t_num") + flat).otherwise(costs)
    if 2 in monthly.tier_kinds:
        costs = nw.when(c("t_kind") == 2).then(ceil_div(steps, c("t_block")) * c("t0_num")).otherwise(costs)
    return floor_div(costs, c("t_den"))


def with_caps(calls: Frame, monthly: Monthly, *, explain: bool = False) -> Frame:
    """Stop charging once the month's calls of a cap have come to its amount."""
    calls = calls.with_columns(
        c_owner=_owner(monthly, c("c_scope")),
        counter=c("c_no").fill_null(-1),
        asked=c("charge_micro_yuan").fill_null(0),
    )
    calls = calls.with_columns(total=c("asked").cum_sum().over("c_owner", "period", "counter", order_by=ORDER))
    kept = at_most(c("total"), c("c_amount")) - at_most(c("total") - c("asked"), c("c_amount"))
    calls = calls.with_columns(kept=nw.when(c("c_no").is_null()).then(c("charge_micro_yuan")).otherwise(kept))
    if explain:
        calls = calls.with_columns(capped=c("asked") - c("kept").fill_null(0))
    return calls.with_columns(charge_micro_yuan=c("kept")).drop("c_owner", "counter", "asked", "total", "kept")
