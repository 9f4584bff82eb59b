"""Customers at the counter: found, shown, made, changed; personal data whole only by right and with a line left."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from server_api.business.party import service as party
from server_api.faces.hall.core import (
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
from shared_models.contracts.party import (
    ChangeCustomer,
    CreateCustomer,
    CustomerDetail,
    CustomerMade,
    CustomerPage,
    RevealCustomer,
    RevealedCustomer,
    SearchWords,
)
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.party import (
    CustomerAlreadyKnown,
    CustomerIdTaken,
    DocumentNotValid,
    NotAGroup,
    SearchTooShort,
)
from shared_models.values.faults.staff import ChangedMeanwhile

router = hall_router("customers")
_MOST = 50
SearchText = Annotated[
    str, Query(max_length=60, description="number, name, initials, account, customer number or whole ID")
]


@router.get("/customers", response_model=CustomerPage, responses=refusals(SearchTooShort))
def search_customers(
    q: SearchText, limit: Limit = _MOST, cursor: Cursor = None, caller: Caller = permit(Permission.CUSTOMER_VIEW)
) -> Response:
    """Find customers by whatever is known of them, at most 50 a page, in the order of the key they are found by."""
    key = cursor_key(cursor, str)
    words = SearchWords(q=q, limit=min(limit, _MOST), cursor=key[0] if key else "")
    secrets = caller.databases.business.secrets
    caller.wait_for_after("business")
    with caller.reading("business") as connection:
        page = party.search_customers(connection, words, caller.context, secrets=secrets)
    if page.next_cursor is not None:
        page = page.model_copy(update={"next_cursor": cursor_after(page.next_cursor)})
    return reply(page)


@router.post("/customers", response_model=CustomerMade, status_code=201, responses=refusals(
    CustomerIdTaken, CustomerAlreadyKnown, DocumentNotValid, NotAGroup))  # fmt: skip
def create_customer(body: CreateCustomer, caller: Caller = permit(Permission.CUSTOMER_EDIT)) -> Response:
    """Make a customer of the caller's hall."""
    return caller.act(
        "business", "create_customer", body, lambda uow: party.create_customer(uow, customer=body), status_code=201
    )


@router.get("/customers/{customer_id}", response_model=CustomerDetail, responses=refusals(NotFound))
def read_customer(customer_id: str, caller: Caller = permit(Permission.CUSTOMER_VIEW)) -> Response:
    """Everything about a customer but money, personal data masked."""
    caller.wait_for_after("business")
    with caller.reading("business") as connection:
        return reply(party.read_customer(connection, customer_id, caller.context))


@router.patch("/customers/{customer_id}", response_model=CustomerMade, responses=refusals(
    NotFound, ChangedMeanwhile, CustomerAlreadyKnown, DocumentNotValid, NotAGroup))  # fmt: skip
def change_customer(
    customer_id: str, body: ChangeCustomer, caller: Caller = permit(Permission.CUSTOMER_EDIT)
) -> Response:
    """Change what is given; what is left out stays."""
    return caller.act(
        "business", "change_customer", body,
        lambda uow: party.change_customer(uow, customer_id=customer_id, change=body),
    )  # fmt: skip


@router.post("/customers/{customer_id}/reveal", response_model=RevealedCustomer, responses=refusals(NotFound))
def reveal_customer(
    customer_id: str, body: RevealCustomer, caller: Caller = permit(Permission.CUSTOMER_REVEAL)
) -> Response:
    """Show personal data whole; who looked, when and why is kept."""
    return caller.act(
        "business", "reveal_customer", body,
        lambda uow: party.reveal_customer(uow, customer_id=customer_id, asked=body),
    )  # fmt: skip
