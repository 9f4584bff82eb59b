"""The house rules a bill is made by, as the calculator is given them. Read from billing.toml by ``bill.policy``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Item:
    """What a bill calls an item, its VAT rate in thousandths, and the group pay relations choose it by."""

    label: str
    label_en: str
    tax_per_mille: int
    item_group: str


@dataclass(frozen=True, slots=True)
class TaxChange:
    """From ``from_on`` on what was taxed at ``of_per_mille`` (or anything, below zero) is taxed at ``to_per_mille``.

    ``items`` are item codes or groups; none: all of them.
    """

    from_on: date
    to_per_mille: int
    of_per_mille: int = -1
    items: frozenset[str] = frozenset()

    def concerns(self, item_code: str, item_group: str, per_mille: int, on: date) -> bool:
        return (
            on >= self.from_on
            and self.of_per_mille in (-1, per_mille)
            and (not self.items or item_code in self.items or item_group in self.items)
        )


@dataclass(frozen=True, slots=True)
class LateFeePolicy:
    """What a day of being late costs: ``per_ten_thousand`` of what is open at its end, from ``grace_days`` after due.

    ``most_per_mille`` caps all late fees of a bill at that part of what it owed when it fell due (0: no cap); a bill
    owing less than ``least_fen`` costs nothing.
    """

    per_ten_thousand: int = 0
    grace_days: int = 0
    most_per_mille: int = 1000
    least_fen: int = 0


@dataclass(frozen=True, slots=True)
class BillPolicy:
    """The rules that are policy: items, order of services, words of lines in (Chinese, English), tax and late fee."""

    items: Mapping[str, Item]
    service_order: tuple[str, ...]
    words: Mapping[str, tuple[str, str]]
    tax_changes: tuple[TaxChange, ...] = ()
    late_fee: LateFeePolicy = LateFeePolicy()

    def tax_on(self, item_code: str, item_group: str, per_mille: int, on: date) -> int:
        """The rate on a day of an item whose price names ``per_mille``."""
        for change in self.tax_changes:
            if change.concerns(item_code, item_group, per_mille, on):
                per_mille = change.to_per_mille
        return per_mille
