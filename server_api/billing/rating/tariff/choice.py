"""Which row prices a call: the narrowest whose conditions hold. Pure.

A row is compared with another in each respect on its own: the destination (its own prefix, the longer the narrower;
then a rate deck's prefix; the zone by name; ``international``; ``*``), the caller's zone, the trunk groups, the call
type (named is narrower than not named). The row that is at least as narrow in every respect wins; where two rows are
each narrower in one respect, or equally narrow in all, the tariff is refused, unless ``priority`` decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

from server_api.billing.rating.tariff.model import ABROAD, ANY_ZONE, Row, Tariff
from server_api.billing.rating.tariff.reader import zone_level
from server_api.billing.rating.zones import INLAND

#: What tells calls apart beside their destination: the field of a row, in this order.
ORIGIN, IN_TRUNK, OUT_TRUNK, CALL_TYPE = "from_zones", "in_trunks", "out_trunks", "call_types"
AXES = (ORIGIN, IN_TRUNK, OUT_TRUNK, CALL_TYPE)
MOST_SITUATIONS = 100_000
_DECK_LEVEL, _OWN_PREFIX_LEVEL = 4, 5
#: A region no tariff names.
_ELSEWHERE = "ZZ"
Value = str | int | None


class NotClear(Exception):
    """Two rows could price the same call (``others`` None: there are too many cases to tell apart)."""

    def __init__(self, row: str, others: str | None, field: str, situation: str) -> None:
        super().__init__(row, others, situation)
        self.row, self.others, self.field, self.situation = row, others, field, situation


@dataclass(frozen=True)
class Situation:
    """A kind of call: the zone it goes to, what each prefix table says (0 nothing), and a value on each axis."""

    zone: str | None
    groups: tuple[int, ...]
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Lookup:
    """A table of prefixes of a tariff: a rate deck, or the rows' own prefixes (``deck`` empty). A prefix belongs to a
    group from 1 on; ``groups`` has the rows of each with how narrow the prefix names them."""

    deck: str
    groups: tuple[tuple[tuple[int, int], ...], ...]
    prefixes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Axis:
    """Values that no row tells apart are one class; class 0 is every value not named."""

    name: str
    class_of: dict[Value, int]
    examples: tuple[Value, ...]


class Choice:
    """The rows of one tariff and which of them wins."""

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff
        self.by_zone: dict[str, list[int]] = {}
        for index, row in enumerate(tariff.rows):
            for zone in row.zones:
                self.by_zone.setdefault(zone, []).append(index)
        self.lookups = _lookups(tariff.rows)
        self.used = frozenset(axis for axis in AXES if any(getattr(row, axis) for row in tariff.rows))

    def best(self, case: Situation) -> tuple[int, int] | None:
        """(row, lookup that named it or -1) of the row that prices a case. Raises NotClear."""
        found = self._holding(case)
        if not found:
            return None
        highest = max(self.tariff.rows[index].priority for index in found)
        levels = {index: one for index, one in found.items() if self.tariff.rows[index].priority == highest}
        best = max(levels, key=lambda index: levels[index][0])
        for index, (narrow, _via) in levels.items():
            if index != best and (narrow == levels[best][0] or any(map(int.__lt__, levels[best][0], narrow))):
                raise self._not_clear(best, index, levels[best][0] == narrow, case)
        return best, levels[best][1]

    def _holding(self, case: Situation) -> dict[int, tuple[tuple[int, ...], int]]:
        """The rows that hold in a case: how narrow they are in each respect, and by which lookup."""
        zones = [(1, ANY_ZONE)]
        if case.zone is not None:
            zones += [(3, case.zone)] if case.zone in INLAND else [(2, ABROAD), (3, case.zone)]
        named: dict[int, tuple[int, int]] = {}
        for level, zone in zones:
            named |= dict.fromkeys(self.by_zone.get(zone, ()), (level, -1))
        for via, (lookup, group) in enumerate(zip(self.lookups, case.groups, strict=True)):
            for index, level in lookup.groups[group - 1] if group else ():
                named[index] = max(named.get(index, (0, -1)), (level, via))
        found = {}
        for index, (level, via) in named.items():
            narrow = self._conditions(self.tariff.rows[index], case)
            if narrow is not None:
                found[index] = ((level, *narrow), via)
        return found

    def _conditions(self, row: Row, case: Situation) -> tuple[int, ...] | None:
        if not self.used:
            return ()
        narrow = []
        for axis, value in zip(AXES, case.values, strict=True):
            wanted = getattr(row, axis)
            level = 0
            if wanted:
                level = zone_level(wanted, value, INLAND) if axis == ORIGIN else int(value in wanted)  # type: ignore[arg-type]
                if not level:
                    return None
            narrow.append(level)
        return tuple(narrow)

    def _not_clear(self, one: int, other: int, same: bool, case: Situation) -> NotClear:
        first, second = (self.tariff.rows[index].code for index in sorted((one, other)))
        row = self.tariff.rows[max(one, other)]
        conditions = any(getattr(row, axis) for axis in AXES)
        field = "zones" if any(case.zone == zone or zone in (ABROAD, ANY_ZONE) for zone in row.zones) else "prefixes"
        if row.deck and not row.zones and not row.prefixes:
            field = "deck"
        where = [str(case.zone or ANY_ZONE)]
        where += [f"{axis}={value}" for axis, value in zip(AXES, case.values, strict=True) if value is not None]
        return NotClear(second, first, field if same and not conditions else "priority", ", ".join(where))

    def check(self) -> None:
        """Look at every kind of call. Raises NotClear."""
        zones = [*self.by_zone, *INLAND, _ELSEWHERE]
        origins = [zone for row in self.tariff.rows for zone in row.from_zones]
        axes = axes_of([self], [*origins, *INLAND, _ELSEWHERE])
        kinds = {self.zone_kind(zone): zone for zone in zones if zone not in (ABROAD, ANY_ZONE)}
        cases = situation_count([self], axes) * (len(kinds) + 1)
        if cases > MOST_SITUATIONS:
            raise NotClear("", None, "rows", str(cases))
        for _groups, _classes, case in situations([self], axes):
            for zone in (*kinds.values(), None):
                self.best(Situation(zone, *case))

    def zone_kind(self, zone: str | None) -> tuple[object, ...]:
        """What tells a zone apart from others in this tariff."""
        return (tuple(self.by_zone.get(zone or "", ())), zone in INLAND, zone is None)


def _lookups(rows: Sequence[Row]) -> tuple[Lookup, ...]:
    """The rows' own prefixes first, then the decks in the order they are named."""
    own: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        for prefix in row.prefixes:
            own.setdefault(prefix, []).append(index)
    found: list[Lookup] = []
    if own:
        groups: dict[tuple[tuple[int, int], ...], int] = {}
        prefixes = {}
        for prefix in own:
            heads = [prefix[:length] for length in range(1, len(prefix) + 1) if prefix[:length] in own]
            levels: dict[int, int] = {}
            for head in heads:
                levels |= dict.fromkeys(own[head], _OWN_PREFIX_LEVEL + len(head))
            prefixes[prefix] = groups.setdefault(tuple(sorted(levels.items())), len(groups) + 1)
        found.append(Lookup("", tuple(groups), prefixes))
    for code in dict.fromkeys(row.deck for row in rows if row.deck):
        naming = tuple((index, _DECK_LEVEL) for index, row in enumerate(rows) if row.deck == code)
        found.append(Lookup(code, (naming,)))
    return tuple(found)


