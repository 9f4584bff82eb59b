"""A draft tariff tried on the real usage of a month: what each account would pay, beside what it pays by today's.

Both are worked out anew from the same usage, so a difference is the draft's and nothing else's. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import polars as pl

from server_api.billing.rating import store
from server_api.billing.rating.ahead import Ahead
from server_api.billing.rating.guide import Drafted
from server_api.billing.rating.kept import attached, bound
from server_api.billing.rating.rerate_read import Asked, Reader, Ready
from server_api.billing.rating.store import changes as change_store
from server_api.billing.rating.tariff.model import Tariff
from server_api.platform.database import Database
from shared_models.values.faults.common import NotFound
from shared_models.values.period import Month

#: Where the classes of a histogram begin, in yuan a month; the first is below them all.
EDGES_YUAN = (-50, -20, -10, -5, -2, 0, 2, 5, 10, 20, 50)
_MICRO = 1_000_000


@dataclass(frozen=True)
class Preview:
    """What a draft would change. ``accounts``: account_id, calls, now and then in micro-yuan, most loss first;
    ``items``: item_code, calls, now, then."""

    month: Month
    tariff_codes: tuple[str, ...]
    accounts: pl.DataFrame
    items: pl.DataFrame

    @property
    def now_micro_yuan(self) -> int:
        """What all usage costs by today's tariffs."""
        return int(self.accounts["now"].sum())

    @property
    def then_micro_yuan(self) -> int:
        """What it would cost under the draft."""
        return int(self.accounts["then"].sum())

    @property
    def losers(self) -> pl.DataFrame:
        """Accounts that would pay more, most first."""
        return self.accounts.filter(pl.col("then") > pl.col("now"))

    @property
    def winners(self) -> pl.DataFrame:
        """Accounts that would pay less, most first."""
        return self.accounts.filter(pl.col("then") < pl.col("now")).reverse()

    def classes(self) -> list[tuple[int | None, int | None, int]]:
        """How many accounts change by how much: (from yuan, to yuan, accounts); no change counts as none at all."""
        more = self.accounts.filter(pl.col("then") != pl.col("now")).select(more=pl.col("then") - pl.col("now"))["more"]
        edges = [None, *EDGES_YUAN, None]
        found = []
        for low, high in zip(edges, edges[1:], strict=False):
            inside = pl.Series([True] * len(more), dtype=pl.Boolean)
            if low is not None:
                inside &= more >= low * _MICRO
            if high is not None:
                inside &= more < high * _MICRO
            found.append((low, high, int(inside.sum())))
        return found


def preview_tariffs(
    database: Database,
    month: Month,
    drafts: Sequence[Tariff],
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Preview:
    """Rate a month's usage by today's tariffs and with drafts in the place of those of the same code.

    Only the amounts of accounts whose usage one of the drafts prices, now or then, differ. Raises NotFound for a code
    no tariff has, TariffNotValid for a deck or calendar that is not kept.
    """
    with database.reading() as conn:
        ready_drafts = attached(conn, bound(conn, [replace(one, effective_on=month.first_on) for one in drafts]))
        known = {row.tariff_code for row in store.tariff_rows(conn)}
        total = change_store.usage_count(conn, month.yyyymm)
    for draft in ready_drafts:
        if draft.code not in known:
            raise NotFound(what="tariff", id=draft.code)
    asked = Asked(month.first_on, month.until_on)
    live, tried = Reader(database, asked), Reader(database, asked, in_place(ready_drafts, month))
    accounts, items = [], []
    done = 0
    with Ahead(live.groups(month), 1, lambda _ready: 1) as ahead:
        for now in chain.from_iterable(ahead.taken()):
            both = _both(now, tried.ready(month, now.fresh))
            accounts.append(_sums(both, "account_id"))
            items.append(_sums(both, "item_code"))
            done += len(now.calls)
            progress(min(done, total), total)
    progress(total, total)
    by_account = _total(accounts, "account_id").with_columns(more=pl.col("then") - pl.col("now"))
    codes = tuple(dict.fromkeys(draft.code for draft in ready_drafts))
    ordered = by_account.sort("more", "account_id", descending=[True, False]).drop("more")
    return Preview(month, codes, ordered, _total(items, "item_code").sort("item_code"))


def in_place(drafts: Sequence[Tariff], month: Month) -> Drafted:
    """Puts drafts in the place of all versions of their codes that price a day of a month."""

    def drafted(versions: dict[int, Tariff]) -> dict[int, Tariff]:
        found = dict(versions)
        number = max(versions, default=0)
        for draft in drafts:
            days = {draft.effective_on} | {
                one.effective_on
                for one in versions.values()
                if one.code == draft.code and month.first_on < one.effective_on < month.until_on
            }
            for on in sorted(days):
                # of versions of the same day the one with the highest number is in force
                number += 1
                found[number] = replace(draft, effective_on=on)
        return found

    return drafted


def _both(now: Ready, then: Ready) -> pl.DataFrame:
    """Every call with what it costs now and then, at the account and item of each."""
    key = ("account_id", "item_code")
    return pl.concat(
        [
            now.calls.select(*key, calls=pl.lit(1), now="charge_micro_yuan", then=pl.lit(0, pl.Int64)),
            then.calls.select(*key, calls=pl.lit(0), now=pl.lit(0, pl.Int64), then="charge_micro_yuan"),
        ]
    )


def _sums(both: pl.DataFrame, by: str) -> pl.DataFrame:
    return both.group_by(by).agg(pl.col("calls").sum(), pl.col("now").sum(), pl.col("then").sum())


def _total(parts: list[pl.DataFrame], by: str) -> pl.DataFrame:
    schema = {by: pl.String, "calls": pl.Int32, "now": pl.Int64, "then": pl.Int64}
    return _sums(pl.concat([pl.DataFrame(schema=schema), *parts], how="vertical_relaxed"), by)
