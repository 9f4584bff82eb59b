"""What is done to an order that stands: accepted, gone on with, amended, cancelled, returned."""

from __future__ import annotations

from server_api.business.ordering import rules
from server_api.business.ordering.carried import Carried, carrying, need
from server_api.business.ordering.policy import order_policy
from server_api.business.ordering.steps import give_up, go_on, withdraw_fees
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.ordering import AmendOrder, EndOrder, OrderDone
from shared_models.values.faults.inventory import EffectiveDayTooEarly
from shared_models.values.faults.ordering import OrderFieldMissing, OrderPastReturn, OrderStepNotPossible


def accept_order(uow: UnitOfWork, *, order_id: str) -> OrderDone:
    """Begin a booking. Raises NotFound, OrderStepNotPossible."""
    carried = need(uow, order_id)
    waiting = [
        step
        for item in carried.items
        for step in item["steps"]
        if step["step"] == "accept" and step["state"] in ("waiting", "running")
    ]
    if carried.order["state"] in rules.ENDS or not waiting:
        raise OrderStepNotPossible(state=carried.order["state"], event="accept")
    for step in waiting:
        step["accepted"] = True
    carried.note("accepted", carried.order["state"])
    return carry_on(carried)


def retry_order(uow: UnitOfWork, *, order_id: str) -> OrderDone:
    """Try again what holds an order. Raises NotFound, OrderStepNotPossible."""
    carried = need(uow, order_id)
    if carried.order["state"] in rules.ENDS:
        raise OrderStepNotPossible(state=carried.order["state"], event="retry")
    return carry_on(carried)


def amend_order(uow: UnitOfWork, *, order_id: str, change: AmendOrder) -> OrderDone:
    """Change visit, contact, remark, or the day of an item that has not begun.

    Raises NotFound, OrderStepNotPossible, OrderPastReturn, OrderFieldMissing, EffectiveDayTooEarly.
    """
    carried = need(uow, order_id)
    order = carried.order
    if order["state"] in rules.ENDS:
        raise OrderStepNotPossible(state=order["state"], event="amend")
    visit = dict(order["visit"] or {})
    if change.window is not None:
        visit["window"] = change.window.model_dump(mode="json")
    visit |= {
        name: value
        for name, value in (("contact_name", change.contact_name), ("contact_phone", change.contact_phone))
        if value is not None
    }
    order["visit"] = visit
    if change.remark is not None:
        order["remark"] = change.remark
    if change.effective_on is not None:
        _move_day(carried, change)
    carried.note("amend", order["state"], item_no=change.item_no, remark=change.remark or "")
    return carry_on(carried)


def _move_day(carried: Carried, change: AmendOrder) -> None:
    item = next((one for one in carried.items if one["item_no"] == change.item_no), None)
    if item is None or change.effective_on is None:
        raise OrderFieldMissing(item=change.item_no or 0, act="amend", field="item_no")
    names = [step["step"] for step in item["steps"]]
    begun = (
        any(step["state"] != "waiting" for step in item["steps"][names.index("day") + 1 :]) if "day" in names else True
    )
    if begun:
        raise OrderPastReturn(item=item["item_no"], step="day")
    if change.effective_on < carried.uow.today:
        raise EffectiveDayTooEarly(effective_on=change.effective_on, not_before=carried.uow.today)
    item["effective_on"] = change.effective_on
    item["due_on"] = None
    carried.touch(item)


def cancel_order(uow: UnitOfWork, *, order_id: str, end: EndOrder) -> OrderDone:
    """Give an order up: what was done is undone, nothing stays kept, fees are owed no more.

    Raises NotFound, OrderStepNotPossible, OrderPastReturn.
    """
    return cancel_carried(need(uow, order_id), reason=end.reason, remark=end.remark)


def return_order(uow: UnitOfWork, *, order_id: str, end: EndOrder) -> OrderDone:
    """Hand an order back to the hall before it began (资料不全、无法受理). Raises NotFound, OrderStepNotPossible."""
    return cancel_carried(need(uow, order_id), reason=end.reason, remark=end.remark, event="return")


def cancel_carried(carried: Carried, *, reason: str, remark: str = "", event: str = "cancel") -> OrderDone:
    """The same for an order in hand."""
    order = carried.order
    if rules.state_after(order["state"], event) is None:
        raise OrderStepNotPossible(state=order["state"], event=event)
    acts = order_policy().acts
    for item in carried.items:
        if rules.past_return(item["steps"], acts[item["act_name"]].no_return):
            raise OrderPastReturn(item=item["item_no"], step=acts[item["act_name"]].no_return)
    with carrying(carried.order_id):
        for item in carried.items:
            if item["state"] in rules.ENDS:
                continue
            give_up(carried, item, by_force=False)
            for each in _events_of(event):
                item["state"] = rules.STATES.get((item["state"], each), item["state"])
            item["state"] = "rejected" if event == "return" else "cancelled"
        withdraw_fees(carried.uow, carried, None, reason or event)
        order["reason_code"] = reason or None
        for each in _events_of(event):
            order["state"] = rules.STATES[order["state"], each]
            carried.note(each, order["state"], code=reason, remark=remark)
        order["closed_at"], order["expires_at"] = carried.uow.now, None
        carried.save()
    return carried.done()


def carry_on(carried: Carried) -> OrderDone:
    """Carry an order on as far as it goes and store it."""
    with carrying(carried.order_id):
        go_on(carried)
        carried.save()
    return carried.done()


def _events_of(event: str) -> tuple[str, ...]:
    return ("cancel", "allow", "undone") if event == "cancel" else (event,)
