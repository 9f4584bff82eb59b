"""The calls of a group of accounts, read and rated by what is known today: what a re-rating compares and writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from server_api.billing.rating import corrections, months
from server_api.billing.rating.entitled import day_second
from server_api.billing.rating.months import Together, Truth
from server_api.billing.rating.rerate_calls import Guides, chosen_anew, with_old
from server_api.billing.rating.store import changes as change_store
from server_api.billing.rating.store import months as month_store
from server_api.platform.database import Database
from shared_models.values.period import Month

_TEXTS = ("account_id", "product_id", "item_code", "zone_code", "peer_no", "owner_key")
_SCHEMA = {name: pl.String if name in _TEXTS else pl.Int64 for name in change_store.RERATE_COLUMNS}


@dataclass(frozen=True)
class Asked:
    """What is to be rated again: calls that began on some days, of some accounts and of one tariff or all."""

    from_on: date
    until_on: date
    tariff_code: str | None = None
    accounts: tuple[str, ...] = ()


def rated_anew(
    database: Database,
    truth: Truth,
    guides: Guides,
    month: Month,
    group: Together,
    asked: Asked,
    between: tuple[str, str] | None = None,
) -> pl.DataFrame:
    """All calls of a group's month as they should be today, with what they are as old_*, home_* and period_billed."""
    within = (day_second(asked.from_on), day_second(asked.until_on))
    accounts = sorted(group.accounts)
    periods = truth.periods_of(month)
    bounds = months.start_bounds(month)
    with database.reading() as conn:
        rows = month_store.calls_of_month(
            conn, periods, accounts, bounds, columns=change_store.RERATE_COLUMNS, between=between
        )
        calls = pl.DataFrame(rows, schema=_SCHEMA, orient="row").filter(pl.col("account_id").is_in(accounts))
        calls = corrections.where_calls_are(conn, truth.closed, month, periods, accounts, calls, bounds)
        calls = chosen_anew(with_old(calls).rename({"period": "period_billed"}), guides, within, asked.tariff_code)
        return _by_month(conn, truth, month, group, calls)


def _by_month(conn: Any, truth: Truth, month: Month, group: Together, calls: pl.DataFrame) -> pl.DataFrame:
    """The calls charged by what else was used, those that depend on it; the others by themselves."""
    rows = sorted(truth.monthly(month).rows)
    keys = truth.tariffs.keys
    numbers = calls["price_no"].unique().to_list()
    row_of = {no: keys[no].row_no for no in numbers if no in keys}
    row_no = pl.col("price_no").replace_strict(row_of, default=None, return_dtype=pl.Int64)
    calls = calls.with_columns(row_no=row_no, covered=pl.when(pl.col("row_no").is_null()).then("covered").otherwise(0))
    here = pl.col("account_id").is_in(sorted(group.accounts))
    shared = calls.filter(pl.col("row_no").is_in(rows) & here)
    alone = calls.filter(~(pl.col("row_no").is_in(rows) & here))
    if not len(shared):
        return alone
    dealt, _layout = months.charged(
        conn, truth, month, group, shared.drop("row_no", "units", "charge_micro_yuan", "covered")
    )
    return pl.concat([alone, dealt.select(alone.columns)])
