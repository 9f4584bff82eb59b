"""What finance asks of the ledger."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from shared_models.contracts.base import Contract, FenField, PageOf


class LedgerLine(Contract):
    """One posting as a statement shows it."""

    booked_on: date
    from_name: str = Field(description="<ledger code>:<owner>, credited")
    to_name: str = Field(description="<ledger code>:<owner>, debited")
    amount_fen: FenField
    reason: str = ""
    act_id: str


class LedgerPage(PageOf):
    """Postings of one act or one account, oldest first."""

    items: tuple[LedgerLine, ...] = ()
