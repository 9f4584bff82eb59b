"""Reading work orders: one, mine, those of an order, and the dispatcher's board. And what teams there are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from server_api.business.workorder import rules, store
from server_api.business.workorder.policy import work_policy
from server_api.business.workorder.steps import window_of
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import WorkContext
from shared_models.contracts.workorder import (
    DispatchBoard,
    MaterialUsed,
    ReadingView,
    Signature,
    TeamLoad,
    TeamRow,
    WindowLoad,
    WorkEventView,
    WorkOrderHead,
    WorkOrderView,
)
from shared_models.values.clock import town_day
from shared_models.values.faults.common import NotFound

_SHOWN = 50
_MOST = 200
_BOARD_DAYS = 3


def put_team(uow: UnitOfWork, *, team: TeamRow) -> TeamRow:
    """Write a team with its members, areas and skills."""
    row = {
        "team_code": team.team_code, "team_name": team.team_name, "hall_code": team.hall_code,
        "district_code": team.district_code, "state": "in_use",
    }  # fmt: skip
    pairs = [(area, skill) for area in team.areas for skill in team.skills]
    store.put_team(uow.conn, row, pairs, team.members)
    return team


def teams(conn: Connection, context: WorkContext) -> list[TeamRow]:
    """The teams the caller may see."""
    return [_team(conn, row) for row in store.teams(conn, context)]


def read_work(conn: Connection, work_order_id: str, context: WorkContext, now: datetime) -> WorkOrderView:
    """One work order whole: in the caller's scope, or the caller's own. Raises NotFound."""
    row = conn.execute(store.any_one(work_order_id)).one_or_none()
    mine = row is not None and row.staff_no == context.staff_no
    if row is None or not (mine or store.one(conn, work_order_id, context) is not None):
        raise NotFound()
    signed = store.signature(conn, work_order_id)
    return WorkOrderView(
        **_fields(row, now), remark=row.remark, result_remark=row.result_remark, late_reason=row.late_reason,
        follow_up=row.follow_up, begun_at=row.begun_at,
        events=tuple(
            WorkEventView(
                at=one.at, event=one.event, to_state=one.to_state, staff_no=one.staff_no, reason_code=one.reason_code,
                remark=one.remark,
            )
            for one in store.events(conn, work_order_id)
        ),
        readings=tuple(_reading(one) for one in store.readings(conn, work_order_id)),
        materials=tuple(
            MaterialUsed(
                material_code=one.material_code, quantity=one.quantity, serial_no=one.serial_no,
                place_code=one.place_code,
            )
            for one in store.materials(conn, work_order_id)
        ),
        signature=None if signed is None else Signature(signed_by=signed.signed_by, strokes=signed.strokes),
    )  # fmt: skip


def my_work(conn: Connection, context: WorkContext, now: datetime) -> list[WorkOrderHead]:
    """What the caller has open, the promised first."""
    return [head(row, now) for row in store.mine(conn, context.staff_no, _MOST)]


def work_of(
    conn: Connection, cause: Literal["order_id", "ticket_id", "product_id"], value: str, now: datetime,
    context: WorkContext,
) -> list[WorkOrderHead]:  # fmt: skip
    """The work orders of an order, a fault or a product that the caller may see, newest first."""
    return [head(row, now) for row in store.of_cause(conn, cause, value, _SHOWN, context)]


def page_of_work(
    conn: Connection, context: WorkContext, now: datetime, *, limit: int, after: tuple[datetime, str] | None,
    state: str | None = None, team_code: str | None = None, staff_no: str | None = None, overdue: bool = False,
    unassigned: bool = False,
) -> list[WorkOrderHead]:  # fmt: skip
    """Open work orders in order of when they are due."""
    rows = store.page(
        conn, context, limit, after, state=state, team_code=team_code, staff_no=staff_no,
        overdue_at=now if overdue else None, unassigned=unassigned,
    )  # fmt: skip
    return [head(row, now) for row in rows]


def board(conn: Connection, context: WorkContext, now: datetime) -> DispatchBoard:
    """What each team and person has, what is overdue, what is promised in the next days, what nobody has yet."""
    late = store.overdue(conn, context, now)
    open_by: dict[str | None, dict[str | None, int]] = {}
    for row in store.workload(conn, context):
        open_by.setdefault(row.team_code, {})[row.staff_no] = int(row.how_many)
    loads = []
    for team in teams(conn, context):
        by_staff = {no: open_by.get(team.team_code, {}).get(no, 0) for no in team.members}
        loads.append(TeamLoad(
            team=team, open_count=sum(open_by.get(team.team_code, {}).values()),
            overdue_count=late.get(team.team_code, 0), by_staff=by_staff, windows=_windows(conn, team, now),
        ))  # fmt: skip
    nobody = store.page(conn, context, _SHOWN, None, unassigned=True)
    return DispatchBoard(
        teams=tuple(loads), unassigned=tuple(head(row, now) for row in nobody),
        unassigned_count=sum(staff.get(None, 0) for staff in open_by.values()), overdue_count=sum(late.values()),
    )  # fmt: skip


def head(row: Any, now: datetime) -> WorkOrderHead:
    """A row as lists show it."""
    return WorkOrderHead(**_fields(row, now))


def _fields(row: Any, now: datetime) -> dict[str, Any]:
    return {
        "work_order_id": row.work_order_id, "work_order_no": row.work_order_no, "kind": row.work_kind,
        "state": row.state, "address": row.address, "contact_name": row.contact_name,
        "contact_phone": row.contact_phone, "area_code": row.area_code, "skill": row.skill,
        "team_code": row.team_code, "staff_no": row.staff_no, "window": window_of(row), "due_at": row.due_at,
        "overdue": rules.is_late(row.due_at, row.closed_at or now), "opened_at": row.opened_at,
        "closed_at": row.closed_at, "reason_code": row.reason_code, "product_id": row.product_id,
        "order_id": row.order_id, "ticket_id": row.ticket_id, "customer_id": row.customer_id,
        "version_no": row.version_no,
    }  # fmt: skip


def _reading(row: Any) -> ReadingView:
    rule = work_policy().readings.get(row.reading)
    return ReadingView(
        reading=row.reading,
        value=rules.shown(row.value_milli),
        unit=rule.unit if rule else "",
        good=row.good,
        at=row.at,
    )


def _team(conn: Connection, row: Any) -> TeamRow:
    reach = store.reach(conn, row.team_code)
    return TeamRow(
        team_code=row.team_code, team_name=row.team_name, hall_code=row.hall_code, district_code=row.district_code,
        areas=tuple(sorted({area for area, _ in reach})), skills=tuple(sorted({skill for _, skill in reach})),
        members=tuple(store.members(conn, row.team_code)),
    )  # fmt: skip


def _windows(conn: Connection, team: TeamRow, now: datetime) -> tuple[WindowLoad, ...]:
    first = town_day(now)
    promised = store.promised(conn, team.team_code, first, first + timedelta(days=_BOARD_DAYS))
    return tuple(
        WindowLoad(
            on=first + timedelta(days=day), slot=slot,
            booked=promised.get((first + timedelta(days=day), slot), 0), room=len(team.members) * rule.per_member,
        )
        for day in range(_BOARD_DAYS)
        for slot, rule in work_policy().slots.items()
    )  # fmt: skip
