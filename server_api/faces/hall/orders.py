"""Orders at the counter: what one would cost, submitted, shown, accepted, amended, cancelled, returned."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from server_api.business.ordering import service as ordering
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
from shared_models.contracts.ordering import (
    AmendOrder,
    EndOrder,
    OrderDone,
    OrderPage,
    OrderQuote,
    OrderState,
    OrderView,
    SubmitOrder,
)
from shared_models.values.faults.catalog import NoPriceBook, OfferingNotSold, OfferingUnknown
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.inventory import (
    AlreadySuspendedForThat,
    EffectiveDayTooEarly,
    NotAMember,
    NotSuspendedForThat,
    NumberNotValid,
    OfferingExcluded,
    OfferingRequired,
    ProductEnded,
    WrongService,
)
from shared_models.values.faults.ordering import (
    BundleMemberMissing,
    OfferChangeNotAllowed,
    OrderFieldMissing,
    OrderIdTaken,
    OrderPastReturn,
    OrderStepNotPossible,
    OrderUnderWay,
)
from shared_models.values.faults.resource import AddressNotReached, NoneFree, ResourceTaken, ResourceUnknown

router = hall_router("orders")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["7a" * 16])]

_REFUSED = (
    NotFound, OrderIdTaken, OrderFieldMissing, OrderUnderWay, OfferChangeNotAllowed, BundleMemberMissing,
    OfferingUnknown, OfferingNotSold, OfferingRequired, OfferingExcluded, NotAMember, NumberNotValid, NoPriceBook,
    WrongService, ProductEnded, AlreadySuspendedForThat, NotSuspendedForThat, EffectiveDayTooEarly, ResourceTaken,
    ResourceUnknown, NoneFree, AddressNotReached,
)  # fmt: skip


@router.post("/orders/quote", response_model=OrderQuote, responses=refusals(*_REFUSED))
def quote_order(body: SubmitOrder, caller: Caller = permit(Permission.PRODUCT_EDIT, act=False)) -> Response:
    """What an order would do, cost and keep: submitting it, undone."""
    return reply(ordering.quote_order(caller.databases.business, caller.context, body))


@router.post("/orders", response_model=OrderDone, status_code=201, responses=refusals(*_REFUSED))
def submit_order(body: SubmitOrder, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Accept an order: its numbers, lines and devices are kept, its fees raised, its work begun."""
    return caller.act(
        "business", "submit_order", body, lambda uow: ordering.submit_order(uow, order=body), status_code=201
    )


@router.get("/orders", response_model=OrderPage)
def list_orders(
    customer_id: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
    state: OrderState | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    caller: Caller = permit(Permission.PRODUCT_VIEW),
) -> Response:
    """Orders, newest first."""
    before = instant_key(cursor)
    with caller.reading("business") as connection:
        items = ordering.page_of_orders(
            connection, caller.context, limit=limit, before=before, customer_id=customer_id,
            state=state.value if state is not None else None,
        )  # fmt: skip
    more = instant_after(items[-1].opened_at, items[-1].order_id) if len(items) == limit else None
    return reply(OrderPage(items=tuple(items), next_cursor=more))


@router.get("/orders/{order_id}", response_model=OrderView, responses=refusals(NotFound))
def read_order(order_id: HexId, caller: Caller = permit(Permission.PRODUCT_VIEW)) -> Response:
    """One order with its items, steps, fees, what it keeps and what happened."""
    with caller.reading("business") as connection:
        return reply(ordering.read_order(connection, order_id, caller.context))


@router.post("/orders/{order_id}/accept", response_model=OrderDone, responses=refusals(NotFound, OrderStepNotPossible))
def accept_order(order_id: HexId, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Begin a booking."""
    return caller.act("business", "accept_order", None, lambda uow: ordering.accept_order(uow, order_id=order_id))


@router.post("/orders/{order_id}/retry", response_model=OrderDone, responses=refusals(NotFound, OrderStepNotPossible))
def retry_order(order_id: HexId, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Try again what holds an order."""
    return caller.act("business", "retry_order", None, lambda uow: ordering.retry_order(uow, order_id=order_id))


@router.post("/orders/{order_id}/amend", response_model=OrderDone, responses=refusals(
    NotFound, OrderStepNotPossible, OrderPastReturn, OrderFieldMissing, EffectiveDayTooEarly))  # fmt: skip
def amend_order(order_id: HexId, body: AmendOrder, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Change visit, contact, remark, or the day of an item that has not begun."""
    return caller.act(
        "business", "amend_order", body, lambda uow: ordering.amend_order(uow, order_id=order_id, change=body)
    )


@router.post("/orders/{order_id}/cancel", response_model=OrderDone, responses=refusals(
    NotFound, OrderStepNotPossible, OrderPastReturn))  # fmt: skip
def cancel_order(order_id: HexId, body: EndOrder, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Give an order up; nothing stays kept for it."""
    return caller.act(
        "business", "cancel_order", body, lambda uow: ordering.cancel_order(uow, order_id=order_id, end=body)
    )


@router.post("/orders/{order_id}/return", response_model=OrderDone, responses=refusals(
    NotFound, OrderStepNotPossible, OrderPastReturn))  # fmt: skip
def return_order(order_id: HexId, body: EndOrder, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Hand an order back before it began."""
    return caller.act(
        "business", "return_order", body, lambda uow: ordering.return_order(uow, order_id=order_id, end=body)
    )
