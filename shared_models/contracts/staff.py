"""Halls, counters, staff and roles as they are administered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from shared_models.contracts.base import CodeField, Contract, IdField, PageOf
from shared_models.contracts.work import DataScope

StaffNoField = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{2,20}$")]
CounterNoField = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,20}$")]
ShortName = Annotated[str, StringConstraints(min_length=1, max_length=60)]
#: Ceilings are whole fen; a negative one would be no ceiling but a defect.
LimitFen = Annotated[int, Field(ge=0, le=1_000_000_000_000)]


class HallRow(Contract):
    """A business hall and the district it belongs to."""

    hall_code: CodeField
    hall_name: ShortName
    district_code: CodeField
    district_name: Annotated[str, StringConstraints(max_length=60)] = ""
    address: Annotated[str, StringConstraints(max_length=200)] = ""
    counters: tuple[CounterNoField, ...] = Field(default=(), max_length=200)


class HallPage(PageOf):
    """Halls in order of code."""

    items: tuple[HallRow, ...]


class StaffView(Contract):
    """A member of staff; never the password."""

    staff_id: str
    staff_no: str
    staff_name: str
    hall_code: str
    scope: DataScope
    roles: tuple[str, ...]
    state: str = Field(description="active | left")
    must_change_password: bool
    locked_until_at: datetime | None = None
    limits_fen: dict[str, int] = Field(default_factory=dict)
    version_no: int


class StaffPage(PageOf):
    """Staff in order of number."""

    items: tuple[StaffView, ...]


class AddStaff(Contract):
    """A new member of staff. The reply holds a one-time password that must be changed at the first login."""

    staff_id: IdField
    staff_no: StaffNoField
    staff_name: ShortName
    hall_code: CodeField
    scope: DataScope = DataScope.HALL
    roles: tuple[CodeField, ...] = Field(min_length=1, max_length=20)
    limits_fen: dict[CodeField, LimitFen] = Field(default_factory=dict, max_length=20)


class ChangeStaff(Contract):
    """What is to be different; a field left out stays."""

    version_no: int
    staff_name: ShortName | None = None
    hall_code: CodeField | None = None
    scope: DataScope | None = None
    roles: Annotated[tuple[CodeField, ...], Field(min_length=1, max_length=20)] | None = None
    limits_fen: dict[CodeField, LimitFen] | None = Field(default=None, max_length=20)
    left: bool = Field(default=False, description="true: the person has left; sessions end at once")


class StaffChanged(Contract):
    """The reply to a change of staff."""

    staff_id: str
    staff_no: str
    version_no: int


class OneTimePassword(Contract):
    """A password somebody else has seen: good for one thing, to be changed."""

    staff_id: str
    staff_no: str
    one_time_password: str = Field(repr=False)
    expires_at: datetime


class RoleView(Contract):
    """A role and what it permits."""

    role_code: str
    name_zh: str
    name_en: str
    permissions: tuple[str, ...]


class RolePage(PageOf):
    """Roles in order of code."""

    items: tuple[RoleView, ...]
