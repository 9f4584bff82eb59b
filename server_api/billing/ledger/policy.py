"""The money rules of ``resources/policy/money.toml``, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import resources
from shared_models.values.giving import Giving
from shared_models.values.money import Fen


@dataclass(frozen=True)
class GivingLimit:
    """What one person may give away alone."""

    day: Fen
    month: Fen


@dataclass(frozen=True)
class MoneyPolicy:
    """Ceilings and orders that a hall sets, not a program."""

    largest_payment: Fen
    largest_change: Fen
    line_order: tuple[str, ...]
    book_order: tuple[str, ...]
    most_receipt_lines: int
    limits: dict[Giving, GivingLimit]
    warn_per_cent: int
    approval_for: timedelta
    largest_approval: Fen
    largest_float: Fen
    largest_credit_limit: Fen


@lru_cache(maxsize=1)
def money_policy() -> MoneyPolicy:
    """The policy in force; the file is read at the first call."""
    rules = tomllib.loads(resources.path("policy", "money.toml").read_text(encoding="utf-8"))
    return MoneyPolicy(
        largest_payment=Fen(rules["payment"]["largest_fen"]),
        largest_change=Fen(rules["payment"]["largest_change_fen"]),
        line_order=tuple(rules["settling"]["line_order"]),
        book_order=tuple(rules["settling"]["book_order"]),
        most_receipt_lines=int(rules["receipt"]["most_lines"]),
        limits={
            kind: GivingLimit(
                Fen(rules["limits"][kind.value]["day_fen"]), Fen(rules["limits"][kind.value]["month_fen"])
            )
            for kind in Giving
        },
        warn_per_cent=int(rules["limits"]["warn_per_cent"]),
        approval_for=timedelta(minutes=rules["approval"]["minutes"]),
        largest_approval=Fen(rules["approval"]["largest_fen"]),
        largest_float=Fen(rules["till"]["largest_float_fen"]),
        largest_credit_limit=Fen(rules["account"]["largest_credit_limit_fen"]),
    )
