"""What becomes of decoded records, in the columns of the tables they are stored in. Pure."""

from __future__ import annotations

import polars as pl

from server_api.billing.rating import store
from server_api.billing.rating.guide import Guide
from server_api.billing.usage import store as usage_store
from server_api.billing.usage.formats.frame import REASON_NO, REASONS
from server_api.billing.usage.rules import dialled

_GUIDED = ("no_owner", "no_tariff", "no_price", "no_account")


def rated_rows(rated: pl.DataFrame, guide: Guide, file_no: int) -> pl.DataFrame:
    """Rated calls in the columns of rated_usage, with ``call_month``."""
    items = pl.DataFrame(
        {"row_no": list(guide.tariffs.keys), "item_code": [key.row.item_code for key in guide.tariffs.keys.values()]},
        schema={"row_no": pl.Int64, "item_code": pl.String},
    )
    zones = pl.DataFrame(
        {"zone_no": [-1, *range(len(guide.tariffs.zone_codes))], "zone_code": ["-", *guide.tariffs.zone_codes]},
        schema={"zone_no": pl.Int64, "zone_code": pl.String},
    )
    billed = guide.cycles.periods(
        rated["account_id"].to_physical().to_numpy(),
        rated["start_s"].to_numpy(),
        rated["period"].to_numpy(),
    )
    periods = pl.Series([guide.bill_period(month) for month in billed.tolist()], dtype=pl.Int64)
    # before the joins, which may bring the calls in another order
    frame = rated.with_columns(call_month=pl.col("period"), period=periods).lazy()
    frame = frame.join(items.lazy(), on="row_no", how="left").join(zones.lazy(), on="zone_no", how="left")
    free = pl.col("free") == 1
    return (
        frame.with_columns(
            price_no=pl.when(free).then(0).otherwise(pl.col("price_no")),
            account_id=pl.col("account_id").cast(pl.String),
            product_id=pl.col("product_id").cast(pl.String),
            peer_no=dialled("called"),
            file_no=pl.lit(file_no, dtype=pl.Int64),
            owner_key=pl.col("owner_key").cast(pl.String),
            octets=pl.when(pl.col("octets") > 0).then(pl.col("octets")),
        )
        .select(*store.RATED_COLUMNS, "call_month")
        .collect()
    )


def pool_rows(records: pl.DataFrame, raw: pl.DataFrame, file_no: int, service: str, month: int) -> pl.DataFrame:
    """Set-aside records in the columns of usage_pool, with ``taken``: whether their identity counts as seen, and then
    ``seen_id`` and ``seen_month``. ``month`` is where undated ones are kept."""
    names = pl.DataFrame(
        {"reason": list(range(len(REASONS))), "reason_name": REASONS},
        schema={"reason": pl.Int8, "reason_name": pl.String},
    )
    guided = pl.col("reason_name").is_in(_GUIDED)
    dated = pl.col("start_s").is_between(0, 2**40)
    frame = (
        records.lazy()
        .join(names.lazy(), on="reason", how="left")
        .join(raw.lazy().unique("file_pos"), on="file_pos", how="left")
    )
    return (
        frame.with_columns(
            taken=guided | (pl.col("reason") == REASON_NO["zero_duration"]),
            seen_id=pl.col("usage_id"),
            seen_month=pl.col("period"),
            reason=pl.col("reason_name"),
            state=pl.lit("waiting"),
            service=pl.lit(service),
            period=pl.when(guided & dated).then(pl.col("period")).otherwise(month),
            owner_key=pl.when(guided).then(pl.col("owner_key").cast(pl.String)).otherwise(pl.lit("-")).fill_null("-"),
            usage_id=pl.when(guided).then(pl.col("usage_id")),
            seq_no=pl.col("seq_no"),
            caller=pl.when(pl.col("caller_len") > 0)
            .then(dialled("caller"))
            .otherwise(pl.col("owner_text").str.slice(0, 32)),
            called=dialled("called"),
            called_15=pl.when(guided).then(pl.col("called_15")),
            start_s=pl.when(dated).then(pl.col("start_s")),
            free_flag=pl.col("free"),
            partial_no=pl.col("partial"),
            file_no=pl.lit(file_no, dtype=pl.Int64),
        )
        .select(*usage_store.POOL_COLUMNS, "taken", "seen_id", "seen_month")
        .collect()
    )
