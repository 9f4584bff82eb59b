"""The calls of a group of accounts, read and rated by what is known today: what a re-rating compares and writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from server_api.billing.rating import corrections, months
from server_api.billing.rating.entitled import day_second
from server_api.billing.rating.guide import Drafted
from server_api.billing.rating.months import Together, Truth
from server_api.billing.rating.rerate_calls import Guides, chosen_anew, with_old
from server_api.billing.rating.store import changes as change_store
from server_api.billing.rating.store import months as month_store
from server_api.platform.database import Database
from shared_models.values.period import Month

#: Calls read at once; what bounds the memory.
CALLS_AT_ONCE = 100_000
_ACCOUNTS_AT_ONCE = 20_000
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


@dataclass(frozen=True)
class Ready:
    """A group of accounts with its calls as they should be, by what was known when they were read."""

    fresh: list[str]
    group: Together
    truth: Truth
    calls: pl.DataFrame


class Reader:
    """Reads what was asked for, group by group, and rates it by today's truth, or by drafts in their place."""

    def __init__(self, database: Database, asked: Asked, drafted: Drafted | None = None) -> None:
        self._database = database
        self._asked = asked
        self._drafted = drafted
        self._guides = Guides(database, drafted)
        self.look_again()

    def look_again(self) -> None:
        """Forget what was known of periods, tariffs and prices."""
        with self._database.reading() as conn:
            self._truth = months.read_truth(conn, self._drafted)

    def groups(self, month: Month, after: str | None = None) -> Iterator[Ready]:
        """All groups of a month, each account in one; may run on a thread of its own while the one before is written.

        Where that moves calls to accounts read already they are due, and dealt out at the end.
        """
        done: set[str] = set()
        for accounts in self._account_lists(month, after):
            fresh = [account for account in accounts if account not in done]
            if fresh:
                ready = self.ready(month, fresh)
                done |= {account for account in ready.group.accounts if account > fresh[-1]}
                yield ready

    def ready(self, month: Month, fresh: list[str]) -> Ready:
        """Some accounts, and all they share units with."""
        truth, asked = self._truth, self._asked
        with self._database.reading() as conn:
            group = months.together(conn, truth.monthly(month), month, fresh)
        between = None if asked.accounts else (fresh[0], fresh[-1])
        return Ready(fresh, group, truth, rated_anew(self._database, truth, self._guides, month, group, asked, between))

    def _account_lists(self, month: Month, after: str | None) -> Iterator[list[str]]:
        """The accounts with calls of a month in order, as many at a time as have some number of calls."""
        if self._asked.accounts:
            yield sorted(self._asked.accounts)
            return
        periods = self._truth.periods_of(month)
        while True:
            counts: Counter[str] = Counter()
            with self._database.reading() as conn:
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
