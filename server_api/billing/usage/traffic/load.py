"""How busy trunk groups were: calls, answers, seconds and erlangs, by month, hour of the day or type of call. Pure.

An erlang is one circuit held all through an hour. The busy hour is the hour of the day with the greatest mean over the
days of the month (time-consistent busy hour); the peak is the single busiest hour.

**Source:** the terms of ITU-T E.600.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_HOUR_S = 3_600


@dataclass
class TrunkLoad:
    """A trunk group in one direction. Loads are in thousandths of an erlang, rounded down."""

    switch: str
    trunk_no: int
    direction: int
    call_count: int = 0
    answered_count: int = 0
    talked_s: int = 0
    held_s: int = 0
    by_hour: dict[int, int] = field(default_factory=dict)

    def add(self, row: Any) -> None:
        """Count a row of the statistics."""
        self.call_count += int(row.call_count)
        self.answered_count += int(row.answered_count)
        self.talked_s += int(row.talked_s)
        self.held_s += int(row.held_s)
        self.by_hour[int(row.hour_no)] = self.by_hour.get(int(row.hour_no), 0) + int(row.held_s)

    @property
    def answered_per_mille(self) -> int:
        """Answered of a thousand calls."""
        return self.answered_count * 1000 // self.call_count if self.call_count else 0

    @property
    def peak(self) -> tuple[int, int]:
        """The busiest hour (yyyymmddhh) and its load; the first of equals."""
        hour = min(self.by_hour, key=lambda one: (-self.by_hour[one], one))
        return hour, self.by_hour[hour] * 1000 // _HOUR_S

    def busy(self, days: int) -> tuple[int, int]:
        """The busy hour (0 to 23) over so many days, and its mean load."""
        held = [0] * 24
        for hour_no, seconds in self.by_hour.items():
            held[hour_no % 100] += seconds
        hour = max(range(24), key=lambda one: (held[one], -one))
        return hour, held[hour] * 1000 // (_HOUR_S * days)


def trunk_loads(rows: Iterable[Any], *, whole_offices: bool = False) -> list[TrunkLoad]:
    """The loads of a month's trunk groups, in order of switch, trunk group and direction; or of whole exchanges, with
    trunk group 0."""
    found: dict[tuple[str, int, int], TrunkLoad] = {}
    for row in rows:
        key = (row.switch_code, 0 if whole_offices else int(row.trunk_no), int(row.direction))
        found.setdefault(key, TrunkLoad(*key)).add(row)
    return [found[key] for key in sorted(found)]


def by_hour_of_day(rows: Iterable[Any]) -> list[tuple[str, int, int, int, int, int, int, int]]:
    """(switch, trunk group, direction, hour of the day, calls, answered, talked_s, held_s), in that order."""
    found: dict[tuple[str, int, int, int], list[int]] = {}
    for row in rows:
        key = (row.switch_code, int(row.trunk_no), int(row.direction), int(row.hour_no) % 100)
        sums = found.setdefault(key, [0, 0, 0, 0])
        for at, name in enumerate(("call_count", "answered_count", "talked_s", "held_s")):
            sums[at] += int(getattr(row, name))
    return [(*key, *found[key]) for key in sorted(found)]  # type: ignore[misc]
