"""What the bill slice announces inside its transactions, for the slices above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from server_api.billing.account.store import StandingRow
from shared_models.values.money import Fen
from shared_models.values.period import Month


@dataclass(frozen=True, slots=True)
class IssuedBill:
    """A bill just frozen. ``total`` below zero is a credit already booked as advance."""

    account_id: str
    bill_id: str
    total: Fen
    due_on: date


@dataclass(frozen=True, slots=True)
class BillsIssued:
    """Bills of several accounts were frozen in this transaction; their accounts are locked in it.

    ``reckoned``: what listeners of BillsDrafted worked out ahead, by account, from the very versions now locked.
    """

    run_id: str
    month: Month
    bills: tuple[IssuedBill, ...]
    reckoned: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BillsDrafted:
    """The next bills of a run, drafted and not stored, told outside any write turn.

    A slice above does its reckoning here, so that nobody waits for it, and leaves the result in ``reckoned``. Whatever
    account has moved by the time of the turn is drafted and told again. ``standings`` and ``with_money`` (accounts that
    hold anything that may pay) are as of the version drafted from.
    """

    bills: tuple[IssuedBill, ...]
    standings: Mapping[str, StandingRow]
    with_money: frozenset[str]
    reckoned: dict[str, Any] = field(default_factory=dict)
