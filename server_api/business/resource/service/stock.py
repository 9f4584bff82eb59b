"""Devices and materials: where they lie, moved, used, and what a person does to a thing by hand."""

from __future__ import annotations

from collections.abc import Sequence

from server_api.business.party import service as party
from server_api.business.resource import rules, store
from server_api.business.resource.store import places
from server_api.business.resource.uselog import use_row
from server_api.business.resource.wording import called
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.tables.business.resource import number_resource
from shared_models.values.faults.inventory import NumberNotValid
from shared_models.values.faults.resource import (
    PlaceUnknown,
    ResourceTaken,
    ResourceUnknown,
    StateNotPossible,
    StockTooLow,
)
from shared_models.values.ids import new_id

DEVICES = frozenset(kind for kind, family in rules.FAMILY.items() if family == "device")


def has_place(uow: UnitOfWork, *, place_code: str) -> bool:
    """True when there is such a place."""
    return places.place(uow.conn, place_code) is not None


def install_device(uow: UnitOfWork, *, kind: str, code: str, product_id: str, order_id: str | None = None) -> None:
    """Give a device to a product: a free one, or one kept for the same order. Raises ResourceUnknown, ResourceTaken."""
    key = rules.compact_access(kind, code, party.area_code())
    row = uow.lock(store.lock_query(kind, key), number_resource)
    if row is None:
        raise ResourceUnknown(kind=called(kind), code=key)
    if row.state == "in_use" and row.product_id == product_id:
        return
    kept = row.state == "reserved" and order_id is not None and row.order_id == order_id
    if not kept and not rules.is_free(
        row.state, row.reserved_until_at, row.cooling_until_on, now=uow.now, on=uow.today
    ):
        raise ResourceTaken(kind=called(kind), code=key, state=called(row.state))
    store.change(
        uow.conn, kind, key, state="in_use", product_id=product_id, order_id=None, item_id=None, place_code=None,
        reserved_until_at=None, changed_at=uow.now,
    )  # fmt: skip
    use = use_row(uow, kind, key, "occupy", row.state, "in_use")
    store.log(uow.conn, [use | {"product_id": product_id, "order_id": order_id, "place_code": row.place_code}])


def use_material(uow: UnitOfWork, *, place_code: str, material_code: str, quantity: int, cause_id: str) -> None:
    """Take a material from a stock for some work. Raises StockTooLow."""
    if not places.take_material(uow.conn, place_code, material_code, quantity):
        raise StockTooLow(material=material_code, place=place_code)
    _moved(uow, place_code, material_code, -quantity, "used", cause_id)


def put_material(
    uow: UnitOfWork, *, place_code: str, material_code: str, material_name: str, unit: str, quantity: int, cause_id: str
) -> None:
    """Add a material to a stock. Raises PlaceUnknown."""
    _need_place(uow, place_code)
    places.put_material(uow.conn, {
        "place_code": place_code, "material_code": material_code, "material_name": material_name, "unit": unit,
        "quantity": quantity,
    })  # fmt: skip
    _moved(uow, place_code, material_code, quantity, "import", cause_id)


def move_material(uow: UnitOfWork, *, from_code: str, to_code: str, material_code: str, quantity: int) -> None:
    """Carry a material from one stock to another. Raises PlaceUnknown, StockTooLow."""
    _need_place(uow, to_code)
    known = places.material(uow.conn, from_code, material_code)
    if known is None or not places.take_material(uow.conn, from_code, material_code, quantity):
        raise StockTooLow(material=material_code, place=from_code)
    places.put_material(uow.conn, {
        "place_code": to_code, "material_code": material_code, "material_name": known.material_name,
        "unit": known.unit, "quantity": quantity,
    })  # fmt: skip
    _moved(uow, from_code, material_code, -quantity, "moved", uow.act_id)
    _moved(uow, to_code, material_code, quantity, "moved", uow.act_id)


