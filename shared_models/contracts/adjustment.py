"""Adjusting what is owed: one-off charges and credits of the open month, and credits on lines of issued bills."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared_models.contracts.base import CodeField, Contract, FenField, IdField, PageOf, PositiveFen, example
from shared_models.contracts.receipt import Receipt
from shared_models.values.money import ZERO_FEN

Reason = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Yyyymm = Annotated[int, Field(ge=200001, le=209912)]


class ChargeAccount(Contract):
    """Put a one-off charge on the account's next bill; below zero it is a credit (调账, before billing).

    About a line of an issued bill it is a debit after billing: the bill itself is never edited.
    """

    account_id: IdField
    item_code: CodeField
    amount_fen: FenField
    kind: Literal["fee", "adjustment", "other"] = "adjustment"
    reason: Reason
    product_id: IdField | None = None
    from_on: date | None = Field(default=None, description="the first day it is for; absent = today")
    until_on: date | None = Field(
        default=None, description="the day after the last one; absent = the day after from_on"
    )
    about_bill_id: IdField | None = None
    about_line_no: int | None = Field(default=None, ge=1, le=1_000_000)

    model_config = example(account_id="0f" * 16, item_code="voice.monthly", amount_fen=-500, reason="障碍补偿")


class UndoCharge(Contract):
    """Take a one-off charge back while its month is open: a mirror of it, never a deletion."""

    reason: Reason


class AccountCharged(Contract):
    """The charge as it waits for the bill of its month."""

    charge_id: str
    account_id: str
    yyyymm: int
    item_code: str
    kind: str
    amount_fen: FenField
    receipt: Receipt | None = None
    limit_warning: bool = False


class ChargeRow(Contract):
    """A one-off charge in a list."""

    charge_id: str
    yyyymm: int
    item_code: str
    kind: str
    amount_fen: FenField
    from_on: date
    until_on: date
    reason: str
    about_bill_id: str = ""
    about_line_no: int | None = None
    undoes_id: str = ""
    staff_id: str
    booked_at: datetime


class ChargePage(PageOf):
    """One-off charges of an account that wait for a bill, oldest first."""

    items: tuple[ChargeRow, ...] = ()


class CreditLine(Contract):
    """Take something off a line of an issued bill; what had been paid of it goes back to the account's book."""

    amount_fen: PositiveFen
    reason: Reason

    model_config = example(amount_fen=300, reason="计费差错")


class LineCredited(Contract):
    """The credit as booked."""

    adjustment_id: str
    bill_id: str
    line_no: int
    amount_fen: FenField
    returned_fen: FenField = Field(default=ZERO_FEN, description="had been paid and went back to the book")
    left_of_line_fen: FenField
    open_fen: FenField = Field(description="what is still open of the bill")
    receipt: Receipt | None = Field(default=None, description="where the caller's till is open: the paper to hand over")
    limit_warning: bool = False


class AdjustmentRow(Contract):
    """What was taken off a line."""

    adjustment_id: str
    bill_id: str
    line_no: int
    kind: str
    amount_fen: FenField
    net_fen: FenField
    tax_fen: FenField
    returned_fen: FenField
    reason: str
    receipt_no: str = ""
    staff_id: str
    booked_on: date


class AdjustmentPage(PageOf):
    """Adjustments of a bill, in the order they were made."""

    items: tuple[AdjustmentRow, ...] = ()


class WaiveLateFee(Contract):
    """Do not ask for the late fee that runs on an overdue bill (违约金减免, before it is billed)."""

    bill_id: IdField
    amount_fen: PositiveFen | None = Field(default=None, description="absent = all of it up to today")
    reason: Reason

    model_config = example(bill_id="20260300000000000000000000000000", reason="托收失败系银行原因")


class LateFeeWaived(Contract):
    """The waiver as it waits for the bill of its month."""

    charge_id: str
    account_id: str
    bill_id: str
    yyyymm: int
    so_far_fen: FenField = Field(description="the late fee up to today before this waiver")
    waived_fen: FenField
    receipt: Receipt | None = None
    limit_warning: bool = False


class LateFeeSoFar(Contract):
    """The late fee that has run on an overdue bill up to today and is not billed yet."""

    bill_id: str
    bill_no: str
    due_on: date
    open_fen: FenField
    so_far_fen: FenField
    waived_fen: FenField


class LateFees(Contract):
    """Late fees of an account that are running."""

    items: tuple[LateFeeSoFar, ...] = ()
