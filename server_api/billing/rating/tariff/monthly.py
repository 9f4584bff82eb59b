"""What a month's usage decides, laid out as columns: a row per tariff row with its packages, tiers and caps. Pure.

A package is one and the same through all versions of its tariff: a tariff that changes within the month does not hand
it out again. Where the new version's package is of another size, what was drawn before counts against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from math import gcd
from typing import Any

import polars as pl

from server_api.billing.rating.tariff.allowance import Included, Scope, TierKind, Tiers
from server_api.billing.rating.tariff.model import Quantity, Row, Tariff
from server_api.billing.rating.tariff.reader import in_words
from shared_models.values.faults.rating import TariffNotValid

SCOPE_NO = {Scope.PRODUCT: 0, Scope.ACCOUNT: 1, Scope.CUSTOMER: 2, Scope.POOL: 3}
SCOPE_COLUMN = ("product_id", "account_id", "customer_id", "pool_id")
KIND_NO = {TierKind.GRADUATED: 0, TierKind.VOLUME: 1, TierKind.PACKAGES: 2}
#: Packages granted by date are numbered from here, those of tariffs below.
FIRST_PACK_NO = 1_000_000_000
#: More than one owner uses in a month, in the tariff's unit: 34,000 years of talk, 8 PB.
_MOST = {Quantity.SECONDS: 2**40, Quantity.OCTETS: 2**53, Quantity.SESSIONS: 2**40}
_SAFE = 2**61
#: The parts of a rank's columns and what stands where a row has no package of that rank.
RANK_PARTS = {"no": None, "cap": 0, "per": 1, "scope": 0, "turn": 0, "price": 0, "off": 100}


@dataclass(frozen=True)
class Package:
    """What a package number stands for."""

    tariff_code: str
    included: Included
    #: A pack granted by date: its own id; empty for what a tariff brings each month.
    pack_id: str = ""

    @property
    def code(self) -> str:
        """The code people know it by."""
        return self.included.code


@dataclass(frozen=True)
class Monthly:
    """Frames keyed by ``row_no`` (and ``variant`` where ``variants``).

    entitled: a<r>_no/cap/per/scope/turn/price/off, with a<r>_from/until where ``dated`` · tiers:
    t_no/scope/kind/step/den/block, t<k>_lo/hi/num/flat · caps: c_no/scope/amount. ``turns`` is by rank the most sizes a
    package has in the time covered.
    """

    entitled: pl.DataFrame
    ranks: int
    turns: tuple[int, ...]
    tiers: pl.DataFrame
    tier_count: int
    tier_kinds: frozenset[int]
    caps: pl.DataFrame
    scopes: frozenset[int]
    packages: Mapping[int, Package]
    tiers_of: Mapping[int, Tiers]
    #: Packs by date that may cover a row: the codes of its packages ``by_pack``.
    pack_classes: Mapping[int, tuple[Included, ...]]
    variants: bool = False
    dated: bool = False
    priced_ranks: tuple[int, ...] = ()
    percent_ranks: tuple[int, ...] = ()
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def at_work(self) -> bool:
        """Whether anything depends on the month at all."""
        return bool(self.ranks or self.tier_count or len(self.caps))

    @cached_property
    def rows(self) -> frozenset[int]:
        """The tariff rows whose charges depend on what else was used in the month."""
        named = {*self.pack_classes}
        for frame, column in ((self.tiers, "t_no"), (self.caps, "c_no")):
            named |= set(frame.filter(pl.col(column).is_not_null())["row_no"].to_list())
        for rank in range(self.ranks):
            named |= set(self.entitled.filter(pl.col(f"a{rank}_no").is_not_null())["row_no"].to_list())
        return frozenset(named)

    @cached_property
    def entitled_rows(self) -> dict[tuple[int, int], dict[str, Any]]:
        """The rows of ``entitled`` by (variant, row_no)."""
        return {(row.get("variant", 0), row["row_no"]): row for row in self.entitled.iter_rows(named=True)}

    @cached_property
    def cap_amounts(self) -> dict[int, int]:
        """The month's cap of a tariff row in micro-yuan."""
        return {row["row_no"]: row["c_amount"] for row in self.caps.iter_rows(named=True)}


def compile_monthly(
    versions: Mapping[int, Tariff],
    row_no_of: Callable[[int, int], int],
    in_force: tuple[date, date] | None = None,
) -> Monthly:
    """Lay out what depends on the month. ``in_force``: the days that matter, for counting the sizes of a package.

    Raises TariffNotValid for tiers whose sums might not fit 63 bits.
    """
    layout = _Layout(versions, in_force)
    for version_no, tariff in sorted(versions.items()):
        for index, row in enumerate(tariff.rows):
            layout.add(version_no, tariff, row, row_no_of(version_no, index))
    return layout.done()


