"""What a route file of the hall face needs, in one import.

    from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, refusals, reply

    router = hall_router("payments")

    @router.post("/payments", response_model=PaymentTaken, responses=refusals(TillNotOpen))
    def take_payment(body: TakePayment, caller: Caller = permit(Permission.PAYMENT_TAKE)) -> Response:
        \"\"\"Take a payment and hand over its receipt.\"\"\"
        return caller.act("billing", "take_payment", body, lambda uow: payment.take_payment(uow, ...))

    @router.get("/receipts/{receipt_no}", response_model=Receipt, responses=refusals(NotFound))
    def read_receipt(receipt_no: str, caller: Caller = permit(Permission.PAYMENT_TAKE)) -> Response:
        with caller.reading("billing") as connection:
            return reply(payment.receipt(connection, receipt_no, caller.context))

Routes are plain ``def`` (they run in the server's thread pool), parse, permit, call one service function, and answer.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from server_api.faces.edge.caller import Caller, mark_of, open_to_all, permit, reply, signed_in
from server_api.faces.edge.lean import LeanRoute
from server_api.faces.edge.openapi import in_a_line
from server_api.faces.edge.paging import DEFAULT_LIMIT, Cursor, Limit, cursor_after, cursor_key
from shared_models.contracts.problem import Problem
from shared_models.values.faults.base import Fault
from shared_models.values.permissions import Permission

__all__ = [
    "Caller",
    "Cursor",
    "DEFAULT_LIMIT",
    "Limit",
    "Permission",
    "Response",
    "cursor_after",
    "cursor_key",
    "hall_router",
    "mark_of",
    "open_to_all",
    "permit",
    "refusals",
    "reply",
    "signed_in",
]

PREFIX = "/api/hall"


def hall_router(tag: str) -> APIRouter:
    """A router under /api/hall; app.py finds it as ``router`` in each module of faces/hall."""
    return APIRouter(prefix=PREFIX, tags=[tag], route_class=LeanRoute)


def refusals(*faults: type[Fault]) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route: which refusals it may give, by status, with their codes."""
    by_status: dict[int, list[type[Fault]]] = {}
    for fault in faults:
        by_status.setdefault(fault.status, []).append(fault)
    return {
        status: {
            "model": Problem,
            "description": " · ".join(in_a_line(fault) for fault in group),
        }
        for status, group in by_status.items()
    }
