"""The house rules of faults and complaints as read from resources/policy/troubles.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import resources


@dataclass(frozen=True, slots=True)
class TroublePolicy:
    """Time limits, categories and causes with their words by language."""

    town_areas: frozenset[str]
    fault: timedelta
    fault_outside: timedelta
    area_fault: timedelta
    complaint: timedelta
    escalate_after_hours: tuple[int, ...]
    categories: dict[str, dict[str, dict[str, str]]]
    causes: dict[str, dict[str, str]]

    def due_within(self, kind: str, area_code: str) -> timedelta:
        """How long a fault or complaint may take."""
        if kind == "complaint":
            return self.complaint
        return self.fault if area_code in self.town_areas else self.fault_outside


@lru_cache(maxsize=1)
def trouble_policy() -> TroublePolicy:
    """The policy of this installation."""
    tree = tomllib.loads(resources.path("policy", "troubles.toml").read_text(encoding="utf-8"))
    return TroublePolicy(
        frozenset(tree["town_areas"]), timedelta(hours=tree["fault_hours"]),
        timedelta(hours=tree["fault_hours_outside"]), timedelta(hours=tree["area_fault_hours"]),
        timedelta(hours=tree["complaint_hours"]), tuple(tree["escalate_after_hours"]), tree["category"], tree["cause"],
    )  # fmt: skip
