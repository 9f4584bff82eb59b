"""The rules of ``resources/policy/credit.toml``, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import resources
from shared_models.values.money import Fen, MicroYuan


@dataclass(frozen=True)
class CreditPolicy:
    """How much is granted at once, how long it is good for, and when a balance is low."""

    seconds: int
    octets: int
    largest_seconds: int
    largest_octets: int
    valid_s: int
    grace_s: int
    settle_silent: Literal["used", "granted"]
    low: MicroYuan
    exhausted: MicroYuan

    def asked(self, unit: str, ask: int | None) -> int:
        """How much is priced for a request, in the tariff's unit."""
        if unit == "octets":
            return min(ask or self.octets, self.largest_octets)
        if unit == "seconds":
            return min(ask or self.seconds, self.largest_seconds)
        return 1


@lru_cache(maxsize=1)
def credit_policy() -> CreditPolicy:
    """The policy in force. Raises ValueError where the file names no known way to settle silent sessions."""
    rules = tomllib.loads(resources.path("policy", "credit.toml").read_text(encoding="utf-8"))
    silent = rules["silent"]["settle"]
    if silent not in ("used", "granted"):
        raise ValueError(f"resources/policy/credit.toml: silent.settle is '{silent}', not 'used' or 'granted'")
    return CreditPolicy(
        **rules["grant"],
        settle_silent=silent,
        low=MicroYuan.of_fen(Fen(rules["balance"]["low_fen"])),
        exhausted=MicroYuan.of_fen(Fen(rules["balance"]["exhausted_fen"])),
    )
