"""Administering halls, staff and roles."""

from __future__ import annotations

import tomllib
from typing import Any

from sqlalchemy import Connection, Row

import resources
from server_api.business.staff import store
from server_api.business.staff.service.passwords import GivenPassword, policy
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.staff import (
    AddStaff,
    ChangeStaff,
    HallPage,
    HallRow,
    OneTimePassword,
    RolePage,
    RoleView,
    StaffChanged,
    StaffPage,
    StaffView,
)
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.tables.business.staff import staff_member
from shared_models.values.faults.common import InputNotValid, NotFound, NotPermitted
from shared_models.values.faults.staff import ChangedMeanwhile, HallUnknown, RoleUnknown, StaffNoTaken
from shared_models.values.permissions import Permission


def load_roles(uow: UnitOfWork) -> int:
    """Write the roles of resources/policy/roles.toml into the tables; returns how many.

    Raises InputNotValid when the file names a permission there is not.
    """
    document = tomllib.loads(resources.path("policy", "roles.toml").read_text(encoding="utf-8"))["role"]
    for role_code, role in document.items():
        for permission in role["permissions"]:
            if permission not in set(Permission):
                raise InputNotValid(field=f"role.{role_code}", reason=str(permission))
        store.put_role(uow.conn, role_code, role["name_zh"], role["name_en"], role["permissions"])
    return len(document)


def put_hall(uow: UnitOfWork, *, hall: HallRow) -> HallRow:
    """Write a hall with its counters, new or known; counters not named are closed. For those who see everything."""
    if uow.context.scope is not DataScope.ALL:
        raise NotPermitted(permission=Permission.STAFF_EDIT.value)
    store.put_hall(
        uow.conn,
        hall.hall_code,
        hall_name=hall.hall_name,
        district_code=hall.district_code,
        district_name=hall.district_name,
        address=hall.address,
    )
    store.put_counters(uow.conn, hall.hall_code, hall.counters)
    audit.note(uow, "staff.hall_written", f"hall:{hall.hall_code}")
    return hall


def add_staff(uow: UnitOfWork, *, staff: AddStaff, given: GivenPassword) -> OneTimePassword:
    """Add a member of staff with a one-time password. Raises StaffNoTaken, HallUnknown, RoleUnknown, NotFound."""
    _need_in_scope(uow, staff.hall_code)
    _need_no_wider(uow, staff.scope)
    _need_roles(uow.conn, staff.roles)
    if store.member_by_no(uow.conn, staff.staff_no) is not None:
        raise StaffNoTaken(staff_no=staff.staff_no)
    store.add_member(
        uow.conn,
        {
            "staff_id": staff.staff_id,
            "staff_no": staff.staff_no,
            "staff_name": staff.staff_name,
            "hall_code": staff.hall_code,
            "data_scope": staff.scope.value,
            "state": "active",
            "password_hash": given.password_hash,
            "password_set_at": uow.now,
            "must_change": True,
            "failed_count": 0,
            "limits_fen": staff.limits_fen,
            "version_no": 1,
        },
    )
    store.set_roles(uow.conn, staff.staff_id, staff.roles)
    audit.note(uow, "staff.added", f"staff:{staff.staff_no}", ",".join(staff.roles))
    return OneTimePassword(
        staff_id=staff.staff_id,
        staff_no=staff.staff_no,
        one_time_password=given.password,
        expires_at=uow.now + policy().one_time_for,
    )


def change_staff(uow: UnitOfWork, *, staff_id: str, change: ChangeStaff) -> StaffChanged:
    """Change a member of staff. New rights hold at once: open sessions end. Raises NotFound, ChangedMeanwhile, …"""
    row = uow.lock(store.member_lock(staff_id), staff_member)
    if row is None:
        raise NotFound(what="staff")
    _need_in_scope(uow, row.hall_code)
    if row.version_no != change.version_no:
        raise ChangedMeanwhile()
    values: dict[str, Any] = {"version_no": row.version_no + 1}
    if change.staff_name is not None:
        values["staff_name"] = change.staff_name
    if change.hall_code is not None:
        _need_in_scope(uow, change.hall_code)
        values["hall_code"] = change.hall_code
    if change.scope is not None:
        _need_no_wider(uow, change.scope)
        values["data_scope"] = change.scope.value
    if change.limits_fen is not None:
        values["limits_fen"] = change.limits_fen
    if change.left:
        values["state"] = "left"
    if change.roles is not None:
        _need_roles(uow.conn, change.roles)
        store.set_roles(uow.conn, staff_id, change.roles)
    store.change_member(uow.conn, staff_id, **values)
    store.end_sessions_of(uow.conn, staff_id, uow.now, "revoked")
    audit.note(uow, "staff.left" if change.left else "staff.changed", f"staff:{row.staff_no}")
    return StaffChanged(staff_id=staff_id, staff_no=row.staff_no, version_no=row.version_no + 1)


