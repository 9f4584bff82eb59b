"""Work orders: opened, promised, handed out, done, followed up; teams and the dispatcher's board."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query

from server_api.business.workorder import service as workorder
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
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.workorder import (
    ArriveAtSite,
    BookWork,
    CancelWork,
    CloseWork,
    ContactMade,
    DispatchBoard,
    DispatchWork,
    FollowUp,
    OpenWork,
    TeamRow,
    WorkOrderDone,
    WorkOrderPage,
    WorkOrderView,
)
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.resource import ResourceTaken, ResourceUnknown, StockTooLow
from shared_models.values.faults.workorder import (
    NotYourWorkOrder,
    ReadingNotKnown,
    ReasonNotKnown,
    TeamNotFitting,
    WindowFull,
    WindowNotPossible,
    WorkKindUnknown,
    WorkStepNotPossible,
)

router = hall_router("work orders")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["7a" * 16])]
State = Literal["waiting", "booked", "on_site", "failed", "done", "cannot_continue", "cancelled"]


@router.get("/work-orders", response_model=WorkOrderPage)
def list_work_orders(
    state: State | None = None,
    team_code: Annotated[str | None, Query(max_length=20)] = None,
    staff_no: Annotated[str | None, Query(max_length=20)] = None,
    overdue: bool = False,
    unassigned: bool = False,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    caller: Caller = permit(Permission.WORK_VIEW, Permission.WORK_DISPATCH),
) -> Response:
    """Open work orders (or those of one state) in order of when they are due."""
    after = instant_key(cursor)
    with caller.reading("business") as connection:
        items = workorder.page_of_work(
            connection, caller.context, caller.databases.business.clock.now(), limit=limit, after=after, state=state,
            team_code=team_code, staff_no=staff_no, overdue=overdue, unassigned=unassigned,
        )  # fmt: skip
    more = instant_after(items[-1].due_at, items[-1].work_order_id) if len(items) == limit else None
    return reply(WorkOrderPage(items=tuple(items), next_cursor=more))


@router.get("/work-orders/mine", response_model=WorkOrderPage)
def my_work_orders(caller: Caller = permit(Permission.WORK_DO)) -> Response:
    """What the caller has to do, the promised first."""
    with caller.reading("business") as connection:
        items = workorder.my_work(connection, caller.context, caller.databases.business.clock.now())
    return reply(WorkOrderPage(items=tuple(items)))


@router.get("/work-orders/of/{cause}/{cause_id}", response_model=WorkOrderPage)
def work_orders_of(
    cause: Literal["order", "ticket", "product"],
    cause_id: HexId,
    caller: Caller = permit(Permission.WORK_VIEW, Permission.WORK_DISPATCH),
) -> Response:
    """The work orders of an order, a fault or a product, newest first, within the caller's scope."""
    column: Literal["order_id", "ticket_id", "product_id"] = f"{cause}_id"  # type: ignore[assignment]
    with caller.reading("business") as connection:
        now = caller.databases.business.clock.now()
        items = workorder.work_of(connection, column, cause_id, now, caller.context)
    return reply(WorkOrderPage(items=tuple(items)))


@router.get("/work-orders/{work_order_id}", response_model=WorkOrderView, responses=refusals(NotFound))
def read_work_order(
    work_order_id: HexId,
    caller: Caller = permit(Permission.WORK_VIEW, Permission.WORK_DISPATCH, Permission.WORK_DO),
) -> Response:
    """One work order with all that belongs to it."""
    with caller.reading("business") as connection:
        now = caller.databases.business.clock.now()
        return reply(workorder.read_work(connection, work_order_id, caller.context, now))


@router.post("/work-orders", response_model=WorkOrderDone, status_code=201, responses=refusals(
    NotFound, WorkKindUnknown, WindowFull, WindowNotPossible))  # fmt: skip
def open_work_order(body: OpenWork, caller: Caller = permit(Permission.WORK_DISPATCH)) -> Response:
    """Open a work order by hand; orders and faults open theirs themselves."""

    def work(uow: UnitOfWork) -> WorkOrderDone:
        wish = {name: getattr(body, name) for name in OpenWork.model_fields}
        return workorder.done(uow, workorder.open_work_order(uow, **wish))

    return caller.act("business", "open_work_order", body, work, status_code=201)


@router.post("/work-orders/{work_order_id}/book", response_model=WorkOrderDone, responses=refusals(
    NotFound, WorkStepNotPossible, WindowFull, WindowNotPossible, TeamNotFitting))  # fmt: skip
