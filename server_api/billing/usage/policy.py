"""Limits of what is believed of usage, and how this town dials: data of resources/policy, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

import resources


@dataclass(frozen=True)
class Policy:
    """Limits of what is believed; resources/policy/usage.toml explains each."""

    max_call_s: int
    max_session_s: int
    max_age_days: int
    max_ahead_s: int
    end_tolerance_s: int
    refuse_bad_per_mille: int
    partial_wait_hours: int
    switch_code: str


@dataclass(frozen=True)
class Numbering:
    """How numbers are dialled here."""

    country_code: str
    area_code: str
    local_lengths: tuple[int, ...]


@lru_cache(maxsize=1)
def policy() -> Policy:
    """The limits in force."""
    table = tomllib.loads(resources.path("policy", "usage.toml").read_text(encoding="utf-8"))
    switch = table.pop("default_switch")["code"]
    return Policy(**table, switch_code=switch)


@lru_cache(maxsize=1)
def numbering() -> Numbering:
    """The town's numbering."""
    table = tomllib.loads(resources.path("policy", "numbering.toml").read_text(encoding="utf-8"))
    return Numbering(table["country_code"], table["area_code"], tuple(table["local_lengths"]))
