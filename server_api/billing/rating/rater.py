"""The rater: calls in, charges out, on Polars. Pure: frames from frozen inputs to a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import polars as pl

from server_api.billing.rating import expressions as ex
from server_api.billing.rating.tariff.compile import Compiled
from server_api.billing.usage.formats.frame import REASON_NO

#: Columns a call needs to be rated; whatever else it has is carried along.
NEEDED = ("usage_id", "owner_key", "start_s", "duration_s", "octets", "called_15", "free")
#: What the rater adds to a call.
ADDED = (
    "product_id",
    "plan_no",
    "account_id",
    "zone_no",
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


def rate(
    calls: pl.LazyFrame,
    tariffs: Compiled,
    owners: Owners | int | None,
    *,
    included: bool,
    longest_s: int = DAY_S,
    explain: bool = False,
) -> pl.LazyFrame:
    """Guide and rate calls. Where ``owners`` is None the calls carry product_id, plan_no and account_id already.

    ``included`` deals out included units within the calls given, which must then be all of their months.
    Calls without owner, tariff or price get their ``reason`` and no charge.
    """
    frame: Any = nw.from_native(calls)
    if isinstance(owners, Owners):
        ranks = [nw.from_native(rank.lazy()) for rank in owners.ranks]
        frame = ex.in_segments(frame, ranks, "owner_key", ("product_id", "plan_no", "account_id"), "start_s")
    elif owners is not None:
        frame = frame.with_columns(
            product_id=nw.col("owner_key").cast(nw.String()),
            plan_no=nw.lit(owners, dtype=nw.Int64()),
            account_id=nw.lit(""),
        )
    frame = ex.with_zone(frame, {length: nw.from_native(table.lazy()) for length, table in tariffs.prefixes.items()})
    return nw.to_native(_price(frame, tariffs, included=included, longest_s=longest_s, explain=explain))


def _price(frame: Any, tariffs: Compiled, *, included: bool, longest_s: int, explain: bool) -> Any:
    c = nw.col
    frame = frame.with_columns(start_local_s=c("start_s") + ex.TOWN_OFFSET_S)
    segments = [nw.from_native(table.lazy()) for table in tariffs.plan_segments]
    frame = ex.in_segments(frame, segments, "plan_no", ("plan_version",), "start_local_s")
    frame = frame.join(nw.from_native(tariffs.zones.lazy()), on=["plan_version", "zone_no"], how="left")
    frame = frame.join(nw.from_native(tariffs.prices.lazy()), on="price_no", how="left")
    frame = ex.with_quantity(frame)
    if included and tariffs.ranks:
        frame = ex.with_covered(frame, tariffs.ranks)
    elif "covered" not in frame.collect_schema().names():
        frame = frame.with_columns(covered=nw.lit(0, dtype=nw.Int64()))
    split = tariffs.windows > 1
    days = days_touched(longest_s) if split else 1
    frame = ex.priced(frame, windows=tariffs.windows, days=days, day_types=tariffs.day_types, explain=explain)
    reason = (
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
    return frame.with_columns(reason=reason.cast(nw.Int8()))


def days_touched(longest_s: int) -> int:
    """How many calendar days a call of at most that length may touch, its last block beginning before its end."""
    return (longest_s + DAY_S - 2) // DAY_S + 1


def month_of(start_s: pl.Expr) -> pl.Expr:
    """The calendar month (yyyymm, town time) of an instant."""
    moment = pl.from_epoch(start_s + ex.TOWN_OFFSET_S, time_unit="s")
    return (moment.dt.year().cast(pl.Int64) * 100 + moment.dt.month()).alias("period")
