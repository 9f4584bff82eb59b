"""What another person does with a session: close it for a teller who is not there, and audit it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from server_api.billing.cashdesk import rules, store
from server_api.billing.cashdesk.service.till import finish_day, keep_count, till_view
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.cashdesk import AuditTill, CloseForOther, DayClose, TillSession
from shared_models.values.faults.cashdesk import (
    CounterUnknown,
    TillAuditDisagrees,
    TillAuditedByYou,
    TillIsYourOwn,
    TillNotFound,
)
from shared_models.values.money_states import TillState


def close_for_other(uow: UnitOfWork, *, till_id: str, request: CloseForOther) -> DayClose:
    """Count and close a session its teller left behind; who closed it hands its cash to the bank.

    Raises CounterUnknown (the report needs a number of a counter), TillNotFound, TillIsYourOwn, TillStepNotAllowed,
    TillCountDoesNotAdd.
    """
    if not uow.context.counter_no:
        raise CounterUnknown()
    till = _locked(uow, till_id)
    difference = keep_count(uow, till, request.denominations, request.counted_fen)
    closed = finish_day(uow, till_id=till_id, note=request.note, difference=difference)
    audit.note(uow, "till.closed_for_other", f"till:{till_id}", f"{till.staff_no}: {request.note}")
    return closed


def audit_till(uow: UnitOfWork, *, till_id: str, request: AuditTill) -> TillSession:
    """Pass a deposited session's next level of audit (稽核); each level is another person's, none the teller's.

    Raises TillNotFound, TillIsYourOwn, TillStepNotAllowed, TillAuditedByYou, TillAuditDisagrees.
    """
    till = _locked(uow, till_id)
    state = rules.next_state(TillState(till.state), "audit")
    before = store.audits_of(uow.conn, [till_id]).get(till_id, [])
    for one in before:
        if one.staff_id == uow.context.staff_id:
            raise TillAuditedByYou(level=one.level_no)
    if till.closed_by == uow.context.staff_id:
        raise TillIsYourOwn()
    if request.amount_fen != till.deposited_fen:
        raise TillAuditDisagrees(amount=str(request.amount_fen), deposited=str(till.deposited_fen))
    store.insert_audit(
        uow.conn,
        {
            "till_id": till_id,
            "level_no": len(before) + 1,
            "amount_fen": request.amount_fen,
            "remark": request.note,
            "staff_id": uow.context.staff_id,
            "staff_no": uow.context.staff_no,
            "audited_at": uow.now,
            "act_id": uow.act_id,
        },
    )
    store.change_till(uow.conn, till_id, state=state.value)
    audit.note(uow, "till.audited", f"till:{till_id}", f"{len(before) + 1}: {request.amount_fen}")
    return till_view(uow.conn, till_id)


def _locked(uow: UnitOfWork, till_id: str) -> Row[Any]:
    """Somebody else's session in the caller's data scope, locked."""
    till = store.lock_till(uow, till_id) if store.in_scope(uow.conn, till_id, uow.context) else None
    if till is None:
        raise TillNotFound()
    if till.staff_id == uow.context.staff_id:
        raise TillIsYourOwn()
    return till
