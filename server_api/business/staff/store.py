"""The SQL of staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from shared_models.tables.business.staff import (
    hall,
    hall_counter,
    role_permission,
    staff_grant,
    staff_member,
    staff_password,
    staff_role,
    staff_session,
)


def member_by_no(conn: Connection, staff_no: str) -> Row[Any] | None:
    """A member of staff with the hall it works in."""
    query = (
        select(staff_member, hall.c.district_code, hall.c.hall_name)
        .join(hall, hall.c.hall_code == staff_member.c.hall_code)
        .where(staff_member.c.staff_no == staff_no)
    )
    return conn.execute(query).one_or_none()


def member(conn: Connection, staff_id: str) -> Row[Any] | None:
    """A member of staff by id."""
    return conn.execute(select(staff_member).where(staff_member.c.staff_id == staff_id)).one_or_none()


def member_lock(staff_id: str) -> Select[Any]:
    """The query whose row is locked while sign-in counters or the password change."""
    return select(staff_member).where(staff_member.c.staff_id == staff_id)


def members_page(
    conn: Connection, after_no: str, limit: int, hall_code: str | None, district_code: str | None
) -> list[Row[Any]]:
    """Staff in order of number, within a hall or a district where one is named."""
    query = select(staff_member)
    if after_no:  # '' is NULL, and nothing is greater than NULL
        query = query.where(staff_member.c.staff_no > after_no)
    if hall_code is not None:
        query = query.where(staff_member.c.hall_code == hall_code)
    if district_code is not None:
        query = query.join(hall, hall.c.hall_code == staff_member.c.hall_code).where(
            hall.c.district_code == district_code
        )
    return list(conn.execute(query.order_by(staff_member.c.staff_no).limit(limit)))


def add_member(conn: Connection, row: Mapping[str, Any]) -> None:
    conn.execute(insert(staff_member).values(**row))


def change_member(conn: Connection, staff_id: str, **values: Any) -> None:
    conn.execute(update(staff_member).where(staff_member.c.staff_id == staff_id).values(**values))


def roles_of(conn: Connection, staff_ids: Iterable[str]) -> dict[str, list[str]]:
    """Role codes by staff id."""
    found: dict[str, list[str]] = {}
    query = select(staff_grant).where(staff_grant.c.staff_id.in_(list(staff_ids)))
    for row in conn.execute(query.order_by(staff_grant.c.staff_id, staff_grant.c.role_code)):
        found.setdefault(row.staff_id, []).append(row.role_code)
    return found


def permissions_of(conn: Connection, staff_id: str) -> frozenset[str]:
    """Everything the roles of a member of staff permit."""
    query = (
        select(role_permission.c.permission)
        .join(staff_grant, staff_grant.c.role_code == role_permission.c.role_code)
        .where(staff_grant.c.staff_id == staff_id)
    )
    return frozenset(conn.execute(query).scalars())


def set_roles(conn: Connection, staff_id: str, role_codes: Iterable[str]) -> None:
    conn.execute(delete(staff_grant).where(staff_grant.c.staff_id == staff_id))
    for role_code in sorted(set(role_codes)):
        conn.execute(insert(staff_grant).values(staff_id=staff_id, role_code=role_code))


def all_roles(conn: Connection) -> list[Row[Any]]:
    return list(conn.execute(select(staff_role).order_by(staff_role.c.role_code)))


def all_permissions(conn: Connection) -> dict[str, list[str]]:
    """Permissions by role."""
    found: dict[str, list[str]] = {}
    for row in conn.execute(
        select(role_permission).order_by(role_permission.c.role_code, role_permission.c.permission)
    ):
        found.setdefault(row.role_code, []).append(row.permission)
    return found


def put_role(conn: Connection, role_code: str, name_zh: str, name_en: str, permissions: Iterable[str]) -> None:
    """Write a role whole: what it had before and has not now is gone."""
    changed = conn.execute(
        update(staff_role).where(staff_role.c.role_code == role_code).values(name_zh=name_zh, name_en=name_en)
    )
    if not changed.rowcount:
        conn.execute(insert(staff_role).values(role_code=role_code, name_zh=name_zh, name_en=name_en))
    conn.execute(delete(role_permission).where(role_permission.c.role_code == role_code))
    for permission in sorted(set(permissions)):
        conn.execute(insert(role_permission).values(role_code=role_code, permission=permission))


def one_hall(conn: Connection, hall_code: str) -> Row[Any] | None:
    return conn.execute(select(hall).where(hall.c.hall_code == hall_code)).one_or_none()


def halls_page(conn: Connection, after_code: str, limit: int) -> list[Row[Any]]:
    """Halls in order of code."""
    query = select(hall)
    if after_code:
        query = query.where(hall.c.hall_code > after_code)
    return list(conn.execute(query.order_by(hall.c.hall_code).limit(limit)))


def put_hall(conn: Connection, hall_code: str, **values: Any) -> None:
    """Write a hall, new or known."""
    if not conn.execute(update(hall).where(hall.c.hall_code == hall_code).values(**values)).rowcount:
        conn.execute(insert(hall).values(hall_code=hall_code, state="open", **values))


def counters_of(conn: Connection, hall_codes: Iterable[str]) -> dict[str, list[str]]:
    """Counter numbers by hall."""
    found: dict[str, list[str]] = {}
    query = select(hall_counter).where(hall_counter.c.hall_code.in_(list(hall_codes)), hall_counter.c.state == "open")
    for row in conn.execute(query.order_by(hall_counter.c.hall_code, hall_counter.c.counter_no)):
        found.setdefault(row.hall_code, []).append(row.counter_no)
    return found


def put_counters(conn: Connection, hall_code: str, counter_nos: Iterable[str]) -> None:
    """Make exactly these counters the open ones; others stay known, closed, because old sessions name them."""
    known = set(conn.execute(select(hall_counter.c.counter_no).where(hall_counter.c.hall_code == hall_code)).scalars())
    wanted = set(counter_nos)
    for counter_no in sorted(known | wanted):
        state = "open" if counter_no in wanted else "closed"
        if counter_no in known:
            conn.execute(
                update(hall_counter)
                .where(hall_counter.c.hall_code == hall_code, hall_counter.c.counter_no == counter_no)
                .values(state=state)
            )
        else:
            conn.execute(insert(hall_counter).values(hall_code=hall_code, counter_no=counter_no, state=state))


def old_passwords(conn: Connection, staff_id: str, limit: int) -> list[str]:
    """The hashes of the last passwords, newest first."""
    query = select(staff_password.c.password_hash).where(staff_password.c.staff_id == staff_id)
    return list(conn.execute(query.order_by(staff_password.c.set_at.desc()).limit(limit)).scalars())


def remember_password(conn: Connection, staff_id: str, set_at: datetime, password_hash: str) -> None:
    known = conn.execute(
        select(staff_password.c.set_at).where(staff_password.c.staff_id == staff_id, staff_password.c.set_at == set_at)
    ).one_or_none()
    if known is None:
        conn.execute(insert(staff_password).values(staff_id=staff_id, set_at=set_at, password_hash=password_hash))


def add_session(conn: Connection, row: Mapping[str, Any]) -> None:
    conn.execute(insert(staff_session).values(**row))


def session(conn: Connection, session_id: str) -> Row[Any] | None:
    """A session with the state of its owner."""
    query = (
        select(
            staff_session,
            staff_member.c.state.label("member_state"),
        )
        .join(staff_member, staff_member.c.staff_id == staff_session.c.staff_id)
        .where(staff_session.c.session_id == session_id)
    )
    return conn.execute(query).one_or_none()


def touch_session(conn: Connection, session_id: str, at: datetime) -> None:
    conn.execute(
        update(staff_session)
        .where(staff_session.c.session_id == session_id, staff_session.c.last_used_at < at)
        .values(last_used_at=at)
    )


def end_session(conn: Connection, session_id: str, at: datetime, reason: str) -> int:
    """End one session; the number of sessions that were still open (0 or 1)."""
    return conn.execute(
        update(staff_session)
        .where(staff_session.c.session_id == session_id, staff_session.c.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason)
    ).rowcount


def end_sessions_of(conn: Connection, staff_id: str, at: datetime, reason: str, but: str = "") -> int:
    """End every open session of a member of staff but one; how many there were."""
    return conn.execute(
        update(staff_session)
        .where(
            staff_session.c.staff_id == staff_id,
            staff_session.c.ended_at.is_(None),
            staff_session.c.session_id != (but or "-"),
        )
        .values(ended_at=at, end_reason=reason)
    ).rowcount