class _Layout:
    """Gathers the columns of all rows."""

    def __init__(self, versions: Mapping[int, Tariff], in_force: tuple[date, date] | None) -> None:
        self.chains = _chains(versions.values())
        self._sizes = _sizes(versions, in_force)
        keys = sorted((code, name) for code, names in self.chains.items() for name in names)
        self._numbers = {key: number for number, key in enumerate(keys)}
        self._counters: dict[tuple[str, str], int] = {}
        self.ranks = max((len(names) for names in self.chains.values()), default=0)
        self.turns = [1] * self.ranks
        self.entitled: list[dict[str, Any]] = []
        self.tiers: list[dict[str, Any]] = []
        self.caps: list[dict[str, Any]] = []
        self.packages: dict[int, Package] = {}
        self.tiers_of: dict[int, Tiers] = {}
        self.classes: dict[int, tuple[Included, ...]] = {}
        self.scopes: set[int] = set()

    def add(self, version_no: int, tariff: Tariff, row: Row, row_no: int) -> None:
        """Lay out one row of a tariff."""
        mine = {one.code: one for one in tariff.included if row.code in one.rows}
        self._add_packages(version_no, tariff, mine, row_no)
        if packs := tuple(one for one in mine.values() if one.by_pack):
            self.classes[row_no] = packs
        if row.tiers is not None:
            number = self._counters.setdefault((tariff.code, row.tiers.counter), len(self._counters))
            self.tiers.append(_tier_columns(row_no, number, row.tiers, row, tariff))
            self.tiers_of[row_no] = row.tiers
            self.scopes.add(SCOPE_NO[row.tiers.shared_by])
        cap = next((one for one in tariff.period_caps if row.code in one.rows), None)
        if cap is not None:
            number = self._counters.setdefault((tariff.code, "cap:" + cap.code), len(self._counters))
            scope = SCOPE_NO[cap.shared_by]
            self.scopes.add(scope)
            self.caps.append({"row_no": row_no, "c_no": number, "c_scope": scope, "c_amount": cap.amount_micro_yuan})

    def _add_packages(self, version_no: int, tariff: Tariff, mine: Mapping[str, Included], row_no: int) -> None:
        chain = self.chains.get(tariff.code, ())
        columns: dict[str, Any] = {"row_no": row_no}
        for rank in range(self.ranks):
            columns |= {f"a{rank}_{part}": usual for part, usual in RANK_PARTS.items()}
            name = chain[rank] if rank < len(chain) else ""
            if name not in mine:
                continue
            number = self._numbers[tariff.code, name]
            turn, size = self._sizes[version_no, name]
            self.turns[rank] = max(self.turns[rank], turn + 1)
            self.packages[number] = Package(tariff.code, mine[name])
            self.scopes.add(SCOPE_NO[mine[name].shared_by])
            columns |= rank_columns(rank, number, size, turn)
        if any(columns[f"a{rank}_no"] is not None for rank in range(self.ranks)):
            self.entitled.append(columns)

    def done(self) -> Monthly:
        """What was gathered, as frames."""
        count = max((len(one.tiers) for one in self.tiers_of.values()), default=0)
        caps = dict.fromkeys(("row_no", "c_no", "c_scope", "c_amount"), pl.Int64)
        priced, percent = special_ranks(self.entitled, self.ranks)
        return Monthly(
            entitled=pl.DataFrame(self.entitled, schema=entitled_schema(self.ranks), orient="row"),
            ranks=self.ranks,
            turns=tuple(self.turns),
            tiers=pl.DataFrame([_padded(one, count) for one in self.tiers], schema=_tier_schema(count), orient="row"),
            tier_count=count,
            tier_kinds=frozenset(KIND_NO[one.kind] for one in self.tiers_of.values()),
            caps=pl.DataFrame(self.caps, schema=caps, orient="row"),
            scopes=frozenset(self.scopes),
            packages=self.packages,
            tiers_of=self.tiers_of,
            pack_classes=self.classes,
            priced_ranks=priced,
            percent_ranks=percent,
            chains=self.chains,
        )


