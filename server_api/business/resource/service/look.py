"""Looking at resources: what is free, what a place has, one thing with its log, a line from end to end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from server_api.business.party import service as party
from server_api.business.resource import rules, store
from server_api.business.resource.service import ways
from server_api.business.resource.service.hold import Criteria
from server_api.business.resource.store import places
from server_api.business.resource.wording import called
from shared_models.contracts.resource import (
    Capacity,
    FreeHop,
    FreeNumber,
    FreeWayView,
    MaterialView,
    PlaceHead,
    PlaceView,
    ThingView,
    TraceEnd,
    TraceHop,
    TraceView,
    UseView,
)
from shared_models.values.faults.inventory import NumberNotValid
from shared_models.values.faults.resource import PlaceUnknown, ResourceUnknown

_LOG = 50
_CHILDREN = 500


def free_numbers(
    conn: Connection, *, limit: int, prefix: str = "", ending: str = "", after: str = "",
    level_max: int | None = None, pool_code: str | None = None,
) -> list[FreeNumber]:  # fmt: skip
    """Free numbers in order, by their beginning as it is dialled in town, their end, how good they are, their pool."""
    beginning = None
    if prefix:
        area = f"0{party.area_code()}"
        start = prefix if prefix.startswith("0") else area + prefix
        beginning = (start, start[:-1] + chr(ord(start[-1]) + 1))
    rows = store.free_rows(
        conn, "number", limit, pool_code=pool_code, beginning=beginning, level_max=level_max, after_key=after,
        ending=ending,
    )  # fmt: skip
    return [FreeNumber(number=row.access_key, level_no=row.level_no or 0, pool_code=row.pool_code) for row in rows]


def free_lines(
    conn: Connection, *, kind: str, address: str, now: datetime, on: date, place_code: str | None = None
) -> list[FreeWayView]:
    """Which boxes (line) or ports (onu) reach an address, with what is free. Raises AddressNotReached, PlaceUnknown."""
    found = ways.free_ways(conn, kind, Criteria(address=address, place_code=place_code), now, on)
    return [
        FreeWayView(
            place_code=one.place_code, place_name=one.place_name, cover_text=one.cover_text, free=one.free,
            hops=tuple(
                FreeHop(place_code=code, place_name=name, kind=wanted, free=count)
                for code, name, wanted, count in one.hops
            ),
        )
        for one in found
    ]  # fmt: skip


def read_thing(conn: Connection, kind: str, code: str) -> ThingView:
    """One thing with its log. Raises ResourceUnknown, NumberNotValid."""
    row = _row(conn, kind, code)
    log = tuple(
        UseView(
            at=one.at, event=one.event, from_state=one.from_state, to_state=one.to_state, order_id=one.order_id,
            product_id=one.product_id, place_code=one.place_code, staff_no=one.staff_no, remark=one.remark,
        )
        for one in store.uses(conn, row.access_kind, row.access_key, _LOG)
    )  # fmt: skip
    return _thing(row).model_copy(update={"log": log})


def root_places(conn: Connection) -> list[PlaceHead]:
    """Exchanges, warehouses and vans with what they have."""
    return _heads(conn, places.roots(conn, _CHILDREN))


def read_place(conn: Connection, place_code: str) -> PlaceView:
    """A place with what hangs on it, what it covers and what lies there. Raises PlaceUnknown."""
    row = places.place(conn, place_code)
    if row is None:
        raise PlaceUnknown(place=place_code)
    own = _heads(conn, [row])[0]
    return PlaceView(
        **dict(own), parent_code=row.parent_code,
        children=tuple(_heads(conn, places.children(conn, place_code, _CHILDREN))),
        covers=tuple(places.covers(conn, place_code)),
        materials=tuple(
            MaterialView(
                material_code=one.material_code, material_name=one.material_name, unit=one.unit, quantity=one.quantity
            )
            for one in places.materials_at(conn, place_code)
        ),
    )  # fmt: skip


def products_below(conn: Connection, place_code: str) -> list[str]:
    """Products that hang on a place or on anything below it, in order of id."""
    return sorted(store.products_at(conn, places.below(conn, place_code, ways.DEEPEST)))


def trace_product(conn: Connection, product_id: str) -> TraceView:
    """All a product has, its lines from end to end."""
    return _trace(conn, store.of_product(conn, product_id), product_id=product_id, order_id=None)


def trace_order(conn: Connection, order_id: str, item_id: str | None = None) -> TraceView:
    """All an order holds, its lines from end to end."""
    return _trace(conn, store.of_order(conn, order_id, item_id), product_id=None, order_id=order_id)


def trace_thing(conn: Connection, kind: str, code: str) -> TraceView:
    """From any thing to all that belongs with it; a free thing shows its own way. Raises as ``read_thing``."""
    row = _row(conn, kind, code)
    if row.product_id is not None:
        return trace_product(conn, row.product_id)
    if row.order_id is not None:
        return trace_order(conn, row.order_id, row.item_id)
    return _trace(conn, [row], product_id=None, order_id=None)


def _row(conn: Connection, kind: str, code: str) -> Any:
    if kind not in rules.FAMILY:
        raise ResourceUnknown(kind=called(kind), code=code)
    try:
        key = rules.compact_access(kind, code, party.area_code())
    except ValueError:
        raise NumberNotValid(number=code) from None
    row = store.one(conn, kind, key)
    if row is None:
        raise ResourceUnknown(kind=called(kind), code=key)
    return row


def _thing(row: Any) -> ThingView:
    return ThingView(
        kind=row.access_kind, code=row.access_key, state=row.state, place_code=row.place_code, pool_code=row.pool_code,
        level_no=row.level_no, model_code=row.model_code, paired_key=row.paired_key, order_id=row.order_id,
        product_id=row.product_id, reserved_until_at=row.reserved_until_at, cooling_until_on=row.cooling_until_on,
    )  # fmt: skip


def _heads(conn: Connection, rows: Sequence[Any]) -> list[PlaceHead]:
    counted: dict[str, list[Capacity]] = {}
    for one in store.counted(conn, [row.place_code for row in rows]):
        capacity = Capacity(kind=one.access_kind, state=one.state, count=int(one.how_many))
        counted.setdefault(one.place_code, []).append(capacity)
    return [
        PlaceHead(
            place_code=row.place_code, place_kind=row.place_kind, place_name=row.place_name, address=row.address,
            capacity=tuple(counted.get(row.place_code, ())),
        )
        for row in rows
    ]  # fmt: skip


def _trace(conn: Connection, rows: Sequence[Any], *, product_id: str | None, order_id: str | None) -> TraceView:
    by_end: dict[str | None, list[Any]] = {}
    for row in rows:
        if row.access_kind in ("pair", "port", "onu") and row.place_code is not None:
            by_end.setdefault(row.route_end, []).append(row)
    ends = tuple(TraceEnd(end=end, hops=_hops(conn, by_end[end])) for end in sorted(by_end, key=lambda one: one or ""))
    return TraceView(product_id=product_id, order_id=order_id, ends=ends, things=tuple(_thing(row) for row in rows))


def _hops(conn: Connection, rows: Sequence[Any]) -> tuple[TraceHop, ...]:
    """The longest way up from where one of these ends, each place with the thing used there."""
    at = {row.place_code: row for row in rows}
    way = max((ways.way_up(conn, code) for code in sorted(at)), key=len)
    return tuple(
        TraceHop(
            place_code=place.place_code, place_kind=place.place_kind, place_name=place.place_name,
            address=place.address, kind=used.access_kind if used is not None else None,
            code=used.access_key if used is not None else None, state=used.state if used is not None else None,
        )
        for place in way
        for used in (at.get(place.place_code),)
    )  # fmt: skip
