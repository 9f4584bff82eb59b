"""Opening, promising, handing over and withdrawing work orders."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server_api.business.party import service as party
from server_api.business.workorder import store
from server_api.business.workorder.news import WorkOrderClosed
from server_api.business.workorder.policy import work_policy
from server_api.business.workorder.steps import (
    done,
    give_back_window,
    held,
    need_reason,
    note,
    promise_window,
    step,
    window_of,
)
from server_api.platform.numbering import next_number
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.workorder import BookWork, CancelWork, DispatchWork, Window, WorkOrderDone
from shared_models.tables.business.workorder import work_order
from shared_models.values.faults.workorder import TeamNotFitting, WorkKindUnknown
from shared_models.values.ids import derived_id


def open_work_order(
    uow: UnitOfWork, *, kind: str, address: str, order_id: str | None = None, item_id: str | None = None,
    ticket_id: str | None = None, product_id: str | None = None, customer_id: str | None = None,
    contact_name: str = "", contact_phone: str = "", area_code: str | None = None, skill: str | None = None,
    window: Window | None = None, due_at: datetime | None = None, remark: str = "",
) -> str:  # fmt: skip
    """Open a work order for an order, a fault or by hand; its id, which follows from the act and its cause.

    A team that works there and can do it gets it, the one with the least to do. With a window the visit is promised.
    Raises WorkKindUnknown, WindowNotPossible, WindowFull.
    """
    policy = work_policy()
    if kind not in policy.kinds:
        raise WorkKindUnknown(kind=kind, kinds=", ".join(policy.kinds))
    area_code, skill = area_code or "town", skill or policy.kinds[kind].skill
    work_order_id = derived_id(uow.act_id, order_id or ticket_id or product_id or "", item_id or "", kind)
    teams = store.fitting_teams(uow.conn, area_code, skill)
    team_code = teams[0][0] if teams else None
    if window is not None:
        promise_window(uow, team_code, window)
    hall_code, district_code = _where(uow, customer_id, team_code)
    state = "booked" if window is not None else "waiting"
    store.add(uow.conn, {
        "work_order_id": work_order_id, "work_order_no": f"W{next_number(uow, 'work_order'):08d}", "work_kind": kind,
        "state": state, "order_id": order_id, "item_id": item_id, "ticket_id": ticket_id, "product_id": product_id,
        "customer_id": customer_id, "address": address[:200] or "-", "contact_name": contact_name[:60],
        "contact_phone": contact_phone[:40], "area_code": area_code, "skill": skill, "team_code": team_code,
        "staff_no": None, "window_on": window.on if window else None, "window_slot": window.slot if window else None,
        "due_at": due_at or uow.now + policy.due_within(kind, area_code), "opened_at": uow.now, "remark": remark[:500],
        "follow_up": "none", "hall_code": hall_code, "district_code": district_code, "version_no": 1,
    })  # fmt: skip
    note(uow, work_order_id, "open", state, reason=None, remark="")
    return work_order_id


def book_work(uow: UnitOfWork, *, work_order_id: str, wish: BookWork) -> WorkOrderDone:
    """Promise a window, instead of the one before where there was one.

    Raises NotFound, WorkStepNotPossible, WindowNotPossible, WindowFull, TeamNotFitting.
    """
    row = held(uow, work_order_id, own=True)
    team_code = wish.team_code or row.team_code
    _need_team(uow, team_code, None)
    step(uow, row, "book", remark=wish.remark, window_on=wish.window.on, window_slot=wish.window.slot,
         team_code=team_code)  # fmt: skip
    give_back_window(uow, row)
    promise_window(uow, team_code, wish.window)
    return done(uow, work_order_id)


def dispatch_work(uow: UnitOfWork, *, work_order_id: str, wish: DispatchWork) -> WorkOrderDone:
    """Hand a work order to a team or person; taking it from somebody needs a reason. A promised window goes along.

    Raises NotFound, WorkStepNotPossible, TeamNotFitting, ReasonNotKnown, WindowFull.
    """
    row = held(uow, work_order_id)
    _need_team(uow, wish.team_code, wish.staff_no)
    reason = None
    if row.staff_no is not None and row.staff_no != wish.staff_no:
        reason = need_reason("transfer", wish.reason_code)
    step(uow, row, "dispatch", reason=reason, remark=wish.remark, team_code=wish.team_code, staff_no=wish.staff_no)
    window = window_of(row)
    if window is not None and wish.team_code != row.team_code:
        give_back_window(uow, row)
        promise_window(uow, wish.team_code, window)
    return done(uow, work_order_id)


def cancel_work(uow: UnitOfWork, *, work_order_id: str, wish: CancelWork) -> WorkOrderDone:
    """Withdraw a work order that is open. Raises NotFound, WorkStepNotPossible."""
    row = held(uow, work_order_id)
    _cancel(uow, row, wish.remark)
    return done(uow, work_order_id)


def cancel_work_orders(uow: UnitOfWork, *, order_id: str, item_id: str | None = None) -> int:
    """Withdraw what is still open for an order or one item of it; how many there were."""
    rows = store.open_of_order(uow.conn, order_id, item_id)
    for one in rows:
        row = uow.lock(store.any_one(one.work_order_id), work_order)
        if row is not None and row.state in store.OPEN:
            _cancel(uow, row, "")
    return len(rows)


def cancel_work_of_ticket(uow: UnitOfWork, *, ticket_id: str) -> int:
    """Withdraw what is still open for a fault; how many there were."""
    rows = [one for one in store.all_of_cause(uow.conn, "ticket_id", ticket_id) if one.state in store.OPEN]
    for one in rows:
        row = uow.lock(store.any_one(one.work_order_id), work_order)
        if row is not None and row.state in store.OPEN:
            _cancel(uow, row, "")
    return len(rows)


def _cancel(uow: UnitOfWork, row: Any, remark: str) -> None:
    step(uow, row, "cancel", remark=remark, closed_at=uow.now)
    give_back_window(uow, row)
    uow.announce(WorkOrderClosed(
        row.work_order_id, row.work_kind, row.order_id, row.item_id, row.ticket_id, row.product_id, "cancelled", None,
        (), (), uow.now,
    ))  # fmt: skip


def _need_team(uow: UnitOfWork, team_code: str | None, staff_no: str | None) -> None:
    known = team_code is None or store.team(uow.conn, team_code) is not None
    if not known or (staff_no is not None and staff_no not in store.members(uow.conn, team_code or "")):
        raise TeamNotFitting(team=team_code or "-", staff=staff_no or "-")


def _where(uow: UnitOfWork, customer_id: str | None, team_code: str | None) -> tuple[str, str]:
    """The hall and district a work order belongs to: its customer's, else its team's, else where it was opened."""
    if customer_id is not None:
        owner = party.need_customer(uow.conn, customer_id, uow.context)
        return owner.hall_code, owner.district_code
    team = store.team(uow.conn, team_code) if team_code is not None else None
    if team is not None:
        return team.hall_code, team.district_code
    return uow.context.hall_code, uow.context.district_code
