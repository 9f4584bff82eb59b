"""The receipt document: what a paper says, frozen when the act was done. Fields only, no geometry.

The server fills it in the same transaction as the payment and stores it; the client prints it in any form
(``resources/receipts/*.toml``) without asking again. A reprint is the same document with the next ``copy_no``.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from shared_models.contracts.base import Contract, FenField
from shared_models.values.money import ZERO_FEN, Fen


class ReceiptKind(StrEnum):
    """Which act the paper is about; the form and its title follow from it (``receipt.title.<kind>``)."""

    PAYMENT = "payment"
    REVERSAL = "reversal"
    REFUND = "refund"
    DEPOSIT_SLIP = "deposit_slip"
    DAY_CLOSE = "day_close"
    ADJUSTMENT = "adjustment"
    WAIVER = "waiver"
    TRANSFER = "transfer"
    DEPOSIT = "deposit"
    DEPOSIT_BACK = "deposit_back"


class ReceiptLine(Contract):
    """One thing the money is for."""

    label: str = Field(max_length=120, description="what it is, as the customer knows it: a service, a fee")
    detail: str = Field(default="", max_length=120, description="number and month; empty where there is nothing to add")
    amount_fen: FenField


class MethodLine(Contract):
    """How much came, or went, by which method."""

    method: str = Field(description="cash | pos | onecard | cheque | advance ...; named by receipt.method.<method>")
    amount_fen: FenField
    trace_no: str = Field(default="", description="the rail's own number, where it has one")


class Receipt(Contract):
    """A receipt as issued. Amounts of a reversal are negative."""

    kind: ReceiptKind = ReceiptKind.PAYMENT
    receipt_no: str = Field(description="our own gapless number, per counter; not the number preprinted on paper")
    hall_code: str
    hall_name: str
    counter_no: str
    staff_no: str
    staff_name: str = ""
    customer_no: str = ""
    customer_name: str = Field(default="", description="as papers show it")
    account_no: str = ""
    lines: tuple[ReceiptLine, ...] = ()
    total_fen: FenField = Field(description="the sum of the lines and of the methods")
    total_capitals: str = Field(description="values.rmb.rmb_capitals(total_fen)")
    methods: tuple[MethodLine, ...] = ()
    received_fen: FenField = Field(default=ZERO_FEN, description="cash handed over; zero where no cash moved")
    change_fen: FenField = Field(default=ZERO_FEN, description="cash handed back")
    advance_fen: FenField = Field(default=ZERO_FEN, description="the part of the total kept as advance (预存)")
    balance_after_fen: FenField | None = Field(default=None, description="the account's balance afterwards, if told")
    owed_after_fen: FenField | None = Field(default=None, description="what the account still owes afterwards, if told")
    issued_at: datetime = Field(description="when the act was done, UTC")
    printed_at: datetime | None = Field(default=None, description="when this copy was asked for; None = at issue")
    copy_no: int = Field(default=1, ge=1, description="1 is the original; above 1 the paper says 补打")
    act_id: str = ""
    payment_id: str = ""
    bill_refs: tuple[str, ...] = Field(default=(), description="numbers of the bills this paid")
    reverses_receipt_no: str = Field(default="", description="of a reversal: the receipt it undoes")
    barcode_text: str = Field(default="", max_length=40, description="printable ASCII; empty prints no bar code")
    note: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _sums_agree(self) -> Self:
        if self.lines and Fen.total(line.amount_fen for line in self.lines) != self.total_fen:
            raise ValueError("the lines of a receipt must sum to its total")
        if self.methods and Fen.total(line.amount_fen for line in self.methods) != self.total_fen:
            raise ValueError("the methods of a receipt must sum to its total")
        return self

    @property
    def is_reprint(self) -> bool:
        """True when the paper must say 补打."""
        return self.copy_no > 1
