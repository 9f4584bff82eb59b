"""The rater: calls in, charges out, on any engine narwhals speaks to. Pure: frames from frozen inputs to a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import polars as pl

from server_api.billing.rating import allowances
from server_api.billing.rating import expressions as ex
from server_api.billing.rating.arithmetic import floor_div
from server_api.billing.rating.tariff.compile import PAGE, Compiled
from server_api.billing.usage.formats.frame import REASON_NO
from server_api.billing.usage.policy import numbering
from server_api.billing.usage.rules import full_number

Frame = nw.LazyFrame[Any]
#: Brings a table of ours to the engine at work.
Table = Callable[[pl.DataFrame], Frame]

#: Columns a call needs to be rated; whatever else it has is carried along.
NEEDED = ("usage_id", "owner_key", "start_s", "duration_s", "octets", "called_15", "free")
#: What the rater adds to a call.
ADDED = (
    "product_id",
    "plan_no",
    "account_id",
    "zone_no",
    "row_no",
    "price_no",
    "period",
    "quantity",
    "covered",
    "units",
    "charge_micro_yuan",
    "reason",
)
DAY_S = 86_400


@dataclass(frozen=True)
class Owners:
    """Who owns a number or login and by which plan it is priced, by time: a frame per rank (owner_key, from_s, until_s,
    product_id, plan_no, account_id). Times are UTC seconds."""

    ranks: Sequence[pl.DataFrame]


def everyone(plan_no: int = 0) -> Owners | int:
    """No owners known: every caller is its own product, all on one plan (``onehall rate`` without a database)."""
    return plan_no


def polars_table(frame: pl.DataFrame) -> Frame:
    """A table for Polars."""
    return nw.from_native(frame.lazy())


def rate(
    calls: pl.LazyFrame,
    tariffs: Compiled,
    owners: Owners | int | None,
    *,
    included: bool,
    longest_s: int = DAY_S,
    explain: bool = False,
) -> pl.LazyFrame:
    """Guide and rate calls on Polars; see ``rate_on``."""
    frame = rate_on(
        nw.from_native(with_origin(calls, tariffs)), tariffs, owners, table=polars_table, included=included,
        longest_s=longest_s, explain=explain,
    )  # fmt: skip
    return nw.to_native(frame)


def with_origin(calls: pl.LazyFrame, tariffs: Compiled) -> pl.LazyFrame:
    """The calls with the caller's number in full (caller_15) where the tariffs ask where a call comes from."""
    if "origin_no" in tariffs.axis_columns and "caller_15" not in calls.collect_schema().names():
        return calls.with_columns(caller_15=full_number("caller", numbering())[1])
    return calls


def rate_on(
    frame: Frame,
    tariffs: Compiled,
    owners: Owners | int | None,
    *,
    table: Table,
    included: bool,
    longest_s: int = DAY_S,
    explain: bool = False,
) -> Frame:
    """Guide and rate calls on any engine; ``table`` brings a table of ours to it.

    Beside NEEDED, calls have caller_15, in_trunk, out_trunk or call_type where ``tariffs.axes`` asks for it.
    ``owners``: who owns what; a number, the plan of every caller; or None where calls know product_id, plan_no and
    account_id. ``included`` deals out included units within the calls given, which must then be all of their months.
    Calls without owner, tariff or price get their ``reason`` and no charge.
    """
    if isinstance(owners, Owners):
        ranks = [table(rank) for rank in owners.ranks]
        frame = ex.in_segments(frame, ranks, "owner_key", ("product_id", "plan_no", "account_id"), "start_s")
    elif owners is not None:
        frame = frame.with_columns(
            product_id=nw.col("owner_key").cast(nw.String()),
            plan_no=nw.lit(owners, dtype=nw.Int64()),
            account_id=nw.lit(""),
        )
    frame = with_row(frame, tariffs, table)
    frame = ex.with_quantity(_with_prices(frame, tariffs, table))

    def price(some: Frame) -> Frame:
        return priced_with(some, tariffs, longest_s=longest_s, table=table, explain=explain)

    if included and tariffs.monthly.at_work:
        frame = allowances.rated(frame, tariffs.monthly, price, table=table, explain=explain)
    else:
        if "covered" not in frame.collect_schema().names():
            frame = frame.with_columns(covered=nw.lit(0, dtype=nw.Int64()))
        frame = price(frame)
    return frame.with_columns(reason=_reason().cast(nw.Int8()))


def _reason() -> nw.Expr:
    c = nw.col
    return (
        nw.when(c("product_id").is_null())
        .then(nw.lit(REASON_NO["no_owner"]))
        .when(c("plan_version").is_null())
        .then(nw.lit(REASON_NO["no_tariff"]))
        .when(c("price_no").is_null())
        .then(nw.lit(REASON_NO["no_price"]))
        .when(c("account_id").is_null())
        .then(nw.lit(REASON_NO["no_account"]))
        .otherwise(nw.lit(0))
    )


