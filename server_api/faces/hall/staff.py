"""Halls, staff and roles, administered within the administrator's own data scope."""

from __future__ import annotations

from server_api.business.staff import service as staff
from server_api.faces.hall.core import (
    DEFAULT_LIMIT,
    Caller,
    Cursor,
    Limit,
    Permission,
    Response,
    cursor_after,
    cursor_key,
    hall_router,
    permit,
    refusals,
    reply,
)
from shared_models.contracts.staff import (
    AddStaff,
    ChangeStaff,
    HallPage,
    HallRow,
    OneTimePassword,
    RolePage,
    StaffChanged,
    StaffPage,
)
from shared_models.values.faults.common import NotFound, NotPermitted
from shared_models.values.faults.staff import ChangedMeanwhile, HallUnknown, RoleUnknown, StaffNoTaken

router = hall_router("staff")


@router.get("/staff", response_model=StaffPage)
def list_staff(
    limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None, caller: Caller = permit(Permission.STAFF_VIEW)
) -> Response:
    """Staff the caller may see, in order of number."""
    key = cursor_key(cursor, str)
    with caller.reading("business") as connection:
        page = staff.list_staff(connection, context=caller.context, limit=limit, cursor=key[0] if key else "")
    if page.next_cursor is not None:
        page = page.model_copy(update={"next_cursor": cursor_after(page.next_cursor)})
    return reply(page)


@router.post("/staff", response_model=OneTimePassword, status_code=201, responses=refusals(
    StaffNoTaken, HallUnknown, RoleUnknown, NotFound, NotPermitted))  # fmt: skip
def add_staff(body: AddStaff, caller: Caller = permit(Permission.STAFF_EDIT)) -> Response:
    """Add a member of staff; the reply holds a one-time password, to be changed at the first sign-in."""
    given = staff.give_password()
    return caller.act(
        "business", "add_staff", body, lambda uow: staff.add_staff(uow, staff=body, given=given), status_code=201
    )


@router.patch("/staff/{staff_id}", response_model=StaffChanged, responses=refusals(
    NotFound, ChangedMeanwhile, HallUnknown, RoleUnknown, NotPermitted))  # fmt: skip
def change_staff(staff_id: str, body: ChangeStaff, caller: Caller = permit(Permission.STAFF_EDIT)) -> Response:
    """Change a member of staff; open sessions of that person end, so that new rights hold at once."""
    return caller.act(
        "business", "change_staff", body, lambda uow: staff.change_staff(uow, staff_id=staff_id, change=body)
    )


@router.post("/staff/{staff_id}/password", response_model=OneTimePassword, responses=refusals(NotFound))
def reset_password(staff_id: str, caller: Caller = permit(Permission.STAFF_EDIT)) -> Response:
    """Give out a one-time password, lift a lock and end every session of the person."""
    given = staff.give_password()
    return caller.act(
        "business", "reset_password", None, lambda uow: staff.reset_password(uow, staff_id=staff_id, given=given)
    )


@router.get("/halls", response_model=HallPage)
def list_halls(
    limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None, caller: Caller = permit(Permission.STAFF_VIEW)
) -> Response:
    """Business halls in order of code."""
    key = cursor_key(cursor, str)
    with caller.reading("business") as connection:
        page = staff.list_halls(connection, limit=limit, cursor=key[0] if key else "")
    if page.next_cursor is not None:
        page = page.model_copy(update={"next_cursor": cursor_after(page.next_cursor)})
    return reply(page)


@router.post("/halls", response_model=HallRow, responses=refusals(NotPermitted))
def put_hall(body: HallRow, caller: Caller = permit(Permission.STAFF_EDIT)) -> Response:
    """Write a hall with its counters, new or known; counters not named are closed."""
    return caller.act("business", "put_hall", body, lambda uow: staff.put_hall(uow, hall=body))


@router.get("/roles", response_model=RolePage)
def list_roles(caller: Caller = permit(Permission.STAFF_VIEW)) -> Response:
    """Every role and what it permits."""
    with caller.reading("business") as connection:
        return reply(staff.list_roles(connection))
