"""The steps of a charge that come from the month: packages drawn on, tiers, blocks, the cap of the month. Pure.

The columns are those ``allowances.rated`` leaves with ``explain``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server_api.billing.rating.tariff.allowance import TierKind
from server_api.billing.rating.tariff.monthly import Monthly


@dataclass(frozen=True)
class MonthStep:
    """One part: ``units`` of ``unit_size`` for ``numerator/denominator`` micro-yuan; ``left`` in the package."""

    kind: str
    units: int
    unit_size: int
    numerator: int
    denominator: int
    left: int | None = None


def inside_steps(call: Mapping[str, Any], monthly: Monthly) -> list[MonthStep]:
    """The packages a call drew on, in their order: how much, at which price, and what was left."""
    found: list[MonthStep] = []
    for rank in range(monthly.ranks):
        drawn = call.get(f"draw{rank}") or 0
        if not drawn:
            continue
        package = monthly.packages[call[f"a{rank}_no"]]
        amount = call.get(f"worth{rank}") or 0
        if call[f"a{rank}_price"]:
            amount += -(-drawn // call[f"a{rank}_per"]) * call[f"a{rank}_price"]
        left = call.get(f"room{rank}")
        found.append(MonthStep(f"included:{package.code}", drawn, 1, amount, 1, left))
    return found


def sum_steps(call: Mapping[str, Any], monthly: Monthly) -> list[MonthStep]:
    """What a call costs by the month's sum, tier by tier, and what the month's cap takes off."""
    found: list[MonthStep] = []
    if call.get("t_no") is not None and call.get("tier_amount") is not None and call["t_after"] > call["t_before"]:
        found += _tier_steps(call, monthly)
    if call.get("capped"):
        found.append(MonthStep("period_cap", 1, 1, -call["capped"], 1))
    return found


def _tier_steps(call: Mapping[str, Any], monthly: Monthly) -> list[MonthStep]:
    tiers = monthly.tiers_of[call["row_no"]]
    before, after, size = call["t_before"], call["t_after"], call["t_step"]
    if tiers.kind is TierKind.PACKAGES:
        begun = -(-after // call["t_block"]) - -(-before // call["t_block"])
        return [MonthStep("block", begun, tiers.per, begun * call["t0_num"], 1)]
    found: list[MonthStep] = []
    for at in range(len(tiers.tiers)):
        low, high = call[f"t{at}_lo"], call[f"t{at}_hi"]
        if tiers.kind is TierKind.VOLUME:
            inside = after - before if (low < call["t_sum"] <= high) else 0
            flat = call[f"t{at}_flat"] if inside and before == 0 else 0
        else:
            inside = min(max(after, low), high) - min(max(before, low), high)
            flat = call[f"t{at}_flat"] if inside and before <= low else 0
        if inside:
            amount = inside * call[f"t{at}_num"] + flat
            found.append(MonthStep(f"tier:{at + 1}", inside, size, amount, call["t_den"]))
    return found
