"""What the bill slice announces inside its transactions, for the slices above it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

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
    """Bills of several accounts were frozen in this transaction; their accounts are locked in it."""

    run_id: str
    month: Month
    bills: tuple[IssuedBill, ...]
