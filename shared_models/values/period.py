"""Calendar months and half-open spans of days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from shared_models.values.clock import town_midnight


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, stored as the integer yyyymm. Half-open: ``first_on`` <= day < ``until_on``."""

    yyyymm: int

    def __post_init__(self) -> None:
        if not (190001 <= self.yyyymm <= 999912 and 1 <= self.yyyymm % 100 <= 12):
            raise ValueError(f"not a month: {self.yyyymm}")

    @classmethod
    def of(cls, on: date) -> Month:
        return cls(on.year * 100 + on.month)

    @property
    def first_on(self) -> date:
        return _bounds(self.yyyymm)[0]

    @property
    def until_on(self) -> date:
        """The first day of the next month (exclusive end)."""
        return _bounds(self.yyyymm)[1]

    @property
    def days(self) -> int:
        first_on, until_on = _bounds(self.yyyymm)
        return (until_on - first_on).days

    @property
    def starts_at(self) -> datetime:
        return town_midnight(self.first_on)

    @property
    def ends_at(self) -> datetime:
        return town_midnight(self.until_on)

    def next(self) -> Month:
        return self.plus(1)

    def previous(self) -> Month:
        return self.plus(-1)

    def plus(self, months: int) -> Month:
        index = (self.yyyymm // 100) * 12 + self.yyyymm % 100 - 1 + months
        return Month(index // 12 * 100 + index % 12 + 1)

    def __str__(self) -> str:
        return f"{self.yyyymm // 100:04d}-{self.yyyymm % 100:02d}"


@lru_cache(maxsize=1024)
def _bounds(yyyymm: int) -> tuple[date, date]:
    """First day and exclusive end; kept, because a month run asks for its month's a dozen times a bill."""
    year, month = divmod(yyyymm, 100)
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)


@dataclass(frozen=True, slots=True, order=True)
class Days:
    """A half-open span of calendar days: ``from_on`` <= day < ``until_on``."""

    from_on: date
    until_on: date

    def __post_init__(self) -> None:
        if self.until_on < self.from_on:
            raise ValueError(f"a span cannot end before it begins: {self.from_on} .. {self.until_on}")

    @property
    def count(self) -> int:
        return (self.until_on - self.from_on).days

    def __iter__(self) -> Iterator[date]:
        for offset in range(self.count):
            yield self.from_on + timedelta(days=offset)

    def within(self, other: Days) -> Days | None:
        """The part of this span that lies in ``other``, or None where they do not meet."""
        from_on, until_on = max(self.from_on, other.from_on), min(self.until_on, other.until_on)
        return Days(from_on, until_on) if from_on < until_on else None
