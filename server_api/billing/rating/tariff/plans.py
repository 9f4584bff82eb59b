"""Plans as frames: which tariff versions are asked when, and which row each kind of call gets. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import prod

import polars as pl

from server_api.billing.rating.tariff.choice import (
    AXES,
    MOST_SITUATIONS,
    ORIGIN,
    Axis,
    Choice,
    NotClear,
    Situation,
    axes_of,
    situation_count,
    situations,
)
from server_api.billing.rating.tariff.model import DAY_S, Tariff

#: The column of a call that each condition looks at.
AXIS_COLUMNS = dict(zip(AXES, ("origin_no", "in_trunk", "out_trunk", "call_type"), strict=True))


def plan_versions(
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
            spans[rank].append((plan_no, _second(on), _second(until) if until else 2**62, len(lists)))
            lists.append(numbers)
    schema = {"plan_no": pl.Int64, "from_s": pl.Int64, "until_s": pl.Int64, "plan_version": pl.Int64}
    return [pl.DataFrame(rows, schema=schema, orient="row") for rows in spans] or [pl.DataFrame(schema=schema)], lists


def _second(on: date) -> int:
    return (on - date(1970, 1, 1)).days * DAY_S


def strides(choices: Sequence[Choice], axes: Sequence[Axis]) -> tuple[list[int], list[int]]:
    """What a lookup's group and an axis's class count for in the number of a case."""
    sizes = [len(lookup.groups) + 1 for choice in choices for lookup in choice.lookups]
    sizes += [len(axis.examples) for axis in axes]
    found = [prod(sizes[at + 1 :]) for at in range(len(sizes))]
    lookups = len(sizes) - len(axes)
    return found[:lookups], found[lookups:]


def lay_out_choices(
    choosing: Mapping[int, Choice],
    version_lists: Sequence[tuple[int, ...]],
    zone_codes: Sequence[str],
    deck_bases: Mapping[tuple[int, int], int],
    rows_per_version: int,
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame], list[list[int]]]:
    """The row for each plan version, zone and case; the part of a case's number each named value stands for; and by
    plan version what a group of each lookup counts for in it.

    Raises NotClear where a plan tells too many cases apart.
    """
    used = {axis for choice in choosing.values() for axis in choice.used}
    decked = any(choice.lookups for choice in choosing.values())
    rows: list[tuple[int | None, ...]] = []
    parts: dict[str, list[tuple[int, int, int]]] = {axis: [] for axis in AXES if axis in used}
    counted: list[list[int]] = []
    zone_no = {code: number for number, code in enumerate(zone_codes)}
    for plan_version, numbers in enumerate(version_lists):
        choices = [choosing[number] for number in numbers]
        axes = axes_of(choices, zone_codes)
        if situation_count(choices, axes) > MOST_SITUATIONS:
            raise NotClear("", None, "rows", ", ".join(choice.tariff.version for choice in choices))
        kinds: dict[tuple[object, ...], list[int]] = {}
        for zone in (None, *zone_codes):
            kind = tuple(choice.zone_kind(zone) for choice in choices)
            kinds.setdefault(kind, []).append(zone_no[zone] if zone is not None else -1)
        group_strides, axis_strides = strides(choices, axes)
        counted.append(group_strides)
        for groups, classes, (some, values) in situations(choices, axes):
            case_no = sum(a * b for a, b in zip((*groups, *classes), (*group_strides, *axis_strides), strict=True))
            for zones in kinds.values():
                zone = zone_codes[zones[0]] if zones[0] >= 0 else None
                found = _asked(choices, numbers, zone, some, values, deck_bases, rows_per_version)
                if found:
                    rows += [(plan_version, number, case_no, *found) for number in zones]
        for axis, stride in zip(axes, axis_strides, strict=True):
            if axis.name in used and len(axis.examples) > 1:
                named = ((zone_no[str(v)] if axis.name == ORIGIN else v, n) for v, n in axis.class_of.items() if n)
                parts[axis.name] += [(plan_version, int(value or 0), stride * number) for value, number in named]
    names = ("plan_version", "zone_no", "case_no", "row_no", "price_no", "via")
    choices_frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64), orient="row")
    if not decked:
        choices_frame = choices_frame.drop("via")
    if not decked and not used:
        choices_frame = choices_frame.drop("case_no")
    return choices_frame, {axis: _part_frame(axis, found) for axis, found in parts.items()}, counted


def _part_frame(axis: str, rows: list[tuple[int, int, int]]) -> pl.DataFrame:
    names = ("plan_version", AXIS_COLUMNS[axis], "part")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64), orient="row")


def _asked(
    choices: Sequence[Choice],
    numbers: Sequence[int],
    zone: str | None,
    groups: Sequence[int],
    values: tuple[str | int | None, ...],
    deck_bases: Mapping[tuple[int, int], int],
    rows_per_version: int,
) -> tuple[int, int, int] | None:
    """(row_no, price_no, lookup of the plan or -1) by the first tariff that has a row for the case."""
    at = 0
    for choice, version_no in zip(choices, numbers, strict=True):
        own = tuple(groups[at : at + len(choice.lookups)])
        best = choice.best(Situation(zone, own, values))
        if best:
            index, via = best
            row_no = version_no * rows_per_version + index
            if via >= 0 and choice.lookups[via].deck:
                return row_no, deck_bases[version_no, index], at + via
            return row_no, row_no, -1
        at += len(choice.lookups)
    return None
