"""The slow, obviously right rater: plain integers, one call at a time, one block at a time. It shares no code with the
fast one but the tariff's own data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from server_api.billing.rating.tariff.model import Included, Quantity, Row, Tariff, Window

DAY_S = 86_400


@dataclass(frozen=True)
class Call:
    """A call as the reference sees it: when on the town's clock, how long, to which zone, and what conditions ask."""

    usage_id: int
    owner: str
    month: int
    begin_local_s: int
    quantity: int
    zone: str
    free: bool = False
    called: str = ""
    origin: str = ""
    in_trunk: int = 0
    out_trunk: int = 0
    call_type: int = 0


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


@dataclass(frozen=True)
class Line:
    """A line of a rate deck."""

    prefix: str
    price_micro_yuan: int
    first_price_micro_yuan: int | None
    connect_micro_yuan: int
    first: int
    step: int


def level_of_zone(named: Sequence[str], zone: str, inland: frozenset[str]) -> int:
    """How narrowly zones name a zone: by its code, as abroad, as any; 0 not at all."""
    if zone and zone in named:
        return 3
    if zone and zone not in inland and "international" in named:
        return 2
    return 1 if "*" in named else 0


def levels(tariff: Tariff, row: Row, call: Call, inland: frozenset[str]) -> tuple[int, ...] | None:
    """How narrowly a row names a call in each respect; nothing where it does not hold."""
    places = [10 + len(prefix) for prefix in row.prefixes if call.called.startswith(prefix)]
    if row.deck and line_of(tariff, row, call):
        places.append(5)
    places.append(level_of_zone(row.zones, call.zone, inland))
    origin = level_of_zone(row.from_zones, call.origin, inland) if row.from_zones else 0
    if not max(places) or (row.from_zones and not origin):
        return None
    found = [max(places), origin]
    for named, value in (
        (row.in_trunks, call.in_trunk),
        (row.out_trunks, call.out_trunk),
        (row.call_types, call.call_type),
    ):
        if named and value not in named:
            return None
        found.append(1 if named else 0)
    return tuple(found)


def row_for(tariff: Tariff, call: Call, inland: frozenset[str]) -> Row | None:
    """The row that holds and is at least as narrow as every other in every respect, of the highest priority."""
    holding = [(row, levels(tariff, row, call, inland)) for row in tariff.rows]
    found = [(row, level) for row, level in holding if level is not None]
    if not found:
        return None
    highest = max(row.priority for row, _level in found)
    found = [(row, level) for row, level in found if row.priority == highest]
    best = [
        row
        for row, level in found
        if all(all(a >= b for a, b in zip(level, other, strict=True)) for _r, other in found)
    ]
    assert len(best) == 1, "two rows price the same call"
    return best[0]


def line_of(tariff: Tariff, row: Row, call: Call) -> Line | None:
    """The line of the row's deck with the longest prefix that is in force at the call's start."""
    day = call.begin_local_s // DAY_S
    best: Line | None = None
    for line in tariff.decks[row.deck].rows.iter_rows(named=True):
        begun = line["from_day"] is None or line["from_day"] <= day
        ended = line["until_day"] is not None and line["until_day"] <= day
        prefix = str(line["prefix"])
        if begun and not ended and call.called.startswith(prefix) and (best is None or len(prefix) > len(best.prefix)):
            step = line["step"] or row.step
            first = line["first"] or row.first or step
            best = Line(prefix, line["price"], line["first_price"], line["connect"], first, step)
    return best


def window_at(tariff: Tariff, local_s: int) -> Window:
    """The window of a moment on the town's clock; day 0 was a Thursday."""
    day = local_s // DAY_S
    bit = tariff.calendar_days.get(day, 1 << (day + 3) % 7)
    for window in tariff.windows:
        if window.days & bit and window.from_s <= local_s % DAY_S < window.until_s:
            return window
    raise AssertionError("windows leave a gap")


def block_at(row: Row, line: Line | None, at: int, code: str) -> tuple[int, int, int]:
    """Length and price of the block that begins at a point of the call, in the window; the price as a / b."""
    if line is not None:
        length = line.first if at == 0 else line.step
        if at == 0 and line.first_price_micro_yuan is not None:
            return length, line.first_price_micro_yuan, 1
        return length, line.price_micro_yuan * length, row.per
    if at == 0 and row.first:
        return row.first, row.first_prices_micro_yuan[code], 1
    step = row.window_steps.get(code, row.step)
    per, prices = row.per or step, row.prices_micro_yuan
    for group in row.then:
        if at >= group.after:
            step, per, prices = group.step, group.per, group.prices_micro_yuan
    return step, prices[code] * step, per


def charge(tariff: Tariff, row: Row, begin_local_s: int, quantity: int, line: Line | None = None) -> tuple[int, int]:
    """(blocks, micro-yuan) of a call, block by block; what is no time is all used at the beginning."""
    if quantity <= 0:
        return 0, 0
    timed = (row.quantity or tariff.quantity) is Quantity.SECONDS
    sums: dict[int, int] = {}
    blocks, at = 0, 0
    while at < quantity:
        length, price, per = block_at(row, line, at, window_at(tariff, begin_local_s + (at if timed else 0)).code)
        sums[per] = sums.get(per, 0) + price
        at += length
        blocks += 1
    exact = Fraction(line.connect_micro_yuan if line else row.connect_micro_yuan)
    exact += sum(Fraction(price, per) for per, price in sums.items())
    exact = exact * row.adjust_ppm / 1_000_000
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
        row = row_for(tariff, call, inland)
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
        line = line_of(tariff, row, call) if row.deck else None
        blocks, amount = charge(tariff, row, call.begin_local_s + covered, rest, line)
        found[call.usage_id] = (row.code, covered, blocks, amount)
    return found
