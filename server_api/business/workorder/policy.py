"""The house rules of field work as read from resources/policy/workorders.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import resources


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work: who can do it and how long it may take."""

    skill: str
    within: timedelta
    within_outside: timedelta


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of the day a customer may choose."""

    from_text: str
    until_text: str
    per_member: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Something that is measured, and where it should lie (thousandths of the unit)."""

    unit: str
    good_from: int | None
    good_until: int | None


@dataclass(frozen=True, slots=True)
class WorkPolicy:
    """All of it. ``reasons``: group → code → words by language."""

    town_areas: frozenset[str]
    kinds: dict[str, Kind]
    slots: dict[str, Slot]
    readings: dict[str, Reading]
    reasons: dict[str, dict[str, dict[str, str]]]

    def due_within(self, kind: str, area_code: str) -> timedelta:
        """How long work of a kind may take in an area."""
        rule = self.kinds[kind]
        return rule.within if area_code in self.town_areas else rule.within_outside

    def reason_words(self, reason_code: str | None, language: str) -> str:
        """A reason as people read it."""
        short = "zh" if language.startswith("zh") else "en"
        for group in self.reasons.values():
            if reason_code in group:
                return group[reason_code][short]
        return reason_code or ""


@lru_cache(maxsize=1)
def work_policy() -> WorkPolicy:
    """The policy of this installation."""
    tree = tomllib.loads(resources.path("policy", "workorders.toml").read_text(encoding="utf-8"))
    return WorkPolicy(
        frozenset(tree["town_areas"]),
        {
            code: Kind(row["skill"], timedelta(hours=row["hours"]), timedelta(hours=row["hours_outside"]))
            for code, row in tree["kind"].items()
        },
        {code: Slot(row["from"], row["until"], row["per_member"]) for code, row in tree["slot"].items()},
        {
            code: Reading(row["unit"], row.get("good_from"), row.get("good_until"))
            for code, row in tree["reading"].items()
        },
        tree["reason"],
    )
