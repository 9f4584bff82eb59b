"""Who may draw on what in a month: a tariff's packages in part months, carried-over units, packs by date, pools. Pure.

Most products have their tariff all month long and nothing else: the columns of the tariff say it all. Where that is not
so, each (account, product) gets rows of its own (its ``variant``), laid out in levels: units that one call may draw on
are at different levels, in the one total order (soonest expiry, priority, code), and the same units are at the same
level for everybody who shares them. So one pass a level deals everything out as taking call by call would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from server_api.billing.rating.tariff.allowance import Included, Part, Scope
from server_api.billing.rating.tariff.monthly import (
    FIRST_PACK_NO,
    RANK_PARTS,
    SCOPE_NO,
    Monthly,
    Package,
    entitled_schema,
    rank_columns,
    special_ranks,
)
from server_api.billing.usage.formats.frame import TOWN_OFFSET_S
from shared_models.values.period import Month

DAY_S = 86_400
FOREVER_S = 2**62
Pair = tuple[str, str]


@dataclass(frozen=True)
class PlanSpan:
    """Days a product had a plan: the codes of its tariffs."""

    from_on: date
    until_on: date | None
    tariffs: tuple[str, ...]


@dataclass(frozen=True)
class Pack:
    """Units granted from a day until a day."""

    pack_id: str
    owner_kind: Scope
    owner_id: str
    code: str
    quantity: int
    from_on: date
    until_on: date
    priority: int


@dataclass
class Known:
    """What is known of the owners of a batch."""

    month: Month
    #: The row_nos each (account, product) used.
    used: Mapping[Pair, Sequence[int]]
    spans: Mapping[str, Sequence[PlanSpan]] = field(default_factory=dict)
    customers: Mapping[str, str] = field(default_factory=dict)
    #: By product: the pools it was in, (pool_id, from_on, until_on).
    pools: Mapping[str, Sequence[tuple[str, date, date | None]]] = field(default_factory=dict)
    #: By (scope, owner): the products that share its units.
    sharers: Mapping[tuple[Scope, str], Sequence[str]] = field(default_factory=dict)
    packs: Sequence[Pack] = ()
    #: What earlier months left: (owner, tariff_code, code, month) -> by month of grant; absent where nothing was dealt.
    left: Mapping[tuple[str, str, str, int], Mapping[int, int]] = field(default_factory=dict)
    #: The package of a tariff as it was in a month: (tariff_code, code, month).
    package_in: Callable[[str, str, Month], Included | None] = lambda _tariff, _code, _month: None


@dataclass
class Units:
    """Some units somebody may draw on, and who."""

    number: int
    package: Package
    owner: str
    granted_month: int
    order: tuple[Any, ...]
    cap: int
    members: set[int] = field(default_factory=set)
    #: (variant, row_no) -> the columns of a rank, without its number.
    cells: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    level: int = 0


@dataclass(frozen=True)
class Entitled:
    """The tables for a batch, its variants, and the units they draw on."""

    monthly: Monthly
    variants: Mapping[Pair, int]
    units: Sequence[Units]


def is_ordinary(known: Known, monthly: Monthly) -> bool:
    """True where the tariffs' own columns say everything: no part months, packs, carried or added-up units."""
    if known.packs and monthly.pack_classes:
        return False
    packages = monthly.packages.values()
    if any(one.included.carry_months or one.included.adds_up for one in packages):
        return False
    first, last = known.month.first_on, known.month.until_on
    codes = {one.tariff_code for one in packages}
    for spans in known.spans.values():
        if not spans:
            continue
        whole = any(span.from_on <= first and (span.until_on is None or span.until_on >= last) for span in spans)
        if not whole and any(codes & set(span.tariffs) for span in spans):
            return False
    return True


def entitled(known: Known, monthly: Monthly) -> Entitled:
    """Lay out what every (account, product) of a batch may draw on."""
    return _Plan(known, monthly).laid_out()


