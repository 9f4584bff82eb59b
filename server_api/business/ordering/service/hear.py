"""What orders hear: ends of commands and visits, payments, final bills, and what dunning wants."""

from __future__ import annotations

from server_api.business.inventory import service as inventory
from server_api.business.ordering import network, rules, store
from server_api.business.ordering.carried import Carried, Item, Step, carrying, is_carried, load
from server_api.business.ordering.service.change import cancel_carried, carry_on
from server_api.business.ordering.service.submit import submit_order
from server_api.business.ordering.steps import fail, go_on
from server_api.business.provisioning.news import End, TaskEnded
from server_api.business.workorder.news import WorkOrderClosed
from server_api.platform.facts.receiver import Envelope
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import (
    FeesPaid,
    FinalBillRefused,
    FinalBillSettled,
    ResumeWanted,
    SuspensionWanted,
)
from shared_models.contracts.inventory import SuspendReason
from shared_models.contracts.ordering import OrderAct, OrderItemWish, SubmitOrder
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.ordering import OrderPastReturn, OrderUnderWay
from shared_models.values.ids import derived_id

_ARREARS = ("arrears_one_way", "arrears_two_way")


def heard_task(uow: UnitOfWork, news: TaskEnded) -> None:
    """A command ended: its item goes on, waits for a person, or fails."""
    if not news.order_id or is_carried(news.order_id):
        return
    carried = load(uow, news.order_id)
    item = carried.item_of(news.item_id) if carried is not None else None
    if carried is None or item is None:
        return
    step = _step(item, "network")
    if step is None:
        return
    with carrying(carried.order_id):
        if item["state"] in rules.ENDS:
            _late(carried, item, step, news)
        else:
            _on_time(carried, item, step, news)
        carried.save()


def _on_time(carried: Carried, item: Item, step: Step, news: TaskEnded) -> None:
    became = network.heard(carried, item, step, news)
    carried.touch(item)
    if became == "failed":
        fail(carried, item, code=news.code, text=news.text)
    elif became == "held":
        item["result_code"] = news.code[:40]
    else:
        step["state"] = became
        item["result_code"] = None
    go_on(carried)


def _late(carried: Carried, item: Item, step: Step, news: TaskEnded) -> None:
    """A command that was on its way when the item was given up: done all the same, so it is undone."""
    ref = next((one for one in step.get("refs", []) if one["task"] == news.task_id), None)
    if ref is not None and ref["state"] != End.DONE.value:
        ref["state"] = news.outcome.value
        if news.outcome is End.DONE:
            network.take_back(carried, item, [ref])
        carried.touch(item)


def heard_work(uow: UnitOfWork, news: WorkOrderClosed) -> None:
    """A visit ended: done goes on, not possible fails the item, withdrawn by somebody else holds it."""
    if not news.order_id or news.result == "failed" or is_carried(news.order_id):
        return
    carried = load(uow, news.order_id)
    item = carried.item_of(news.item_id) if carried is not None else None
    if carried is None or item is None or item["state"] in rules.ENDS:
        return
    step = _step(item, "work")
    if step is None or step["state"] != "running":
        return
    with carrying(carried.order_id):
        if news.result == "done":
            step["state"] = "done"
        elif news.result == "cannot_continue":
            fail(carried, item, code=news.reason_code or news.result, text="")
        else:
            step["state"] = "waiting"  # gone on with by hand: another visit is opened then
            carried.put_item(item, "held", code="visit_withdrawn")
            carried.put(rules.order_state([one["state"] for one in carried.items]))
            carried.touch(item)
            carried.save()
            return
        carried.touch(item)
        go_on(carried)
        carried.save()


def heard_paid(uow: UnitOfWork, _envelope: Envelope, fact: FeesPaid) -> None:
    """The fees are paid: the order goes on; of one that was given up they are to be given back."""
    carried = load(uow, fact.order_id)
    if carried is None:
        return
    given_up = carried.order["state"] in rules.ENDS and carried.order["payment_state"] == "withdrawn"
    carried.order["payment_state"] = "refund_due" if given_up else "paid"
    carried.note("paid", carried.order["state"])
    if carried.order["state"] in rules.ENDS:
        carried.save()
    else:
        carry_on(carried)


def heard_settled(uow: UnitOfWork, _envelope: Envelope, fact: FinalBillSettled) -> None:
    """Nothing is owed any more: what waited for the final bill goes on."""
    carried = load(uow, fact.order_id)
    if carried is None or carried.order["state"] in rules.ENDS:
        return
    for item in carried.items:
        step = _step(item, "settle")
        if step is not None and step["state"] == "running":
            step["state"], step["held"] = "done", False
            carried.touch(item)
    carry_on(carried)


def heard_not_settled(uow: UnitOfWork, _envelope: Envelope, fact: FinalBillRefused) -> None:
    """Something is owed: the items that wait for the final bill are held, with the amount."""
    carried = load(uow, fact.order_id)
    if carried is None or carried.order["state"] in rules.ENDS:
        return
    for item in carried.items:
        step = _step(item, "settle")
        if step is not None and step["state"] == "running":
            step["held"], item["result_code"] = True, fact.reason[:40]
            item["result_text"] = str(fact.owed_fen)
            carried.touch(item)
    carry_on(carried)


def heard_suspension(uow: UnitOfWork, envelope: Envelope, fact: SuspensionWanted) -> None:
    """Dunning restricts a product: an order of its own, unless it is restricted so already or gone."""
    reason = SuspendReason(fact.suspend_reason)
    known = _known(uow, fact.product_id)
    if known is None or reason.value in known.reasons:
        return
    _order(uow, envelope.fact_id, known, OrderAct.SUSPEND, (reason,))


def heard_resume(uow: UnitOfWork, envelope: Envelope, fact: ResumeWanted) -> None:
    """Dunning lifts its restrictions: suspensions not yet carried out are cancelled, the others lifted."""
    known = _known(uow, fact.product_id)
    if known is None:
        return
    wanted = (fact.suspend_reason,) if fact.suspend_reason else _ARREARS
    for other in store.under_way(uow.conn, fact.product_id):
        if other.act_name == "suspend" and other.wish.get("suspend_reason") in wanted:
            carried = load(uow, other.order_id)
            if carried is not None:
                try:
                    with uow.part():
                        cancel_carried(carried, reason="paid")
                except OrderPastReturn:
                    raise OrderUnderWay(order=other.order_no) from None  # its end is waited for: the fact comes again
    reasons = tuple(SuspendReason(one) for one in wanted if one in known.reasons)
    for reason in reasons:
        _order(uow, derived_id(envelope.fact_id, reason.value), known, OrderAct.RESUME, (reason,))


def _known(uow: UnitOfWork, product_id: str) -> inventory.KnownProduct | None:
    try:
        known = inventory.know_product(uow.conn, product_id, uow.context, uow.today)
    except NotFound:
        return None
    return None if known.state == "terminated" else known


def _order(
    uow: UnitOfWork, cause: str, known: inventory.KnownProduct, act: OrderAct, reasons: tuple[SuspendReason, ...]
) -> None:
    items = tuple(OrderItemWish(act=act, product_id=known.product_id, suspend_reason=reason) for reason in reasons)
    submit_order(uow, order=SubmitOrder(
        order_id=derived_id(cause, "order"), customer_id=known.customer_id, items=items, channel="dunning",
    ))  # fmt: skip


def _step(item: Item, name: str) -> Step | None:
    return next((step for step in item["steps"] if step["step"] == name), None)