def reset_password(uow: UnitOfWork, *, staff_id: str, given: GivenPassword) -> OneTimePassword:
    """Give out a one-time password; the lock is lifted and every session ends. Raises NotFound."""
    row = uow.lock(store.member_lock(staff_id), staff_member)
    if row is None or row.state != "active":
        raise NotFound(what="staff")
    _need_in_scope(uow, row.hall_code)
    store.change_member(
        uow.conn,
        staff_id,
        password_hash=given.password_hash,
        password_set_at=uow.now,
        must_change=True,
        failed_count=0,
        locked_until_at=None,
        version_no=row.version_no + 1,
    )
    store.end_sessions_of(uow.conn, staff_id, uow.now, "revoked")
    audit.note(uow, "staff.password_reset", f"staff:{row.staff_no}")
    return OneTimePassword(
        staff_id=staff_id,
        staff_no=row.staff_no,
        one_time_password=given.password,
        expires_at=uow.now + policy().one_time_for,
    )


def list_staff(connection: Connection, *, context: WorkContext, limit: int, cursor: str) -> StaffPage:
    """Staff the caller may see, in order of number."""
    hall_code = context.hall_code if context.scope is DataScope.HALL else None
    district_code = context.district_code if context.scope is DataScope.DISTRICT else None
    rows = store.members_page(connection, cursor, limit + 1, hall_code, district_code)
    roles = store.roles_of(connection, [row.staff_id for row in rows[:limit]])
    items = tuple(_view(row, roles.get(row.staff_id, [])) for row in rows[:limit])
    return StaffPage(items=items, next_cursor=items[-1].staff_no if len(rows) > limit else None)


def list_halls(connection: Connection, *, limit: int, cursor: str) -> HallPage:
    """Halls in order of code."""
    rows = store.halls_page(connection, cursor, limit + 1)
    counters = store.counters_of(connection, [row.hall_code for row in rows[:limit]])
    items = tuple(
        HallRow(
            hall_code=row.hall_code,
            hall_name=row.hall_name,
            district_code=row.district_code,
            district_name=row.district_name or "",
            address=row.address or "",
            counters=tuple(counters.get(row.hall_code, ())),
        )
        for row in rows[:limit]
    )
    return HallPage(items=items, next_cursor=items[-1].hall_code if len(rows) > limit else None)


def list_roles(connection: Connection) -> RolePage:
    """Every role and what it permits."""
    permissions = store.all_permissions(connection)
    return RolePage(
        items=tuple(
            RoleView(
                role_code=row.role_code,
                name_zh=row.name_zh,
                name_en=row.name_en,
                permissions=tuple(permissions.get(row.role_code, ())),
            )
            for row in store.all_roles(connection)
        )
    )


def _view(row: Row[Any], roles: list[str]) -> StaffView:
    return StaffView(
        staff_id=row.staff_id,
        staff_no=row.staff_no,
        staff_name=row.staff_name,
        hall_code=row.hall_code,
        scope=DataScope(row.data_scope),
        roles=tuple(roles),
        state=row.state,
        must_change_password=bool(row.must_change),
        locked_until_at=row.locked_until_at,
        limits_fen=row.limits_fen or {},
        version_no=row.version_no,
    )


def _need_in_scope(uow: UnitOfWork, hall_code: str) -> None:
    """Staff are administered within the administrator's own data scope."""
    found = store.one_hall(uow.conn, hall_code)
    if found is None:
        raise HallUnknown(hall_code=hall_code)
    context = uow.context
    inside = (
        context.scope is DataScope.ALL
        or (context.scope is DataScope.DISTRICT and found.district_code == context.district_code)
        or (context.scope is DataScope.HALL and found.hall_code == context.hall_code)
    )
    if not inside:
        raise NotFound(what="staff")


def _need_roles(connection: Connection, role_codes: tuple[str, ...]) -> None:
    known = {row.role_code for row in store.all_roles(connection)}
    for role_code in role_codes:
        if role_code not in known:
            raise RoleUnknown(role_code=role_code)


def _need_no_wider(uow: UnitOfWork, scope: DataScope) -> None:
    """Nobody lets another see further than they see themselves."""
    order = (DataScope.HALL, DataScope.DISTRICT, DataScope.ALL)
    if order.index(scope) > order.index(uow.context.scope):
        raise NotPermitted(permission=Permission.STAFF_EDIT.value)
