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
