"""The dispatcher's page: what each team and person has, what is promised and overdue, and work handed out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path
from pydantic import ValidationError
from starlette.responses import Response

from server_api.business.workorder import service as workorder
from server_api.business.workorder.policy import work_policy
from server_api.faces.edge.problems import fault_of
from server_api.faces.portal.visitor import Visitor, go, portal_permit
from server_api.platform.acts import Act, digest_of, perform
from shared_models.contracts.workorder import DispatchWork
from shared_models.values.ids import is_id, new_id
from shared_models.values.permissions import Permission

router = APIRouter(prefix="/portal", include_in_schema=False)
_ROWS = 100


@router.get("/dispatch")
def dispatch_board(visitor: Visitor = portal_permit(Permission.WORK_DISPATCH)) -> Response:
    """Teams with their load, and every open work order in order of when it is due."""
    context, now = visitor.caller.context, visitor.caller.databases.business.clock.now()
    with visitor.caller.reading("business") as connection:
        board = workorder.board(connection, context, now)
        orders = workorder.page_of_work(connection, context, now, limit=_ROWS, after=None)
    orders.sort(key=lambda one: one.staff_no is not None)
    return visitor.page(
        "dispatch.html", page_of="dispatch", board=board, orders=orders, reasons=work_policy().reasons["transfer"],
        new_id=new_id, short="zh" if visitor.language == "zh_CN" else "en",
    )  # fmt: skip


@router.post("/dispatch/{work_order_id}")
def hand_out(
    work_order_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
    to: Annotated[str, Form(max_length=45)] = "",
    reason: Annotated[str, Form(max_length=40)] = "",
    act_id: Annotated[str, Form(max_length=32)] = "",
    visitor: Visitor = portal_permit(Permission.WORK_DISPATCH),
) -> Response:
    """Hand a work order to a team or one of its members. A second click is the same act."""
    team_code, _, staff_no = to.partition(":")
    try:
        wish = DispatchWork.model_validate(
            {"team_code": team_code, "staff_no": staff_no or None, "reason_code": reason or None}
        )
    except ValidationError as error:
        raise (fault_of(error) or error) from None
    act = Act(
        act_id if is_id(act_id) else new_id(), "dispatch_work",
        digest_of({"id": work_order_id, "wish": wish.model_dump(mode="json")}), visitor.caller.context,
    )  # fmt: skip
    perform(
        visitor.caller.databases.business, act,
        lambda uow: workorder.dispatch_work(uow, work_order_id=work_order_id, wish=wish),
    )  # fmt: skip
    return go("/portal/dispatch")
