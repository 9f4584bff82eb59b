"""What field staff do: call, arrive, close with all that was found and used. News may come later than the fact."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from server_api.business.resource import service as resource
from server_api.business.workorder import rules, store
from server_api.business.workorder.news import WorkOrderClosed
from server_api.business.workorder.policy import work_policy
from server_api.business.workorder.steps import done, give_back_window, held, need_reason, note, step
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.workorder import (
    ArriveAtSite,
    CloseWork,
    ContactMade,
    FollowUp,
    MaterialUsed,
    ReadingTaken,
    WorkOrderDone,
)
from shared_models.values.faults.workorder import NotYourWorkOrder, ReadingNotKnown

#: A phone may have been without a connection for so long; a later clock is not believed.
_OFFLINE = timedelta(days=3)
_KEPT_FOR_ORDER = timedelta(days=30)


def make_contact(uow: UnitOfWork, *, work_order_id: str, contact: ContactMade) -> WorkOrderDone:
    """Note that somebody called the customer, and how it went. Raises NotFound, WorkStepNotPossible, ReasonNotKnown."""
    row = held(uow, work_order_id, own=True)
    reason = need_reason("contact", contact.reason_code)
    step(uow, row, "contact", reason=reason, remark=contact.remark)
    return done(uow, work_order_id)


def arrive(uow: UnitOfWork, *, work_order_id: str, arrival: ArriveAtSite) -> WorkOrderDone:
    """Begin the visit. Raises NotFound, WorkStepNotPossible, NotYourWorkOrder."""
    row = held(uow, work_order_id, own=True)
    _need_own(uow, row)
    begun_at = _believed(uow, row, arrival.at)
    step(uow, row, "arrive", begun_at=begun_at, staff_no=row.staff_no or uow.context.staff_no[:20])
    return done(uow, work_order_id)


def close_work(uow: UnitOfWork, *, work_order_id: str, close: CloseWork) -> WorkOrderDone:
    """End a visit: done, to be booked again, or not to be done at all; materials leave their stock.

    Raises NotFound, WorkStepNotPossible, NotYourWorkOrder, ReasonNotKnown, ReadingNotKnown, StockTooLow,
    ResourceUnknown, ResourceTaken.
    """
    row = held(uow, work_order_id, own=True)
    _need_own(uow, row)
    if row.state in ("waiting", "booked", "failed"):  # whoever closes was there
        step(uow, row, "arrive", begun_at=_believed(uow, row, close.at), staff_no=row.staff_no or uow.context.staff_no)
        row = held(uow, work_order_id, own=True)
    reason = need_reason(close.result, close.reason_code)
    at = _believed(uow, row, close.at)
    late = need_reason("late", close.late_reason) if rules.is_late(row.due_at, at) else None
    ended = close.result != "failed"
    step(
        uow, row, close.result, reason=reason, remark=close.remark, reason_code=reason, late_reason=late,
        result_remark=close.remark or None, closed_at=at if ended else None, window_on=row.window_on if ended else None,
        window_slot=row.window_slot if ended else None,
    )  # fmt: skip
    give_back_window(uow, row)
    _keep_readings(uow, row, close.readings, at)
    _use_materials(uow, row, close.materials)
    if close.signature is not None:
        store.put_signature(uow.conn, {
            "work_order_id": work_order_id, "signed_by": close.signature.signed_by, "signed_at": at,
            "strokes": [list(stroke) for stroke in close.signature.strokes],
        })  # fmt: skip
    uow.announce(WorkOrderClosed(
        work_order_id, row.work_kind, row.order_id, row.item_id, row.ticket_id, row.product_id, close.result, reason,
        close.materials, close.readings, at,
    ))  # fmt: skip
    return done(uow, work_order_id)


def follow_up(uow: UnitOfWork, *, work_order_id: str, said: FollowUp) -> WorkOrderDone:
    """Keep what the customer said afterwards. Raises NotFound, WorkStepNotPossible."""
    row = held(uow, work_order_id)
    step(uow, row, "follow_up", reason=said.outcome, remark=said.remark, follow_up=said.outcome)
    return done(uow, work_order_id)


def _need_own(uow: UnitOfWork, row: Any) -> None:
    """Somebody else's work is not done by mistake; what nobody has yet is taken by whoever is there."""
    if row.staff_no not in (None, uow.context.staff_no):
        raise NotYourWorkOrder(work_order_no=row.work_order_no)


def _believed(uow: UnitOfWork, row: Any, at: datetime | None) -> datetime:
    """When it happened: the phone's word while it is neither in the future nor before the work order or long ago."""
    if at is None or not max(row.opened_at, uow.now - _OFFLINE) <= at <= uow.now:
        return uow.now
    return at


def _keep_readings(uow: UnitOfWork, row: Any, readings: tuple[ReadingTaken, ...], at: datetime) -> None:
    known = work_policy().readings
    first_no = len(store.readings(uow.conn, row.work_order_id)) + 1
    rows = []
    for number, one in enumerate(readings, first_no):
        rule = known.get(one.reading)
        if rule is None:
            raise ReadingNotKnown(reading=one.reading, readings=", ".join(known))
        rows.append({
            "work_order_id": row.work_order_id, "reading_no": number, "at": at, "reading": one.reading,
            "value_milli": one.value_milli, "good": rules.within(one.value_milli, rule.good_from, rule.good_until),
        })  # fmt: skip
    store.add_readings(uow.conn, rows)


def _use_materials(uow: UnitOfWork, row: Any, materials: tuple[MaterialUsed, ...]) -> None:
    first_no = len(store.materials(uow.conn, row.work_order_id)) + 1
    rows = []
    for number, one in enumerate(materials, first_no):
        place_code = one.place_code or f"VAN-{uow.context.staff_no}"
        if one.serial_no is not None:
            _hand_over(uow, row, one.material_code, one.serial_no)
        else:
            resource.use_material(
                uow, place_code=place_code, material_code=one.material_code, quantity=one.quantity,
                cause_id=row.work_order_id,
            )  # fmt: skip
        rows.append({
            "work_order_id": row.work_order_id, "material_no": number, "place_code": place_code,
            "material_code": one.material_code, "serial_no": one.serial_no, "quantity": one.quantity,
        })  # fmt: skip
    store.add_materials(uow.conn, rows)


def _hand_over(uow: UnitOfWork, row: Any, kind: str, serial_no: str) -> None:
    """Give a device to the product; for an order it is kept, and the order hands it over when it is done."""
    if row.order_id is not None:
        resource.reserve(
            uow, kind=kind, code=serial_no, order_id=row.order_id, item_id=row.item_id or "-",
            until_at=uow.now + _KEPT_FOR_ORDER,
        )  # fmt: skip
    elif row.product_id is not None:
        resource.install_device(uow, kind=kind, code=serial_no, product_id=row.product_id)
    else:
        note(uow, row.work_order_id, "device", row.state, reason=None, remark=f"{kind} {serial_no}")