class _Plan:
    """Collects the units of a batch and lays them out."""

    def __init__(self, known: Known, monthly: Monthly) -> None:
        self.known = known
        self.monthly = monthly
        self.units: dict[tuple[Any, ...], Units] = {}
        self.variants = {pair: number for number, pair in enumerate(known.used)}
        self.packs: dict[tuple[Scope, str], list[Pack]] = {}
        for pack in known.packs:
            self.packs.setdefault((pack.owner_kind, pack.owner_id), []).append(pack)

    def laid_out(self) -> Entitled:
        for pair, row_nos in self.known.used.items():
            for row_no in row_nos:
                self._monthly_units(pair, row_no)
                self._pack_units(pair, row_no)
        ordered = sorted(self.units.values(), key=lambda one: (*one.order, one.number))
        reached = dict.fromkeys(self.variants.values(), 0)
        for one in ordered:
            one.level = max((reached[member] for member in one.members), default=0)
            for member in one.members:
                reached[member] = one.level + 1
        return Entitled(self._tables(ordered), self.variants, ordered)

    def _tables(self, ordered: Sequence[Units]) -> Monthly:
        ranks = max((one.level + 1 for one in ordered), default=0)
        rows: dict[tuple[int, int], dict[str, Any]] = {}
        usual = {f"a{r}_{part}": value for r in range(ranks) for part, value in RANK_PARTS.items()}
        usual |= {f"a{r}_{part}": value for r in range(ranks) for part, value in (("from", 0), ("until", FOREVER_S))}
        turns = [1] * ranks
        for one in ordered:
            for (variant, row_no), cell in one.cells.items():
                row = rows.setdefault((variant, row_no), {"row_no": row_no, "variant": variant, **usual})
                row |= {f"a{one.level}_{part}": value for part, value in cell.items()}
                turns[one.level] = max(turns[one.level], cell["turn"] + 1)
        schema = entitled_schema(ranks, variants=True, dated=True)
        priced, percent = special_ranks(rows.values(), ranks)
        return replace(
            self.monthly,
            entitled=pl.DataFrame(list(rows.values()), schema=schema, orient="row"),
            ranks=ranks,
            turns=tuple(turns),
            scopes=self.monthly.scopes | {SCOPE_NO[one.package.included.shared_by] for one in ordered},
            packages={one.number: one.package for one in ordered},
            variants=True,
            dated=True,
            priced_ranks=priced,
            percent_ranks=percent,
        )

    # ---- what a tariff brings each month -----------------------------------------------------------------------------
    def _monthly_units(self, pair: Pair, row_no: int) -> None:
        own = self.monthly.entitled_rows.get((0, row_no))
        if own is None:
            return
        month = self.known.month
        for rank in range(self.monthly.ranks):
            number = own[f"a{rank}_no"]
            if number is None:
                continue
            package = self.monthly.packages[number]
            owner = self._owner(pair, package.included.shared_by)
            size = replace(package.included, quantity=own[f"a{rank}_cap"], counted_in=own[f"a{rank}_per"])
            cap = self._granted(package.tariff_code, size, owner, month)
            self._draw(pair, row_no, ("own", number, owner), number, package, owner, month.yyyymm, size, cap,
                       turn=own[f"a{rank}_turn"])  # fmt: skip
            if size.carry_months:
                for granted, left in sorted(self._carried(package.tariff_code, size, owner, month).items()):
                    key = ("carried", number, owner, granted)
                    self._draw(pair, row_no, key, None, package, owner, granted, size, left)

    def _carried(self, tariff_code: str, one: Included, owner: str, month: Month) -> dict[int, int]:
        """What earlier months left that still holds in ``month``, by the month it was granted in."""
        found: dict[int, int] = {}
        granted = [month]
        for _ in range(one.carry_months):
            granted.append(granted[-1].previous())
        for before in reversed(granted[1:]):
            stored = self.known.left.get((owner, tariff_code, one.code, before.yyyymm))
            if stored is not None:
                found = dict(stored)
            elif (then := self.known.package_in(tariff_code, one.code, before)) is not None:
                found[before.yyyymm] = self._granted(tariff_code, then, owner, before)
        holds = {earlier.yyyymm for earlier in granted[1:]}
        return {granted_month: left for granted_month, left in found.items() if left > 0 and granted_month in holds}

    def _granted(self, tariff_code: str, one: Included, owner: str, month: Month) -> int:
        """How many units an owner has of a month: whole, or by the days of a part month as the tariff says."""
        products = self.known.sharers.get((one.shared_by, owner), (owner,))
        if one.adds_up:
            return sum(_part_of(one, [self.known.spans.get(p, ())], tariff_code, month) for p in products)
        return _part_of(one, [self.known.spans.get(p, ()) for p in products], tariff_code, month)

    # ---- packs by date -----------------------------------------------------------------------------------------------
    def _pack_units(self, pair: Pair, row_no: int) -> None:
        classes = {one.code: one for one in self.monthly.pack_classes.get(row_no, ())}
        if not classes:
            return
        account, product = pair
        owners: list[tuple[Scope, str, date | None, date | None]] = [
            (Scope.PRODUCT, product, None, None),
            (Scope.ACCOUNT, account, None, None),
            (Scope.CUSTOMER, self.known.customers.get(account, ""), None, None),
            *((Scope.POOL, pool, start, end) for pool, start, end in self.known.pools.get(product, ())),
        ]
        for scope, owner, start, end in owners:
            for pack in self.packs.get((scope, owner), ()):
                if pack.code not in classes:
                    continue
                size = replace(classes[pack.code], quantity=pack.quantity, shared_by=scope, priority=pack.priority)
                begin = max(pack.from_on, start) if start else pack.from_on
                until = min(pack.until_on, end) if end else pack.until_on
                package = Package("", size, pack.pack_id)
                self._draw(pair, row_no, ("pack", pack.pack_id), None, package, owner, 0, size, pack.quantity,
                           span=(begin, until), expires_on=pack.until_on)  # fmt: skip

    def _draw(
        self, pair: Pair, row_no: int, key: tuple[Any, ...], number: int | None, package: Package, owner: str,
        granted_month: int, size: Included, cap: int, *, turn: int = 0, span: tuple[date, date] | None = None,
        expires_on: date | None = None,
    ) -> None:  # fmt: skip
        """Let a pair draw on some units for a row."""
        units = self.units.get(key)
        if units is None:
            if expires_on is None:
                last = Month(granted_month)
                for _ in range(size.carry_months + 1):
                    last = last.next()
                expires_on = last.first_on
            order = (expires_on, size.priority, size.code, granted_month, package.pack_id)
            number = FIRST_PACK_NO + len(self.units) if number is None else number
            units = self.units[key] = Units(number, package, owner, granted_month, order, cap)
        variant = self.variants[pair]
        units.members.add(variant)
        columns = rank_columns(0, units.number, size, turn, cap)
        cell = {name.partition("_")[2]: value for name, value in columns.items()}
        cell["from"] = day_second(span[0]) if span else 0
        cell["until"] = day_second(span[1]) if span else FOREVER_S
        units.cells[variant, row_no] = cell

    def _owner(self, pair: Pair, scope: Scope) -> str:
        account, product = pair
        if scope is Scope.ACCOUNT:
            return account or product
        if scope is Scope.CUSTOMER:
            return self.known.customers.get(account, "") or product
        if scope is Scope.POOL:
            pools = self.known.pools.get(product, ())
            return pools[-1][0] if pools else product
        return product


