"""Tariffs laid out as columns for the rater: a row per price, per kind of call and per plan. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from server_api.billing.rating.tariff.choice import Choice, NotClear
from server_api.billing.rating.tariff.decked import Lookups, lay_out_lookups
from server_api.billing.rating.tariff.model import ALL_DAYS, DAY_S, Row, Tariff
from server_api.billing.rating.tariff.monthly import Monthly, compile_monthly
from server_api.billing.rating.tariff.plans import AXIS_COLUMNS, lay_out_choices, plan_versions
from server_api.billing.rating.tariff.prices import deck_columns, price_columns, price_schema
from server_api.billing.rating.tariff.reader import in_words
from server_api.billing.rating.zones import NUMBER_DIGITS
from shared_models.values.faults.rating import TariffNotValid

#: price_no = version_no × this + row index.
ROWS_PER_VERSION = 1_000_000
#: Rows of a tariff are numbered below this; the prices of its rate decks from here on, in pages of as many.
PAGE = 1_000


@dataclass(frozen=True)
class PriceKey:
    """What a price_no stands for; ``deck_row`` is the line of the rate deck that brought the price."""

    version_no: int
    tariff: Tariff
    row: Row
    row_no: int
    deck_row: int | None = None

    @property
    def named(self) -> str:
        """The price as people name it: tariff, row, and the line of the rate deck where one brought the price."""
        name = f"{self.tariff.version}/{self.row.code}"
        if self.deck_row is None:
            return name
        line = self.tariff.decks[self.row.deck].rows.row(self.deck_row, named=True)
        return f"{name}/{line['prefix']} {line['name'] or ''}".rstrip()


class PriceKeys(Mapping[int, PriceKey]):
    """What every price_no stands for. Iterating gives the rows of the tariffs; prices of decks are found by number."""

    def __init__(self) -> None:
        self._rows: dict[int, PriceKey] = {}
        self._pages: dict[int, tuple[int, int]] = {}

    def add(self, price_no: int, key: PriceKey) -> None:
        """A row of a tariff."""
        self._rows[price_no] = key

    def add_deck(self, row_no: int, first_price_no: int, count: int) -> None:
        """The prices of a deck under the row that names it; ``first_price_no`` begins a page."""
        for page in range(first_price_no // PAGE, (first_price_no + count - 1) // PAGE + 1):
            self._pages[page] = (row_no, first_price_no)

    def __getitem__(self, price_no: int) -> PriceKey:
        if price_no in self._rows:
            return self._rows[price_no]
        row_no, first = self._pages[price_no // PAGE]
        key = self._rows[row_no]
        if price_no - first >= len(key.tariff.decks[key.row.deck].rows):
            raise KeyError(price_no)
        return PriceKey(key.version_no, key.tariff, key.row, row_no, price_no - first)

    def __contains__(self, price_no: object) -> bool:
        return isinstance(price_no, int) and (price_no in self._rows or price_no // PAGE in self._pages)

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def pages(self) -> pl.DataFrame:
        """page, page_row: the tariff row of each page of deck prices."""
        rows = [(page, row_no) for page, (row_no, _first) in sorted(self._pages.items())]
        return pl.DataFrame(rows, schema={"page": pl.Int64, "page_row": pl.Int64}, orient="row")


@dataclass(frozen=True)
class Compiled:
    """Tariff versions as frames; ``windows``, ``groups`` and ``ranks`` are the most any row has, and size expressions.

    prices (by row): price_no, quantity_no, calendar_no, first, step, den, connect, minimum, cap, at<g>, step<g>,
    w<j>_from/until/days/first/price/price<g>, a<r>_no/cap/per · choices: plan_version, zone_no, (case_no), row_no,
    price_no, (via) · axes: by condition: plan_version, value, part · lookups: rate decks and prefixes of rows ·
    deck_prices: price_no, d_len, d_step, d_den, d_connect, d_first, d_price · prefixes: by length: prefix, zone_no ·
    plan_segments: by rank: plan_no, from_s, until_s, plan_version · holidays: holiday_key, kind.
    """

    prices: pl.DataFrame
    choices: pl.DataFrame
    axes: dict[str, pl.DataFrame]
    lookups: Lookups
    deck_prices: pl.DataFrame
    pages: pl.DataFrame
    prefixes: dict[int, pl.DataFrame]
    plan_segments: list[pl.DataFrame]
    holidays: pl.DataFrame
    keys: PriceKeys
    zone_codes: list[str]
    windows: int
    groups: int
    day_types: bool
    timed: bool
    window_steps: bool
    monthly: Monthly

    @cached_property
    def axis_columns(self) -> list[str]:
        """The columns of a call the conditions look at, in the order of ``axes``."""
        return [AXIS_COLUMNS[axis] for axis in self.axes]

    @cached_property
    def price_rows(self) -> dict[int, dict[str, int]]:
        """The rows of ``prices`` by row_no."""
        return {row["price_no"]: row for row in self.prices.iter_rows(named=True)}

    def price_row(self, price_no: int) -> dict[str, int]:
        """The price columns of a price, those of a rate deck's line put in."""
        key = self.keys[price_no]
        row = self.price_rows[key.row_no]
        if key.deck_row is None:
            return row
        found = self.deck_prices.row(by_predicate=pl.col("price_no") == price_no, named=True)
        put = {"first": "d_len", "step": "d_step", "den": "d_den", "connect": "d_connect"}
        for window in range(self.windows):
            put |= {f"w{window}_first": "d_first", f"w{window}_price": "d_price"}
            put |= {f"w{window}_step": "d_step"} if self.window_steps else {}
        return row | {ours: found[theirs] for ours, theirs in put.items()}


