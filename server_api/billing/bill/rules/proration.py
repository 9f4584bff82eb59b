"""Which part of a month's fee a part of the month costs. Exact fractions; nothing is rounded here.

Five situations, each with its own way. ``share_from(way, d)`` is the part of the month from day d to its end,
``share_until(way, e)`` the part before day e (e is the first day not served). D is the length of the month or cycle,
days are counted from its beginning:

| way          | from day d to the end         | before day e                              |
|--------------|-------------------------------|-------------------------------------------|
| none         | 0 (1 where d is the 1st)      | 0                                         |
| full         | 1                             | 1                                         |
| half         | 1 up to the 15th, else 1/2    | 1/2 where the last day is <= 15th, else 1 |
| actual_days  | (D - d + 1) / D               | (e - 1) / D                               |
| thirty_days  | (30 - d + 1) / 30, not < 0    | (e - 1) / 30, not > 1                     |

A piece that begins at d and ends at e costs share_from + share_until - 1, not below nothing; the pieces of one price
never cost more than one month together. At a change the old price loses exactly what the new one gets.

A cycle that a change of billing day made longer or shorter costs its days over the days it would have had (N) instead
of 1; within it none and full stay what they are, every other way counts actual days over N.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

WAYS = ("none", "full", "half", "actual_days", "thirty_days")
SITUATIONS = ("start", "change", "suspend", "resume", "stop")
_HALF_DAY = 15
_THIRTY = 30
ONE = Fraction(1)
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Proration:
    """How the month is charged in which something happens; each situation on its own."""

    start: str = "actual_days"
    change: str = "actual_days"
    suspend: str = "actual_days"
    resume: str = "actual_days"
    stop: str = "actual_days"
    #: True: the day of a stop or suspension is still charged.
    last_day_counts: bool = False

    def with_ways(self, **ways: str | bool) -> Proration:
        """The same with some situations otherwise. Raises ValueError for a way there is not."""
        for name, way in ways.items():
            if name != "last_day_counts" and way not in WAYS:
                raise ValueError(f"proration {name}: no such way: {way}; one of {', '.join(WAYS)}")
        return replace(self, **ways)  # type: ignore[arg-type]


def whole_share(days: int, nominal_days: int) -> Fraction:
    """What a whole cycle costs of a month's fee: 1 but where a change of billing day made it longer or shorter."""
    return ONE if days == nominal_days else Fraction(days, nominal_days)


def share_from(way: str, day: int, month_days: int, nominal_days: int = 0) -> Fraction:
    """The part of a month from ``day`` to its end.

    >>> share_from("actual_days", 17, 31), share_from("half", 16, 31), share_from("none", 2, 31)
    (Fraction(15, 31), Fraction(1, 2), Fraction(0, 1))
    """
    nominal_days = nominal_days or month_days
    if day <= 1 or way == "full":
        return whole_share(month_days, nominal_days)
    if way == "none":
        return ZERO
    if way == "actual_days" or month_days != nominal_days:
        return Fraction(month_days - day + 1, nominal_days)
    if way == "half":
        return ONE if day <= _HALF_DAY else Fraction(1, 2)
    return Fraction(max(0, _THIRTY - day + 1), _THIRTY)


def share_until(way: str, end_day: int, month_days: int, nominal_days: int = 0) -> Fraction:
    """The part of a month before ``end_day``, the first day not served (``month_days`` + 1 is the whole month).

    >>> share_until("actual_days", 11, 30), share_until("half", 16, 30), share_until("half", 17, 30)
    (Fraction(1, 3), Fraction(1, 2), Fraction(1, 1))
    """
    nominal_days = nominal_days or month_days
    if end_day > month_days:
        return whole_share(month_days, nominal_days)
    if end_day <= 1 or way == "none":
        return ZERO
    if way == "full":
        return whole_share(month_days, nominal_days)
    if way == "actual_days" or month_days != nominal_days:
        return Fraction(end_day - 1, nominal_days)
    if way == "half":
        return Fraction(1, 2) if end_day - 1 <= _HALF_DAY else ONE
    return min(ONE, Fraction(end_day - 1, _THIRTY))


def share_of_piece(share_in: Fraction, share_out: Fraction, whole: Fraction = ONE) -> Fraction:
    """The part a piece costs that begins late and ends early; never below nothing."""
    return max(ZERO, share_in + share_out - whole)
