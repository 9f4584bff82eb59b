"""A month as it is dealt out: today's truth, the accounts that belong together, and who of them may draw on what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl
from sqlalchemy import Connection

from server_api.billing.rating import allowances, store
from server_api.billing.rating import expressions as ex
from server_api.billing.rating.entitled import Entitled, Known, Pack, PlanSpan, day_second, entitled, is_ordinary
from server_api.billing.rating.guide import Drafted, tariffs_by_number
from server_api.billing.rating.owners import plan_of
from server_api.billing.rating.price_books import books
from server_api.billing.rating.rater import priced_with, with_prices
from server_api.billing.rating.store import months as month_store
from server_api.billing.rating.tariff.allowance import Included, Scope
from server_api.billing.rating.tariff.compile import ROWS_PER_VERSION, Compiled, compile_tariffs
from server_api.billing.rating.tariff.model import Tariff
from server_api.billing.rating.tariff.monthly import FIRST_PACK_NO, Monthly, compile_monthly
from server_api.billing.usage.policy import policy
from shared_models.contracts.rating import PriceRow
from shared_models.values.period import Month

FOREVER_S = 2**62
CALL_SCHEMA = {
    name: pl.String if name in ("account_id", "product_id", "item_code") else pl.Int64
    for name in month_store.CALL_COLUMNS
}


@dataclass
class Truth:
    """What is true today of tariffs, price books and periods; read once for a piece of work."""

    versions: dict[int, Tariff]
    tariffs: Compiled
    books: dict[int, list[PriceRow]]
    closed: set[int]
    _monthly: dict[int, Monthly] = field(default_factory=dict)
    _plans: dict[tuple[Any, ...], tuple[str, ...]] = field(default_factory=dict)

    def monthly(self, month: Month) -> Monthly:
        """The tables of a month: packages of changing size are told apart only where they change within it."""
        if month.yyyymm not in self._monthly:
            self._monthly[month.yyyymm] = compile_monthly(
                self.versions,
                lambda version_no, index: version_no * ROWS_PER_VERSION + index,
                (month.first_on, month.until_on),
            )
        return self._monthly[month.yyyymm]

    def periods_of(self, month: Month) -> list[int]:
        """The periods the calls of a month may be billed in: its own, and while that is closed the ones after."""
        found = [month.yyyymm]
        while found[-1] in self.closed:
            found.append(Month(found[-1]).next().yyyymm)
        return found

    def plan_spans(self, rows: Iterable[Any]) -> dict[str, list[PlanSpan]]:
        """By product the days of its plans."""
        found: dict[str, list[PlanSpan]] = {}
        for row in rows:
            key = (row.book_version, row.offering_code, row.bundle_code or "", row.service, row.from_on)
            if key not in self._plans:
                self._plans[key] = plan_of(self.books.get(row.book_version, ()), key[1], key[2], key[3], row.from_on)
            found.setdefault(row.product_id, []).append(PlanSpan(row.from_on, row.until_on, self._plans[key]))
        return found

    def package_in(self, tariff_code: str, code: str, month: Month) -> Included | None:
        """A package as the version in force at the end of a month has it."""
        at = [v for v in self.versions.values() if v.code == tariff_code and v.effective_on < month.until_on]
        if not at:
            return None
        version = max(at, key=lambda one: one.effective_on)
        return next((one for one in version.included if one.code == code), None)


def read_truth(conn: Connection, drafted: Drafted | None = None) -> Truth:
    """Read today's truth, drafts in place of some tariff versions."""
    versions = tariffs_by_number(conn, drafted)
    return Truth(versions, compile_tariffs(versions, [], {}), books(conn), store.closed_periods(conn))


@dataclass
class Together:
    """Accounts that share units, directly or through others, and the products they pay for."""

    accounts: set[str]
    products_of: dict[str, set[str]]
    customers: dict[str, str] = field(default_factory=dict)
    pools: dict[str, list[tuple[str, date, date | None]]] = field(default_factory=dict)

    @property
    def products(self) -> set[str]:
        """All products."""
        return set().union(*self.products_of.values()) if self.products_of else set()


