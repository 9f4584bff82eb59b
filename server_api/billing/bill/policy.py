"""Billing's house rules as read from resources/policy/billing.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import resources
from server_api.billing.bill.rules.house import BillPolicy, Item, LateFeePolicy, TaxChange
from server_api.billing.bill.rules.proration import Proration
from shared_models.values.period import Month, cycle_end


@dataclass(frozen=True, slots=True)
class RunPolicy:
    """How a month run works. ``turn_accounts`` are frozen in one write turn; a claim lasts ``lease_s`` unrenewed."""

    chunk_accounts: int
    turn_accounts: int
    lease_s: int
    outlier_fen: int
    outlier_per_mille: int


@dataclass(frozen=True, slots=True)
class Operator:
    """Who issues the bills, as papers show it."""

    name: str
    name_en: str
    hotline: str
    pay_hint: str
    pay_hint_en: str


@dataclass(frozen=True, slots=True)
class BillingPolicy:
    """Everything of the file."""

    bill: BillPolicy
    proration: dict[str, Proration]
    default_proration: str
    run: RunPolicy
    operator: Operator
    issue_day: int
    due_day: int

    def issued_on(self, month: Month, billing_day: int = 1) -> date:
        """The day the bill of a month is dated."""
        return self._day_after(month, self.issue_day, billing_day)

    def due_on(self, month: Month, billing_day: int = 1) -> date:
        """The last day to pay the bill of a month."""
        return self._day_after(month, self.due_day, billing_day)

    @staticmethod
    def _day_after(month: Month, day: int, billing_day: int) -> date:
        """That day of the month after; with another billing day as many days after the cycle's end."""
        if billing_day != 1:
            return cycle_end(month.yyyymm, billing_day) + timedelta(days=day - 1)
        following = month.next()
        return following.first_on.replace(day=min(day, following.days))


#: Words that lines are made with, by their place under [bill] in the translations.
_LINE_WORDS = ("suspended", "corrected", "about_bill")


@lru_cache(maxsize=1)
def billing_policy() -> BillingPolicy:
    """The policy in force, read once per process."""
    return read_policy(tomllib.loads(resources.path("policy", "billing.toml").read_text(encoding="utf-8")))


def read_policy(tree: dict[str, Any]) -> BillingPolicy:
    """The policy a document describes. Raises KeyError or ValueError where it is not whole."""
    policies = {name: Proration().with_ways(**ways) for name, ways in tree["proration"]["policies"].items()}
    if tree["proration"]["default"] not in policies:
        raise ValueError(f"proration default: no such policy: {tree['proration']['default']}")
    items = {
        code: Item(item["zh"], item["en"], int(item["tax_per_mille"]), item["group"])
        for code, item in tree["item"].items()
    }
    operator = tree["operator"]
    return BillingPolicy(
        bill=BillPolicy(
            items=items,
            service_order=tuple(tree["bill"]["service_order"]),
            words={
                name: (resources.texts("zh_CN")[f"bill.{name}"], resources.texts("en")[f"bill.{name}"])
                for name in _LINE_WORDS
            },
            tax_changes=tuple(_tax_change(each) for each in tree.get("tax", {}).get("change", ())),
            late_fee=LateFeePolicy(**{name: int(value) for name, value in tree.get("late_fee", {}).items()}),
        ),
        proration=policies,
        default_proration=tree["proration"]["default"],
        run=RunPolicy(**{name: int(value) for name, value in tree["run"].items()}),
        operator=Operator(
            operator["zh"], operator["en"], str(operator["hotline"]), operator["pay_hint_zh"], operator["pay_hint_en"]
        ),
        issue_day=int(tree["dates"]["issue_day"]),
        due_day=int(tree["dates"]["due_day"]),
    )


def _tax_change(entry: dict[str, Any]) -> TaxChange:
    return TaxChange(
        entry["from_on"], int(entry["to_per_mille"]), int(entry.get("of_per_mille", -1)),
        frozenset(entry.get("items", ())),
    )  # fmt: skip
