"""Money that moves outside us: written down before the device is asked, resolved by its answer, a query or a person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from server_api.billing.account import store as account_store
from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.payment import store
from server_api.billing.payment.rails import RAILS
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.deposit import TakeDeposit
from shared_models.contracts.payment import IntendPayment, IntentView, ResolveIntent, TakePayment
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.account import AccountNotFound
from shared_models.values.faults.common import InputNotValid
from shared_models.values.faults.payment import IntentMismatch, IntentNotConfirmed, PaymentNotFound, RailNotAvailable
from shared_models.values.money_states import IntentState, PayMethod

_OUTCOMES = (IntentState.CONFIRMED, IntentState.REFUSED, IntentState.UNKNOWN)
#: An answer may come while the device is asked, or later when the outcome was not known. A final one is never changed.
_STILL_OPEN = (IntentState.INTENDED.value, IntentState.UNKNOWN.value)


def intend_payment(uow: UnitOfWork, *, request: IntendPayment) -> IntentView:
    """Write down what will be asked of a device, durably, before it is asked. The trace number is the intent's own.

    Raises RailNotAvailable (also for cash, which needs no intent), AccountNotFound, CounterUnknown, TillNotOpen.
    """
    if not RAILS.of(request.method).needs_intent:
        raise RailNotAvailable(method=request.method.value)
    if account_store.read(uow.conn, request.account_id) is None:
        raise AccountNotFound(account_id=request.account_id)
    till = cashdesk.lock_own_till(uow)
    store.insert_intent(
        uow.conn,
        {
            "intent_id": request.intent_id,
            "rail": request.method.value,
            "account_id": request.account_id,
            "till_id": till.till_id,
            "hall_code": uow.context.hall_code,
            "district_code": uow.context.district_code,
            "amount_fen": request.amount_fen,
            "state": IntentState.INTENDED.value,
            "trace_no": request.intent_id,
            "intended_at": uow.now,
            "act_id": uow.act_id,
        },
    )
    return _view(_found(uow.conn, request.intent_id, uow.context))


def resolve_intent(uow: UnitOfWork, *, intent_id: str, request: ResolveIntent) -> IntentView:
    """Store what the device, a query or a person found out. A confirmed or refused intent is never changed.

    Raises PaymentNotFound, IntentMismatch (the outcome is final already), InputNotValid.
    """
    if request.outcome not in _OUTCOMES:
        raise InputNotValid(field="outcome", reason="confirmed | refused | unknown")
    intent = _found(uow.conn, intent_id, uow.context)
    if intent.state == request.outcome:
        return _view(intent)
    moved = store.move_intent(
        uow.conn,
        intent_id,
        _STILL_OPEN,
        state=request.outcome.value,
        trace_no=request.trace_no or intent.trace_no,
        rail_message=request.message,
        resolved_at=uow.now,
        resolved_by=uow.context.staff_id,
    )
    if not moved:
        raise IntentMismatch()
    return _view(_found(uow.conn, intent_id, uow.context))


def use_intent(uow: UnitOfWork, request: TakePayment | TakeDeposit) -> str:
    """Book a confirmed intent, once, and return its trace number.

    Raises IntentNotConfirmed, IntentMismatch, PaymentNotFound.
    """
    if request.intent_id is None:
        raise IntentNotConfirmed(state="-")
    intent = _found(uow.conn, request.intent_id, uow.context)
    if (intent.account_id, intent.amount_fen, intent.rail) != (request.account_id, request.amount_fen, request.method):
        raise IntentMismatch()
    confirmed = (IntentState.CONFIRMED.value,)
    if not store.move_intent(uow.conn, intent.intent_id, confirmed, state=IntentState.BOOKED.value):
        raise IntentNotConfirmed(state=intent.state)
    trace_no: str = intent.trace_no
    return trace_no


def list_intents(conn: Connection, context: WorkContext, *, limit: int) -> list[IntentView]:
    """Intents that somebody must still look after, oldest first."""
    return [_view(row) for row in store.open_intents(conn, context, limit)]


def _found(conn: Connection, intent_id: str, context: WorkContext) -> Row[Any]:
    intent = store.find_intent(conn, intent_id, context)
    if intent is None:
        raise PaymentNotFound()
    return intent


def _view(row: Row[Any]) -> IntentView:
    return IntentView(
        intent_id=row.intent_id,
        account_id=row.account_id,
        amount_fen=row.amount_fen,
        method=PayMethod(row.rail),
        state=IntentState(row.state),
        trace_no=row.trace_no,
        message=row.rail_message or "",
        intended_at=row.intended_at,
    )
