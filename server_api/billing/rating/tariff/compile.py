"""Tariffs laid out as columns for the rater: a row per price, per zone and per plan. Pure.

Everything that could overflow 63 bits or lose a fraction is settled here, once per tariff and not once per call: a
charge is ``(sum of block counts × numerators) // denominator`` with one floor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from math import gcd

import polars as pl

from server_api.billing.rating.tariff.model import ABROAD, ANY_ZONE, DAY_S, Included, Quantity, Row, Tariff
from server_api.billing.rating.tariff.read import in_words
from server_api.billing.rating.zones import INLAND, NUMBER_DIGITS
from shared_models.values.faults.rating import TariffNotValid

#: price_no = version_no × this + row index.
ROWS_PER_VERSION = 1_000_000
#: Sums of a call stay below this, with room to add and multiply by small numbers.
_SAFE = 2**61
QUANTITY_NO = {Quantity.SECONDS: 0, Quantity.OCTETS: 1, Quantity.SESSIONS: 2}
_LARGEST = {Quantity.SECONDS: 40 * DAY_S, Quantity.OCTETS: 2**53, Quantity.SESSIONS: 1}


@dataclass(frozen=True)
class PriceKey:
    """What a price_no stands for."""

    version_no: int
    tariff: Tariff
    row: Row


@dataclass(frozen=True)
class Compiled:
    """Tariff versions as frames. ``windows`` and ``ranks`` are the most any row has; they size the expressions.

    prices: price_no, quantity_no, first, step, den, connect, minimum, cap, w<j>_from/until/days/first/price,
    a<r>_no/cap/per · zones: plan_version, zone_no, price_no · prefixes: by length: prefix, zone_no ·
    plan_segments: by rank: plan_no, from_s, until_s, plan_version.
    """

    prices: pl.DataFrame
    zones: pl.DataFrame
    prefixes: dict[int, pl.DataFrame]
    plan_segments: list[pl.DataFrame]
    keys: dict[int, PriceKey]
    zone_codes: list[str]
    windows: int
    ranks: int
    day_types: bool
    allowances: dict[int, tuple[str, Included]] = field(default_factory=dict)

    @cached_property
    def price_rows(self) -> dict[int, dict[str, int]]:
        """The rows of ``prices`` by price_no."""
        return {row["price_no"]: row for row in self.prices.iter_rows(named=True)}


def compile_tariffs(
    versions: Mapping[int, Tariff],
    plans: Sequence[tuple[str, ...]],
    zones: Mapping[str, str],
) -> Compiled:
    """Lay out tariff versions (by number) and plans (tariff codes asked in order; plan_no is the index).

    Raises TariffNotValid for a tariff whose charges might not fit 63 bits.
    """
    zone_codes = sorted(set(zones.values()))
    zone_no = {code: number for number, code in enumerate(zone_codes)}
    windows = max((len(tariff.windows) for tariff in versions.values()), default=1)
    ranks = max((_ranks(tariff) for tariff in versions.values()), default=0)
    keys: dict[int, PriceKey] = {}
    allowances: dict[int, tuple[str, Included]] = {}
    rows: list[dict[str, int | None]] = []
    for version_no, tariff in sorted(versions.items()):
        for index, row in enumerate(tariff.rows):
            price_no = version_no * ROWS_PER_VERSION + index
            keys[price_no] = PriceKey(version_no, tariff, row)
            rows.append(_price_columns(price_no, version_no, tariff, row, windows, ranks, allowances))
    segments, version_lists = _plan_versions(versions, plans)
    zone_rows: list[tuple[int, int, int | None]] = [
        (plan_version, zone_no[code], found)
        for plan_version, numbers in enumerate(version_lists)
        for code in zone_codes
        if (found := _row_for(code, numbers, versions)) is not None
    ]
    # sessions call nobody: zone -1 is the row for any zone
    zone_rows += [
        (plan_version, -1, found)
        for plan_version, numbers in enumerate(version_lists)
        if (found := _row_for(ANY_ZONE, numbers, versions)) is not None
    ]
    return Compiled(
        prices=pl.DataFrame(rows, schema=_price_schema(windows, ranks)),
        zones=pl.DataFrame(
            zone_rows, schema={"plan_version": pl.Int64, "zone_no": pl.Int64, "price_no": pl.Int64}, orient="row"
        ),
        prefixes=_prefixes(zones, zone_no),
        plan_segments=segments,
        keys=keys,
        zone_codes=zone_codes,
        windows=windows,
        ranks=ranks,
        day_types=any(window.days != 127 for tariff in versions.values() for window in tariff.windows),
        allowances=allowances,
    )


def _ranks(tariff: Tariff) -> int:
    """Passes over included units: one for each package of a tariff, in its order, so that a package shared by several
    rows is one and the same pass for all of them."""
    return len(tariff.included)


def _price_schema(windows: int, ranks: int) -> dict[str, pl.DataType]:
    names = ["price_no", "quantity_no", "first", "step", "den", "connect", "minimum", "cap"]
    names += [f"w{j}_{part}" for j in range(windows) for part in ("from", "until", "days", "first", "price")]
    names += [f"a{r}_{part}" for r in range(ranks) for part in ("no", "cap", "per")]
    return {name: pl.Int64() for name in names}


def _price_columns(
    price_no: int,
    version_no: int,
    tariff: Tariff,
    row: Row,
    windows: int,
    ranks: int,
    allowances: dict[int, tuple[str, Included]],
) -> dict[str, int | None]:
    """A price as numbers: without a first block, the first step is one; fractions become one denominator."""
    common = row.per
    for amount in row.prices_micro_yuan.values():
        common = gcd(common, amount * row.step)
    den = row.per // common
    columns: dict[str, int | None] = {
        "price_no": price_no,
        "quantity_no": QUANTITY_NO[tariff.quantity],
        "first": row.first or row.step,
        "step": row.step,
        "den": den,
        "connect": row.connect_micro_yuan,
        "minimum": row.minimum_micro_yuan,
        "cap": row.cap_micro_yuan if row.cap_micro_yuan is not None else _SAFE,
    }
    largest = 0
    for j in range(windows):
        window = tariff.windows[j] if j < len(tariff.windows) else None
        price = row.prices_micro_yuan[window.code] * row.step // common if window else 0
        first = row.first_prices_micro_yuan[window.code] * den if window and row.first else price
        largest = max(largest, price, first)
        columns |= {
            f"w{j}_from": window.from_s if window else DAY_S,
            f"w{j}_until": window.until_s if window else DAY_S,
            f"w{j}_days": window.days if window else 0,
            f"w{j}_first": first,
            f"w{j}_price": price,
        }
    blocks = _LARGEST[tariff.quantity] // row.step + 2
    if largest * blocks + row.connect_micro_yuan * den >= _SAFE:
        raise TariffNotValid(
            file=tariff.version, row=row.code, field="price", problem=in_words("overflow", ""), others=0
        )
    for rank in range(ranks):
        named = tariff.included[rank] if rank < len(tariff.included) else None
        has = named if named and row.code in named.rows else None
        number = version_no * ROWS_PER_VERSION + rank if has else None
        columns |= {
            f"a{rank}_no": number,
            f"a{rank}_cap": has.quantity if has else 0,
            f"a{rank}_per": has.counted_in if has else 1,
        }
        if has and number is not None:
            allowances[number] = (tariff.version, has)
    return columns


def _row_for(zone: str, version_nos: Sequence[int], versions: Mapping[int, Tariff]) -> int | None:
    """The price of a zone: the first tariff of the plan that names it, else names all abroad, else names everything."""
    for version_no in version_nos:
        by_zone = {name: index for index, row in enumerate(versions[version_no].rows) for name in row.zones}
        for name in (zone, *(() if zone in INLAND or zone == ANY_ZONE else (ABROAD,)), ANY_ZONE):
            if name in by_zone:
                return version_no * ROWS_PER_VERSION + by_zone[name]
    return None


def _plan_versions(
    versions: Mapping[int, Tariff],
    plans: Sequence[tuple[str, ...]],
) -> tuple[list[pl.DataFrame], list[tuple[int, ...]]]:
    """For each plan the spans of time between changes of its tariffs, and the tariff versions in force in each."""
    by_code: dict[str, dict[date, int]] = {}
    for version_no, tariff in sorted(versions.items()):  # a later import of the same day replaces the earlier
        by_code.setdefault(tariff.code, {})[tariff.effective_on] = version_no
    spans: list[list[tuple[int, int, int, int]]] = []
    lists: list[tuple[int, ...]] = []
    for plan_no, codes in enumerate(plans):
        days = sorted({on for code in codes for on in by_code.get(code, {})})
        for rank, on in enumerate(days):
            until = days[rank + 1] if rank + 1 < len(days) else None
            in_force = [max((d for d in by_code.get(code, {}) if d <= on), default=None) for code in codes]
            numbers = tuple(by_code[code][at] for code, at in zip(codes, in_force, strict=True) if at is not None)
            if rank >= len(spans):
                spans.append([])
            spans[rank].append((plan_no, local_second(on), local_second(until) if until else 2**62, len(lists)))
            lists.append(numbers)
    schema = {"plan_no": pl.Int64, "from_s": pl.Int64, "until_s": pl.Int64, "plan_version": pl.Int64}
    return [pl.DataFrame(rows, schema=schema, orient="row") for rows in spans] or [pl.DataFrame(schema=schema)], lists


def local_second(on: date) -> int:
    """Midnight of a day on the town's clock, as seconds since 1970 on that clock."""
    return (on - date(1970, 1, 1)).days * DAY_S


def _prefixes(zones: Mapping[str, str], zone_no: Mapping[str, int]) -> dict[int, pl.DataFrame]:
    lengths: dict[int, list[tuple[int, int]]] = {}
    for prefix, code in zones.items():
        if not (prefix.isdigit() and prefix[0] != "0" and len(prefix) <= NUMBER_DIGITS):
            raise ValueError(f"not a prefix of a full number: {prefix}")
        lengths.setdefault(len(prefix), []).append((int(prefix), zone_no[code]))
    schema = {"prefix": pl.Int64, "zone_no": pl.Int64}
    return {length: pl.DataFrame(rows, schema=schema, orient="row") for length, rows in sorted(lengths.items())}
