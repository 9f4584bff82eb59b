"""Included units, dealt out over all of a product's calls of a month in one order: (start, identity).

Files come in any order and size; so calls are first priced as if nothing were included, and the product is noted as
due. Dealing prices all its calls of the month again with what the included units cover and writes only what differs:
the result depends on the calls alone, and doing it twice changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import narwhals as nw
import polars as pl
from sqlalchemy import Connection

from server_api.billing.rating import expressions as ex
from server_api.billing.rating import store
from server_api.billing.rating.explain import stored_steps
from server_api.billing.rating.guide import prices_with_included, tariffs_by_number
from server_api.billing.rating.rater import days_touched
from server_api.billing.rating.tariff.compile import ROWS_PER_VERSION, Compiled, compile_tariffs
from server_api.billing.rating.turns import TurnSize
from server_api.billing.usage.policy import policy
from server_api.platform.database import Database
from shared_models.tables.billing.rating import rated_step

_ACCOUNTS_AT_ONCE = 500
_KEYS_A_TURN = 200
_FEW_ROWS = 200
_CALL = {
    "account_id": pl.String,
    "usage_id": pl.Int64,
    "product_id": pl.String,
    "price_no": pl.Int64,
    "start_s": pl.Int64,
    "duration_s": pl.Int64,
    "quantity": pl.Int64,
    "old_units": pl.Int64,
    "old_covered": pl.Int64,
    "old_charge": pl.Int64,
}


def deal_included_units(database: Database, period: int | None = None, beat: Callable[[], None] = lambda: None) -> int:
    """Deal out what is due (of one month or all); how many calls changed."""
    with database.reading() as conn:
        periods = [period] if period is not None else list(store.due_periods(conn))
        if not any(store.due_count(conn, month) for month in periods):
            return 0
        tariffs = all_tariffs(conn)
    changed = 0
    size = TurnSize(database, _FEW_ROWS)
    for month in periods:
        with database.reading() as conn:
            due = [(row.account_id, row.product_id) for row in store.due(conn, month)]
        accounts = sorted({account for account, _ in due})
        for begin in range(0, len(accounts), _ACCOUNTS_AT_ONCE):
            some = set(accounts[begin : begin + _ACCOUNTS_AT_ONCE])
            changed += _deal(database, month, sorted(some), [key for key in due if key[0] in some], tariffs, size, beat)
    return changed


def all_tariffs(conn: Connection) -> Compiled:
    """Every tariff version, laid out without plans: for pricing calls whose price row is known already."""
    return compile_tariffs(tariffs_by_number(conn), [], {})


def reprice(calls: pl.DataFrame, tariffs: Compiled, *, explain: bool = False, deal: bool = True) -> pl.DataFrame:
    """Price calls whose ``price_no`` and ``quantity`` are known. With ``deal`` these are all calls of their owners."""
    frame: Any = nw.from_native(calls.lazy().with_columns(free=(pl.col("price_no") == 0).cast(pl.Int64)))
    frame = frame.join(nw.from_native(tariffs.prices.lazy()), on="price_no", how="left")
    if deal:
        frame = ex.with_covered(frame, tariffs.ranks)
    longest = int(calls["duration_s"].max() or 0) if len(calls) else 0  # type: ignore[arg-type]
    days = days_touched(max(longest, policy().max_call_s))
    frame = ex.priced(frame, windows=tariffs.windows, days=days, day_types=tariffs.day_types, explain=explain)
    lazy: pl.LazyFrame = nw.to_native(frame)
    return lazy.with_columns(pl.col("units").fill_null(0), pl.col("charge_micro_yuan").fill_null(0)).collect()


def _deal(
    database: Database,
    period: int,
    accounts: Sequence[str],
    keys: Sequence[tuple[str, str]],
    tariffs: Compiled,
    size: TurnSize,
    beat: Callable[[], None],
) -> int:
    with database.reading() as conn:
        rows = store.calls_of_accounts(conn, period, accounts, sorted(prices_with_included(tariffs)))
    calls = pl.DataFrame([tuple(row) for row in rows], schema=_CALL, orient="row").with_columns(period=pl.lit(period))
    dealt = reprice(calls, tariffs, explain=True)
    differs = (
        (pl.col("covered") != pl.col("old_covered"))
        | (pl.col("units") != pl.col("old_units"))
        | (pl.col("charge_micro_yuan") != pl.col("old_charge"))
    )
    changed = dealt.filter(differs)
    # where one package covers a call whole, ``covered`` says everything a step could
    split = pl.col("covered").is_between(1, pl.col("quantity") - 1) | (_packages(tariffs) > 1)
    steps = stored_steps(changed.filter((pl.col("covered") > 0) & split), tariffs)
    _write_changes(database, period, changed, steps, size, beat)
    for begin in range(0, len(keys), _KEYS_A_TURN):
        with database.batch() as conn:
            store.dealt(conn, period, keys[begin : begin + _KEYS_A_TURN])
    return len(changed)


def _packages(tariffs: Compiled) -> pl.Expr:
    """How many packages a call drew on."""
    return pl.sum_horizontal([(pl.col(f"draw{rank}") > 0).cast(pl.Int64) for rank in range(tariffs.ranks)])


def _write_changes(
    database: Database,
    period: int,
    changed: pl.DataFrame,
    steps: pl.DataFrame,
    size: TurnSize,
    beat: Callable[[], None],
) -> None:
    by_id: dict[int, list[tuple[Any, ...]]] = {}
    for row in steps.rows():
        by_id.setdefault(row[0], []).append(row[1:])
    had_steps = set(changed.filter(pl.col("old_covered") > 0)["usage_id"].to_list()) | set(by_id)
    values = (
        changed.select("account_id", "usage_id", "covered", "units", "charge_micro_yuan")
        .sort("account_id", "usage_id")
        .rows()
    )
    at = 0
    while at < len(values):
        some = values[at : at + size.rows]
        step_rows = [(period, row[0], row[1], *step) for row in some for step in by_id.get(row[1], ())]
        with database.batch() as conn:
            begun = time.perf_counter_ns()
            store.recharge(conn, period, some)
            if dropped := [(row[0], row[1]) for row in some if row[1] in had_steps]:
                store.drop_steps(conn, period, dropped)
            database.bulk_insert(conn, rated_step, store.STEP_COLUMNS, step_rows)
        size.learn(len(some), time.perf_counter_ns() - begun)
        at += len(some)
        beat()


def with_steps(rated: pl.DataFrame, tariffs: Compiled) -> pl.DataFrame:
    """Step rows of freshly rated calls that cross a window's edge."""
    split = [no for no, key in tariffs.keys.items() if len(key.tariff.windows) > 1]
    crossing = rated.filter(pl.col("price_no").is_in(split) & (pl.col("free") != 1)) if split else rated.head(0)
    if not len(crossing):
        return stored_steps(crossing.head(0), tariffs)
    calls = crossing.select(
        "usage_id", "account_id", "product_id", "period", "price_no", "start_s", "duration_s", "quantity", "covered"
    )
    explained = reprice(calls, tariffs, explain=True, deal=False)
    parts = [
        name.removesuffix("_first") for name in explained.columns if name.endswith("_first") and name.startswith("s")
    ]
    used = pl.sum_horizontal(
        [((pl.col(f"{part}_first") + pl.col(f"{part}_rest")) > 0).cast(pl.Int64) for part in parts]
    )
    return stored_steps(explained.filter(used > 1), tariffs)


def version_of(price_no: int) -> int:
    """The tariff version a price belongs to."""
    return price_no // ROWS_PER_VERSION
