"""Calendar months, billing cycles and half-open spans of days."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
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
    def nominal_days(self) -> int:
        """What a whole month is measured by; see ``Cycle``."""
        return self.days

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
class Cycle:
    """A billing cycle, named by the month it starts in. Half-open like a month: ``first_on`` <= day < ``until_on``.

    ``nominal_days`` is how long it would be had the billing day not changed at its end: a cycle that a change of day
    made longer or shorter costs days / nominal days of a month.
    """

    yyyymm: int
    first_on: date
    until_on: date
    nominal_days: int

    @classmethod
    def of(cls, yyyymm: int, billing_days: Sequence[tuple[int, int]]) -> Cycle:
        """The cycle of a month under (from month, billing day) pairs in order of month; day 1 before the first.

        A day the month does not have is its last, so day 31 starts on the 30th of April and the 28th of February; each
        cycle is counted from the day agreed, never from the cycle before.

        >>> str(Cycle.of(202601, ((202601, 31),)))
        '2026-01-31 .. 2026-02-27'
        >>> Cycle.of(202602, ((202603, 16),)).days, Cycle.of(202602, ((202603, 16),)).nominal_days
        (43, 28)
        """
        return _cycle(yyyymm, tuple(billing_days))

    @property
    def days(self) -> int:
        return (self.until_on - self.first_on).days

    @property
    def starts_at(self) -> datetime:
        return town_midnight(self.first_on)

    @property
    def ends_at(self) -> datetime:
        return town_midnight(self.until_on)

    def __str__(self) -> str:
        return f"{self.first_on} .. {self.until_on - timedelta(days=1)}"


@lru_cache(maxsize=4096)
def _cycle(yyyymm: int, billing_days: tuple[tuple[int, int], ...]) -> Cycle:
    month, following = Month(yyyymm), Month(yyyymm).next()
    day = day_in_force(yyyymm, billing_days)
    first_on = _on_day(month, day)
    until_on = _on_day(following, day_in_force(following.yyyymm, billing_days))
    return Cycle(yyyymm, first_on, until_on, (_on_day(following, day) - first_on).days)


def cycle_label(on: date, billing_days: Sequence[tuple[int, int]] = ()) -> int:
    """The month (yyyymm) whose cycle a day lies in.

    >>> cycle_label(date(2026, 3, 5)), cycle_label(date(2026, 3, 5), ((202601, 16),))
    (202603, 202602)
    """
    month = Month.of(on)
    if not billing_days or on >= Cycle.of(month.yyyymm, billing_days).first_on:
        return month.yyyymm
    return month.previous().yyyymm


def day_in_force(yyyymm: int, billing_days: Sequence[tuple[int, int]]) -> int:
    """The billing day (1..31) of the cycle of a month. Raises ValueError for a day there is not."""
    day = 1
    for from_month, each in billing_days:
        if from_month <= yyyymm:
            day = each
    if not 1 <= day <= 31:
        raise ValueError(f"not a billing day: {day}")
    return day


def closing_day(yyyymm: int, billing_days: Sequence[tuple[int, int]]) -> int:
    """The day (1..31) of the following month that ends the cycle of a month: which run bills it.

    >>> closing_day(202603, ((202601, 16),)), closing_day(202603, ((202604, 16),)), closing_day(202603, ())
    (16, 16, 1)
    """
    return day_in_force(Month(yyyymm).next().yyyymm, billing_days) if billing_days else 1


def cycle_end(yyyymm: int, day: int) -> date:
    """The first day after the cycles of a month that end on this billing day."""
    return _on_day(Month(yyyymm).next(), day)


def _on_day(month: Month, day: int) -> date:
    year, number = divmod(month.yyyymm, 100)
    return date(year, number, min(day, monthrange(year, number)[1]))


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
