"""The one screen over REST."""

from __future__ import annotations

from fastapi import Query

from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, refusals, reply
from server_api.faces.joined.desk import read_desk
from shared_models.contracts.desk import CustomerDesk
from shared_models.values.faults.common import NotFound

router = hall_router("desk")


@router.get("/customers/{customer_id}/desk", response_model=CustomerDesk, responses=refusals(NotFound))
def customer_desk(
    customer_id: str,
    language: str = Query(default="zh_CN", pattern="^(zh_CN|en)$", description="language of offering names"),
    caller: Caller = permit(Permission.ACCOUNT_VIEW),
) -> Response:
    """A customer with every service and everything owed, on one screen."""
    caller.wait_for_after("billing")
    return reply(read_desk(caller.databases, caller.context, customer_id, language))