def together(conn: Connection, monthly: Monthly, month: Month, accounts: Sequence[str]) -> Together:
    """All accounts whose usage has to be dealt out together with that of some."""
    days = (month.first_on, month.until_on)
    by_customer = 2 in monthly.scopes or (bool(monthly.pack_classes) and month_store.any_pack(conn, days))
    pools = month_store.any_pool(conn) and (3 in monthly.scopes or bool(monthly.pack_classes))
    found = Together(set(), {})
    fresh = set(accounts)
    while fresh:
        found.accounts |= fresh
        reached: set[str] = set()
        products: set[str] = set()
        for row in month_store.relations_of_accounts(conn, fresh, days):
            found.products_of.setdefault(row.account_id, set()).add(row.product_id)
            products.add(row.product_id)
        if pools:
            members = month_store.memberships(conn, products=products)
            for row in month_store.memberships(conn, pools={row.pool_id for row in members}):
                span = (row.pool_id, row.from_on, row.until_on)
                mine = found.pools.setdefault(row.product_id, [])
                if span not in mine:
                    mine.append(span)
                products.add(row.product_id)
        for row in month_store.relations_of_products(conn, products, days):
            found.products_of.setdefault(row.account_id, set()).add(row.product_id)
            reached.add(row.account_id)
        if by_customer:
            customers = month_store.customers_of(conn, fresh)
            found.customers |= customers
            reached |= set(month_store.accounts_of_customers(conn, customers.values()))
        fresh = reached - found.accounts
    return found


def known_of(conn: Connection, truth: Truth, month: Month, group: Together, used: dict[Any, list[int]]) -> Known:
    """What the layout of a month's units has to know of a group of accounts."""
    monthly = truth.monthly(month)
    products = group.products | {product for _account, product in used}
    known = Known(month, used, customers=group.customers, pools=group.pools, package_in=truth.package_in)
    known.spans = truth.plan_spans(month_store.spans_of_products(conn, products))
    for account in group.accounts:
        mine = sorted(group.products_of.get(account, ()))
        known.sharers[Scope.ACCOUNT, account] = mine  # type: ignore[index]
        if customer := group.customers.get(account):
            known.sharers.setdefault((Scope.CUSTOMER, customer), []).extend(mine)  # type: ignore[attr-defined]
    for product, spans in group.pools.items():
        for pool in {span[0] for span in spans}:
            known.sharers.setdefault((Scope.POOL, pool), []).append(product)  # type: ignore[attr-defined]
    if monthly.pack_classes:
        pools = {span[0] for spans in group.pools.values() for span in spans}
        owners = products | group.accounts | set(group.customers.values()) | pools
        known.packs = [_pack(row) for row in month_store.packs_of(conn, owners, (month.first_on, month.until_on))]
    carried = [one.included for one in monthly.packages.values() if one.included.carry_months]
    if carried:
        earlier = [month.plus(-back).yyyymm for back in range(1, max(one.carry_months for one in carried) + 1)]
        owners = products | group.accounts | set(group.customers.values())
        owners |= {span[0] for spans in group.pools.values() for span in spans}
        left: dict[tuple[str, str, str, int], dict[int, int]] = {}
        for row in month_store.left_of(conn, owners, earlier):
            key = (row.owner_id, row.tariff_code, row.code, row.period)
            left.setdefault(key, {})[row.granted_month] = int(row.left_quantity)
        known.left = left
    return known


def _pack(row: Any) -> Pack:
    return Pack(
        row.pack_id, Scope(row.owner_kind), row.owner_id, row.code, int(row.quantity), row.from_on, row.until_on,
        row.priority,
    )  # fmt: skip


def start_bounds(month: Month) -> tuple[int, int]:
    """The seconds (UTC) a month's calls begin in."""
    return day_second(month.first_on), day_second(month.until_on)


