"""Taking money, giving it back, looking it up, and further copies of papers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.payment import service as payment
from server_api.faces.hall.approvals import GIVING
from server_api.faces.hall.core import (
    DEFAULT_LIMIT,
    Caller,
    Cursor,
    Limit,
    Permission,
    Response,
    hall_router,
    permit,
    refusals,
    reply,
)
from server_api.faces.hall.keyset import instant_after, instant_key
from shared_models.contracts.cashdesk import Reprint
from shared_models.contracts.payment import (
    AdvanceRefunded,
    IntendPayment,
    IntentView,
    PaymentPage,
    PaymentPreview,
    PaymentReversed,
    PaymentTaken,
    RefundAdvance,
    ResolveIntent,
    ReversePayment,
    TakePayment,
)
from shared_models.contracts.receipt import Receipt
from shared_models.values.faults.account import AccountClosed, AccountNotFound
from shared_models.values.faults.cashdesk import CounterUnknown, ReceiptNotFound, TillCashTooLittle, TillNotOpen
from shared_models.values.faults.payment import (
    AdvanceAlreadySpent,
    AdvanceTooLittle,
    BillNotOpen,
    IntentMismatch,
    IntentNotConfirmed,
    PaymentAlreadyReversed,
    PaymentDayClosed,
    PaymentNotFound,
    PaymentNotReversible,
    PaymentOfAnother,
    PaymentTooLarge,
    RailNotAvailable,
    ReceivedTooLittle,
    ReceivedTooMuch,
)

router = hall_router("payments")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["2d" * 16])]
ReceiptNo = Annotated[str, Path(min_length=1, max_length=40, pattern=r"^[!-~]+$", examples=["H01-03-0000001"])]
_TAKING = (
    AccountNotFound, AccountClosed, BillNotOpen, PaymentTooLarge, ReceivedTooLittle, ReceivedTooMuch, RailNotAvailable,
)  # fmt: skip


@router.post("/payments/preview", response_model=PaymentPreview, responses=refusals(*_TAKING))
def preview_payment(body: TakePayment, caller: Caller = permit(Permission.PAYMENT_TAKE, act=False)) -> Response:
    """See what a payment would do; nothing is stored."""
    with caller.reading("billing") as connection:
        clock = caller.databases.billing.clock
        return reply(payment.preview_payment(connection, caller.context, clock, request=body))


@router.post(
    "/payments",
    response_model=PaymentTaken,
    responses=refusals(*_TAKING, TillNotOpen, CounterUnknown, IntentNotConfirmed, IntentMismatch, PaymentNotFound),
)
async def take_payment(body: TakePayment, caller: Caller = permit(Permission.PAYMENT_TAKE)) -> Response:
    """Take a payment and hand over its receipt."""
    return await caller.act_soon("billing", "take_payment", body, lambda uow: payment.take_payment(uow, request=body))


@router.post(
    "/payments/{payment_id}/reverse",
    response_model=PaymentReversed,
    responses=refusals(
        PaymentNotFound, PaymentNotReversible, PaymentAlreadyReversed, PaymentOfAnother, PaymentDayClosed,
        AdvanceAlreadySpent, TillCashTooLittle, TillNotOpen, CounterUnknown, AccountClosed,
    ),
)  # fmt: skip
def reverse_payment(
    payment_id: HexId,
    body: ReversePayment,
    caller: Caller = permit(Permission.PAYMENT_REVERSE_OWN, Permission.PAYMENT_REVERSE_ANY),
) -> Response:
    """Undo a payment: its bills are open again and the money goes back."""
    return caller.act(
        "billing", "reverse_payment", body,
        lambda uow: payment.reverse_payment(uow, payment_id=payment_id, request=body), wait_for_after=False,
    )  # fmt: skip


@router.post(
    "/refunds",
    response_model=AdvanceRefunded,
    responses=refusals(
        AdvanceTooLittle, *GIVING, TillCashTooLittle, TillNotOpen, CounterUnknown, AccountNotFound,
        AccountClosed,
    ),
)  # fmt: skip
def refund_advance(body: RefundAdvance, caller: Caller = permit(Permission.PAYMENT_REFUND)) -> Response:
    """Pay advance back in cash, within the limit of the day."""
    return caller.act(
        "billing", "refund_advance", body, lambda uow: payment.refund_advance(uow, request=body), wait_for_after=False
    )


@router.get("/payments", response_model=PaymentPage)
def list_payments(
    account_id: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
    receipt_no: Annotated[str, Query(max_length=40, pattern=r"^[!-~]*$")] = "",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    caller: Caller = permit(Permission.PAYMENT_TAKE, Permission.TILL_AUDIT),
) -> Response:
    """List payments within the caller's data scope, newest first."""
    after = instant_key(cursor)
    billing = caller.databases.billing
    with caller.reading("billing") as connection:
        items = payment.list_payments(
            connection, caller.context, billing.clock, billing.secrets, account_id=account_id, receipt_no=receipt_no,
            after=after, limit=limit,
        )  # fmt: skip
    more = instant_after(items[-1].paid_at, items[-1].payment_id) if len(items) == limit else None
    return reply(PaymentPage(items=tuple(items), next_cursor=more))


@router.post(
    "/payment-intents",
    response_model=IntentView,
    responses=refusals(RailNotAvailable, AccountNotFound, TillNotOpen, CounterUnknown),
)
def intend_payment(body: IntendPayment, caller: Caller = permit(Permission.PAYMENT_TAKE)) -> Response:
    """Write down what a device is about to be asked for."""
    return caller.act(
        "billing", "intend_payment", body, lambda uow: payment.intend_payment(uow, request=body), wait_for_after=False
    )


@router.post(
    "/payment-intents/{intent_id}/outcome",
    response_model=IntentView,
    responses=refusals(PaymentNotFound, IntentMismatch),
)
def resolve_intent(intent_id: HexId, body: ResolveIntent, caller: Caller = permit(Permission.PAYMENT_TAKE)) -> Response:
    """Store what the device, a query or a person found out about an intent."""
    return caller.act(
        "billing", "resolve_intent", body,
        lambda uow: payment.resolve_intent(uow, intent_id=intent_id, request=body), wait_for_after=False,
    )  # fmt: skip


@router.get("/receipts/{receipt_no}", response_model=Receipt, responses=refusals(ReceiptNotFound))
def read_receipt(
    receipt_no: ReceiptNo, caller: Caller = permit(Permission.PAYMENT_TAKE, Permission.RECEIPT_REPRINT)
) -> Response:
    """See a paper as it was issued."""
    with caller.reading("billing") as connection:
        return reply(cashdesk.read_receipt(connection, receipt_no, caller.context, caller.databases.billing.secrets))


@router.post("/receipts/{receipt_no}/reprint", response_model=Receipt, responses=refusals(ReceiptNotFound))
def reprint_receipt(
    receipt_no: ReceiptNo, body: Reprint, caller: Caller = permit(Permission.RECEIPT_REPRINT)
) -> Response:
    """Get another copy of a paper, marked 补打."""
    return caller.act(
        "billing", "reprint_receipt", body,
        lambda uow: cashdesk.reprint_receipt(uow, receipt_no=receipt_no, request=body), wait_for_after=False,
    )  # fmt: skip
