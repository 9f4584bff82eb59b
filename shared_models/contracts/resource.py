"""Numbers, lines, devices and places on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared_models.contracts.base import CodeField, Contract, IdField, PageOf
from shared_models.contracts.catalog import RowError

ThingCode = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]
ThingKind = Literal["number", "login", "card", "pair", "port", "circuit", "onu", "set_top_box", "cable_modem", "ip"]
DeviceKind = Literal["card", "set_top_box", "cable_modem"]


class FreeNumber(Contract):
    """A number somebody may choose."""

    number: str
    level_no: int
    pool_code: str | None


class FreeNumberPage(PageOf):
    """Free numbers in order."""

    items: tuple[FreeNumber, ...]


class ChooseNumber(Contract):
    """Keep a number for a short while before there is an order; ``choice_id`` is what the order then names."""

    choice_id: IdField
    kind: Literal["number", "login"] = "number"
    code: ThingCode


class GiveUpChoice(Contract):
    """Free what was chosen."""

    choice_id: IdField


class Chosen(Contract):
    """What is kept, and until when."""

    choice_id: str
    code: str = ""
    until_at: datetime | None = None


class FreeHop(Contract):
    """How many free things a place on a way has."""

    place_code: str
    place_name: str
    kind: str
    free: int


class FreeWayView(Contract):
    """A box or port that reaches an address; ``free`` is how many lines can still be made this way."""

    place_code: str
    place_name: str
    cover_text: str
    free: int
    hops: tuple[FreeHop, ...]


class FreeWayList(Contract):
    """The boxes or ports that reach an address, the most exact first."""

    items: tuple[FreeWayView, ...]


class UseView(Contract):
    """One change of state."""

    at: datetime
    event: str
    from_state: str | None
    to_state: str
    order_id: str | None
    product_id: str | None
    place_code: str | None
    staff_no: str
    remark: str | None


class ThingView(Contract):
    """A thing, who has it, and its log, newest first."""

    kind: str
    code: str
    state: str
    place_code: str | None
    pool_code: str | None
    level_no: int | None
    model_code: str | None
    paired_key: str | None
    order_id: str | None
    product_id: str | None
    reserved_until_at: datetime | None
    cooling_until_on: date | None
    log: tuple[UseView, ...] = ()


class Capacity(Contract):
    """How many things of a kind are in a state."""

    kind: str
    state: str
    count: int


class MaterialView(Contract):
    """A material at a place."""

    material_code: str
    material_name: str
    unit: str
    quantity: int


class PlaceHead(Contract):
    """A place among others, with what it has."""

    place_code: str
    place_kind: str
    place_name: str
    address: str | None
    capacity: tuple[Capacity, ...]


class PlaceView(PlaceHead):
    """A place with what hangs on it, what it covers and what lies there."""

    parent_code: str | None
    children: tuple[PlaceHead, ...]
    covers: tuple[str, ...]
    materials: tuple[MaterialView, ...]


class PlaceList(Contract):
    """Places that hang on nothing."""

    items: tuple[PlaceHead, ...]


class TraceHop(Contract):
    """A place on the way from the exchange, with what is used there."""

    place_code: str
    place_kind: str
    place_name: str
    address: str | None
    kind: str | None
    code: str | None
    state: str | None


class TraceEnd(Contract):
    """One way from an exchange to a customer; a circuit has two."""

    end: str | None
    hops: tuple[TraceHop, ...]


class TraceView(Contract):
    """A line from end to end, with all else that belongs to the same product or order."""

    title: str = ""
    address: str = ""
    product_id: str | None
    order_id: str | None
    ends: tuple[TraceEnd, ...]
    things: tuple[ThingView, ...]


class ChangeThing(Contract):
    """Something a person does to a thing by hand."""

    event: Literal["open", "withdraw", "fail", "mend", "store", "lose", "find", "repair", "scrap"]
    remark: Annotated[str, StringConstraints(max_length=200)] = ""


class ThingChanged(Contract):
    """The state a thing has now."""

    kind: str
    code: str
    state: str


class MoveDevices(Contract):
    """Carry devices to another place."""

    kind: DeviceKind
    codes: Annotated[tuple[ThingCode, ...], Field(min_length=1, max_length=200)]
    to_code: CodeField


class MoveMaterial(Contract):
    """Carry a material from one stock to another."""

    from_code: CodeField
    to_code: CodeField
    material_code: CodeField
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]


class PairDevices(Contract):
    """Tie a smart card to a set-top box; no card undoes it."""

    box_code: ThingCode
    card_code: ThingCode | None = None


class Moved(Contract):
    """How much went."""

    moved: int


class ImportResources(Contract):
    """An Excel workbook, base64; larger ones are imported on the command line."""

    file_name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    content: Annotated[str, StringConstraints(min_length=4, max_length=240_000)]
    dry_run: bool = False


class ResourcesImported(Contract):
    """What an import added, what was there already, and what is wrong by row; with errors nothing is stored."""

    stored: bool
    added: dict[str, int]
    known: int
    errors: tuple[RowError, ...]
