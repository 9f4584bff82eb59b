"""Taking money, giving it back, and what became of it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared_models.contracts.base import Contract, FenField, IdField, PageOf, PositiveFen, example
from shared_models.contracts.events import Standing
from shared_models.contracts.receipt import Receipt
from shared_models.values.money import ZERO_FEN
from shared_models.values.money_states import IntentState, PaymentKind, PaymentState, PayMethod


class TakePayment(Contract):
    """Take money for an account: open bills first, the rest is kept as advance.

    For cash, ``received_fen`` is what was handed over (at least the amount); the change is computed by the server.
    For a rail that moves money outside us, ``intent_id`` names its confirmed intent.
    """

    account_id: IdField
    amount_fen: PositiveFen
    method: PayMethod = PayMethod.CASH
    received_fen: FenField = ZERO_FEN
    bill_ids: tuple[IdField, ...] = Field(default=(), max_length=50, description="paid first; empty = oldest first")
    product_id: IdField | None = Field(default=None, description="the number being paid: its lines go first in a bill")
    intent_id: IdField | None = None
    note: str = Field(default="", max_length=200)

    model_config = example(account_id="0f" * 16, amount_fen=8800, method="cash", received_fen=10000)


class AppliedTo(Contract):
    """What of the money went to one bill."""

    bill_id: str
    bill_no: str
    yyyymm: int
    label: str
    amount_fen: FenField


class PaymentPreview(Contract):
    """What a payment would do: the same calculation, nothing stored."""

    applied: tuple[AppliedTo, ...] = ()
    advance_fen: FenField
    owed_after_fen: FenField
    balance_after_fen: FenField
    change_fen: FenField
    explanation: tuple[str, ...] = Field(default=(), description="the steps of the allocation, for a person")


class PaymentTaken(Contract):
    """The payment as booked, with the receipt to print."""

    payment_id: str
    receipt: Receipt
    applied: tuple[AppliedTo, ...] = ()
    advance_fen: FenField
    change_fen: FenField
    balance_after_fen: FenField
    owed_after_fen: FenField
    standing: Standing
    settled_later: bool = Field(default=False, description="a bill run held the account: settled when it lets go")


class ReversePayment(Contract):
    """Undo a payment of the same day (冲正)."""

    reason: str = Field(min_length=1, max_length=200)


class PaymentReversed(Contract):
    """The payment was undone; the bills it paid are open again."""

    payment_id: str
    reversal_id: str
    receipt: Receipt
    refund_cash_fen: FenField
    standing: Standing


class RefundAdvance(Contract):
    """Pay advance back in cash (退费)."""

    account_id: IdField
    amount_fen: PositiveFen
    reason: str = Field(min_length=1, max_length=200)


class AdvanceRefunded(Contract):
    """The advance was paid back."""

    refund_id: str
    receipt: Receipt
    balance_after_fen: FenField
    limit_warning: bool = Field(default=False, description="four fifths of the person's limit for the day are used")


class PaymentRow(Contract):
    """A payment in a list."""

    payment_id: str
    kind: PaymentKind
    receipt_no: str
    paid_at: datetime
    amount_fen: FenField
    method: PayMethod
    state: PaymentState
    staff_no: str
    counter_no: str = ""
    account_id: str
    account_no: str = ""
    customer_name: str = ""
    reversible: bool = False


class PaymentPage(PageOf):
    """Payments, newest first."""

    items: tuple[PaymentRow, ...] = ()


class IntendPayment(Contract):
    """Before a device is asked for money: write down for what and how much."""

    intent_id: IdField
    account_id: IdField
    amount_fen: PositiveFen
    method: PayMethod


class ResolveIntent(Contract):
    """What the device, a query or a person found out."""

    outcome: IntentState = Field(description="confirmed | refused | unknown")
    trace_no: str = Field(default="", max_length=60, pattern=r"^[ -~]*$")
    message: str = Field(default="", max_length=200)


class IntentView(Contract):
    """How an intent stands."""

    intent_id: str
    account_id: str
    amount_fen: FenField
    method: PayMethod
    state: IntentState
    trace_no: str
    message: str = ""
    intended_at: datetime
