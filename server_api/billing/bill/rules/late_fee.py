"""Late fee (违约金): so much of what is overdue for each calendar day it stays open, from a set day after the due day.

Nothing is accrued or stored: the fee of a month is what it comes to at the month's end less what it came to at its
beginning, each under the cap. So a run made twice, or late, charges the same.

**Source:** 中华人民共和国电信条例 (国务院令第291号), 第三十五条: 3 ‰ a day of what is owed.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from server_api.billing.bill.rules.house import LateFeePolicy
from server_api.billing.bill.rules.inputs import OverdueInput
from shared_models.values.money import MICRO_PER_FEN

_PER_MILLE = 1000
_ONE_DAY = timedelta(days=1)


class LateDays(NamedTuple):
    """Days ``from_on`` <= day < ``until_on`` on which ``owed_fen`` stood open, and what they cost under the cap."""

    from_on: date
    until_on: date
    owed_fen: int
    days: int
    capped: bool
    amount_micro_yuan: int


def late_days(policy: LateFeePolicy, overdue: OverdueInput, from_on: date, until_on: date) -> list[LateDays]:
    """The late fee of one bill for the days ``from_on`` <= day < ``until_on``, a part for each amount owed.

    Amount = owed × days × rate, exact: a ten-thousandth of a fen is a micro-yuan. A bill's fee for its whole life up to
    a day is this from its due day to that day.
    """
    if not policy.per_ten_thousand:
        return []
    begins = overdue.due_on + timedelta(days=1 + policy.grace_days)
    most = _most_micro_yuan(policy, overdue)
    total, found = 0, []
    for start, until, owed in _spans(overdue, begins, until_on):
        if owed <= 0 or owed < policy.least_fen:
            continue
        for part_from, part_until in _cut(start, until, from_on):
            days = (part_until - part_from).days
            amount = owed * days * policy.per_ten_thousand
            capped = most is not None and total + amount > most
            if capped and most is not None:
                amount = most - total
            total += amount
            if part_from >= from_on and amount:
                found.append(LateDays(part_from, part_until, owed, days, capped, amount))
    return found


def late_fee_micro_yuan(policy: LateFeePolicy, overdue: OverdueInput, from_on: date, until_on: date) -> int:
    """The sum of ``late_days``: what the counter shows as the late fee so far, before rounding to fen."""
    return sum(part.amount_micro_yuan for part in late_days(policy, overdue, from_on, until_on))


def _most_micro_yuan(policy: LateFeePolicy, overdue: OverdueInput) -> int | None:
    """The cap: a part of what was owed when the bill fell due."""
    if not policy.most_per_mille:
        return None
    at_due = 0
    for since_on, owed_fen in overdue.owed:
        if since_on <= overdue.due_on:
            at_due = owed_fen
    return at_due * MICRO_PER_FEN * policy.most_per_mille // _PER_MILLE


def _spans(overdue: OverdueInput, begins: date, until_on: date) -> list[tuple[date, date, int]]:
    """The days from ``begins`` on by what was owed on them, without those waived."""
    spans: list[tuple[date, date, int]] = []
    edges = [*(since_on for since_on, _owed in overdue.owed[1:]), until_on]
    for (since_on, owed), next_on in zip(overdue.owed, edges, strict=True):
        start, until = max(since_on, begins), min(next_on, until_on)
        for waived_from, waived_until in sorted(overdue.waived):
            if start < until and waived_from < until and waived_until > start:
                if waived_from > start:
                    spans.append((start, waived_from, owed))
                start = waived_until
        if start < until:
            spans.append((start, until, owed))
    return spans


def _cut(start: date, until: date, at: date) -> list[tuple[date, date]]:
    return [(start, at), (at, until)] if start < at < until else [(start, until)]
