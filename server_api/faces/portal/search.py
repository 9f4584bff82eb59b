"""Finding a customer: one box; the list also comes as a part of the page while typing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ValidationError
from starlette.responses import Response

from server_api.business.party import service as party
from server_api.faces.portal.visitor import Visitor, portal_permit
from shared_models.contracts.party import CustomerPage, SearchWords
from shared_models.values.permissions import Permission

router = APIRouter(prefix="/portal", include_in_schema=False)
SHORTEST = 2
_LONGEST = 60
Words = Annotated[str, Query(max_length=200)]


@router.get("/")
def home(q: Words = "", visitor: Visitor = portal_permit(Permission.CUSTOMER_VIEW)) -> Response:
    """The search box, and what was found for it."""
    template = "part_hits.html" if visitor.wants_part else "search.html"
    return visitor.page(template, page_of="home", target="/portal/customers/", **found(visitor, q))


@router.get("/field")
def field(q: Words = "", visitor: Visitor = portal_permit(Permission.PRODUCT_VIEW)) -> Response:
    """The same search for field staff; it leads to lines and addresses instead of bills."""
    template = "part_hits.html" if visitor.wants_part else "search.html"
    return visitor.page(template, page_of="field", target="/portal/field/customers/", **found(visitor, q))


def found(visitor: Visitor, q: str) -> dict[str, Any]:
    """What a search gives a template: the words, the page of hits (None before the first search) and a notice."""
    words = q.strip()[:_LONGEST]
    if not words:
        return {"q": "", "hits": None, "notice": ""}
    if len(words) < SHORTEST:
        return {"q": words, "hits": None, "notice": "search.too_short"}
    try:
        wanted = SearchWords(q=words)
    except ValidationError:
        return {"q": words, "hits": CustomerPage(items=()), "notice": ""}
    with visitor.caller.reading("business") as connection:
        hits = party.search_customers(
            connection, wanted, visitor.caller.context, secrets=visitor.caller.databases.business.secrets
        )
    return {"q": words, "hits": hits, "notice": ""}