def axes_of(choices: Sequence[Choice], origins: Iterable[str]) -> tuple[Axis, ...]:
    """The classes of values the tariffs tell apart on each axis; an axis nobody names has class 0 only."""
    found = []
    for axis in AXES:
        naming = [row for choice in choices for row in choice.tariff.rows if getattr(row, axis)]
        if axis == ORIGIN:
            values: list[Value] = [zone for zone in dict.fromkeys(origins) if zone not in (ABROAD, ANY_ZONE)]
        else:
            values = list(dict.fromkeys(value for row in naming for value in getattr(row, axis)))

        def kind(value: Value, axis: str = axis, naming: list[Row] = naming) -> tuple[int, ...]:
            if axis == ORIGIN:
                return tuple(zone_level(row.from_zones, value, INLAND) for row in naming)  # type: ignore[arg-type]
            return tuple(int(value in getattr(row, axis)) for row in naming)

        classes: dict[tuple[int, ...], int] = {kind(None): 0}
        examples: list[Value] = [None]
        class_of: dict[Value, int] = {}
        for value in values if naming else ():
            number = classes.setdefault(kind(value), len(classes))
            if number == len(examples):
                examples.append(value)
            class_of[value] = number
        found.append(Axis(axis, class_of, tuple(examples)))
    return tuple(found)


def situation_count(choices: Sequence[Choice], axes: Sequence[Axis]) -> int:
    """How many cases there are beside the zones."""
    lookups = prod(len(lookup.groups) + 1 for choice in choices for lookup in choice.lookups)
    return lookups * prod(len(axis.examples) for axis in axes)


def situations(
    choices: Sequence[Choice], axes: Sequence[Axis]
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, ...], tuple[Value, ...]]]]:
    """Every case beside the zones: group of each lookup, class on each axis, and (groups, values) of a Situation."""
    groups = [range(len(lookup.groups) + 1) for choice in choices for lookup in choice.lookups]
    for some in product(*groups):
        for classes in product(*(range(len(axis.examples)) for axis in axes)):
            values = tuple(axis.examples[number] for axis, number in zip(axes, classes, strict=True))
            yield some, classes, (some, values)
