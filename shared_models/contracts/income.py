"""What was earned in a booking month, by service, region and product, as accounting takes it over."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from shared_models.contracts.base import Contract, FenField


class IncomeBy(StrEnum):
    """What the rows of an income report are told apart by, besides the item and its tax rate."""

    ITEM = "item"
    SERVICE = "service"
    REGION = "region"
    OFFERING = "offering"
    ALL = "all"


class IncomeRow(Contract):
    """Income of one item at one tax rate; below zero where more was taken back than billed."""

    service: str = ""
    region: str = ""
    offering_code: str = ""
    item_code: str
    tax_per_mille: int
    line_count: int = Field(ge=0)
    adjustment_count: int = Field(ge=0)
    gross_fen: FenField
    net_fen: FenField
    tax_fen: FenField


class IncomeDifference(Contract):
    """A ledger account whose bookings of the month are not all lines or credits of bills."""

    ledger: str = Field(description="revenue:<item> or vat:<rate in thousandths>")
    ledger_fen: FenField
    report_fen: FenField


class IncomeReport(Contract):
    """The income of a booking month. Without ``differences`` it equals the ledger to the fen."""

    yyyymm: int
    by: IncomeBy
    rows: tuple[IncomeRow, ...]
    gross_fen: FenField
    net_fen: FenField
    tax_fen: FenField
    differences: tuple[IncomeDifference, ...] = ()