def move_devices(uow: UnitOfWork, *, kind: str, codes: Sequence[str], to_code: str) -> int:
    """Carry devices to another place; none goes where one cannot.

    Raises PlaceUnknown, ResourceUnknown, ResourceTaken, NumberNotValid.
    """
    _need_place(uow, to_code)
    if kind not in DEVICES:
        raise ResourceUnknown(kind=called(kind), code="-")
    for code in sorted(set(codes)):
        key = _compact(kind, code)
        row = uow.lock(store.lock_query(kind, key), number_resource)
        if row is None:
            raise ResourceUnknown(kind=called(kind), code=key)
        if row.state in ("in_use", "reserved"):
            raise ResourceTaken(kind=called(kind), code=key, state=called(row.state))
        store.change(uow.conn, kind, key, place_code=to_code, changed_at=uow.now)
        use = use_row(uow, kind, key, "move", row.state, row.state)
        store.log(uow.conn, [use | {"place_code": to_code, "remark": row.place_code}])
    return len(set(codes))


def change_state(uow: UnitOfWork, *, kind: str, code: str, event: str, remark: str) -> str:
    """Bring about an event by hand (open, withdraw, fail, mend, store, lose, find, repair, scrap); the state after it.

    Raises ResourceUnknown, StateNotPossible.
    """
    if kind not in rules.FAMILY:
        raise ResourceUnknown(kind=called(kind), code=code)
    key = _compact(kind, code)
    row = uow.lock(store.lock_query(kind, key), number_resource)
    if row is None:
        raise ResourceUnknown(kind=called(kind), code=key)
    after = rules.by_hand(kind, row.state, event, has_product=row.product_id is not None)
    if after is None:
        raise StateNotPossible(kind=called(kind), code=key, state=called(row.state), event=event)
    store.change(uow.conn, kind, key, state=after, cooling_until_on=None, changed_at=uow.now)
    use = use_row(uow, kind, key, event, row.state, after)
    store.log(uow.conn, [use | {"product_id": row.product_id, "place_code": row.place_code, "remark": remark or None}])
    return after


def pair_devices(uow: UnitOfWork, *, box_code: str, card_code: str | None) -> None:
    """Tie a smart card to a set-top box, or undo it; one card belongs to one box.

    Raises ResourceUnknown, ResourceTaken.
    """
    box_key = _compact("set_top_box", box_code)
    box = uow.lock(store.lock_query("set_top_box", box_key), number_resource)
    if box is None:
        raise ResourceUnknown(kind=called("set_top_box"), code=box_key)
    if box.paired_key is not None:
        store.change(uow.conn, "card", box.paired_key, paired_key=None)
    card_key = _compact("card", card_code) if card_code is not None else None
    if card_key is not None:
        card = uow.lock(store.lock_query("card", card_key), number_resource)
        if card is None:
            raise ResourceUnknown(kind=called("card"), code=card_key)
        if card.paired_key not in (None, box_key):
            raise ResourceTaken(kind=called("card"), code=card_key, state=called(card.state))
        store.change(uow.conn, "card", card_key, paired_key=box_key)
    store.change(uow.conn, "set_top_box", box_key, paired_key=card_key, changed_at=uow.now)
    use = use_row(uow, "set_top_box", box_key, "pair" if card_key else "unpair", box.state, box.state)
    store.log(uow.conn, [use | {"product_id": box.product_id, "remark": card_key or box.paired_key}])


def _compact(kind: str, code: str) -> str:
    try:
        return rules.compact_access(kind, code, party.area_code())
    except ValueError:
        raise NumberNotValid(number=code) from None


def _need_place(uow: UnitOfWork, place_code: str) -> None:
    if places.place(uow.conn, place_code) is None:
        raise PlaceUnknown(place=place_code)


def _moved(uow: UnitOfWork, place_code: str, material_code: str, delta: int, cause: str, cause_id: str) -> None:
    places.add_move(uow.conn, {
        "move_id": new_id(), "place_code": place_code, "material_code": material_code, "delta": delta, "at": uow.now,
        "cause": cause, "cause_id": cause_id[:64], "staff_no": uow.context.staff_no[:20],
    })  # fmt: skip
