"""Faults and complaints: taken with a first look, sent out, passed up, resolved, the customer asked."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query

from server_api.business.trouble import service as trouble
from server_api.faces.hall.core import (
    DEFAULT_LIMIT,
    Caller,
    Cursor,
    Limit,
    Permission,
    Response,
    hall_router,
    permit,
    refusals,
    reply,
)
from server_api.faces.hall.keyset import instant_after, instant_key
from shared_models.contracts.trouble import (
    AddFinding,
    DeclareAreaFault,
    FileTicket,
    ResolveTicket,
    SendOut,
    TicketDone,
    TicketPage,
    TicketRemark,
    TicketSaid,
    TicketView,
)
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.resource import PlaceUnknown
from shared_models.values.faults.trouble import AlreadyReported, CategoryUnknown, TroubleStepNotPossible
from shared_models.values.faults.workorder import WindowFull, WindowNotPossible

router = hall_router("troubles")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["7a" * 16])]
HexQuery = Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")]
State = Literal["acknowledged", "in_progress", "pending", "resolved", "closed", "cancelled"]
_STEP = refusals(NotFound, TroubleStepNotPossible)


@router.post("/troubles", response_model=TicketDone, status_code=201, responses=refusals(
    NotFound, CategoryUnknown, AlreadyReported))  # fmt: skip
def file_ticket(body: FileTicket, caller: Caller = permit(Permission.TROUBLE_FILE)) -> Response:
    """Take a fault or complaint; a fault's first look is part of the answer's ticket."""
    return caller.act("business", "file_ticket", body, lambda uow: trouble.file_ticket(uow, wish=body), status_code=201)


@router.post(
    "/troubles/area", response_model=TicketDone, status_code=201, responses=refusals(PlaceUnknown, CategoryUnknown)
)
def declare_area_fault(body: DeclareAreaFault, caller: Caller = permit(Permission.TROUBLE_HANDLE)) -> Response:
    """Say that something broke that many hang on."""
    return caller.act(
        "business", "declare_area_fault", body, lambda uow: trouble.declare_area_fault(uow, wish=body), status_code=201
    )


@router.get("/troubles", response_model=TicketPage)
def list_tickets(
    state: State | None = None,
    kind: Literal["fault", "complaint"] | None = None,
    reach: Literal["single", "area", "hard"] | None = None,
    product_id: HexQuery = None,
    customer_id: HexQuery = None,
    overdue: bool = False,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    caller: Caller = permit(Permission.TROUBLE_FILE, Permission.TROUBLE_HANDLE),
) -> Response:
    """Open tickets, or those of one state, product or customer, in order of when they are due."""
    after = instant_key(cursor)
    with caller.reading("business") as connection:
        items = trouble.page_of_tickets(
            connection, caller.context, caller.databases.business.clock.now(), limit=limit, after=after,
            overdue=overdue, state=state, kind=kind, reach=reach, product_id=product_id, customer_id=customer_id,
        )  # fmt: skip
    more = instant_after(items[-1].due_at, items[-1].ticket_id) if len(items) == limit else None
    return reply(TicketPage(items=tuple(items), next_cursor=more))


@router.get("/troubles/{ticket_id}", response_model=TicketView, responses=refusals(NotFound))
def read_ticket(
    ticket_id: HexId, caller: Caller = permit(Permission.TROUBLE_FILE, Permission.TROUBLE_HANDLE)
) -> Response:
    """One ticket with findings, events and work orders."""
    with caller.reading("business") as connection:
        now = caller.databases.business.clock.now()
        return reply(trouble.read_ticket(connection, ticket_id, caller.context, now))


@router.post("/troubles/{ticket_id}/findings", response_model=TicketDone, responses=_STEP)
def add_finding(
    ticket_id: HexId, body: AddFinding,
    caller: Caller = permit(Permission.TROUBLE_FILE, Permission.TROUBLE_HANDLE),
) -> Response:  # fmt: skip
    """Keep a line test, the state of an ONU, an online record."""
    return caller.act(
        "business", "add_finding", body, lambda uow: trouble.add_finding(uow, ticket_id=ticket_id, finding=body)
    )


@router.post("/troubles/{ticket_id}/send-out", response_model=TicketDone, responses=refusals(
    NotFound, TroubleStepNotPossible, WindowFull, WindowNotPossible))  # fmt: skip
def send_out(
    ticket_id: HexId, body: SendOut, caller: Caller = permit(Permission.TROUBLE_FILE, Permission.TROUBLE_HANDLE)
) -> Response:
    """Open a work order for it."""
    return caller.act("business", "send_out", body, lambda uow: trouble.send_out(uow, ticket_id=ticket_id, wish=body))


@router.post("/troubles/{ticket_id}/begin", response_model=TicketDone, responses=_STEP)
def begin_ticket(ticket_id: HexId, body: TicketRemark, caller: Caller = permit(Permission.TROUBLE_HANDLE)) -> Response:
    """Work on it, or go on with it."""
    return caller.act(
        "business", "begin_ticket", body, lambda uow: trouble.begin_ticket(uow, ticket_id=ticket_id, why=body)
    )


@router.post("/troubles/{ticket_id}/wait", response_model=TicketDone, responses=_STEP)
def wait_ticket(ticket_id: HexId, body: TicketRemark, caller: Caller = permit(Permission.TROUBLE_HANDLE)) -> Response:
    """Wait for somebody outside."""
    return caller.act(
        "business", "wait_ticket", body, lambda uow: trouble.wait_ticket(uow, ticket_id=ticket_id, why=body)
    )


@router.post("/troubles/{ticket_id}/hard", response_model=TicketDone, responses=_STEP)
def mark_hard(ticket_id: HexId, body: TicketRemark, caller: Caller = permit(Permission.TROUBLE_HANDLE)) -> Response:
    """Call it hard to repair and pass it up."""
    return caller.act("business", "mark_hard", body, lambda uow: trouble.mark_hard(uow, ticket_id=ticket_id, why=body))


@router.post("/troubles/{ticket_id}/cancel", response_model=TicketDone, responses=_STEP)
def cancel_ticket(ticket_id: HexId, body: TicketRemark, caller: Caller = permit(Permission.TROUBLE_HANDLE)) -> Response:
    """Withdraw it, with what is open of it in the field."""
    return caller.act(
        "business", "cancel_ticket", body, lambda uow: trouble.cancel_ticket(uow, ticket_id=ticket_id, why=body)
    )


@router.post("/troubles/{ticket_id}/resolve", response_model=TicketDone, responses=refusals(
    NotFound, TroubleStepNotPossible, CategoryUnknown))  # fmt: skip
def resolve_ticket(
    ticket_id: HexId, body: ResolveTicket, caller: Caller = permit(Permission.TROUBLE_HANDLE)
) -> Response:
    """Say what it was; of an area-wide fault all parts are resolved with it."""
    return caller.act(
        "business", "resolve_ticket", body, lambda uow: trouble.resolve_ticket(uow, ticket_id=ticket_id, wish=body)
    )


@router.post("/troubles/{ticket_id}/follow-up", response_model=TicketDone, responses=_STEP)
def ask_back(
    ticket_id: HexId, body: TicketSaid, caller: Caller = permit(Permission.TROUBLE_FILE, Permission.TROUBLE_HANDLE)
) -> Response:
    """Keep what the customer says: satisfied closes, not satisfied goes on and is passed up."""
    return caller.act("business", "ask_back", body, lambda uow: trouble.ask_back(uow, ticket_id=ticket_id, said=body))
