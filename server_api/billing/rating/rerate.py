"""Usage rated again by what is known today, written by difference.

Calls of open periods get their new owner, price and charge in place; calls of billed ones stay, and what they should
have cost is billed as a correction in the first open month. It may be stopped or killed anywhere: what is done is done,
going on or starting again gives the same, and doing it twice changes nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from server_api.billing.rating import corrections, included, months, store
from server_api.billing.rating.corrections import Corrected
from server_api.billing.rating.entitled import day_second
from server_api.billing.rating.explain import stored_steps
from server_api.billing.rating.months import Together, Truth
from server_api.billing.rating.rerate_calls import Guides, chosen_anew, with_old
from server_api.billing.rating.store import arrivals
from server_api.billing.rating.store import changes as change_store
from server_api.billing.rating.store import months as month_store
from server_api.billing.rating.turns import TurnSize
from server_api.platform.database import Database
from shared_models.tables.billing.rating import rated_step
from shared_models.values.period import Month

#: Calls read at once; what bounds the memory.
CALLS_AT_ONCE = 150_000
_ACCOUNTS_AT_ONCE = 20_000
_FEW_ROWS = 500
_TEXTS = ("account_id", "product_id", "item_code", "zone_code", "peer_no", "owner_key")
_SCHEMA = {name: pl.String if name in _TEXTS else pl.Int64 for name in change_store.RERATE_COLUMNS}
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Asked:
    """What is to be rated again: calls that began on some days, of some accounts and of one tariff or all."""

    from_on: date
    until_on: date
    tariff_code: str | None = None
    accounts: tuple[str, ...] = ()


@dataclass
class Outcome:
    """What a re-rating came to. Amounts are of the calls that changed, in micro-yuan."""

    call_count: int = 0
    changed_count: int = 0
    corrected_count: int = 0
    moved_count: int = 0
    unresolved_count: int = 0
    was_micro_yuan: int = 0
    now_micro_yuan: int = 0
    #: By account: what its calls cost more (or less) than before.
    by_account: Counter[str] = field(default_factory=Counter)


class _PeriodClosed(Exception):
    """A period was closed (or opened) since it was read."""


@dataclass
class _Run:
    database: Database
    rerate_id: str
    asked: Asked
    truth: Truth
    guides: Guides
    dry: bool
    size: TurnSize
    beat: Callable[[], None]
    outcome: Outcome


def rerate(
    database: Database,
    asked: Asked,
    *,
    rerate_id: str,
    dry: bool = False,
    go_on_at: tuple[int, str | None] = (0, None),
    progress: Progress = lambda _done, _total: None,
    reached: Callable[[int, str, Outcome], None] = lambda _month, _account, _outcome: None,
    beat: Callable[[], None] = lambda: None,
) -> Outcome:
    """Rate usage again and write what differs; with ``dry`` only say what would.

    ``go_on_at``: the month and account reached before; ``reached`` is told as the work goes on, with what it came to.
    """
    with database.reading() as conn:
        truth = months.read_truth(conn)
    run = _Run(database, rerate_id, asked, truth, Guides(database), dry, TurnSize(database, _FEW_ROWS), beat, Outcome())
    some = [month for month in _months(asked) if month.yyyymm >= go_on_at[0]]
    with database.reading() as conn:
        total = sum(change_store.usage_count(conn, month.yyyymm) for month in some)
    for month in some:
        after = go_on_at[1] if month.yyyymm == go_on_at[0] else None
        _month(run, month, after, lambda: progress(min(run.outcome.call_count, total), total), reached)
    progress(total, total)
    return run.outcome


def _months(asked: Asked) -> list[Month]:
    found = [Month.of(asked.from_on)]
    while found[-1].until_on < asked.until_on:
        found.append(found[-1].next())
    return found


def _month(
    run: _Run, month: Month, after: str | None, said: Callable[[], None], reached: Callable[[int, str, Outcome], None]
) -> None:
    done: set[str] = set()
    for accounts in _account_lists(run, month, after):
        fresh = [account for account in accounts if account not in done]
        if not fresh:
            continue
        while True:
            with run.database.reading() as conn:
                group = months.together(conn, run.truth.monthly(month), month, fresh)
            try:
                _group(run, month, group, None if run.asked.accounts else (fresh[0], fresh[-1]))
                break
            except _PeriodClosed:  # a month run froze what was read as open: what differs is a correction now
                with run.database.reading() as conn:
                    run.truth = months.read_truth(conn)
        done |= {account for account in group.accounts if account > fresh[-1]}
        reached(month.yyyymm, fresh[-1], run.outcome)
        said()
        run.beat()
    if not run.dry:
        included.deal_included_units(run.database, month.yyyymm, run.beat)


def _account_lists(run: _Run, month: Month, after: str | None) -> Any:
    """The accounts with calls of a month in order, as many at a time as have some number of calls."""
    if run.asked.accounts:
        yield sorted(run.asked.accounts)
        return
    periods = run.truth.periods_of(month)
    while True:
        with run.database.reading() as conn:
            counts: Counter[str] = Counter()
            for period in periods:
                for account, count in change_store.accounts_with_usage(conn, period, after, _ACCOUNTS_AT_ONCE):
                    counts[account] += count
        if not counts:
            return
        ordered = sorted(counts)[:_ACCOUNTS_AT_ONCE]
        begin = 0
        while begin < len(ordered):
            calls, end = 0, begin
            while end < len(ordered) and (calls == 0 or calls + counts[ordered[end]] <= CALLS_AT_ONCE):
                calls += counts[ordered[end]]
                end += 1
            yield ordered[begin:end]
            begin = end
        after = ordered[-1]


def _group(run: _Run, month: Month, group: Together, between: tuple[str, str] | None) -> None:
    """Rate all calls of a group's month again."""
    result = rated_anew(run.database, run.truth, run.guides, month, group, run.asked, between)
    closed = sorted(run.truth.closed)
    frozen = result.filter(pl.col("period_billed").is_in(closed)) if closed else result.head(0)
    open_ones = result.filter(~pl.col("period_billed").is_in(closed)) if closed else result
    outcome = run.outcome
    outcome.call_count += len(result)
    outcome.unresolved_count += int(result["unresolved"].sum())
    changed = open_ones.filter(_changed())
    moved = changed.filter(pl.col("account_id") != pl.col("old_account_id"))
    outcome.changed_count += len(changed)
    outcome.moved_count += len(moved)
    outcome.was_micro_yuan += int(changed["old_charge"].sum())
    outcome.now_micro_yuan += int(changed["charge_micro_yuan"].sum())
    _count_accounts(outcome, changed)
    if len(changed) and not run.dry:
        _write_open(run, month, group, result, changed, moved)
    if len(frozen):
        _correct(run, month, frozen)


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


