"""Faults and complaints on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from shared_models.contracts.base import CodeField, Contract, IdField, PageOf
from shared_models.contracts.workorder import Window, WorkOrderHead

Text = Annotated[str, StringConstraints(min_length=2, max_length=500)]
Remark = Annotated[str, StringConstraints(max_length=500)]
LookedAt = Literal["line_test", "onu_state", "online", "line", "other"]


class FileTicket(Contract):
    """Report a fault or complaint of a product, or of a customer."""

    kind: Literal["fault", "complaint"]
    category: CodeField
    described: Text
    product_id: IdField | None = None
    customer_id: IdField | None = None
    contact_name: Annotated[str, StringConstraints(max_length=60)] = ""
    contact_phone: Annotated[str, StringConstraints(max_length=40)] = ""
    area_code: CodeField | None = None
    channel: Literal["hall", "telephone", "portal", "network"] = "hall"


class DeclareAreaFault(Contract):
    """Something broke that many hang on."""

    place_code: CodeField
    category: CodeField
    described: Text


class SendOut(Contract):
    """Have somebody go there."""

    window: Window | None = None
    remark: Remark = ""


class AddFinding(Contract):
    """What a person found."""

    looked_at: LookedAt
    verdict: Literal["good", "bad", "unknown"]
    detail: Annotated[str, StringConstraints(max_length=200)] = ""


class ResolveTicket(Contract):
    """What it was and what was done."""

    cause_code: CodeField
    resolution: Remark = ""


class TicketSaid(Contract):
    """What the customer said afterwards."""

    outcome: Literal["satisfied", "not_satisfied", "not_reached"]
    remark: Remark = ""


class TicketRemark(Contract):
    """Why: of waiting, going on, withdrawing, or calling it hard to repair."""

    remark: Text


class FindingView(Contract):
    """What was looked at and what it said."""

    looked_at: str
    verdict: str
    detail: str | None
    at: datetime
    staff_no: str


class TicketEventView(Contract):
    """One thing that happened."""

    at: datetime
    event: str
    to_state: str
    staff_no: str
    remark: str | None


class TicketHead(Contract):
    """A fault or complaint in a list."""

    ticket_id: str
    ticket_no: str
    kind: str
    category: str
    reach: str
    state: str
    shown_as: str | None
    address: str | None
    described: str
    escalated: int
    due_at: datetime
    overdue: bool
    opened_at: datetime
    parent_id: str | None
    product_id: str | None
    customer_id: str | None
    place_code: str | None
    version_no: int


class TicketView(TicketHead):
    """A ticket with all that belongs to it."""

    contact_name: str | None
    contact_phone: str | None
    cause_code: str | None
    resolution: str | None
    resolved_at: datetime | None
    closed_at: datetime | None
    follow_up: str
    first_cause: str | None
    affected: int
    findings: tuple[FindingView, ...]
    events: tuple[TicketEventView, ...]
    work_orders: tuple[WorkOrderHead, ...]


class TicketPage(PageOf):
    """Tickets in order of when they are due."""

    items: tuple[TicketHead, ...]


class TicketDone(Contract):
    """The answer of every act on a ticket."""

    ticket_id: str
    ticket_no: str
    state: str
    version_no: int
