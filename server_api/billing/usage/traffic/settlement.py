"""What operators owe for the traffic of a month, from its statistics and the agreements. Pure.

A line is exact until its end: units times price is a fraction, floored once to micro-yuan, rounded once to fen. The
same statistics and the same version of the agreements give the same lines. What no rate settles is listed, not lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from server_api.billing.usage.traffic.agreements import PAYS_US, UNITS, Agreements, Rate
from server_api.billing.usage.traffic.words import WITHIN
from shared_models.values.money import Fen, MicroYuan


@dataclass(frozen=True)
class SettlementLine:
    """What one rate makes of a month. ``amount`` is what they owe us; negative what we owe them."""

    operator: str
    rate: Rate
    call_count: int
    answered_count: int
    talked_s: int
    units: int
    amount: MicroYuan
    amount_fen: Fen


@dataclass(frozen=True)
class Unsettled:
    """Traffic of an operator's trunk group, or of one nobody knows, that no rate is for."""

    switch: str
    trunk_no: int
    operator: str
    direction: int
    call_type: int
    answered_count: int
    talked_s: int
    reason: str


@dataclass
class _Sum:
    call_count: int = 0
    answered_count: int = 0
    talked_s: int = 0
    units: int = 0

    def add(self, row: Any, unit: str) -> None:
        self.call_count += int(row.call_count)
        self.answered_count += int(row.answered_count)
        self.talked_s += int(row.talked_s)
        self.units += int(getattr(row, unit))


def settle(rows: Iterable[Any], agreements: Agreements) -> tuple[list[SettlementLine], list[Unsettled]]:
    """The lines of a month, by operator and rate, and what is not settled.

    ``rows`` have switch_code, trunk_no, direction, call_type, hour_no (yyyymmddhh) and the sums of the statistics.
    """
    sums: dict[Rate, _Sum] = {}
    left: dict[tuple[str, int, str, int, int, str], _Sum] = {}
    for row in rows:
        if row.direction == WITHIN or not row.call_count:
            continue
        day, hour = divmod(int(row.hour_no), 100)
        on = date(day // 10_000, day // 100 % 100, day % 100)
        trunk = agreements.trunk_of(row.switch_code, row.trunk_no, on)
        if trunk is not None and not trunk.operator:
            continue
        operator = trunk.operator if trunk is not None else ""
        rate = next(
            (
                one
                for one in agreements.rates
                if one.operator == operator and one.holds(row.direction, row.call_type, hour, on)
            ),
            None,
        )
        if rate is not None:
            sums.setdefault(rate, _Sum()).add(row, UNITS[rate.unit])
        else:
            reason = "no_trunk" if trunk is None else "no_rate"
            key = (row.switch_code, int(row.trunk_no), operator, int(row.direction), int(row.call_type), reason)
            left.setdefault(key, _Sum()).add(row, "talked_s")
    lines = [_line(rate, sums[rate]) for rate in agreements.rates if rate in sums]
    lines.sort(key=lambda one: (one.operator, one.rate.direction, one.rate.code))
    return lines, [
        Unsettled(*key[:5], answered_count=one.answered_count, talked_s=one.talked_s, reason=key[5])
        for key, one in sorted(left.items())
    ]


def _line(rate: Rate, one: _Sum) -> SettlementLine:
    # exact until here: one floor to micro-yuan, one rounding to fen
    amount = MicroYuan(one.units * rate.price_micro_yuan // rate.per)
    owed = amount if rate.payer == PAYS_US else -amount
    return SettlementLine(
        rate.operator, rate, one.call_count, one.answered_count, one.talked_s, one.units, owed, owed.to_fen()
    )