def book_work(
    work_order_id: HexId, body: BookWork,
    caller: Caller = permit(Permission.WORK_VIEW, Permission.WORK_DISPATCH, Permission.WORK_DO),
) -> Response:  # fmt: skip
    """Promise a window, instead of the one before where there was one."""
    return caller.act(
        "business", "book_work", body, lambda uow: workorder.book_work(uow, work_order_id=work_order_id, wish=body)
    )


@router.post("/work-orders/{work_order_id}/dispatch", response_model=WorkOrderDone, responses=refusals(
    NotFound, WorkStepNotPossible, TeamNotFitting, ReasonNotKnown, WindowFull))  # fmt: skip
def dispatch_work(
    work_order_id: HexId, body: DispatchWork, caller: Caller = permit(Permission.WORK_DISPATCH)
) -> Response:
    """Hand a work order to a team or a person; taking it from somebody needs a reason."""
    return caller.act(
        "business", "dispatch_work", body,
        lambda uow: workorder.dispatch_work(uow, work_order_id=work_order_id, wish=body),
    )  # fmt: skip


@router.post("/work-orders/{work_order_id}/contact", response_model=WorkOrderDone, responses=refusals(
    NotFound, WorkStepNotPossible, ReasonNotKnown))  # fmt: skip
def make_contact(
    work_order_id: HexId, body: ContactMade,
    caller: Caller = permit(Permission.WORK_DISPATCH, Permission.WORK_DO),
) -> Response:  # fmt: skip
    """Note a call to the customer and how it went."""
    return caller.act(
        "business", "make_contact", body,
        lambda uow: workorder.make_contact(uow, work_order_id=work_order_id, contact=body),
    )  # fmt: skip


@router.post("/work-orders/{work_order_id}/arrive", response_model=WorkOrderDone, responses=refusals(
    NotFound, WorkStepNotPossible, NotYourWorkOrder))  # fmt: skip
def arrive(work_order_id: HexId, body: ArriveAtSite, caller: Caller = permit(Permission.WORK_DO)) -> Response:
    """Begin the visit."""
    return caller.act(
        "business", "arrive_at_work", body,
        lambda uow: workorder.arrive(uow, work_order_id=work_order_id, arrival=body),
    )  # fmt: skip


@router.post("/work-orders/{work_order_id}/close", response_model=WorkOrderDone, responses=refusals(
    NotFound, WorkStepNotPossible, NotYourWorkOrder, ReasonNotKnown, ReadingNotKnown, StockTooLow, ResourceUnknown,
    ResourceTaken))  # fmt: skip
def close_work(work_order_id: HexId, body: CloseWork, caller: Caller = permit(Permission.WORK_DO)) -> Response:
    """End the visit with readings, materials, signature: done, to be booked again, or not to be done at all."""
    return caller.act(
        "business", "close_work", body, lambda uow: workorder.close_work(uow, work_order_id=work_order_id, close=body)
    )


@router.post("/work-orders/{work_order_id}/cancel", response_model=WorkOrderDone, responses=refusals(
    NotFound, WorkStepNotPossible))  # fmt: skip
def cancel_work(work_order_id: HexId, body: CancelWork, caller: Caller = permit(Permission.WORK_DISPATCH)) -> Response:
    """Withdraw a work order."""
    return caller.act(
        "business", "cancel_work", body, lambda uow: workorder.cancel_work(uow, work_order_id=work_order_id, wish=body)
    )


@router.post("/work-orders/{work_order_id}/follow-up", response_model=WorkOrderDone, responses=refusals(
    NotFound, WorkStepNotPossible))  # fmt: skip
def follow_up(work_order_id: HexId, body: FollowUp, caller: Caller = permit(Permission.WORK_VIEW)) -> Response:
    """Keep what the customer said afterwards."""
    return caller.act(
        "business", "follow_up_work", body,
        lambda uow: workorder.follow_up(uow, work_order_id=work_order_id, said=body),
    )  # fmt: skip


@router.get("/dispatch-board", response_model=DispatchBoard)
def board(caller: Caller = permit(Permission.WORK_DISPATCH)) -> Response:
    """What each team and person has, what is overdue, what is promised, what nobody has yet."""
    with caller.reading("business") as connection:
        return reply(workorder.board(connection, caller.context, caller.databases.business.clock.now()))


@router.put("/work-teams/{team_code}", response_model=TeamRow)
def put_team(
    team_code: Annotated[str, Path(max_length=20)], body: TeamRow, caller: Caller = permit(Permission.STAFF_EDIT)
) -> Response:
    """Write a team with its members, areas and skills."""
    team = body.model_copy(update={"team_code": team_code})
    return caller.act("business", "put_team", body, lambda uow: workorder.put_team(uow, team=team))
