"""Holiday calendars: which days a tariff prices as holidays, and which weekends are working days made up for. Pure.

A CSV file with the columns day, kind and name. kind is ``holiday``; ``workday`` (counts as a Monday: 调休); or the
weekday (mon … sun) the day counts as.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from server_api.billing.rating.tariff.model import HOLIDAY
from server_api.billing.rating.tariff.reader import in_words
from shared_models.values.faults.rating import CalendarNotValid

#: The kinds of day and the bit of ``Window.days`` each stands for.
KINDS = {"holiday": HOLIDAY, "workday": 1} | {
    name: 1 << bit for bit, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
}
_COLUMNS = ("day", "kind", "name")


@dataclass(frozen=True)
class CalendarDay:
    """A day that is not what its weekday says."""

    on: date
    kind: str
    name: str = ""


@dataclass(frozen=True)
class Calendar:
    """Named days; every other day is its weekday."""

    code: str
    days: tuple[CalendarDay, ...] = field(default_factory=tuple)

    @property
    def bits(self) -> dict[int, int]:
        """Day number since 1970 to the bit of ``Window.days`` it counts as."""
        return {(one.on - date(1970, 1, 1)).days: KINDS[one.kind] for one in self.days}


def read_calendar(path: Path, code: str | None = None) -> Calendar:
    """Read a calendar; its code is the file's name unless given. Raises CalendarNotValid naming the first problem."""
    problems: list[tuple[int, str, str, str]] = []
    days: dict[date, CalendarDay] = {}
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    lines = csv.reader(line for line in text.splitlines() if not line.startswith("#"))
    heading = [cell.strip().lower() for cell in next(lines, [])]
    for name in _COLUMNS[:2]:
        if name not in heading:
            problems.append((1, name, "deck_column", name))
    for number, row in enumerate(lines, start=2) if not problems else ():
        cells = dict(zip(heading, (cell.strip() for cell in row), strict=False))
        if not any(cells.values()):
            continue
        try:
            on = date.fromisoformat(cells.get("day", ""))
        except ValueError:
            problems.append((number, "day", "day", cells.get("day", "")))
            continue
        kind = cells.get("kind", "")
        if kind not in KINDS:
            problems.append((number, "kind", "day_kind", kind))
        if on in days:
            problems.append((number, "day", "day_double", on.isoformat()))
        days[on] = CalendarDay(on, kind, cells.get("name", ""))
    if problems:
        line, column, problem, value = problems[0]
        words = in_words(problem, value)
        raise CalendarNotValid(file=path.name, row=line, field=column, problem=words, others=len(problems) - 1)
    return Calendar(code or path.stem, tuple(days[on] for on in sorted(days)))
