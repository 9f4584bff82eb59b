"""Numbers, lines, devices and stock: what is free, who has what, a line from end to end, stock moved and imported."""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated, Literal

from fastapi import Path, Query

from server_api.business.resource import service as resource
from server_api.faces.hall.core import (
    DEFAULT_LIMIT,
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
from server_api.faces.joined.lines import line_picture, traced
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.resource import (
    ChangeThing,
    ChooseNumber,
    Chosen,
    FreeNumberPage,
    FreeWayList,
    GiveUpChoice,
    ImportResources,
    Moved,
    MoveDevices,
    MoveMaterial,
    PairDevices,
    PlaceList,
    PlaceView,
    ResourcesImported,
    ThingChanged,
    ThingKind,
    ThingView,
    TraceView,
)
from shared_models.values.clock import town_day
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.inventory import NumberNotValid
from shared_models.values.faults.resource import (
    AddressNotReached,
    PlaceUnknown,
    ResourceFileNotReadable,
    ResourceTaken,
    ResourceUnknown,
    StateNotPossible,
    StockTooLow,
)

router = hall_router("resources")
_SVG = "image/svg+xml"
#: More things than this in one act would keep tellers waiting.
_MOST_AT_ONCE = 2_000
Code = Annotated[str, Path(max_length=64)]
Language = Annotated[str, Query(pattern="^(zh_CN|en)$")]
TracedKind = Literal["product", "order"] | ThingKind


@router.get("/resources/numbers/free", response_model=FreeNumberPage)
def free_numbers(
    prefix: Annotated[str, Query(pattern=r"^\d{0,12}$", description="as it is dialled in town")] = "",
    ending: Annotated[str, Query(pattern=r"^\d{0,8}$")] = "",
    level_max: Annotated[int | None, Query(ge=0, le=9, description="0 = any number only")] = None,
    pool_code: Annotated[str | None, Query(max_length=20)] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    caller: Caller = permit(Permission.RESOURCE_VIEW),
) -> Response:
    """Numbers somebody may choose, in order."""
    key = cursor_key(cursor, str)
    with caller.reading("business") as connection:
        items = resource.free_numbers(
            connection, limit=limit, prefix=prefix, ending=ending, level_max=level_max,
            pool_code=pool_code, after=key[0] if key else "",
        )  # fmt: skip
    more = cursor_after(items[-1].number) if len(items) == limit else None
    return reply(FreeNumberPage(items=tuple(items), next_cursor=more))


@router.post("/resources/choices", response_model=Chosen, status_code=201, responses=refusals(
    ResourceTaken, ResourceUnknown, NumberNotValid))  # fmt: skip
def choose_number(body: ChooseNumber, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Keep a number for half an hour before there is an order; the order adopts the choice."""

    def work(uow: UnitOfWork) -> Chosen:
        held = resource.choose(uow, choice_id=body.choice_id, kind=body.kind, code=body.code)
        return Chosen(choice_id=body.choice_id, code=held.code, until_at=held.until_at)

    return caller.act("business", "choose_number", body, work, status_code=201)


@router.post("/resources/choices/give-up", response_model=Chosen)
def give_up_choice(body: GiveUpChoice, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Free what was chosen."""

    def work(uow: UnitOfWork) -> Chosen:
        resource.release(uow, order_id=body.choice_id, item_id=resource.CHOICE)
        return Chosen(choice_id=body.choice_id)

    return caller.act("business", "give_up_choice", body, work)


@router.get("/resources/lines/free", response_model=FreeWayList, responses=refusals(AddressNotReached, PlaceUnknown))
def free_lines(
    address: Annotated[str, Query(max_length=200)] = "",
    place_code: Annotated[str | None, Query(max_length=40)] = None,
    kind: Annotated[str, Query(pattern="^(line|onu)$", description="line: copper, onu: fibre")] = "line",
    caller: Caller = permit(Permission.RESOURCE_VIEW),
) -> Response:
    """Which boxes or ports reach an address, and what is free on the way to the exchange."""
    now = caller.databases.business.clock.now()
    with caller.reading("business") as connection:
        items = resource.free_lines(
            connection, kind=kind, address=address, place_code=place_code, now=now, on=town_day(now)
        )
    return reply(FreeWayList(items=tuple(items)))


@router.get("/resources/places", response_model=PlaceList)
def list_places(caller: Caller = permit(Permission.RESOURCE_VIEW)) -> Response:
    """Exchanges, warehouses and vans with what they have."""
    with caller.reading("business") as connection:
        return reply(PlaceList(items=tuple(resource.root_places(connection))))


@router.get("/resources/places/{place_code}", response_model=PlaceView, responses=refusals(PlaceUnknown))
def read_place(place_code: Code, caller: Caller = permit(Permission.RESOURCE_VIEW)) -> Response:
    """A place: its capacity by kind and state, what hangs on it, what it covers, what lies there."""
    with caller.reading("business") as connection:
        return reply(resource.read_place(connection, place_code))


@router.get(
    "/resources/things/{kind}/{code}", response_model=ThingView, responses=refusals(ResourceUnknown, NumberNotValid)
)
def read_thing(kind: Code, code: Code, caller: Caller = permit(Permission.RESOURCE_VIEW)) -> Response:
    """One thing and its log."""
    with caller.reading("business") as connection:
        return reply(resource.read_thing(connection, kind, code))


@router.post("/resources/things/{kind}/{code}/state", response_model=ThingChanged, responses=refusals(
    ResourceUnknown, NumberNotValid, StateNotPossible))  # fmt: skip
def change_thing(
    kind: Code, code: Code, body: ChangeThing, caller: Caller = permit(Permission.RESOURCE_EDIT)
) -> Response:
    """Open, withdraw, report broken, mend, send to repair, scrap, report lost or found."""

    def work(uow: UnitOfWork) -> ThingChanged:
        after = resource.change_state(uow, kind=kind, code=code, event=body.event, remark=body.remark)
        return ThingChanged(kind=kind, code=code, state=after)

    return caller.act("business", "change_thing", body, work)


@router.get("/resources/trace/{kind}/{code}", response_model=TraceView, responses=refusals(
    NotFound, ResourceUnknown, NumberNotValid))  # fmt: skip
def trace(kind: TracedKind, code: Code, caller: Caller = permit(Permission.RESOURCE_VIEW)) -> Response:
    """A line from end to end, from a product, an order or any thing of it."""
    with caller.reading("business") as connection:
        return reply(traced(connection, caller.context, kind, code))


@router.get("/resources/trace/{kind}/{code}/picture", response_class=Response, responses={
    200: {"content": {_SVG: {}}}, **refusals(NotFound, ResourceUnknown, NumberNotValid)})  # fmt: skip
def trace_picture(
    kind: TracedKind, code: Code, language: Language = "zh_CN", caller: Caller = permit(Permission.RESOURCE_VIEW)
) -> Response:
    """The same as a picture (SVG)."""
    with caller.reading("business") as connection:
        found = traced(connection, caller.context, kind, code)
    return Response(line_picture(found, language), 200, {"Cache-Control": "no-store"}, _SVG)


@router.post("/resources/moves/devices", response_model=Moved, responses=refusals(
    PlaceUnknown, ResourceUnknown, ResourceTaken, NumberNotValid))  # fmt: skip
def move_devices(body: MoveDevices, caller: Caller = permit(Permission.RESOURCE_EDIT)) -> Response:
    """Carry devices to another place."""

    def work(uow: UnitOfWork) -> Moved:
        return Moved(moved=resource.move_devices(uow, kind=body.kind, codes=body.codes, to_code=body.to_code))

    return caller.act("business", "move_devices", body, work)


@router.post("/resources/moves/materials", response_model=Moved, responses=refusals(PlaceUnknown, StockTooLow))
def move_material(body: MoveMaterial, caller: Caller = permit(Permission.RESOURCE_EDIT)) -> Response:
    """Carry a material from one stock to another."""

    def work(uow: UnitOfWork) -> Moved:
        resource.move_material(
            uow, from_code=body.from_code, to_code=body.to_code, material_code=body.material_code,
            quantity=body.quantity,
        )  # fmt: skip
        return Moved(moved=body.quantity)

    return caller.act("business", "move_material", body, work)


@router.post("/resources/pairs", response_model=Moved, responses=refusals(
    ResourceUnknown, ResourceTaken, NumberNotValid))  # fmt: skip
def pair_devices(body: PairDevices, caller: Caller = permit(Permission.RESOURCE_EDIT)) -> Response:
    """Tie a smart card to a set-top box, or undo it."""

    def work(uow: UnitOfWork) -> Moved:
        resource.pair_devices(uow, box_code=body.box_code, card_code=body.card_code)
        return Moved(moved=1)

    return caller.act("business", "pair_devices", body, work)


@router.post("/resources/import", response_model=ResourcesImported, responses=refusals(ResourceFileNotReadable))
def import_resources(body: ImportResources, caller: Caller = permit(Permission.RESOURCE_EDIT)) -> Response:
    """Take a workbook over, or only say what is wrong with it by row; with errors nothing is stored."""
    try:
        raw = base64.b64decode(body.content, validate=True)
    except ValueError:
        raise ResourceFileNotReadable(reason="base64") from None
    found, source = resource.read_resources(raw, body.file_name), hashlib.sha256(raw).hexdigest()
    with caller.reading("business") as connection:
        report = resource.check_resources(connection, found, body.file_name, source)
    if report.errors or body.dry_run:
        return reply(report)
    if len(found.things) > _MOST_AT_ONCE:
        raise ResourceFileNotReadable(reason=f"> {_MOST_AT_ONCE}: onehall resource import")

    def work(uow: UnitOfWork) -> ResourcesImported:
        for part in resource.parts_of(found):
            resource.import_part(uow, part=part, source=source)
        return report.model_copy(update={"stored": True})

    return caller.act("business", "import_resources", body, work)
