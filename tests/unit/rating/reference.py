"""The slow, obviously right rater: plain integers, one call at a time, one block at a time. It shares no code with the
fast one but the tariff's own data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from server_api.billing.rating.tariff.model import Included, Row, Tariff, Window

DAY_S = 86_400


@dataclass(frozen=True)
class Call:
    """A call as the reference sees it: when on the town's clock, how long, to which zone."""

    usage_id: int
    owner: str
    month: int
    begin_local_s: int
    quantity: int
    zone: str
    free: bool = False


@dataclass
class Meter:
    """What each owner has left of each included package this month."""

    left: dict[tuple[str, int, str], int] = field(default_factory=dict)

    def draw(self, call: Call, included: Included, wanted: int) -> int:
        """Take whole counting units for ``wanted`` and say how much of it is covered."""
        key = (call.owner, call.month, included.code)
        left = self.left.setdefault(key, included.quantity)
        units = -(-wanted // included.counted_in) * included.counted_in
        taken = min(left, units)
        self.left[key] = left - taken
        return min(taken, wanted)


def row_for(tariff: Tariff, zone: str, inland: frozenset[str]) -> Row | None:
    """The row that names the zone, else all abroad, else everything."""
    for wanted in [zone] + ([] if zone in inland else ["international"]) + ["*"]:
        for row in tariff.rows:
            if wanted in row.zones:
                return row
    return None


def window_at(tariff: Tariff, local_s: int) -> Window:
    """The window of a moment on the town's clock; day 0 was a Thursday."""
    weekday = (local_s // DAY_S + 3) % 7
    for window in tariff.windows:
        if window.days >> weekday & 1 and window.from_s <= local_s % DAY_S < window.until_s:
            return window
    raise AssertionError("windows leave a gap")


def charge(tariff: Tariff, row: Row, begin_local_s: int, seconds: int) -> tuple[int, int]:
    """(blocks, micro-yuan) of a call by time, block by block."""
    if seconds <= 0:
        return 0, 0
    exact = Fraction(row.connect_micro_yuan)
    blocks, at = 0, 0
    while at < seconds:
        window = window_at(tariff, begin_local_s + at)
        if blocks == 0 and row.first:
            exact += row.first_prices_micro_yuan[window.code]
            at += row.first
        else:
            exact += Fraction(row.prices_micro_yuan[window.code] * row.step, row.per)
            at += row.step
        blocks += 1
    floored = exact.numerator // exact.denominator
    floored = max(floored, row.minimum_micro_yuan)
    if row.cap_micro_yuan is not None:
        floored = min(floored, row.cap_micro_yuan)
    return blocks, floored


def rate_all(
    tariff: Tariff, calls: Sequence[Call], inland: frozenset[str]
) -> dict[int, tuple[str | None, int, int, int]]:
    """(row code, covered, blocks, micro-yuan) by usage_id; included units go to calls in the order (begin, id)."""
    meter = Meter()
    found: dict[int, tuple[str | None, int, int, int]] = {}
    for call in sorted(calls, key=lambda one: (one.begin_local_s, one.usage_id)):
        row = row_for(tariff, call.zone, inland)
        if row is None:
            found[call.usage_id] = (None, 0, 0, 0)
            continue
        if call.free:
            found[call.usage_id] = (row.code, 0, 0, 0)
            continue
        rest = call.quantity
        for included in tariff.included:
            if row.code in included.rows:
                rest -= meter.draw(call, included, rest)
        covered = call.quantity - rest
        blocks, amount = charge(tariff, row, call.begin_local_s + covered, rest)
        found[call.usage_id] = (row.code, covered, blocks, amount)
    return found