def with_row(frame: Frame, tariffs: Compiled, table: Table) -> Frame:
    """Where a call goes and which row prices it: ``zone_no``, ``plan_version``, ``row_no``, ``price_no``."""
    c = nw.col
    prefixes = {length: table(some) for length, some in tariffs.prefixes.items()}
    frame = ex.with_zone(frame, prefixes)
    frame = frame.with_columns(start_local_s=c("start_s") + ex.TOWN_OFFSET_S)
    segments = [table(some) for some in tariffs.plan_segments]
    frame = ex.in_segments(frame, segments, "plan_no", ("plan_version",), "start_local_s")
    on = ["plan_version", "zone_no"]
    lookups = tariffs.lookups
    if lookups.count:
        tables = {length: [table(some) for some in frames] for length, frames in lookups.tables.items()}
        frame = ex.with_places(frame, table(lookups.plans), tables, lookups.count, lookups.dated)
    if tariffs.axes:
        if not lookups.count:
            frame = frame.with_columns(case_no=nw.lit(0, dtype=nw.Int64()))
        if "origin_no" in tariffs.axis_columns:
            frame = ex.with_zone(frame, prefixes, number="caller_15", zone="origin_no")
        frame = ex.with_conditions(
            frame, dict(zip(tariffs.axis_columns, map(table, tariffs.axes.values()), strict=True))
        )
    if lookups.count or tariffs.axes:
        on.append("case_no")
    frame = frame.join(table(tariffs.choices), on=on, how="left")
    if lookups.count:
        for k in range(lookups.count):
            there = nw.when(c("via") == k).then(c("price_no") + c(f"place{k}")).otherwise(c("price_no"))
            frame = frame.with_columns(price_no=there).drop(f"place{k}")
        frame = frame.drop("via")
    return frame.drop("case_no") if len(on) == 3 else frame


def with_prices(frame: Frame, tariffs: Compiled, table: Table = polars_table) -> Frame:
    """``row_no`` and all price columns of calls that know their ``price_no``."""
    c = nw.col
    if len(tariffs.pages):
        frame = frame.with_columns(page=floor_div(c("price_no"), PAGE)).join(
            table(tariffs.pages), on="page", how="left"
        )
        row = nw.when(c("page_row").is_null()).then(c("price_no")).otherwise(c("page_row"))
        frame = frame.with_columns(row_no=row).drop("page", "page_row")
    else:
        frame = frame.with_columns(row_no=c("price_no"))
    return _with_prices(frame, tariffs, table)


def _with_prices(frame: Frame, tariffs: Compiled, table: Table) -> Frame:
    frame = frame.join(table(tariffs.prices.rename({"price_no": "row_no"})), on="row_no", how="left")
    if len(tariffs.deck_prices):
        frame = ex.with_deck_prices(frame, table(tariffs.deck_prices), tariffs.windows, tariffs.window_steps)
    return frame


def priced_with(
    frame: Frame,
    tariffs: Compiled,
    *,
    longest_s: int,
    table: Table = polars_table,
    explain: bool = False,
    exact: bool = False,
) -> Frame:
    """``units`` and ``charge_micro_yuan`` of calls with price columns, ``quantity``, ``covered`` and ``free``."""
    return ex.priced(
        frame,
        windows=tariffs.windows,
        days=days_touched(longest_s) if tariffs.windows > 1 or tariffs.day_types else 1,
        day_types=tariffs.day_types,
        groups=tariffs.groups,
        timed=tariffs.timed,
        window_steps=tariffs.window_steps,
        holidays=table(tariffs.holidays) if len(tariffs.holidays) else None,
        explain=explain,
        exact=exact,
    )


def needed(tariffs: Compiled) -> tuple[str, ...]:
    """The columns of a call these tariffs read."""
    names = [*NEEDED]
    for column in tariffs.axis_columns:
        names += ["caller_n", "caller_len", "caller_nature"] if column == "origin_no" else [column]
    return tuple(names)


def days_touched(longest_s: int) -> int:
    """How many calendar days a call of at most that length may touch, its last block beginning before its end."""
    return (longest_s + DAY_S - 2) // DAY_S + 1


def month_of(start_s: pl.Expr) -> pl.Expr:
    """The calendar month (yyyymm, town time) of an instant."""
    moment = pl.from_epoch(start_s + ex.TOWN_OFFSET_S, time_unit="s")
    return (moment.dt.year().cast(pl.Int64) * 100 + moment.dt.month()).alias("period")
