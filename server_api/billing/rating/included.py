"""What a month's usage decides, dealt out over all calls of everybody who shares it, in one order: (start, identity).

Files come in any order and size; so calls are first priced as if nothing were included, and the product is noted as
due. Dealing charges all calls of the month of those who belong together again and writes only what differs: the result
depends on the calls alone, and doing it twice changes nothing. Calls of a billed month stay as they are; what they
should have cost is billed as a correction in the first open month.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import narwhals as nw
import polars as pl
from sqlalchemy import Connection

from server_api.billing.rating import corrections, months, store
from server_api.billing.rating.explain import several_parts, stored_steps
from server_api.billing.rating.guide import tariffs_by_number
from server_api.billing.rating.months import Together, Truth
from server_api.billing.rating.rater import priced_with, with_prices
from server_api.billing.rating.store import arrivals
from server_api.billing.rating.store import months as month_store
from server_api.billing.rating.tariff.compile import Compiled, compile_tariffs
from server_api.billing.rating.turns import TurnSize
from server_api.billing.usage.policy import policy
from server_api.platform.database import Database
from shared_models.tables.billing.rating import rated_step
from shared_models.values.ids import derived_id
from shared_models.values.period import Month

_ACCOUNTS_AT_ONCE = 500
_FEW_ROWS = 200
Beat = Callable[[], None]


def deal_included_units(database: Database, period: int | None = None, beat: Beat = lambda: None) -> int:
    """Deal out what is due (of one month or all); how many calls changed."""
    changed = 0
    done: set[int] = set()
    truth: Truth | None = None
    size = TurnSize(database, _FEW_ROWS)
    while True:
        with database.reading() as conn:
            waiting = [m for m in store.due_periods(conn) if m not in done and period in (None, m)]
            if not waiting:
                return changed
            truth = truth or months.read_truth(conn)
        done.add(waiting[0])
        changed += _deal_month(database, truth, Month(waiting[0]), size, beat)


def _deal_month(database: Database, truth: Truth, month: Month, size: TurnSize, beat: Beat) -> int:
    changed = 0
    after: str | None = None
    while True:
        with database.reading() as conn:
            accounts = store.due_accounts(conn, month.yyyymm, after, _ACCOUNTS_AT_ONCE)
            if not accounts:
                return changed
            group = months.together(conn, truth.monthly(month), month, accounts)
        after = accounts[-1]
        everybody = sorted(group.accounts)
        with database.batch() as conn:
            store.begin_dealing(conn, month.yyyymm, everybody)
        changed += _deal(database, truth, month, group, size, beat)
        with database.batch() as conn:
            store.dealt(conn, month.yyyymm, everybody)


def _deal(database: Database, truth: Truth, month: Month, group: Together, size: TurnSize, beat: Beat) -> int:
    with database.reading() as conn:
        calls = calls_of_group(conn, truth, month, group)
        dealt, layout = months.charged(conn, truth, month, group, calls, explain=True)
    frozen = pl.col("period_billed").is_in(sorted(truth.closed))
    changed = dealt.filter(~frozen & differs())
    # where one package covers a call whole, ``covered`` says everything a step could
    tables = months.with_layout(truth, month, layout)
    steps = stored_steps(changed.filter(worth_telling(tables)), tables)
    write_changes(database, changed, steps, size, beat)
    late = dealt.filter(frozen)
    count = len(changed)
    if len(late):
        count += _correct(database, truth, month, late, size, beat)
    if layout is not None:
        _keep_left(database, month, group, months.units_left(dealt, layout))
    return count


def calls_of_group(conn: Connection, truth: Truth, month: Month, group: Together) -> pl.DataFrame:
    """All calls of a group's month that its other calls may matter for, at the places they are at today.

    ``period_billed`` is the period of the rated row, ``old_*`` what it says.
    """
    accounts = sorted(group.accounts)
    periods = truth.periods_of(month)
    rows = truth.monthly(month).rows
    prices = sorted(rows) if not len(truth.tariffs.pages) else None
    bounds = months.start_bounds(month)
    found = month_store.calls_of_month(conn, periods, accounts, bounds, prices)
    calls = pl.DataFrame(found, schema=months.CALL_SCHEMA, orient="row")
    calls = corrections.where_calls_are(conn, truth.closed, month, periods, accounts, calls, bounds)
    calls = calls.filter(pl.col("price_no") > 0).rename(
        {
            "period": "period_billed",
            "units": "old_units",
            "covered": "old_covered",
            "charge_micro_yuan": "old_charge",
        }
    )
    if prices is None:
        numbered: pl.LazyFrame = nw.to_native(
            with_prices(nw.from_native(calls.lazy().select("usage_id", "price_no")), truth.tariffs)
        )
        wanted = numbered.select("usage_id", "row_no").collect().filter(pl.col("row_no").is_in(sorted(rows)))
        calls = calls.join(wanted.select("usage_id").unique(), on="usage_id", how="semi")
    return calls


def differs() -> pl.Expr:
    """Whether a call comes to anything else than its rated row says."""
    return (
        (pl.col("covered") != pl.col("old_covered"))
        | (pl.col("units") != pl.col("old_units"))
        | (pl.col("charge_micro_yuan") != pl.col("old_charge"))
    )


def worth_telling(tables: Compiled) -> pl.Expr:
    """Calls whose steps say more than the rated row: part inside a package, several packages, a tier, a cap."""
    ranks = tables.monthly.ranks
    drawn = [(pl.col(f"draw{rank}") > 0).cast(pl.Int64) for rank in range(ranks)]
    packages = pl.sum_horizontal(drawn) if drawn else pl.lit(0)
    told = pl.col("covered").is_between(1, pl.col("quantity") - 1) | (packages > 1)
    if tables.monthly.tier_count:
        told = told | pl.col("t_no").is_not_null()
    if len(tables.monthly.caps):
        told = told | (pl.col("capped") > 0)
    return told


def _correct(database: Database, truth: Truth, month: Month, late: pl.DataFrame, size: TurnSize, beat: Beat) -> int:
    """Bill what calls of billed months should have cost because usage of their month came late."""
    frozen = [period for period in truth.periods_of(month) if period in truth.closed]
    billed_in = truth.periods_of(month)[-1]
    target = late.rename({"period_billed": "period"}).with_columns(home_charge=pl.col("old_charge"))
    with database.reading() as conn:
        rows, total = corrections.corrections(
            conn, target.drop("period_right", strict=False), billed_in=billed_in, frozen=frozen,
            rerate_id=derived_id("dealt", str(month.yyyymm)),
        )  # fmt: skip
    corrections.write_corrections(database, rows, size, beat)
    return total.count


def _keep_left(
    database: Database, month: Month, group: Together, left: Sequence[tuple[str, str, str, int, int]]
) -> None:
    """Keep what a month leaves over; where that is not what the next month was dealt with, it is due again."""
    if not left:
        return
    with database.reading() as conn:
        stored = month_store.left_of(conn, {row[0] for row in left}, [month.yyyymm])
        known = {(r.owner_id, r.tariff_code, r.code, r.granted_month): int(r.left_quantity) for r in stored}
        fresh = [row for row in left if known.get(row[:4]) != row[4]]
        next_up = month.next().yyyymm
        pairs = month_store.usage_pairs(conn, [next_up], group.accounts) if fresh else []
    if not fresh:
        return
    with database.batch() as conn:
        month_store.put_left(conn, month.yyyymm, fresh)
        arrivals.note_due(database, conn, {(row.period, row.account_id, row.product_id) for row in pairs})


def all_tariffs(conn: Connection) -> Compiled:
    """Every tariff version, laid out without plans: for pricing calls whose price row is known already."""
    return compile_tariffs(tariffs_by_number(conn), [], {})


def reprice(calls: pl.DataFrame, tariffs: Compiled, *, explain: bool = False) -> pl.DataFrame:
    """Price calls whose ``price_no``, ``quantity`` and ``covered`` are known, each by itself."""
    frame: Any = nw.from_native(calls.lazy().with_columns(free=(pl.col("price_no") == 0).cast(pl.Int64)))
    longest = int(calls["duration_s"].max() or 0) if len(calls) else 0  # type: ignore[arg-type]
    frame = with_prices(frame, tariffs)
    frame = priced_with(frame, tariffs, longest_s=max(longest, policy().max_call_s), explain=explain)
    lazy: pl.LazyFrame = nw.to_native(frame)
    return lazy.with_columns(pl.col("units").fill_null(0), pl.col("charge_micro_yuan").fill_null(0)).collect()


def write_changes(database: Database, changed: pl.DataFrame, steps: pl.DataFrame, size: TurnSize, beat: Beat) -> None:
    """Write new covered, units and charge of calls of open periods, with the steps that are worth keeping."""
    by_id: dict[int, list[tuple[Any, ...]]] = {}
    for row in steps.rows():
        by_id.setdefault(row[0], []).append(row[1:])
    had_steps = set(changed.filter(pl.col("old_covered") > 0)["usage_id"].to_list()) | set(by_id)
    had_steps |= set(changed.filter(pl.col("old_charge") != pl.col("charge_micro_yuan"))["usage_id"].to_list())
    for (period,), rows in changed.group_by("period_billed", maintain_order=True):
        columns = ("account_id", "usage_id", "covered", "units", "charge_micro_yuan")
        values = rows.select(columns).sort("account_id", "usage_id").rows()
        at = 0
        while at < len(values):
            some = values[at : at + size.rows]
            step_rows = [(period, row[0], row[1], *step) for row in some for step in by_id.get(row[1], ())]
            with database.batch() as conn:
                begun = time.perf_counter_ns()
                store.recharge(conn, int(str(period)), some)
                if dropped := [(row[0], row[1]) for row in some if row[1] in had_steps]:
                    store.drop_steps(conn, int(str(period)), dropped)
                database.bulk_insert(conn, rated_step, store.STEP_COLUMNS, step_rows)
            size.learn(len(some), time.perf_counter_ns() - begun)
            at += len(some)
            beat()


def with_steps(rated: pl.DataFrame, tariffs: Compiled) -> pl.DataFrame:
    """Step rows of freshly rated calls that cross a window's edge."""
    split = [no for no, key in tariffs.keys.items() if len(key.tariff.windows) > 1 or key.row.then]
    crossing = rated.filter(pl.col("row_no").is_in(split) & (pl.col("free") != 1)) if split else rated.head(0)
    if not len(crossing):
        return stored_steps(crossing.head(0), tariffs)
    calls = crossing.select(
        "usage_id", "account_id", "product_id", "period", "price_no", "start_s", "duration_s", "quantity", "covered"
    )
    explained = reprice(calls, tariffs, explain=True)
    used = several_parts(explained.columns)
    return stored_steps(explained.filter(used > 1), tariffs)
