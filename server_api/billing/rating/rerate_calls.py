"""Rated calls rated again: by the owner, the tariff and the calendar as they are known today.

What a rated row keeps (who was looked for, the other end, when, how much) is all a call is priced by; conditions on
trunks alone are not kept, so calls of tariffs that ask for them keep their price row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import narwhals as nw
import polars as pl

from server_api.billing.rating import expressions as ex
from server_api.billing.rating.guide import Drafted, Guide, load_guide
from server_api.billing.rating.rater import rate
from server_api.billing.usage.policy import numbering, policy
from server_api.billing.usage.rules import full_number
from server_api.platform.database import Database

#: Columns a re-rated call has anew; the former ones are kept as old_*.
CHOSEN = ("account_id", "product_id", "price_no", "item_code", "zone_code", "quantity", "units", "charge_micro_yuan")
_OLD = {name: f"old_{name}" for name in CHOSEN} | {"charge_micro_yuan": "old_charge"}
#: The kinds of number an exchange may name that change how digits are read: with country code, with area code.
_NATURES = (2, 3)


@dataclass
class Guides:
    """The guides of both services, read when first asked for."""

    database: Database
    drafted: Drafted | None = None
    _found: dict[str, Guide] = field(default_factory=dict)

    def of(self, service: str) -> Guide:
        """The guide of a service."""
        if service not in self._found:
            self._found[service] = load_guide(self.database, service, self.drafted)
        return self._found[service]


def with_old(calls: pl.DataFrame) -> pl.DataFrame:
    """The calls with what they cost so far kept as old_*."""
    return calls.with_columns([pl.col(name).alias(old) for name, old in _OLD.items()], old_covered="covered")


def chosen_anew(calls: pl.DataFrame, guides: Guides, within: tuple[int, int], tariff_code: str | None) -> pl.DataFrame:
    """Owner, price row and charge (nothing included) as of today, for calls that began within a span of time.

    ``calls``: columns of ``store.changes.RERATE_COLUMNS``, with ``old_*``. Adds ``row_no`` (null: not chosen anew) and
    ``unresolved`` (1 where nobody owns or prices the call today; it stays as it is).
    """
    inside = pl.col("start_s").is_between(within[0], within[1] - 1) & pl.col("owner_key").is_not_null()
    found = [calls.filter(~inside).with_columns(row_no=pl.lit(None, pl.Int64), unresolved=pl.lit(0, pl.Int8))]
    voice = pl.col("peer_no").is_not_null()
    for service, mine in (("voice", voice), ("broadband", ~voice)):
        some = calls.filter(inside & mine)
        if len(some):
            found.append(_chosen(some, guides.of(service), tariff_code))
    return pl.concat(found, how="diagonal")


def _chosen(calls: pl.DataFrame, guide: Guide, tariff_code: str | None) -> pl.DataFrame:
    called = _called(calls, guide, 0)
    rated = _rated(calls, called, guide)
    if guide.service == "voice":
        elsewhere = rated["zone_code"].ne_missing(calls["old_zone_code"]) & rated["zone_code"].is_not_null()
        if elsewhere.any():
            called = _read_as_rated(calls, called, elsewhere, guide)
            rated = _rated(calls, called, guide)
    take = rated["reason"] == 0
    if tariff_code is not None:
        keys = guide.tariffs.keys
        old = calls["price_no"].map_elements(lambda no: _code_of(no, guide), return_dtype=pl.String)
        new = rated["row_no"].replace_strict(
            {no: key.tariff.code for no, key in keys.items()}, default=None, return_dtype=pl.String
        )
        take = take & ((old == tariff_code).fill_null(False) | (new == tariff_code).fill_null(False))
    take = take & ~_asks_for_trunks(rated, guide)
    keep = pl.DataFrame({"take": take, "gone": rated["reason"] != 0})
    fresh = rated.select([pl.col(name).alias(f"new_{name}") for name in (*CHOSEN, "row_no")])
    both = pl.concat([calls, fresh, keep], how="horizontal")
    return both.with_columns(
        [pl.when("take").then(f"new_{name}").otherwise(name).alias(name) for name in CHOSEN],
        row_no=pl.when("take").then("new_row_no"),
        unresolved=pl.col("gone").cast(pl.Int8),
    ).drop("take", "gone", *[f"new_{name}" for name in (*CHOSEN, "row_no")])


def _rated(calls: pl.DataFrame, called: pl.Series, guide: Guide) -> pl.DataFrame:
    """The calls rated by themselves, in their order."""
    limits = policy()
    voice = guide.service == "voice"
    raw = calls.select(
        at=pl.int_range(pl.len(), dtype=pl.Int64),
        usage_id="usage_id",
        owner_key=pl.col("owner_key").cast(pl.Int64) if voice else pl.col("owner_key"),
        start_s="start_s",
        duration_s="duration_s",
        octets=pl.col("octets").fill_null(0),
        free=(pl.col("price_no") == 0).cast(pl.Int64),
        call_type="call_type",
        in_trunk=pl.lit(0, pl.Int64),
        out_trunk=pl.lit(0, pl.Int64),
        caller_15=_caller() if voice else pl.lit(0, pl.Int64),
    ).with_columns(called_15=called)
    longest = limits.max_call_s if voice else limits.max_session_s
    rated = rate(raw.lazy(), guide.tariffs, guide.owners, included=False, longest_s=longest)
    rated = rated.select(
        "at",
        "row_no",
        "zone_no",
        "quantity",
        "units",
        "charge_micro_yuan",
        "reason",
        account_id=pl.col("account_id").cast(pl.String),
        product_id=pl.col("product_id").cast(pl.String),
        price_no=pl.when(pl.col("free") == 1).then(0).otherwise(pl.col("price_no")),
    )
    rated = rated.join(_items(guide).lazy(), on="row_no", how="left")
    return rated.join(_zones(guide).lazy(), on="zone_no", how="left").sort("at").collect()


def _read_as_rated(calls: pl.DataFrame, called: pl.Series, elsewhere: pl.Series, guide: Guide) -> pl.Series:
    """The called numbers, read so that they lie in the zone they were rated in, where one reading does.

    The kind of number the exchange named is not kept; another zone than then means it named one, or zones changed.
    """
    table = calls.select(zone_code="old_zone_code", at=pl.int_range(pl.len(), dtype=pl.Int64)).with_columns(best=called)
    for nature in _NATURES:
        other = table.filter(elsewhere).with_columns(called_15=_called(calls.filter(elsewhere), guide, nature))
        prefixes = {length: nw.from_native(frame.lazy()) for length, frame in guide.tariffs.prefixes.items()}
        zoned: pl.LazyFrame = nw.to_native(ex.with_zone(nw.from_native(other.lazy()), prefixes))
        there = zoned.join(_zones(guide).lazy().rename({"zone_code": "leads_to"}), on="zone_no", how="left")
        fits = there.filter(pl.col("leads_to") == pl.col("zone_code")).select("at", other="called_15").collect()
        table = table.join(fits, on="at", how="left").sort("at")
        table = table.with_columns(best=pl.coalesce("other", "best")).drop("other")
    return table["best"]


def _code_of(price_no: int, guide: Guide) -> str | None:
    return guide.tariffs.keys[price_no].tariff.code if price_no in guide.tariffs.keys else None


def _asks_for_trunks(rated: pl.DataFrame, guide: Guide) -> pl.Series:
    """Calls priced by a tariff that chooses rows by trunk."""
    asking = {key.tariff.code for _no, key in guide.tariffs.keys.items() if key.row.in_trunks or key.row.out_trunks}
    rows = [no for no, key in guide.tariffs.keys.items() if key.tariff.code in asking]
    return rated["row_no"].is_in(rows).fill_null(False)


def _items(guide: Guide) -> pl.DataFrame:
    keys = guide.tariffs.keys
    rows: Mapping[int, str] = {no: key.row.item_code for no, key in keys.items()}
    return pl.DataFrame({"row_no": list(rows), "item_code": list(rows.values())},
                        schema={"row_no": pl.Int64, "item_code": pl.String})  # fmt: skip


def _zones(guide: Guide) -> pl.DataFrame:
    codes = guide.tariffs.zone_codes
    return pl.DataFrame({"zone_no": [-1, *range(len(codes))], "zone_code": ["-", *codes]},
                        schema={"zone_no": pl.Int64, "zone_code": pl.String})  # fmt: skip


def _caller() -> pl.Expr:
    """The owner's number, which is the caller's unless another party pays, left aligned to 15 digits."""
    key = pl.col("owner_key")
    return (key.str.pad_end(15, "0").str.slice(0, 15)).cast(pl.Int64, strict=False).fill_null(0)


def _called(calls: pl.DataFrame, guide: Guide, nature: int) -> pl.Series:
    """The called number in full, left aligned to 15 digits, from how it was dialled."""
    if guide.service != "voice":
        return pl.zeros(len(calls), dtype=pl.Int64, eager=True)
    return calls.select(
        called_n=pl.col("peer_no").cast(pl.Int64, strict=False).fill_null(0),
        called_len=pl.col("peer_no").str.len_chars().cast(pl.Int64).fill_null(0),
        called_nature=pl.lit(nature, pl.Int16),
    ).select(full_number("called", numbering())[1].alias("called_15"))["called_15"]