def _changed() -> pl.Expr:
    differs = pl.lit(False)
    for name in ("account_id", "product_id", "price_no", "item_code", "zone_code", "quantity", "units", "covered"):
        differs = differs | pl.col(name).ne_missing(pl.col(f"old_{name}"))
    return differs | (pl.col("charge_micro_yuan") != pl.col("old_charge"))


def _count_accounts(outcome: Outcome, changed: pl.DataFrame) -> None:
    for name, charge, sign in (("old_account_id", "old_charge", -1), ("account_id", "charge_micro_yuan", 1)):
        for account, total in changed.group_by(name).agg(pl.col(charge).sum()).rows():
            outcome.by_account[account] += sign * total


def _write_open(
    run: _Run, month: Month, group: Together, result: pl.DataFrame, changed: pl.DataFrame, moved: pl.DataFrame
) -> None:
    """Write what differs of open periods; who got or lost calls to others is due to be dealt out again."""
    steps = _steps(run, month, group, result, changed)
    away = set(moved["usage_id"].to_list())
    due: set[tuple[int, str, str]] = set()
    for account, product, account_then, product_then in moved.select(
        "account_id", "product_id", "old_account_id", "old_product_id"
    ).unique().rows():  # fmt: skip
        due |= {(month.yyyymm, account, product), (month.yyyymm, account_then, product_then)}
    for (period,), rows in changed.group_by("period_billed", maintain_order=True):
        ordered = rows.sort("old_account_id", "usage_id")
        values = ordered.select("old_account_id", *change_store.REPRICED).rows()
        _write_period(run, int(str(period)), values, steps, away)
    if due:
        with run.database.batch() as conn:
            arrivals.note_due(run.database, conn, due)


