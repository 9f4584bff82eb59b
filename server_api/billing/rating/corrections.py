"""Usage of billed months that should cost something else: the row stays, the difference is billed in an open month.

What a call costs in effect, at a place (account, product, item), is its rated row there and every difference since. A
correction brings that to what it should be; so doing it twice changes nothing, and each difference says what was and
what should be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Connection

from server_api.billing.rating.store import changes as change_store
from server_api.billing.rating.store import months as month_store
from server_api.billing.rating.turns import TurnSize
from server_api.platform.database import Database
from shared_models.values.period import Month

PLACE = ("account_id", "product_id", "item_code")
HOME = {"account_id": "home_account", "product_id": "home_product", "item_code": "home_item", "price_no": "home_price"}
_CHANGE = {
    name: pl.String if name in ("account_id", "product_id", "item_code", "rated_account_id", "rerate_id") else pl.Int64
    for name in change_store.CHANGE_COLUMNS
}


@dataclass(frozen=True)
class Corrected:
    """What corrections came to."""

    count: int = 0
    was_micro_yuan: int = 0
    now_micro_yuan: int = 0

    def __add__(self, other: Corrected) -> Corrected:
        return Corrected(
            self.count + other.count,
            self.was_micro_yuan + other.was_micro_yuan,
            self.now_micro_yuan + other.now_micro_yuan,
        )


def changes_frame(rows: Sequence[Any]) -> pl.DataFrame:
    """Stored corrections as a frame."""
    return pl.DataFrame([tuple(row) for row in rows], schema=_CHANGE, orient="row")


def where_calls_are(
    conn: Connection, closed: set[int], month: Month, periods: Sequence[int], accounts: Sequence[str],
    calls: pl.DataFrame, start_s: tuple[int, int],
) -> pl.DataFrame:  # fmt: skip
    """Calls (of ``store.months``) at the place they are at today, with the place of their rated row as ``home_*``.

    Calls of billed months that were moved to another owner are there with that owner, and no longer with the former.
    """
    schema = calls.schema
    calls = calls.with_columns([pl.col(name).alias(home) for name, home in HOME.items()])
    frozen = [period for period in periods if period in closed]
    if not frozen or not change_store.any_change(conn, frozen):
        return calls
    rows = changes_frame(change_store.changes_of(conn, frozen, rated_accounts=accounts, accounts=accounts))
    at = rows.filter(pl.col("price_no").is_not_null()).sort("period").unique(
        ["for_month", "rated_account_id", "usage_id"], keep="last"
    )  # fmt: skip
    here = set(accounts)
    elsewhere = sorted(set(at.filter(~pl.col("rated_account_id").is_in(here))["rated_account_id"].to_list()))
    if elsewhere:
        more = month_store.calls_of_month(conn, frozen, elsewhere, start_s, columns=list(schema))
        moved_in = pl.DataFrame(more, schema=schema, orient="row")
        moved_in = moved_in.with_columns([pl.col(name).alias(home) for name, home in HOME.items()])
        keys = at.select(period="for_month", home_account="rated_account_id", usage_id="usage_id")
        calls = pl.concat([calls, moved_in.join(keys, on=["period", "home_account", "usage_id"], how="semi")])
    place = at.select(
        period="for_month", home_account="rated_account_id", usage_id="usage_id", account_now="account_id",
        product_now="product_id", item_now="item_code", price_now="price_no", quantity_now="quantity",
    )  # fmt: skip
    calls = calls.join(place, on=["period", "home_account", "usage_id"], how="left")
    now = {"account_id": "account_now", "product_id": "product_now", "item_code": "item_now", "price_no": "price_now",
           "quantity": "quantity_now"}  # fmt: skip
    calls = calls.with_columns([pl.coalesce(there, name).alias(name) for name, there in now.items()]).drop(now.values())
    return calls.filter(pl.col("account_id").is_in(here))


def corrections(
    conn: Connection, target: pl.DataFrame, *, billed_in: int, frozen: Sequence[int], rerate_id: str
) -> tuple[pl.DataFrame, Corrected]:
    """The rows of ``rated_change`` that bring calls of billed months to what they should cost.

    ``target``: period and home_* of the rated row, ``home_charge``, and as they should be account_id, product_id,
    item_code, price_no, quantity, covered, units, charge_micro_yuan.
    """
    accounts = target["home_account"].unique().to_list()
    stored = changes_frame(change_store.changes_of(conn, frozen, rated_accounts=accounts))
    call = ["for_month", "rated_account_id", "usage_id"]
    keys = [*call, *PLACE]
    rated = target.select(
        for_month="period", rated_account_id="home_account", usage_id="usage_id", account_id="home_account",
        product_id="home_product", item_code="home_item", effect="home_charge",
    )  # fmt: skip
    stored = stored.join(target.select(for_month="period", rated_account_id="home_account", usage_id="usage_id"),
                         on=call, how="semi")  # fmt: skip
    since = stored.select(*keys, effect=pl.col("now_micro_yuan") - pl.col("was_micro_yuan"))
    effect = pl.concat([rated, since]).group_by(keys).agg(pl.col("effect").sum())
    should = target.select(
        for_month="period", rated_account_id="home_account", usage_id="usage_id", account_id="account_id",
        product_id="product_id", item_code="item_code", should="charge_micro_yuan", price_no="price_no",
        quantity="quantity", covered="covered", units="units",
    )  # fmt: skip
    both = effect.join(should, on=keys, how="full", coalesce=True).with_columns(
        pl.col("effect").fill_null(0), pl.col("should").fill_null(0)
    )
    placed = stored.filter(pl.col("price_no").is_not_null()).select(*keys).unique().with_columns(known=pl.lit(1))
    both = both.join(placed, on=keys, how="left")
    moved = pl.col("price_no").is_not_null() & (pl.col("account_id") != pl.col("rated_account_id"))
    differs = both.filter((pl.col("effect") != pl.col("should")) | (moved & pl.col("known").is_null()))
    earlier = stored.filter(pl.col("period") == billed_in).select(
        *keys, was_before="was_micro_yuan", now_before="now_micro_yuan"
    )
    grown = pl.col("now_before") + pl.col("should") - pl.col("effect")
    rows = differs.join(earlier, on=keys, how="left").with_columns(
        pl.col("quantity", "covered", "units").fill_null(0),
        period=pl.lit(billed_in, pl.Int64),
        was_micro_yuan=pl.coalesce("was_before", "effect"),
        now_micro_yuan=pl.coalesce(grown, "should"),
        rerate_id=pl.lit(rerate_id),
    )
    total = Corrected(
        differs.select(call).n_unique(), int(differs["effect"].sum() or 0), int(differs["should"].sum() or 0)
    )
    return rows.select(change_store.CHANGE_COLUMNS).sort("period", "account_id", "usage_id"), total


def write_corrections(database: Database, rows: pl.DataFrame, size: TurnSize, beat: Callable[[], None]) -> None:
    """Store corrections in short turns."""
    listed = rows.rows()
    at = 0
    while at < len(listed):
        some = listed[at : at + size.rows]
        with database.batch() as conn:
            begun = time.perf_counter_ns()
            change_store.put_changes(database, conn, some)
        size.learn(len(some), time.perf_counter_ns() - begun)
        at += len(some)
        beat()
