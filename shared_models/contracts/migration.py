"""Taking over the old systems: what an import reports."""

from __future__ import annotations

from pydantic import Field

from shared_models.contracts.base import Contract, FenField
from shared_models.contracts.catalog import RowError


class ControlTotal(Contract):
    """One quantity counted on the source and on the side it went to; the two must be equal."""

    name: str = Field(description="customers | products | numbers | accounts | balances | open_bills")
    side: str = Field(description="business | billing")
    source_count: int
    stored_count: int
    source_fen: FenField | None = None
    stored_fen: FenField | None = None

    @property
    def agrees(self) -> bool:
        """True when counts and fen are the same on both."""
        return self.source_count == self.stored_count and self.source_fen == self.stored_fen


class MigrationReport(Contract):
    """What a run read, took over, found there already and set aside."""

    run_id: str
    systems: tuple[str, ...]
    dry_run: bool
    rows_read: int
    rows_new: int
    rows_already_there: int
    rows_set_aside: int
    customers_merged: int = Field(description="old records that turned out to be a customer already known")
    totals: tuple[ControlTotal, ...] = ()
    errors: tuple[RowError, ...] = ()
    duration_s: int = 0


class ParallelReason(Contract):
    """How many items of a parallel run differ for one reason, and by how much in all (old less ours)."""

    reason: str
    item_count: int
    difference_fen: FenField


class ParallelDifference(Contract):
    """One item of one account the two systems billed differently."""

    account_no: str
    item_code: str
    old_fen: FenField
    our_fen: FenField
    reason: str
    detail: str = ""


class ParallelReport(Contract):
    """Old systems' bills of a month beside ours. The differences of the reasons sum to old less ours."""

    yyyymm: int
    systems: tuple[str, ...]
    account_count: int
    equal_account_count: int
    old_fen: FenField
    our_fen: FenField
    reasons: tuple[ParallelReason, ...]
    rows_read: int
    errors: tuple[RowError, ...] = ()
    unexplained: tuple[ParallelDifference, ...] = Field(default=(), description="the first of them, largest first")