def day_second(on: date) -> int:
    """The instant a day begins in the town, in UTC seconds."""
    return (on - date(1970, 1, 1)).days * DAY_S - TOWN_OFFSET_S


def _part_of(one: Included, products: Iterable[Sequence[PlanSpan]], tariff_code: str, month: Month) -> int:
    """The units of a month for products that had the tariff on some of its days; all of it where nothing is known."""
    first, end = month.first_on, month.until_on
    length = (end - first).days
    days: set[date] = set()
    starts, ends = False, False
    for spans in products:
        if not spans:
            return one.quantity
        begins = min(span.from_on for span in spans)
        stops = None if any(span.until_on is None for span in spans) else max(s.until_on for s in spans if s.until_on)
        starts |= begins > first
        ends |= stops is not None and stops < end
        for span in spans:
            if tariff_code in span.tariffs:
                on = max(span.from_on, first)
                until = min(span.until_on or end, end)
                days |= {on + timedelta(days=at) for at in range(max((until - on).days, 0))}
    if not days:
        return 0
    if len(days) == length:
        return one.quantity
    policies = set()
    if min(days) > first:
        policies.add(one.part_month.first if starts else one.part_month.change)
    if max(days) < end - timedelta(days=1):
        policies.add(one.part_month.last if ends else one.part_month.change)
    if max(days) - min(days) != timedelta(days=len(days) - 1):
        policies.add(one.part_month.change)
    if Part.NONE in policies:
        return 0
    if Part.DAYS not in policies:
        return one.quantity
    exact = one.quantity * len(days)
    return -(-exact // (length * one.counted_in)) * one.counted_in