def compile_tariffs(
    versions: Mapping[int, Tariff],
    plans: Sequence[tuple[str, ...]],
    zones: Mapping[str, str],
) -> Compiled:
    """Lay out tariff versions (by number) and plans (tariff codes asked in order; plan_no is the index).

    Raises TariffNotValid for a tariff whose charges might not fit 63 bits, or where two rows price the same call.
    """
    zone_codes = sorted(set(zones.values()))
    zone_no = {code: number for number, code in enumerate(zone_codes)}
    windows = max((len(tariff.windows) for tariff in versions.values()), default=1)
    groups = 1 + max((len(row.then) for tariff in versions.values() for row in tariff.rows), default=0)
    window_steps = any(row.window_steps for tariff in versions.values() for row in tariff.rows)
    calendars, holidays = _calendars(versions)
    keys = PriceKeys()
    rows: list[dict[str, int]] = []
    decked: list[pl.DataFrame] = []
    deck_bases: dict[tuple[int, int], int] = {}
    for version_no, tariff in sorted(versions.items()):
        free = version_no * ROWS_PER_VERSION + PAGE
        for index, row in enumerate(tariff.rows):
            row_no = version_no * ROWS_PER_VERSION + index
            keys.add(row_no, PriceKey(version_no, tariff, row, row_no))
            priced = price_columns(row_no, tariff, row, windows, groups, calendars.get(version_no, -1), window_steps)
            rows.append(priced)
            if row.deck:
                deck_bases[version_no, index] = free
                decked.append(_deck_prices(keys, row_no, free, tariff, row))
                free += (len(decked[-1]) + PAGE - 1) // PAGE * PAGE
    choosing = {version_no: Choice(tariff) for version_no, tariff in versions.items()}
    segments, version_lists = plan_versions(versions, plans)
    try:
        choices, axes, strides = lay_out_choices(choosing, version_lists, zone_codes, deck_bases, ROWS_PER_VERSION)
    except NotClear as unclear:
        raise _not_clear(unclear) from unclear
    lookups = lay_out_lookups(choosing, version_lists, strides)
    return Compiled(
        prices=pl.DataFrame(rows, schema=price_schema(windows, groups, window_steps)),
        choices=choices,
        axes=axes,
        lookups=lookups,
        deck_prices=pl.concat(decked) if decked else pl.DataFrame(),
        pages=keys.pages(),
        prefixes=_prefixes(zones, zone_no),
        plan_segments=segments,
        holidays=holidays,
        keys=keys,
        zone_codes=zone_codes,
        windows=windows,
        groups=groups,
        day_types=any(w.days & ALL_DAYS != ALL_DAYS for tariff in versions.values() for w in tariff.windows)
        or bool(len(holidays)),
        window_steps=window_steps,
        timed=all(row["quantity_no"] == 0 for row in rows),
        monthly=compile_monthly(versions, lambda version_no, index: version_no * ROWS_PER_VERSION + index),
    )


def _deck_prices(keys: PriceKeys, row_no: int, first_price_no: int, tariff: Tariff, row: Row) -> pl.DataFrame:
    if row.deck not in tariff.decks:
        raise TariffNotValid(
            file=tariff.version, row=row.code, field="deck", problem=in_words("no_deck", row.deck), others=0
        )
    prices = deck_columns(first_price_no, tariff, row)
    if first_price_no + len(prices) > (row_no // ROWS_PER_VERSION + 1) * ROWS_PER_VERSION:
        raise TariffNotValid(
            file=tariff.version,
            row=row.code,
            field="deck",
            problem=in_words("deck_too_long", str(len(prices))),
            others=0,
        )
    keys.add_deck(row_no, first_price_no, max(len(prices), 1))
    return prices


def _not_clear(unclear: NotClear) -> TariffNotValid:
    words = in_words("not_clear", f"{unclear.others}; {unclear.situation}")
    return TariffNotValid(file="-", row=unclear.row or "-", field=unclear.field, problem=words, others=0)


def _calendars(versions: Mapping[int, Tariff]) -> tuple[dict[int, int], pl.DataFrame]:
    """The number of each version's calendar, equal ones once, and their days: calendar × 10^6 + day since 1970."""
    numbers: dict[tuple[tuple[int, int], ...], int] = {}
    found: dict[int, int] = {}
    for version_no, tariff in versions.items():
        if tariff.calendar:
            days = tuple(sorted(tariff.calendar_days.items()))
            found[version_no] = numbers.setdefault(days, len(numbers))
    rows = [(number * 10**6 + day, kind) for days, number in numbers.items() for day, kind in days]
    return found, pl.DataFrame(rows, schema={"holiday_key": pl.Int64, "day_bit": pl.Int64}, orient="row")


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
