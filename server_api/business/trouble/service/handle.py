"""What is done about a ticket: somebody sent out, findings noted, passed up, resolved, the customer asked."""

from __future__ import annotations

from typing import Any

from server_api.business.trouble import rules, store
from server_api.business.trouble.policy import trouble_policy
from server_api.business.trouble.steps import done, held, note, step
from server_api.business.workorder import service as workorder
from server_api.business.workorder.news import WorkOrderClosed
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.trouble import (
    AddFinding,
    ResolveTicket,
    SendOut,
    TicketDone,
    TicketRemark,
    TicketSaid,
)
from shared_models.tables.business.trouble import trouble_ticket
from shared_models.values.faults.trouble import CategoryUnknown


def send_out(uow: UnitOfWork, *, ticket_id: str, wish: SendOut) -> TicketDone:
    """Open a work order for it. Raises NotFound, TroubleStepNotPossible, WindowFull, WindowNotPossible."""
    row = held(uow, ticket_id)
    step(uow, row, "send_out", remark=wish.remark)
    workorder.open_work_order(
        uow, kind="repair", address=row.address or row.described, ticket_id=ticket_id, product_id=row.product_id,
        customer_id=row.customer_id, contact_name=row.contact_name or "", contact_phone=row.contact_phone or "",
        area_code=row.area_code, window=wish.window, due_at=row.due_at, remark=f"{row.ticket_no} {row.described}",
    )  # fmt: skip
    return done(uow, ticket_id)


def add_finding(uow: UnitOfWork, *, ticket_id: str, finding: AddFinding) -> TicketDone:
    """Keep what a person found: a line test, the state of an ONU, the online record. Raises NotFound, …NotPossible."""
    row = held(uow, ticket_id)
    step(uow, row, "find", remark=f"{finding.looked_at}: {finding.verdict}")
    store.add_findings(uow.conn, ticket_id, [{
        "at": uow.now, "looked_at": finding.looked_at, "verdict": finding.verdict, "detail": finding.detail or None,
        "staff_no": uow.context.staff_no[:20],
    }])  # fmt: skip
    return done(uow, ticket_id)


def begin_ticket(uow: UnitOfWork, *, ticket_id: str, why: TicketRemark) -> TicketDone:
    """Work on it, or go on with it. Raises NotFound, TroubleStepNotPossible."""
    step(uow, held(uow, ticket_id), "begin", remark=why.remark)
    return done(uow, ticket_id)


def wait_ticket(uow: UnitOfWork, *, ticket_id: str, why: TicketRemark) -> TicketDone:
    """Wait for somebody outside. Raises NotFound, TroubleStepNotPossible."""
    step(uow, held(uow, ticket_id), "wait", remark=why.remark)
    return done(uow, ticket_id)


def cancel_ticket(uow: UnitOfWork, *, ticket_id: str, why: TicketRemark) -> TicketDone:
    """Withdraw it, with what is open of it in the field. Raises NotFound, TroubleStepNotPossible."""
    row = held(uow, ticket_id)
    step(uow, row, "cancel", remark=why.remark, closed_at=uow.now, escalate_at=None)
    workorder.cancel_work_of_ticket(uow, ticket_id=ticket_id)
    return done(uow, ticket_id)


def mark_hard(uow: UnitOfWork, *, ticket_id: str, why: TicketRemark) -> TicketDone:
    """Call a fault hard to repair: it is passed up at once. Raises NotFound, TroubleStepNotPossible."""
    row = held(uow, ticket_id)
    step(uow, row, "escalate", remark=why.remark, reach="hard" if row.reach == "single" else row.reach,
         escalated=row.escalated + 1)  # fmt: skip
    return done(uow, ticket_id)


def resolve_ticket(uow: UnitOfWork, *, ticket_id: str, wish: ResolveTicket) -> TicketDone:
    """Say what it was; of an area-wide fault all parts are resolved with it.

    Raises NotFound, TroubleStepNotPossible, CategoryUnknown.
    """
    known = trouble_policy().causes
    if wish.cause_code not in known:
        raise CategoryUnknown(category=wish.cause_code, known=", ".join(known))
    row = held(uow, ticket_id)
    _resolve(uow, row, wish.cause_code, wish.resolution)
    return done(uow, ticket_id)


def ask_back(uow: UnitOfWork, *, ticket_id: str, said: TicketSaid) -> TicketDone:
    """Keep what the customer says: satisfied closes, not satisfied goes on and is passed up.

    Raises NotFound, TroubleStepNotPossible.
    """
    row = held(uow, ticket_id)
    values: dict[str, Any] = {"follow_up": said.outcome}
    if said.outcome == "satisfied":
        values["closed_at"] = uow.now
    if said.outcome == "not_satisfied":
        values |= {"escalated": row.escalated + 1, "resolved_at": None}
    step(uow, row, said.outcome, remark=said.remark, **values)
    return done(uow, ticket_id)


def escalate_due(uow: UnitOfWork, *, limit: int = 50) -> int:
    """Pass up what has waited too long; how many there were."""
    hours = trouble_policy().escalate_after_hours
    passed = 0
    for one in store.to_escalate(uow.conn, uow.now, limit):
        row = uow.lock(store.any_one(one.ticket_id), trouble_ticket)
        if row is None or row.state not in rules.OPEN or row.escalate_at is None or row.escalate_at > uow.now:
            continue
        left = [hour for hour in hours if rules.next_escalation(row.opened_at, 0, (hour,)) > uow.now]  # type: ignore[operator]
        again = rules.next_escalation(row.opened_at, 0, left[:1])
        step(uow, row, "escalate", escalated=row.escalated + 1, escalate_at=again)
        passed += 1
    return passed


def heard_work_order(uow: UnitOfWork, news: WorkOrderClosed) -> None:
    """A visit ended: done resolves the fault, what cannot go on waits for somebody."""
    if news.ticket_id is None:
        return
    row = uow.lock(store.any_one(news.ticket_id), trouble_ticket)
    if row is None or row.state not in rules.OPEN:
        return
    if news.result == "done":
        _resolve(uow, row, "visit", news.reason_code or "")
    elif news.result == "cannot_continue" and row.state == "in_progress":
        step(uow, row, "wait", remark=news.reason_code or "")
    else:
        note(uow, row.ticket_id, f"work_{news.result}"[:20], row.state, news.reason_code or "")


def _resolve(uow: UnitOfWork, row: Any, cause_code: str, resolution: str) -> None:
    values = {
        "cause_code": cause_code, "resolution": resolution or None, "resolved_at": uow.now, "escalate_at": None,
    }  # fmt: skip
    step(uow, row, "resolve", remark=resolution, **values)
    if row.reach != "area":
        return
    for child in store.children(uow.conn, row.ticket_id):
        locked = uow.lock(store.any_one(child.ticket_id), trouble_ticket)
        if locked is not None and locked.state in rules.OPEN:
            step(uow, locked, "resolve", remark=row.ticket_no, **values)
