"""A line on one screen: from any number of it to the whole way, drawn, with all that belongs to it and its log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy import Connection
from starlette.responses import Response

from resources import texts
from server_api.business.inventory import service as inventory
from server_api.business.resource import service as resource
from server_api.faces.joined.lines import line_picture, traced
from server_api.faces.portal.visitor import Visitor, portal_permit
from shared_models.contracts.resource import FreeWayView
from shared_models.values.clock import town_day
from shared_models.values.faults.inventory import NumberNotValid
from shared_models.values.faults.resource import AddressNotReached, ResourceUnknown
from shared_models.values.permissions import Permission

router = APIRouter(prefix="/portal", include_in_schema=False)
#: In which order a number that may be several things is looked up.
_KINDS = ("number", "login", "card", "set_top_box", "cable_modem", "pair", "port", "onu", "circuit", "ip")


@router.get("/lines")
def lines(
    q: Annotated[str, Query(max_length=200)] = "",
    kind: Annotated[str, Query(max_length=12)] = "",
    visitor: Visitor = portal_permit(Permission.RESOURCE_VIEW),
) -> Response:
    """What a number belongs to, or what reaches an address."""
    wanted = q.strip()
    names = texts(visitor.language)

    def word(name: str | None) -> str:
        return "" if name is None else names.get(f"resource.{name}", name)

    with visitor.caller.reading("business") as connection:
        thing_kind = _kind_of(connection, wanted, kind) if wanted else None
        trace = traced(connection, visitor.caller.context, thing_kind, wanted) if thing_kind else None
        thing = resource.read_thing(connection, thing_kind, wanted) if thing_kind else None
        owner = None
        if trace is not None and trace.product_id is not None:
            owner = inventory.read_product(connection, trace.product_id, visitor.caller.context).customer_id
        reached = _reached(connection, visitor, wanted) if wanted and thing_kind is None else []
    return visitor.page(
        "lines.html", page_of="lines", q=wanted, thing=thing, trace=trace, owner=owner, reached=reached, word=word
    )


@router.get("/lines/{kind}/{code}/line.svg")
def picture(
    kind: Annotated[str, Path(max_length=12)],
    code: Annotated[str, Path(max_length=64)],
    visitor: Visitor = portal_permit(Permission.RESOURCE_VIEW),
) -> Response:
    """The line drawn."""
    with visitor.caller.reading("business") as connection:
        found = traced(connection, visitor.caller.context, kind, code)
    return Response(line_picture(found, visitor.language), 200, {"Cache-Control": "no-store"}, "image/svg+xml")


def _kind_of(conn: Connection, code: str, wanted: str) -> str | None:
    """The kind of thing a number is, the one asked for where it is that; None where it is nothing we know."""
    if len(code) > 64:
        return None
    for kind in dict.fromkeys((wanted, *_KINDS) if wanted in _KINDS else _KINDS):
        try:
            resource.read_thing(conn, kind, code)
        except (ResourceUnknown, NumberNotValid):
            continue
        return kind
    return None


def _reached(conn: Connection, visitor: Visitor, address: str) -> list[tuple[str, FreeWayView]]:
    now = visitor.caller.databases.business.clock.now()
    found: list[tuple[str, FreeWayView]] = []
    for kind, shown in (("onu", "fibre"), ("line", "copper")):
        try:
            ways = resource.free_lines(conn, kind=kind, address=address, now=now, on=town_day(now))
        except AddressNotReached:
            continue
        found += [(shown, way) for way in ways]
    return found
