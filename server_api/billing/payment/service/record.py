"""What payments, reversals and refunds have in common: the row that is kept, and the head of their paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server_api.billing.payment import store
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import PaymentKind, PaymentState, PayMethod


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that came (above zero) or went (below zero): amount = applied + advance."""

    payment_id: str
    kind: PaymentKind
    account_id: str
    book_id: str
    till_id: str
    method: PayMethod
    amount: Fen
    applied: Fen
    advance: Fen
    receipt_no: str
    received: Fen = ZERO_FEN
    change: Fen = ZERO_FEN
    reverses_id: str = ""
    trace_no: str = ""
    remark: str = ""
    #: where no person stands at a counter: the bank
    counter_no: str = ""


def keep_movement(uow: UnitOfWork, movement: Movement) -> None:
    """Keep a payment, reversal or refund with who did it and where."""
    context = uow.context
    store.insert_payment(
        uow.conn,
        {
            "payment_id": movement.payment_id,
            "kind": movement.kind.value,
            "state": PaymentState.DONE.value,
            "account_id": movement.account_id,
            "book_id": movement.book_id,
            "till_id": movement.till_id,
            "hall_code": context.hall_code,
            "district_code": context.district_code,
            "counter_no": movement.counter_no or context.counter_no,
            "staff_id": context.staff_id,
            "staff_no": context.staff_no,
            "method": movement.method.value,
            "amount_fen": movement.amount,
            "applied_fen": movement.applied,
            "advance_fen": movement.advance,
            "received_fen": movement.received,
            "change_fen": movement.change,
            "receipt_no": movement.receipt_no,
            "paid_at": uow.now,
            "act_id": uow.act_id,
            "reverses_id": movement.reverses_id,
            "reversed_by_id": None,
            "trace_no": movement.trace_no,
            "remark": movement.remark,
        },
    )


def paper_head(uow: UnitOfWork, receipt_no: str) -> dict[str, Any]:
    """The fields of a receipt that say where, when and by whom it is issued."""
    context = uow.context
    return {
        "receipt_no": receipt_no,
        "barcode_text": receipt_no,
        "hall_code": context.hall_code,
        "hall_name": context.hall_name or context.hall_code,
        "counter_no": context.counter_no,
        "staff_no": context.staff_no,
        "staff_name": context.staff_name,
        "issued_at": uow.now,
        "act_id": uow.act_id,
    }
