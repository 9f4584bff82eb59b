"""Field staff's own work orders on a phone: seen, called about, begun and closed, also with a broken connection.

The page holds everything it needs. With a script its forms go into a queue in the browser and are sent when there is a
connection, each with the id it got when it was filled in: a second sending is the same act. Without a script the forms
are sent as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ValidationError
from starlette.responses import JSONResponse, Response

from resources import path, texts
from server_api.business.resource import service as resource
from server_api.business.workorder import rules
from server_api.business.workorder import service as workorder
from server_api.business.workorder.policy import work_policy
from server_api.faces.edge.caller import open_to_all
from server_api.faces.edge.problems import fault_of, words
from server_api.faces.joined.lines import line_picture
from server_api.faces.portal.visitor import Visitor, go, portal_permit
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import WorkContext
from shared_models.contracts.workorder import ArriveAtSite, BookWork, CloseWork, ContactMade, WorkOrderDone
from shared_models.values.clock import town_day
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import InputNotValid
from shared_models.values.faults.resource import PlaceUnknown
from shared_models.values.ids import is_id, new_id
from shared_models.values.permissions import Permission

router = APIRouter(prefix="/portal", include_in_schema=False)
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
MATERIAL_ROWS = (1, 2, 3)
#: More than a person can do in days; a page of these still opens at once on a phone.
MOST = 40
Wish = TypeVar("Wish", bound=BaseModel)
DEVICE_KINDS = ("set_top_box", "card", "cable_modem")


@router.get("/workorders")
def my_work(visitor: Visitor = portal_permit(Permission.WORK_DO)) -> Response:
    """All the visitor has open, each with its forms, on one page."""
    context = visitor.caller.context
    now = visitor.caller.databases.business.clock.now()
    with visitor.caller.reading("business") as connection:
        orders = [
            workorder.read_work(connection, one.work_order_id, context, now)
            for one in workorder.my_work(connection, context, now)[:MOST]
        ]
        try:
            stock = resource.read_place(connection, f"VAN-{context.staff_no}").materials
        except PlaceUnknown:
            stock = ()
    return visitor.page(
        "work.html", page_of="work", orders=orders, today=town_day(now).isoformat(), stock=stock,
        policy=work_policy(), devices=DEVICE_KINDS,
        material_rows=MATERIAL_ROWS, new_id=new_id, shown=rules.shown,
        short="zh" if visitor.language == "zh_CN" else "en",
    )  # fmt: skip


@router.get("/workorders/{work_order_id}/line.svg")
def line(work_order_id: HexId, visitor: Visitor = portal_permit(Permission.WORK_DO)) -> Response:
    """The line of a work order as a picture: of its product, or of what its order holds."""
    now = visitor.caller.databases.business.clock.now()
    with visitor.caller.reading("business") as connection:
        order = workorder.read_work(connection, work_order_id, visitor.caller.context, now)
        found = resource.trace_product(connection, order.product_id) if order.product_id is not None else None
        if (found is None or not found.things) and order.order_id is not None:
            found = resource.trace_order(connection, order.order_id)
    if found is None:
        return Response(status_code=204)
    named = found.model_copy(update={"title": order.work_order_no, "address": order.address})
    return Response(line_picture(named, visitor.language), 200, {"Cache-Control": "no-store"}, "image/svg+xml")


async def fields(request: Request) -> dict[str, str]:
    """The fields of the form that came."""
    return {name: str(value).strip() for name, value in (await request.form()).items()}


Form = Annotated[dict[str, str], Depends(fields)]


@router.post("/workorders/{work_order_id}/arrive")
def arrive(
    work_order_id: HexId, form: Form, request: Request, visitor: Visitor = portal_permit(Permission.WORK_DO)
) -> Response:
    """Begin the visit."""

    def work(uow: UnitOfWork, arrival: ArriveAtSite) -> WorkOrderDone:
        return workorder.arrive(uow, work_order_id=work_order_id, arrival=arrival)

    def read() -> ArriveAtSite:
        return ArriveAtSite.model_validate({"at": form.get("at") or None})

    return _act(visitor, request, _What("arrive_at_work", work_order_id, form), read, work)


@router.post("/workorders/{work_order_id}/contact")
def contact(
    work_order_id: HexId, form: Form, request: Request, visitor: Visitor = portal_permit(Permission.WORK_DO)
) -> Response:
    """Note a call to the customer."""

    def work(uow: UnitOfWork, made: ContactMade) -> WorkOrderDone:
        return workorder.make_contact(uow, work_order_id=work_order_id, contact=made)

    def read() -> ContactMade:
        return ContactMade.model_validate({"reason_code": form.get("reason"), "remark": form.get("remark", "")})

    return _act(visitor, request, _What("make_contact", work_order_id, form), read, work)


@router.post("/workorders/{work_order_id}/book")
def book(
    work_order_id: HexId, form: Form, request: Request, visitor: Visitor = portal_permit(Permission.WORK_DO)
) -> Response:
    """Promise the customer a window."""

    def work(uow: UnitOfWork, wish: BookWork) -> WorkOrderDone:
        return workorder.book_work(uow, work_order_id=work_order_id, wish=wish)

    def read() -> BookWork:
        return BookWork.model_validate({"window": {"on": form.get("on"), "slot": form.get("slot")}})

    return _act(visitor, request, _What("book_work", work_order_id, form), read, work)


@router.post("/workorders/{work_order_id}/close")
def close(
    work_order_id: HexId, form: Form, request: Request, visitor: Visitor = portal_permit(Permission.WORK_DO)
) -> Response:
    """End the visit with all that was found, used and signed."""

    def work(uow: UnitOfWork, wish: CloseWork) -> WorkOrderDone:
        return workorder.close_work(uow, work_order_id=work_order_id, close=wish)

    return _act(visitor, request, _What("close_work", work_order_id, form), lambda: close_of(form), work)


@router.get("/work-sw.js", dependencies=[open_to_all("a script holds no data")])
def service_worker() -> Response:
    """The script that lets a phone open the page again without a connection; it must lie above the page it serves."""
    body = path("portal", "static", "work-sw.js").read_bytes()
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": "default-src 'none'; connect-src 'self'"}
    return Response(body, 200, headers, "text/javascript; charset=utf-8")


def close_of(form: Mapping[str, str]) -> CloseWork:
    """What the form says. Raises InputNotValid, ValidationError."""
    result, _, reason = form.get("outcome", "").partition(":")
    readings = []
    for code in work_policy().readings:
        text = form.get(f"reading_{code}", "")
        if text:
            try:
                readings.append({"reading": code, "value_milli": rules.milli(text)})
            except ValueError:
                raise InputNotValid(field=code, reason={"zh": "不是数值", "en": "not a number"}) from None
    materials: list[dict[str, Any]] = []
    for row in MATERIAL_ROWS:
        if form.get(f"material_{row}"):
            materials.append(
                {"material_code": form[f"material_{row}"], "quantity": _whole(form.get(f"quantity_{row}"))}
            )
    for kind in DEVICE_KINDS:
        if form.get(f"device_{kind}"):
            materials.append({"material_code": kind, "serial_no": form[f"device_{kind}"]})
    return CloseWork.model_validate({
        "result": result, "reason_code": reason, "late_reason": form.get("late_reason") or None,
        "at": form.get("at") or None, "readings": readings, "materials": materials, "signature": _signature(form),
        "remark": form.get("remark", ""),
    })  # fmt: skip


def _signature(form: Mapping[str, str]) -> dict[str, Any] | None:
    if not form.get("strokes"):
        return None
    try:
        strokes = json.loads(form["strokes"])
    except ValueError:
        raise InputNotValid(field="strokes", reason={"zh": "签名无法读取", "en": "not readable"}) from None
    return {"signed_by": form.get("signed_by") or "-", "strokes": strokes}


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else 0


@dataclass(frozen=True)
class _What:
    """An act as its form names it."""

    kind: str
    work_order_id: str
    form: Mapping[str, str]

    def act(self, context: WorkContext) -> Act:
        """The act under the id of the form; the stamp of the session is no part of what is asked."""
        body = {name: value for name, value in self.form.items() if name not in ("stamp", "act_id")}
        act_id = self.form.get("act_id", "")
        digest = digest_of({"kind": self.kind, "id": self.work_order_id, "form": body})
        return Act(act_id if is_id(act_id) else new_id(), self.kind, digest, context)


def _act(
    visitor: Visitor, request: Request, what: _What, read: Callable[[], Wish],
    work: Callable[[UnitOfWork, Wish], WorkOrderDone],
) -> Response:  # fmt: skip
    """Do one act; a script is answered in data, a browser with the page."""
    wants_data = "application/json" in request.headers.get("accept", "")
    try:
        wish = read()
        outcome = perform(
            visitor.caller.databases.business, what.act(visitor.caller.context), lambda uow: work(uow, wish)
        )
    except (Fault, ValidationError) as error:
        fault = fault_of(error)
        if not wants_data or fault is None:
            raise (fault or error) from None
        sentence, remedy = words(fault, visitor.language)
        return JSONResponse({"text": sentence, "remedy": remedy, "retry": fault.retry}, fault.status)
    if not wants_data:
        return go("/portal/workorders")
    done = WorkOrderDone.model_validate_json(outcome.reply)
    word = texts(visitor.language).get(f"portal.work_state.{done.state}", done.state)
    return JSONResponse({"state": done.state, "word": word})