def _write_period(
    run: _Run, period: int, values: Sequence[tuple[Any, ...]], steps: dict[int, list[tuple[Any, ...]]], away: set[int]
) -> None:
    with run.database.reading() as conn:
        told_before = store.calls_with_steps(conn, period, values[0][0], values[-1][0])
    at = 0
    while at < len(values):
        some = values[at : at + run.size.rows]
        here = [row[1:] for row in some if row[0] == row[1]]
        moves = [
            (row[0], row[2], dict(zip(change_store.REPRICED, row[1:], strict=True))) for row in some if row[2] in away
        ]
        told = [(period, row[1], row[2], *step) for row in some for step in steps.get(row[2], ())]
        with run.database.batch() as conn:
            begun = time.perf_counter_ns()
            if store.closed_periods(conn) != run.truth.closed:
                raise _PeriodClosed
            change_store.reprice_rated(conn, period, here)
            change_store.move_rated(run.database, conn, period, moves)
            store.drop_steps(conn, period, [(row[0], row[2]) for row in some if row[2] in told_before])
            run.database.bulk_insert(conn, rated_step, store.STEP_COLUMNS, told)
        run.size.learn(len(some), time.perf_counter_ns() - begun)
        at += len(some)
        run.beat()


def _steps(
    run: _Run, month: Month, group: Together, result: pl.DataFrame, changed: pl.DataFrame
) -> dict[int, list[tuple[Any, ...]]]:
    """The steps worth keeping of changed calls."""
    by_month = sorted(run.truth.monthly(month).rows)
    tables = []
    alone = changed.filter(~pl.col("row_no").is_in(by_month) & (pl.col("price_no") > 0))
    if len(alone):
        free = {"period": pl.lit(month.yyyymm, pl.Int64), "free": pl.lit(0, pl.Int64)}
        tables.append(included.with_steps(alone.with_columns(**free), run.truth.tariffs))
    shared = result.filter(pl.col("row_no").is_in(by_month) & pl.col("account_id").is_in(sorted(group.accounts)))
    if len(shared) and len(changed) > len(alone):
        with run.database.reading() as conn:
            calls = shared.drop("row_no", "units", "charge_micro_yuan", "covered")
            dealt, layout = months.charged(conn, run.truth, month, group, calls, explain=True)
        told = months.with_layout(run.truth, month, layout)
        dealt = dealt.join(changed.select("usage_id").unique(), on="usage_id", how="semi")
        tables.append(stored_steps(dealt.filter(included.worth_telling(told)), told))
    found: dict[int, list[tuple[Any, ...]]] = {}
    for table in tables:
        for row in table.rows():
            found.setdefault(row[0], []).append(row[1:])
    return found


def _correct(run: _Run, month: Month, frozen: pl.DataFrame) -> None:
    """Bill what calls of billed months should have cost."""
    periods = run.truth.periods_of(month)
    shut = [period for period in periods if period in run.truth.closed]
    target = frozen.rename({"period_billed": "period"}).with_columns(home_charge=pl.col("old_charge"))
    with run.database.reading() as conn:
        rows, total = corrections.corrections(conn, target, billed_in=periods[-1], frozen=shut, rerate_id=run.rerate_id)
    _count_corrections(run.outcome, rows, total)
    if run.dry or not len(rows):
        return
    corrections.write_corrections(run.database, rows, run.size, run.beat)
    moved = frozen.filter(pl.col("account_id") != pl.col("old_account_id"))
    due = {
        (month.yyyymm, account, product)
        for account, product in (
            *moved.select("account_id", "product_id").unique().rows(),
            *moved.select("old_account_id", "old_product_id").unique().rows(),
        )
    }
    run.outcome.moved_count += len(moved)
    if due:
        with run.database.batch() as conn:
            arrivals.note_due(run.database, conn, due)


def _count_corrections(outcome: Outcome, rows: pl.DataFrame, total: Corrected) -> None:
    outcome.corrected_count += total.count
    outcome.was_micro_yuan += total.was_micro_yuan
    outcome.now_micro_yuan += total.now_micro_yuan
    for account, more in rows.group_by("account_id").agg(
        (pl.col("now_micro_yuan") - pl.col("was_micro_yuan")).sum()
    ).rows():  # fmt: skip
        outcome.by_account[account] += more