def special_ranks(entitled: Iterable[Mapping[str, Any]], ranks: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ranks where units inside a package cost a price of their own, and those where they cost some percent less."""
    listed = list(entitled)
    priced = tuple(r for r in range(ranks) if any(one[f"a{r}_price"] for one in listed))
    return priced, tuple(r for r in range(ranks) if any(one[f"a{r}_off"] not in (100, None) for one in listed))


def rank_columns(rank: int, number: int, one: Included, turn: int = 0, cap: int | None = None) -> dict[str, Any]:
    """The columns of a package at its rank."""
    return {
        f"a{rank}_no": number,
        f"a{rank}_cap": one.quantity if cap is None else cap,
        f"a{rank}_per": one.counted_in,
        f"a{rank}_scope": SCOPE_NO[one.shared_by],
        f"a{rank}_turn": turn,
        f"a{rank}_price": one.price_micro_yuan,
        f"a{rank}_off": one.percent_off,
    }


def entitled_schema(ranks: int, *, variants: bool = False, dated: bool = False) -> dict[str, Any]:
    """Names and types of ``entitled``."""
    names = ["row_no", *(("variant",) if variants else ())]
    parts = [*RANK_PARTS, *(("from", "until") if dated else ())]
    return dict.fromkeys((*names, *(f"a{rank}_{part}" for rank in range(ranks) for part in parts)), pl.Int64)


def order_key(one: Included, expires_month: int) -> tuple[int, int, str]:
    """The total order units are drawn in: soonest expiry, then priority, then code."""
    return (expires_month, one.priority, one.code)


def _chains(tariffs: Iterable[Tariff]) -> dict[str, tuple[str, ...]]:
    """By tariff code its monthly packages in the order of use; all versions together, so that ranks stay the same."""
    found: dict[str, dict[str, Included]] = {}
    for tariff in tariffs:
        for one in tariff.included:
            if not one.by_pack:
                found.setdefault(tariff.code, {})[one.code] = one
    return {
        code: tuple(sorted(packages, key=lambda name: order_key(packages[name], packages[name].carry_months)))
        for code, packages in found.items()
    }


def _sizes(
    versions: Mapping[int, Tariff], in_force: tuple[date, date] | None
) -> dict[tuple[int, str], tuple[int, Included]]:
    """For each version and package how many sizes it had before, and the package as it counts.

    Two versions of one day are one: calls rated by the earlier import draw on the package as corrected.
    """
    by_code: dict[str, dict[date, list[int]]] = {}
    for version_no, tariff in sorted(versions.items()):
        by_code.setdefault(tariff.code, {}).setdefault(tariff.effective_on, []).append(version_no)
    found: dict[tuple[int, str], tuple[int, Included]] = {}
    for days in by_code.values():
        reached: dict[str, tuple[int, Included]] = {}
        ordered = sorted(days)
        for at, on in enumerate(ordered):
            until = ordered[at + 1] if at + 1 < len(ordered) else date.max
            matters = in_force is None or (on < in_force[1] and until > in_force[0])
            of_day = {one.code: one for version_no in days[on] for one in versions[version_no].included}
            for name, one in of_day.items():
                turn, last = reached.get(name, (0, one))
                if name in reached and matters and (last.quantity, last.counted_in) != (one.quantity, one.counted_in):
                    turn += 1
                if matters:
                    reached[name] = (turn, one)
                for version_no in days[on]:
                    own = next((x for x in versions[version_no].included if x.code == name), one)
                    corrected = replace(own, quantity=one.quantity, counted_in=one.counted_in)
                    found[version_no, name] = (turn if matters else 0, corrected)
    return found


def _tier_columns(row_no: int, number: int, tiers: Tiers, row: Row, tariff: Tariff) -> dict[str, Any]:
    """Tiers counted in steps: a price per step as numerators over one denominator."""
    step = row.step
    most = _MOST[tariff.quantity_of(row)] // step
    common = tiers.per
    for tier in tiers.tiers:
        common = gcd(common, tier.price_micro_yuan * step)
    den = 1 if tiers.kind is TierKind.PACKAGES else tiers.per // common
    columns: dict[str, Any] = {
        "row_no": row_no,
        "t_no": number,
        "t_scope": SCOPE_NO[tiers.shared_by],
        "t_kind": KIND_NO[tiers.kind],
        "t_step": step,
        "t_den": den,
        "t_block": tiers.per // step if tiers.kind is TierKind.PACKAGES else 1,
    }
    low, largest = 0, 0
    for at, tier in enumerate(tiers.tiers):
        high = tier.until // step if tier.until is not None else most
        packages = tiers.kind is TierKind.PACKAGES
        numerator = tier.price_micro_yuan if packages else tier.price_micro_yuan * step // common
        columns |= {
            f"t{at}_lo": low,
            f"t{at}_hi": high,
            f"t{at}_num": numerator,
            f"t{at}_flat": tier.flat_micro_yuan * den,
        }
        largest += numerator * (most // columns["t_block"] + 1) + tier.flat_micro_yuan * den
        low = high
    if largest >= _SAFE:
        words = in_words("overflow", "")
        raise TariffNotValid(file=tariff.version, row=row.code, field="tiers", problem=words, others=0)
    return columns


def _padded(columns: dict[str, Any], count: int) -> dict[str, Any]:
    """The columns with empty tiers behind the last."""
    last = columns[f"t{max(at for at in range(count) if f't{at}_hi' in columns)}_hi"]
    for at in range(count):
        if f"t{at}_hi" not in columns:
            columns |= {f"t{at}_lo": last, f"t{at}_hi": last, f"t{at}_num": 0, f"t{at}_flat": 0}
    return columns


def _tier_schema(count: int) -> dict[str, Any]:
    names = ["row_no", "t_no", "t_scope", "t_kind", "t_step", "t_den", "t_block"]
    names += [f"t{at}_{part}" for at in range(count) for part in ("lo", "hi", "num", "flat")]
    return dict.fromkeys(names, pl.Int64)
