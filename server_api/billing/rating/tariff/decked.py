"""Rate decks and the rows' own prefixes as tables to look a called number up in: one equi-join a length. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from server_api.billing.rating.tariff.choice import Choice, Lookup
from server_api.billing.rating.tariff.model import DAY_S
from server_api.billing.rating.zones import NUMBER_DIGITS

#: A prefix in a table is table × this + prefix: one key, one join.
TABLE_SPAN = 10**NUMBER_DIGITS
_NAMES = ("table_key", "length", "place", "group", "place_from_s", "place_until_s")
_EVER = (-(2**62), 2**62)


@dataclass(frozen=True)
class Lookups:
    """``count`` lookups a plan has at most. plans: plan_version, table<k>, stride<k> · tables: by length, frames of
    (table_key, place, group) of which each holds a key once, with (place_from_s, place_until_s) where ``dated``."""

    count: int = 0
    dated: bool = False
    plans: pl.DataFrame = field(default_factory=pl.DataFrame)
    tables: dict[int, list[pl.DataFrame]] = field(default_factory=dict)


def lay_out_lookups(
    choosing: Mapping[int, Choice], version_lists: Sequence[tuple[int, ...]], counted: Sequence[Sequence[int]]
) -> Lookups:
    """The prefix tables of all plans, a deck used by several of them once. ``counted``: strides by plan version."""
    numbers: dict[object, int] = {}
    frames: list[pl.DataFrame] = []
    plans: list[tuple[list[int], Sequence[int]]] = []
    for versions, strides in zip(version_lists, counted, strict=True):
        tables: list[int] = []
        for version_no in versions:
            tariff = choosing[version_no].tariff
            for lookup in choosing[version_no].lookups:
                key: object = id(tariff.decks[lookup.deck]) if lookup.deck else version_no
                if key not in numbers:
                    numbers[key] = len(numbers)
                    rows = tariff.decks[lookup.deck].rows if lookup.deck else None
                    frames.append(_own(lookup, numbers[key]) if rows is None else _deck(rows, numbers[key]))
                tables.append(numbers[key])
        plans.append((tables, strides))
    if not frames:
        return Lookups()
    count = max(len(tables) for tables, _ in plans)
    rows_by_plan = [
        (plan_version, *_padded(tables, count), *_padded(list(strides), count))
        for plan_version, (tables, strides) in enumerate(plans)
    ]
    names = ("plan_version", *(f"table{k}" for k in range(count)), *(f"stride{k}" for k in range(count)))
    whole = pl.concat(frames)
    dated = bool(
        whole.select((pl.col("place_from_s") > _EVER[0]).any() | (pl.col("place_until_s") < _EVER[1]).any()).item()
    )
    return Lookups(
        count, dated, pl.DataFrame(rows_by_plan, schema=dict.fromkeys(names, pl.Int64), orient="row"),
        _by_length(whole, dated),
    )  # fmt: skip


def _padded(values: list[int], count: int) -> list[int | None]:
    return [*values, *[None] * (count - len(values))]


def _own(lookup: Lookup, number: int) -> pl.DataFrame:
    """The prefixes rows name themselves; their prices are the rows' own."""
    rows = [(number * TABLE_SPAN + int(p), len(p), 0, group, *_EVER) for p, group in lookup.prefixes.items()]
    return pl.DataFrame(rows, schema=dict.fromkeys(_NAMES, pl.Int64), orient="row")


def _deck(rows: pl.DataFrame, number: int) -> pl.DataFrame:
    return rows.select(
        table_key=pl.col("prefix") + number * TABLE_SPAN,
        length=pl.col("length").cast(pl.Int64),
        place=pl.int_range(pl.len(), dtype=pl.Int64),
        group=pl.lit(1, dtype=pl.Int64),
        place_from_s=(pl.col("from_day").cast(pl.Int64) * DAY_S).fill_null(_EVER[0]),
        place_until_s=(pl.col("until_day").cast(pl.Int64) * DAY_S).fill_null(_EVER[1]),
    )


def _by_length(whole: pl.DataFrame, dated: bool) -> dict[int, list[pl.DataFrame]]:
    """Frames of keys that occur once each: a prefix with several prices by date is in as many frames."""
    found: dict[int, list[pl.DataFrame]] = {}
    for (length,), frame in sorted(whole.group_by("length")):
        if dated:
            numbered = frame.sort("table_key", "place_from_s").with_columns(
                turn=pl.int_range(pl.len()).over("table_key")
            )
            parts = [part.drop("turn", "length") for part in numbered.partition_by("turn", maintain_order=True)]
        else:
            parts = [frame.drop("length", "place_from_s", "place_until_s")]
        found[int(str(length))] = parts
    return found
