"""What every step of a work order needs: its row held, the step allowed, the event written."""

from __future__ import annotations

from datetime import date
from typing import Any

import resources
from server_api.business.workorder import rules, store
from server_api.business.workorder.policy import work_policy
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.workorder import Window, WorkOrderDone
from shared_models.tables.business.workorder import work_order, work_window
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.workorder import (
    ReasonNotKnown,
    WindowFull,
    WindowNotPossible,
    WorkStepNotPossible,
)
from shared_models.values.ids import new_id

#: The staff of jobs, imports and orders: they act for everybody.
_SYSTEM = "system"
_FARTHEST_DAYS = 60


def held(uow: UnitOfWork, work_order_id: str, *, own: bool = False) -> Any:
    """A work order, its row locked: one in the caller's scope, or (``own``) the caller's own. Raises NotFound."""
    row = uow.lock(store.any_one(work_order_id), work_order)
    if row is None:
        raise NotFound()
    if own and row.staff_no == uow.context.staff_no:
        return row
    if store.one(uow.conn, work_order_id, uow.context) is None:
        raise NotFound()
    return row


def step(uow: UnitOfWork, row: Any, event: str, *, reason: str | None = None, remark: str = "", **values: Any) -> str:
    """Take a step: the state after it. Raises WorkStepNotPossible."""
    after = rules.state_after(row.state, event)
    if after is None:
        raise WorkStepNotPossible(
            work_order_no=row.work_order_no, state=_called("work_state", row.state), event=_called("work_event", event)
        )
    store.change(uow.conn, row.work_order_id, state=after, version_no=row.version_no + 1, **values)
    note(uow, row.work_order_id, event, after, reason=reason, remark=remark)
    return after


def note(uow: UnitOfWork, work_order_id: str, event: str, after: str, *, reason: str | None, remark: str) -> None:
    """Write what happened."""
    store.add_event(uow.conn, {
        "event_id": new_id(), "work_order_id": work_order_id, "at": uow.now, "event": event, "to_state": after,
        "staff_no": (uow.context.staff_no or _SYSTEM)[:20], "reason_code": reason, "remark": remark or None,
    })  # fmt: skip


def need_reason(group: str, reason: str | None) -> str:
    """A reason that is one of its group. Raises ReasonNotKnown."""
    known = work_policy().reasons[group]
    if reason is None or reason not in known:
        raise ReasonNotKnown(reason=reason or "-", group=group, reasons=", ".join(known))
    return reason


def done(uow: UnitOfWork, work_order_id: str) -> WorkOrderDone:
    """The answer of an act."""
    row = uow.conn.execute(store.any_one(work_order_id)).one()
    return WorkOrderDone(
        work_order_id=work_order_id, work_order_no=row.work_order_no, state=row.state, version_no=row.version_no
    )


def promise_window(uow: UnitOfWork, team_code: str | None, window: Window) -> None:
    """Count a visit in a team's window. Raises WindowNotPossible, WindowFull."""
    slots = work_policy().slots
    if window.slot not in slots or not 0 <= (window.on - uow.today).days <= _FARTHEST_DAYS:
        raise WindowNotPossible(on=window.on, slot=window.slot, slots=", ".join(slots))
    if team_code is None:
        return
    first = {"team_code": team_code, "window_on": window.on, "window_slot": window.slot, "booked": 0}
    uow.lock_or_insert(store.window_query(team_code, window.on, window.slot), work_window, first)
    room = len(store.members(uow.conn, team_code)) * slots[window.slot].per_member
    if not store.promise(uow.conn, team_code, window.on, window.slot, room):
        raise WindowFull(team=team_code, on=window.on, slot=_called("work_slot", window.slot))


def give_back_window(uow: UnitOfWork, row: Any) -> None:
    """Count a visit less where one was promised."""
    if row.team_code is not None and row.window_on is not None:
        store.unpromise(uow.conn, row.team_code, row.window_on, row.window_slot)


def window_of(row: Any) -> Window | None:
    """The window a row has."""
    on: date | None = row.window_on
    return None if on is None else Window(on=on, slot=row.window_slot)


def _called(group: str, name: str) -> dict[str, str]:
    """A state, event or window as refusals name it, in both languages."""
    return {
        short: resources.texts(language).get(f"portal.{group}.{name}", name)
        for short, language in (("zh", "zh_CN"), ("en", "en"))
    }
