"""Work orders on the wire."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from shared_models.contracts.base import CodeField, Contract, IdField, PageOf

Remark = Annotated[str, StringConstraints(max_length=500)]
StaffNo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,20}$")]
Slot = Literal["morning", "afternoon", "evening"]
#: An instant with its zone, in a century we answer for.
Instant = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=timezone.utc), le=datetime(2100, 1, 1, tzinfo=timezone.utc)),
]
Point = Annotated[int, Field(ge=0, le=400)]


class Window(Contract):
    """A day and the part of it that was promised."""

    on: date
    slot: Slot


class BookWork(Contract):
    """Promise a window."""

    window: Window
    team_code: CodeField | None = None
    remark: Remark = ""


class DispatchWork(Contract):
    """Hand a work order to a team and, where named, to one of its members. Handing it on needs a reason."""

    team_code: CodeField
    staff_no: StaffNo | None = None
    reason_code: CodeField | None = None
    remark: Remark = ""


class ContactMade(Contract):
    """Somebody tried to speak to the customer."""

    reason_code: CodeField
    remark: Remark = ""


class ArriveAtSite(Contract):
    """Somebody is there; ``at`` is when, where the news comes later than the fact."""

    at: Instant | None = None


class ReadingTaken(Contract):
    """A measurement, in thousandths of its unit."""

    reading: CodeField
    value_milli: Annotated[int, Field(ge=-(10**12), le=10**12)]


class MaterialUsed(Contract):
    """So much of a material, or the device of that kind with that number."""

    material_code: CodeField
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    serial_no: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")] | None = None
    place_code: CodeField | None = Field(default=None, description="whose stock; the person's van where left out")


class Signature(Contract):
    """The customer's name and how it was written: lines of points x, y, x, y … on a field of 300 by 120."""

    signed_by: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    strokes: Annotated[tuple[Annotated[tuple[Point, ...], Field(min_length=2, max_length=400)], ...], Field(
        min_length=1, max_length=60)]  # fmt: skip


class CloseWork(Contract):
    """How a visit ended, with all that belongs to it: one act, so that a phone can send it whole, later and twice."""

    result: Literal["done", "failed", "cannot_continue"]
    reason_code: CodeField
    late_reason: CodeField | None = Field(default=None, description="needed when it was due before")
    at: Instant | None = Field(default=None, description="when, where the news comes later than the fact")
    readings: Annotated[tuple[ReadingTaken, ...], Field(max_length=20)] = ()
    materials: Annotated[tuple[MaterialUsed, ...], Field(max_length=20)] = ()
    signature: Signature | None = None
    remark: Remark = ""


class FollowUp(Contract):
    """What the customer said afterwards."""

    outcome: Literal["satisfied", "not_satisfied", "not_reached"]
    remark: Remark = ""


class CancelWork(Contract):
    """Withdraw a work order."""

    remark: Annotated[str, StringConstraints(min_length=2, max_length=500)]


class OpenWork(Contract):
    """Open a work order by hand; orders and faults open theirs themselves."""

    kind: CodeField
    address: Annotated[str, StringConstraints(min_length=2, max_length=200)]
    product_id: IdField | None = None
    customer_id: IdField | None = None
    contact_name: Annotated[str, StringConstraints(max_length=60)] = ""
    contact_phone: Annotated[str, StringConstraints(max_length=40)] = ""
    area_code: CodeField | None = None
    skill: CodeField | None = None
    window: Window | None = None
    due_at: Instant | None = None
    remark: Remark = ""


class WorkOrderHead(Contract):
    """A work order in a list."""

    work_order_id: str
    work_order_no: str
    kind: str
    state: str
    address: str
    contact_name: str | None
    contact_phone: str | None
    area_code: str
    skill: str
    team_code: str | None
    staff_no: str | None
    window: Window | None
    due_at: datetime
    overdue: bool
    opened_at: datetime
    closed_at: datetime | None
    reason_code: str | None
    product_id: str | None
    order_id: str | None
    ticket_id: str | None
    customer_id: str | None
    version_no: int


class WorkEventView(Contract):
    """One thing that happened to it."""

    at: datetime
    event: str
    to_state: str
    staff_no: str
    reason_code: str | None
    remark: str | None


class ReadingView(Contract):
    """A reading as people read it."""

    reading: str
    value: str
    unit: str
    good: bool
    at: datetime


class WorkOrderView(WorkOrderHead):
    """A work order with all that belongs to it."""

    remark: str | None
    result_remark: str | None
    late_reason: str | None
    follow_up: str
    begun_at: datetime | None
    events: tuple[WorkEventView, ...]
    readings: tuple[ReadingView, ...]
    materials: tuple[MaterialUsed, ...]
    signature: Signature | None


class WorkOrderPage(PageOf):
    """Work orders in order of when they are due."""

    items: tuple[WorkOrderHead, ...]


class TeamRow(Contract):
    """A team: who is in it, where it works, what it can do."""

    team_code: CodeField
    team_name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    hall_code: CodeField
    district_code: CodeField
    areas: tuple[Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z0-9_\-]{1,20})$")], ...] = ("*",)
    skills: tuple[Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z0-9_\-]{1,20})$")], ...] = ("*",)
    members: tuple[StaffNo, ...] = ()


class WindowLoad(Contract):
    """How much of a window is promised."""

    on: date
    slot: str
    booked: int
    room: int


class TeamLoad(Contract):
    """A team on the dispatch board: what it has open, what is overdue, who has how much, what is promised."""

    team: TeamRow
    open_count: int
    overdue_count: int
    by_staff: dict[str, int]
    windows: tuple[WindowLoad, ...]


class DispatchBoard(Contract):
    """All teams in sight, and what nobody has yet."""

    teams: tuple[TeamLoad, ...]
    unassigned: tuple[WorkOrderHead, ...]
    unassigned_count: int
    overdue_count: int


class WorkOrderDone(Contract):
    """The answer of every act on a work order."""

    work_order_id: str
    work_order_no: str
    state: str
    version_no: int
