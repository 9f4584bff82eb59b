"""The slow, obviously right month: what a call costs because of what else was used, one call at a time, plain integers.

It shares no code with the fast one but the tariff's own data. What a call costs by itself is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from server_api.billing.rating.tariff.allowance import Included, Scope, TierKind, Tiers
from server_api.billing.rating.tariff.model import Row, Tariff


@dataclass(frozen=True)
class Used:
    """A call: who, when, how much, and by which row of which tariff version it is priced."""

    usage_id: int
    start_s: int
    month: int
    quantity: int
    tariff: Tariff
    row: Row
    product: str
    account: str = ""
    customer: str = ""
    pool: str = ""
    free: bool = False

    def owner(self, scope: Scope) -> str:
        """Whose units it draws on."""
        return {
            Scope.PRODUCT: self.product,
            Scope.ACCOUNT: self.account,
            Scope.CUSTOMER: self.customer,
            Scope.POOL: self.pool,
        }[scope] or self.product


@dataclass
class Charged:
    """What became of a call."""

    covered: int = 0
    charge: int = 0
    draws: dict[str, int] = field(default_factory=dict)


#: What a call costs by itself from an offset to its end: (used, covered) -> micro-yuan.
Alone = Callable[[Used, int], int]


def month_of(calls: Sequence[Used], alone: Alone) -> dict[int, Charged]:
    """Every call of everybody, in the one order."""
    ordered = sorted(calls, key=lambda one: (one.start_s, one.usage_id))
    drawn: dict[tuple[str, int, str, str], int] = {}
    sums: dict[tuple[str, int, str, str], int] = {}
    capped: dict[tuple[str, int, str, str], int] = {}
    totals = _month_totals(ordered, drawn)
    drawn.clear()
    found: dict[int, Charged] = {}
    for call in ordered:
        done = found[call.usage_id] = Charged()
        if call.free:
            continue
        inside = _draw(call, drawn, done, alone)
        done.charge = alone(call, done.covered) + inside
        if call.row.tiers is not None:
            steps = -(-(call.quantity - done.covered) // call.row.step)
            key = (call.owner(call.row.tiers.shared_by), call.month, call.tariff.code, call.row.tiers.counter)
            before = sums.get(key, 0)
            sums[key] = before + steps
            whole = totals[key]
            done.charge += _sum_costs(call, before + steps, whole) - _sum_costs(call, before, whole)
        for cap in call.tariff.period_caps:
            if call.row.code in cap.rows:
                key = (call.owner(cap.shared_by), call.month, call.tariff.code, cap.code)
                left = max(cap.amount_micro_yuan - capped.get(key, 0), 0)
                capped[key] = capped.get(key, 0) + done.charge
                done.charge = min(done.charge, left)
                break
    return found


def in_order(tariff: Tariff) -> list[Included]:
    """Soonest expiry, then priority, then code."""
    return sorted(tariff.included, key=lambda one: (one.carry_months, one.priority, one.code))


def _draw(call: Used, drawn: dict[tuple[str, int, str, str], int], done: Charged, alone: Alone | None) -> int:
    """Take what the packages give; what the part inside costs."""
    inside = 0
    for package in in_order(call.tariff):
        if call.row.code not in package.rows or package.by_pack:
            continue
        key = (call.owner(package.shared_by), call.month, call.tariff.code, package.code)
        left = call.quantity - done.covered
        wish = -(-left // package.counted_in) * package.counted_in
        taken = min(wish, max(package.quantity - drawn.get(key, 0), 0))
        drawn[key] = drawn.get(key, 0) + taken
        part = min(taken, left)
        if part:
            done.draws[package.code] = part
            inside += -(-part // package.counted_in) * package.price_micro_yuan
            if package.percent_off != 100 and alone is not None:
                worth = alone(call, done.covered) - alone(call, done.covered + part)
                inside += worth * (100 - package.percent_off) // 100
        done.covered += part
    return inside


def _month_totals(calls: Sequence[Used], drawn: dict[tuple[str, int, str, str], int]) -> dict[tuple[str, ...], int]:
    """The month's sum of steps of every counter, after packages."""
    totals: dict[tuple[str, ...], int] = {}
    for call in calls:
        done = Charged()
        if not call.free:
            _draw(call, drawn, done, None)
            if call.row.tiers is not None:
                key = (call.owner(call.row.tiers.shared_by), call.month, call.tariff.code, call.row.tiers.counter)
                totals[key] = totals.get(key, 0) + -(-(call.quantity - done.covered) // call.row.step)
    return totals


def _sum_costs(call: Used, steps: int, whole: int) -> int:
    """What that many steps of a month cost, by the tiers as published."""
    tiers = call.row.tiers
    assert tiers is not None
    return _floor(_exact(tiers, call.row.step, steps, whole))


def _exact(tiers: Tiers, step: int, steps: int, whole: int) -> Fraction:
    if tiers.kind is TierKind.PACKAGES:
        return Fraction(-(-steps * step // tiers.per) * tiers.tiers[0].price_micro_yuan)
    total, low = Fraction(0), 0
    for tier in tiers.tiers:
        high = tier.until if tier.until is not None else 2**60
        price = Fraction(tier.price_micro_yuan, tiers.per)
        if tiers.kind is TierKind.VOLUME:
            if (low < whole * step or low == 0) and whole * step <= high:
                return price * steps * step + (tier.flat_micro_yuan if steps else 0)
        elif steps * step > low:
            total += price * (min(steps * step, high) - low) + tier.flat_micro_yuan
        low = high
    return total


def _floor(exact: Fraction) -> int:
    return exact.numerator // exact.denominator
