"""Usage rated again by what is known today, written by difference.

Calls of open periods get their new owner, price and charge in place; calls of billed ones stay, and what they should
have cost is billed as a correction in the first open month. It may be stopped or killed anywhere: what is done is done,
going on or starting again gives the same, and doing it twice changes nothing.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from server_api.billing.rating import corrections, included, months, store
from server_api.billing.rating.ahead import Ahead
from server_api.billing.rating.corrections import Corrected
from server_api.billing.rating.explain import stored_steps
from server_api.billing.rating.months import Truth
from server_api.billing.rating.rerate_read import Asked, Reader, Ready
from server_api.billing.rating.store import arrivals
from server_api.billing.rating.store import changes as change_store
from server_api.billing.rating.turns import TurnSize
from server_api.platform.database import Database
from shared_models.tables.billing.rating import rated_step
from shared_models.values.period import Month

_FEW_ROWS = 500
Progress = Callable[[int, int], None]
_MOVED = ("account_id", *change_store.REPRICED)
#: By call the rows that tell its parts.
_Steps = dict[int, list[tuple[Any, ...]]]


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

    def add(self, other: Outcome) -> None:
        """Count in what else was done."""
        self.call_count += other.call_count
        self.changed_count += other.changed_count
        self.corrected_count += other.corrected_count
        self.moved_count += other.moved_count
        self.unresolved_count += other.unresolved_count
        self.was_micro_yuan += other.was_micro_yuan
        self.now_micro_yuan += other.now_micro_yuan
        for account, more in other.by_account.items():
            self.by_account[account] += more


class _PeriodClosed(Exception):
    """A period was closed (or opened) since it was read."""


@dataclass
class _Run:
    database: Database
    rerate_id: str
    reader: Reader
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
    reader = Reader(database, asked)
    run = _Run(database, rerate_id, reader, dry, TurnSize(database, _FEW_ROWS), beat, Outcome())
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
    with Ahead(run.reader.groups(month, after), 1, lambda _ready: 1) as ahead:
        for ready in itertools.chain.from_iterable(ahead.taken(run.beat)):
            _group(run, month, ready)
            reached(month.yyyymm, ready.fresh[-1], run.outcome)
            said()
            run.beat()
    if not run.dry:
        included.deal_included_units(run.database, month.yyyymm, run.beat)


def _group(run: _Run, month: Month, ready: Ready) -> None:
    """Write what differs of a group, and count it."""
    while True:
        try:
            outcome = _written(run, month, ready)
            break
        except _PeriodClosed:  # a month run froze what was read as open: what differs is a correction now
            run.reader.look_again()
            ready = run.reader.ready(month, ready.fresh)
    run.outcome.add(outcome)


def _written(run: _Run, month: Month, ready: Ready) -> Outcome:
    result, closed = ready.calls, sorted(ready.truth.closed)
    frozen = result.filter(pl.col("period_billed").is_in(closed)) if closed else result.head(0)
    open_ones = result.filter(~pl.col("period_billed").is_in(closed)) if closed else result
    changed = open_ones.filter(_changed())
    moved = changed.filter(pl.col("account_id") != pl.col("old_account_id"))
    outcome = Outcome(
        call_count=len(result),
        unresolved_count=int(result["unresolved"].sum()),
        changed_count=len(changed),
        moved_count=len(moved),
        was_micro_yuan=int(changed["old_charge"].sum()),
        now_micro_yuan=int(changed["charge_micro_yuan"].sum()),
    )
    _count_accounts(outcome, changed)
    if len(changed) and not run.dry:
        _write_open(run, month, ready, changed, moved)
    if len(frozen):
        _correct(run, month, ready, frozen, outcome)
    return outcome


def _changed() -> pl.Expr:
    differs = pl.lit(False)
    for name in ("account_id", "product_id", "price_no", "item_code", "zone_code", "quantity", "units", "covered"):
        differs = differs | pl.col(name).ne_missing(pl.col(f"old_{name}"))
    return differs | (pl.col("charge_micro_yuan") != pl.col("old_charge"))


def _count_accounts(outcome: Outcome, changed: pl.DataFrame) -> None:
    for name, charge, sign in (("old_account_id", "old_charge", -1), ("account_id", "charge_micro_yuan", 1)):
        for account, total in changed.group_by(name).agg(pl.col(charge).sum()).rows():
            outcome.by_account[account] += sign * total


def _write_open(run: _Run, month: Month, ready: Ready, changed: pl.DataFrame, moved: pl.DataFrame) -> None:
    """Write what differs of open periods; who got or lost calls to others is due to be dealt out again."""
    steps = _steps(run, month, ready, changed)
    due: set[tuple[int, str, str]] = set()
    for account, product, account_then, product_then in moved.select(
        "account_id", "product_id", "old_account_id", "old_product_id"
    ).unique().rows():  # fmt: skip
        due |= {(month.yyyymm, account, product), (month.yyyymm, account_then, product_then)}
    for (period,), rows in changed.group_by("period_billed", maintain_order=True):
        _write_period(run, ready.truth, int(str(period)), rows.sort("old_account_id", "usage_id"), steps)
    if due:
        with run.database.batch() as conn:
            arrivals.note_due(run.database, conn, due)


def _write_period(run: _Run, truth: Truth, period: int, rows: pl.DataFrame, steps: _Steps) -> None:
    """Write calls of a period (by old account and call) in short turns. Raises _PeriodClosed."""
    with run.database.reading() as conn:
        first, last = rows["old_account_id"][0], rows["old_account_id"][-1]
        told_before = pl.Series(store.calls_with_steps(conn, period, first, last), dtype=pl.Int64)
    telling = pl.Series(list(steps), dtype=pl.Int64)
    moved = pl.col("old_account_id") != pl.col("account_id")
    at = 0
    while at < len(rows):
        some = rows.slice(at, run.size.rows)
        here = some.filter(~moved).select(*change_store.REPRICED, "period_billed", "account_id", "usage_id").rows()
        moves = [
            (
                row["old_account_id"],
                row["usage_id"],
                {name: row[name] for name in ("account_id", *change_store.REPRICED)},
            )
            for row in some.filter(moved).rows(named=True)
        ]
        stale = some.filter(pl.col("usage_id").is_in(told_before.implode())).select("old_account_id", "usage_id").rows()
        told = [
            (period, account, call, *step)
            for account, call in some.filter(pl.col("usage_id").is_in(telling.implode()))
            .select("account_id", "usage_id")
            .rows()
            for step in steps[call]
        ]
        with run.database.batch() as conn:
            begun = time.perf_counter_ns()
            if store.closed_periods(conn) != truth.closed:
                raise _PeriodClosed
            change_store.reprice_rated(conn, here)
            change_store.move_rated(run.database, conn, period, moves)
            store.drop_steps(conn, period, stale)
            run.database.bulk_insert(conn, rated_step, store.STEP_COLUMNS, told)
        run.size.learn(len(some), time.perf_counter_ns() - begun)
        at += len(some)
        run.beat()


def _steps(run: _Run, month: Month, ready: Ready, changed: pl.DataFrame) -> _Steps:
    """The steps worth keeping of changed calls."""
    truth = ready.truth
    by_month = sorted(truth.monthly(month).rows)
    tables = []
    alone = changed.filter(~pl.col("row_no").is_in(by_month) & (pl.col("price_no") > 0))
    if len(alone):
        free = {"period": pl.lit(month.yyyymm, pl.Int64), "free": pl.lit(0, pl.Int64)}
        tables.append(included.with_steps(alone.with_columns(**free), truth.tariffs))
    shared = ready.calls.filter(
        pl.col("row_no").is_in(by_month) & pl.col("account_id").is_in(sorted(ready.group.accounts))
    )
    if len(shared) and len(changed) > len(alone):
        with run.database.reading() as conn:
            calls = shared.drop("row_no", "units", "charge_micro_yuan", "covered")
            dealt, layout = months.charged(conn, truth, month, ready.group, calls, explain=True)
        told = months.with_layout(truth, month, layout)
        dealt = dealt.join(changed.select("usage_id").unique(), on="usage_id", how="semi")
        tables.append(stored_steps(dealt.filter(included.worth_telling(told)), told))
    found: _Steps = {}
    for table in tables:
        for row in table.rows():
            found.setdefault(row[0], []).append(row[1:])
    return found


def _correct(run: _Run, month: Month, ready: Ready, frozen: pl.DataFrame, outcome: Outcome) -> None:
    """Bill what calls of billed months should have cost."""
    periods = ready.truth.periods_of(month)
    shut = [period for period in periods if period in ready.truth.closed]
    target = frozen.rename({"period_billed": "period"}).with_columns(home_charge=pl.col("old_charge"))
    with run.database.reading() as conn:
        rows, total = corrections.corrections(conn, target, billed_in=periods[-1], frozen=shut, rerate_id=run.rerate_id)
    _count_corrections(outcome, rows, total)
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
    outcome.moved_count += len(moved)
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
