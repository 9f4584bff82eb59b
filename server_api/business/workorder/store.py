"""The SQL of work orders, teams and windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, insert, or_, select, update

from shared_models.contracts.work import DataScope, WorkContext
from shared_models.tables.business.workorder import (
    work_order,
    work_order_event,
    work_order_material,
    work_order_reading,
    work_order_signature,
    work_team,
    work_team_member,
    work_team_reach,
    work_window,
)

w = work_order.c
OPEN = ("waiting", "booked", "on_site", "failed")


def in_scope(context: WorkContext) -> list[ColumnElement[bool]]:
    """The conditions that keep a query within what the caller may see."""
    if context.scope is DataScope.HALL:
        return [w.hall_code == context.hall_code]
    if context.scope is DataScope.DISTRICT:
        return [w.district_code == context.district_code]
    return []


def lock_query(work_order_id: str, context: WorkContext) -> Select[Any]:
    """The query whose row is locked while a work order changes."""
    return select(work_order).where(w.work_order_id == work_order_id, *in_scope(context))


def one(conn: Connection, work_order_id: str, context: WorkContext) -> Row[Any] | None:
    return conn.execute(lock_query(work_order_id, context)).one_or_none()


def any_one(work_order_id: str) -> Select[Any]:
    """The same without a scope, for acts of orders and for those whose work order it is."""
    return select(work_order).where(w.work_order_id == work_order_id)


def add(conn: Connection, row: Mapping[str, Any]) -> None:
    conn.execute(insert(work_order).values(**row))


def change(conn: Connection, work_order_id: str, **values: Any) -> None:
    conn.execute(update(work_order).where(w.work_order_id == work_order_id).values(**values))


def open_of_order(conn: Connection, order_id: str, item_id: str | None) -> list[Row[Any]]:
    """What is still open for an order or one item of it."""
    query = select(work_order).where(w.order_id == order_id, w.state.in_(OPEN))
    if item_id is not None:
        query = query.where(w.item_id == item_id)
    return list(conn.execute(query.order_by(w.work_order_id)))


def of_cause(conn: Connection, column: str, value: str, limit: int, context: WorkContext) -> list[Row[Any]]:
    """Work orders of an order, ticket or product (``column`` names which), newest first."""
    query = select(work_order).where(w[column] == value, *in_scope(context))
    return list(conn.execute(query.order_by(w.opened_at.desc(), w.work_order_id).limit(limit)))


def all_of_cause(conn: Connection, column: str, value: str) -> list[Row[Any]]:
    """The same without a scope, for what the cause does."""
    return list(conn.execute(select(work_order).where(w[column] == value).order_by(w.work_order_id)))


def page(
    conn: Connection, context: WorkContext, limit: int, after: tuple[datetime, str] | None, *, state: str | None = None,
    team_code: str | None = None, staff_no: str | None = None, overdue_at: datetime | None = None,
    unassigned: bool = False,
) -> list[Row[Any]]:  # fmt: skip
    """Open work orders (or those of one state) in order of when they are due."""
    query = select(work_order).where(*in_scope(context))
    query = query.where(w.state == state) if state else query.where(w.state.in_(OPEN))
    if team_code is not None:
        query = query.where(w.team_code == team_code)
    if staff_no is not None:
        query = query.where(w.staff_no == staff_no)
    if overdue_at is not None:
        query = query.where(w.due_at < overdue_at)
    if unassigned:
        query = query.where(w.staff_no.is_(None))
    if after is not None:
        query = query.where(or_(w.due_at > after[0], and_(w.due_at == after[0], w.work_order_id > after[1])))
    return list(conn.execute(query.order_by(w.due_at, w.work_order_id).limit(limit)))


def mine(conn: Connection, staff_no: str, limit: int) -> list[Row[Any]]:
    """What one person has open, the promised first, then by when it is due."""
    query = select(work_order).where(w.staff_no == staff_no, w.state.in_(OPEN))
    rows = list(conn.execute(query.order_by(w.due_at, w.work_order_id).limit(limit)))
    return sorted(rows, key=lambda row: (row.window_on or date.max, row.due_at))


def workload(conn: Connection, context: WorkContext) -> list[Row[Any]]:
    """How many are open, by team and person."""
    query = (
        select(w.team_code, w.staff_no, func.count().label("how_many"))
        .where(w.state.in_(OPEN), *in_scope(context))
        .group_by(w.team_code, w.staff_no)
    )
    return list(conn.execute(query.order_by(w.team_code, w.staff_no)))


def overdue(conn: Connection, context: WorkContext, at: datetime) -> dict[str | None, int]:
    """How many open ones are overdue, by team."""
    query = (
        select(w.team_code, func.count().label("how_many"))
        .where(w.state.in_(OPEN), w.due_at < at, *in_scope(context))
        .group_by(w.team_code)
    )
    return {row.team_code: int(row.how_many) for row in conn.execute(query)}


def add_event(conn: Connection, row: Mapping[str, Any]) -> None:
    """Add an event with the next number of its work order, whose row the caller holds."""
    e = work_order_event.c
    last = conn.execute(select(func.max(e.event_no)).where(e.work_order_id == row["work_order_id"])).scalar_one()
    conn.execute(insert(work_order_event).values(event_no=(last or 0) + 1, **row))


def events(conn: Connection, work_order_id: str) -> list[Row[Any]]:
    e = work_order_event.c
    return list(conn.execute(select(work_order_event).where(e.work_order_id == work_order_id).order_by(e.event_no)))


def readings(conn: Connection, work_order_id: str) -> list[Row[Any]]:
    c = work_order_reading.c
    query = select(work_order_reading).where(c.work_order_id == work_order_id)
    return list(conn.execute(query.order_by(c.reading_no)))


def add_readings(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(work_order_reading), list(rows))


def materials(conn: Connection, work_order_id: str) -> list[Row[Any]]:
    c = work_order_material.c
    query = select(work_order_material).where(c.work_order_id == work_order_id)
    return list(conn.execute(query.order_by(c.material_no)))


def add_materials(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(work_order_material), list(rows))


def signature(conn: Connection, work_order_id: str) -> Row[Any] | None:
    query = select(work_order_signature).where(work_order_signature.c.work_order_id == work_order_id)
    return conn.execute(query).one_or_none()


def put_signature(conn: Connection, row: Mapping[str, Any]) -> None:
    """Keep the signature of the last visit."""
    conn.execute(delete(work_order_signature).where(work_order_signature.c.work_order_id == row["work_order_id"]))
    conn.execute(insert(work_order_signature).values(**row))


def teams(conn: Connection, context: WorkContext) -> list[Row[Any]]:
    """Teams the caller may see, in order of code."""
    t = work_team.c
    query = select(work_team).where(t.state == "in_use")
    if context.scope is DataScope.HALL:
        query = query.where(t.hall_code == context.hall_code)
    elif context.scope is DataScope.DISTRICT:
        query = query.where(t.district_code == context.district_code)
    return list(conn.execute(query.order_by(t.team_code)))


def team(conn: Connection, team_code: str) -> Row[Any] | None:
    return conn.execute(select(work_team).where(work_team.c.team_code == team_code)).one_or_none()


def members(conn: Connection, team_code: str) -> list[str]:
    m = work_team_member.c
    return list(conn.execute(select(m.staff_no).where(m.team_code == team_code).order_by(m.staff_no)).scalars())


def reach(conn: Connection, team_code: str) -> list[tuple[str, str]]:
    c = work_team_reach.c
    query = select(c.area_code, c.skill).where(c.team_code == team_code).order_by(c.area_code, c.skill)
    return [(row.area_code, row.skill) for row in conn.execute(query)]


def fitting_teams(conn: Connection, area_code: str, skill: str) -> list[tuple[str, int]]:
    """Teams that work in an area and can do it, with how much each has open, the least first."""
    c = work_team_reach.c
    load = select(w.team_code, func.count().label("how_many")).where(w.state.in_(OPEN)).group_by(w.team_code).subquery()
    query = (
        select(c.team_code, func.coalesce(load.c.how_many, 0).label("how_many"))
        .join(work_team, work_team.c.team_code == c.team_code)
        .outerjoin(load, load.c.team_code == c.team_code)
        .where(c.area_code.in_((area_code, "*")), c.skill.in_((skill, "*")), work_team.c.state == "in_use")
        .distinct()
    )
    return sorted(((row.team_code, int(row.how_many)) for row in conn.execute(query)), key=lambda one: (one[1], one[0]))


def put_team(
    conn: Connection, row: Mapping[str, Any], pairs: Sequence[tuple[str, str]], staff_nos: Sequence[str]
) -> None:
    """Write a team whole: what it had before and has not now is gone."""
    values = {key: value for key, value in row.items() if key != "team_code"}
    if not conn.execute(update(work_team).where(work_team.c.team_code == row["team_code"]).values(**values)).rowcount:
        conn.execute(insert(work_team).values(**row))
    conn.execute(delete(work_team_reach).where(work_team_reach.c.team_code == row["team_code"]))
    conn.execute(delete(work_team_member).where(work_team_member.c.team_code == row["team_code"]))
    for area_code, skill in sorted(set(pairs)):
        conn.execute(insert(work_team_reach).values(team_code=row["team_code"], area_code=area_code, skill=skill))
    for staff_no in sorted(set(staff_nos)):
        conn.execute(insert(work_team_member).values(team_code=row["team_code"], staff_no=staff_no))


def window_query(team_code: str, on: date, slot: str) -> Select[Any]:
    """The query whose row is locked while a window is promised."""
    c = work_window.c
    return select(work_window).where(c.team_code == team_code, c.window_on == on, c.window_slot == slot)


def promise(conn: Connection, team_code: str, on: date, slot: str, room: int) -> bool:
    """Count one more visit if there is room; False when there is none."""
    c = work_window.c
    query = update(work_window).where(
        c.team_code == team_code, c.window_on == on, c.window_slot == slot, c.booked < room
    )
    return conn.execute(query.values(booked=c.booked + 1)).rowcount == 1


def unpromise(conn: Connection, team_code: str, on: date, slot: str) -> None:
    """Count one visit less."""
    c = work_window.c
    query = update(work_window).where(c.team_code == team_code, c.window_on == on, c.window_slot == slot, c.booked > 0)
    conn.execute(query.values(booked=c.booked - 1))


def promised(conn: Connection, team_code: str, from_on: date, until_on: date) -> dict[tuple[date, str], int]:
    """How many visits are promised, by day and slot."""
    c = work_window.c
    query = select(work_window).where(c.team_code == team_code, c.window_on >= from_on, c.window_on < until_on)
    return {(row.window_on, row.window_slot): int(row.booked) for row in conn.execute(query)}


def miscounted_windows(conn: Connection, limit: int) -> tuple[int, list[str]]:
    """How many windows there are, and those whose count is not the number of open work orders promised in them."""
    c = work_window.c
    counted = int(conn.execute(select(func.count()).select_from(work_window)).scalar_one())
    there = (
        select(w.team_code, w.window_on, w.window_slot, func.count().label("how_many"))
        .where(w.state.in_(OPEN), w.window_on.is_not(None), w.team_code.is_not(None))
        .group_by(w.team_code, w.window_on, w.window_slot)
        .subquery()
    )
    query = (
        select(c.team_code, c.window_on, c.window_slot)
        .outerjoin(
            there,
            and_(there.c.team_code == c.team_code, there.c.window_on == c.window_on,
                 there.c.window_slot == c.window_slot),
        )
        .where(c.booked != func.coalesce(there.c.how_many, 0))
    )  # fmt: skip
    rows = conn.execute(query.order_by(c.team_code, c.window_on, c.window_slot).limit(limit))
    return counted, [f"{row.team_code} {row.window_on} {row.window_slot}" for row in rows]