def charged(
    conn: Connection, truth: Truth, month: Month, group: Together, calls: pl.DataFrame, *, explain: bool = False
) -> tuple[pl.DataFrame, Entitled | None]:
    """Charge all calls of a group's month by what the month decides.

    ``calls``: account_id, product_id, usage_id, price_no, start_s, duration_s, quantity. Gives covered, units,
    charge_micro_yuan and what ``allowances.rated`` adds; and who drew on what, where the tariffs alone do not say it.
    """
    monthly = truth.monthly(month)
    frame = calls.lazy().with_columns(period=pl.lit(month.yyyymm, pl.Int64), free=pl.lit(0, pl.Int64))
    frame = _with_sharers(frame, group, monthly)
    priced: pl.LazyFrame = nw.to_native(with_prices(nw.from_native(frame), truth.tariffs))
    table = priced.collect()
    used: dict[tuple[str, str], list[int]] = {}
    for account, product, row_no in table.select("account_id", "product_id", "row_no").unique().sort(pl.all()).rows():
        used.setdefault((account, product), []).append(row_no)
    known = known_of(conn, truth, month, group, used)
    layout = None
    if not is_ordinary(known, monthly):
        layout = entitled(known, monthly)
        variants = pl.DataFrame(
            [(*pair, variant) for pair, variant in layout.variants.items()],
            schema={"account_id": pl.String, "product_id": pl.String, "variant": pl.Int64},
            orient="row",
        )
        table = table.join(variants, on=["account_id", "product_id"], how="left")
        monthly = layout.monthly
    return _rated(table, truth.tariffs, monthly, explain), layout


def _rated(table: pl.DataFrame, tariffs: Compiled, monthly: Monthly, explain: bool) -> pl.DataFrame:
    longest = int(table["duration_s"].max() or 0) if len(table) else 0  # type: ignore[arg-type]
    longest = max(longest, policy().max_call_s)

    def price(frame: Any) -> Any:
        return priced_with(frame, tariffs, longest_s=longest, explain=explain)

    result: pl.LazyFrame = nw.to_native(allowances.rated(nw.from_native(table.lazy()), monthly, price, explain=explain))
    return result.with_columns(pl.col("units").fill_null(0), pl.col("charge_micro_yuan").fill_null(0)).collect()


def _with_sharers(frame: pl.LazyFrame, group: Together, monthly: Monthly) -> pl.LazyFrame:
    """The customer and the pool of each call."""
    schema = {"account_id": pl.String, "customer_id": pl.String}
    customers = pl.DataFrame(list(group.customers.items()), schema=schema, orient="row")
    frame = frame.join(customers.lazy(), on="account_id", how="left")
    ranks: list[list[tuple[Any, ...]]] = []
    for product, spans in group.pools.items():
        for rank, (pool, begin, end) in enumerate(spans):
            if rank == len(ranks):
                ranks.append([])
            ranks[rank].append((product, day_second(begin), day_second(end) if end else FOREVER_S, pool))
    columns = {"product_id": pl.String, "from_s": pl.Int64, "until_s": pl.Int64, "pool_id": pl.String}
    if not ranks:
        return frame.with_columns(pool_id=pl.lit(None, pl.String))
    tables = [nw.from_native(pl.DataFrame(rows, schema=columns, orient="row").lazy()) for rows in ranks]
    native: pl.LazyFrame = nw.to_native(
        ex.in_segments(nw.from_native(frame), tables, "product_id", ["pool_id"], "start_s")
    )
    return native


def units_left(dealt: pl.DataFrame, layout: Entitled) -> list[tuple[str, str, str, int, int]]:
    """What a month leaves of units that are carried over: (owner, tariff, code, month of grant, left)."""
    drawn: dict[tuple[int, int], int] = {}
    for rank in range(layout.monthly.ranks):
        per = pl.col(f"a{rank}_per").fill_null(1)
        counted = (pl.col(f"draw{rank}") + per - 1) // per * per
        sums = (
            dealt.filter(pl.col(f"draw{rank}") > 0).group_by("variant", f"a{rank}_no").agg(counted.sum().alias("sum"))
        )
        for variant, number, total in sums.rows():
            drawn[variant, number] = drawn.get((variant, number), 0) + total
    return [
        (one.owner, one.package.tariff_code, one.package.code, one.granted_month, max(one.cap - taken, 0))
        for one in layout.units
        if one.package.included.carry_months and one.granted_month
        for taken in [sum(drawn.get((member, one.number), 0) for member in one.members)]
    ]


def with_layout(truth: Truth, month: Month, layout: Entitled | None) -> Compiled:
    """The tariffs with the tables a batch was charged by, for explaining it."""
    return replace(truth.tariffs, monthly=layout.monthly if layout else truth.monthly(month))


__all__ = ["FIRST_PACK_NO", "Together", "Truth", "charged", "read_truth", "together", "units_left", "with_layout"]
