"""The steps of a plan: how each begins, and what is left of it when the item is given up."""

from __future__ import annotations

from collections.abc import Callable

from server_api.business.ordering import network, rules, store
from server_api.business.ordering.book import book
from server_api.business.ordering.carried import Carried, Item, Step
from server_api.business.ordering.policy import order_policy
from server_api.business.resource import service as resource
from server_api.business.workorder import service as workorder
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import FeesWithdrawn, FinalBillWanted
from shared_models.contracts.workorder import Window
from shared_models.values.faults.base import Fault


def _after(carried: Carried, item: Item, step: Step) -> str:
    done = {one["item_no"] for one in carried.items if one["state"] == "completed"}
    return "done" if set(step["refs"]) <= done else "running"


def _accept(carried: Carried, item: Item, step: Step) -> str:
    return "done" if step.get("accepted") else "running"


def _pay(carried: Carried, item: Item, step: Step) -> str:
    return "running" if carried.order["payment_state"] == "unpaid" and carried.order["pay_mode"] == "first" else "done"


def _day(carried: Carried, item: Item, step: Step) -> str:
    if item["effective_on"] > carried.uow.today:
        item["due_on"] = item["effective_on"]
        return "running"
    item["due_on"] = None
    return "done"


def _work(carried: Carried, item: Item, step: Step) -> str:
    wish, visit, uow = carried.wish(item), carried.order["visit"] or {}, carried.uow
    if not wish.address:
        return "skipped"
    window = visit.get("window")
    work_order_id = workorder.open_work_order(
        uow, kind=order_policy().acts[item["act_name"]].work, address=wish.address, order_id=carried.order_id,
        item_id=item["item_id"], product_id=item["product_id"], customer_id=carried.order["customer_id"],
        contact_name=visit.get("contact_name", ""), contact_phone=visit.get("contact_phone", ""),
        area_code=visit.get("area_code"), window=Window.model_validate(window) if window else None,
        remark=carried.order["remark"] or "",
    )  # fmt: skip
    step["refs"] = [work_order_id]
    return "running"


def _settle(carried: Carried, item: Item, step: Step) -> str:
    if not order_policy().ask_settle or not carried.order["account_id"]:
        return "skipped"
    carried.uow.tell(f"order:{carried.order_id}", FinalBillWanted(
        order_id=carried.order_id, account_id=carried.order["account_id"], product_id=item["product_id"] or "",
    ))  # fmt: skip
    return "running"


BEGIN: dict[str, Callable[[Carried, Item, Step], str]] = {
    "after": _after, "accept": _accept, "pay": _pay, "day": _day, "network": network.begin, "work": _work,
    "settle": _settle, "book": book,
}  # fmt: skip
#: Steps that are looked at again whenever the order goes on; the others wait for news of their own.
LOOKED_AT = frozenset({"after", "accept", "pay", "day"})


def go_on(carried: Carried) -> None:
    """Carry every open item on as far as it goes now, and settle what the order's state is."""
    moved = True
    while moved:
        moved = False
        for item in carried.items:
            if item["state"] not in rules.ENDS and _go_on_item(carried, item):
                moved = True
    if carried.order["state"] not in rules.ENDS:
        carried.put(rules.order_state([item["state"] for item in carried.items]))
    waits_for_person = any(
        step["state"] == "running" and step["step"] in ("accept", "pay")
        for item in carried.items for step in item["steps"] if item["state"] not in rules.ENDS
    )  # fmt: skip
    if not waits_for_person and carried.order["expires_at"] is not None:
        carried.order["expires_at"] = None
        resource.extend(carried.uow, order_id=carried.order_id, until_at=carried.uow.now + order_policy().hold)


def _go_on_item(carried: Carried, item: Item) -> bool:
    """Run an item's steps until one waits; True where the item ended, so that others may go on."""
    for step in item["steps"]:
        if step["state"] in ("done", "skipped"):
            continue
        if step["state"] == "waiting" or step["step"] in LOOKED_AT:
            if not _run(carried, item, step):
                return False
            if step["state"] == "running":
                break
            continue
        break
    held = any(step.get("held") and step["state"] == "running" for step in item["steps"])
    carried.put_item(
        item,
        rules.item_state(item["steps"], held=held),
        code=item["result_code"] if held and item["result_code"] else "",
    )
    return bool(item["state"] == "completed")


def _run(carried: Carried, item: Item, step: Step) -> bool:
    """Begin a step. What it refuses holds the item for a person; nothing half done stays."""
    uow = carried.uow
    if carried.accepting:
        step["state"] = BEGIN[step["step"]](carried, item, step)
        carried.touch(item)
        return True
    kept = dict(step)
    try:
        with uow.part():
            step["state"] = BEGIN[step["step"]](carried, item, step)
    except Fault as fault:
        step.clear()
        step.update(kept)
        carried.put_item(item, "held", code=fault.code, text=str(fault))
        return False
    carried.touch(item)
    return True


def give_up(carried: Carried, item: Item, *, by_force: bool) -> None:
    """Undo what an item's plan has done, the last first, and free what it keeps. Raises OrderPastReturn."""
    uow = carried.uow
    for step in reversed(item["steps"]):
        if step["state"] not in ("done", "running"):
            continue
        if step["step"] == "network":
            network.withdraw(carried, item, step, by_force=by_force)
        elif step["step"] == "work" and step["state"] == "running":
            workorder.cancel_work_orders(uow, order_id=carried.order_id, item_id=item["item_id"])
        step["state"] = "undone"
    item["due_on"] = None
    carried.touch(item)
    resource.release(uow, order_id=carried.order_id, item_id=item["item_id"])


def fail(carried: Carried, item: Item, *, code: str, text: str) -> None:
    """An item cannot be carried out: what was done is undone, its fees are owed no more."""
    give_up(carried, item, by_force=True)
    carried.put_item(item, "failed", code=code, text=text)
    withdraw_fees(carried.uow, carried, item["item_no"], "failed")
    for other in carried.items:
        if other["state"] not in rules.ENDS and any(
            step["step"] == "after" and item["item_no"] in step["refs"] for step in other["steps"]
        ):
            fail(carried, other, code="after_failed", text=str(item["item_no"]))


def withdraw_fees(uow: UnitOfWork, carried: Carried, item_no: int | None, reason: str) -> None:
    """Tell billing which fees are owed no more."""
    ids = store.withdraw_fees(uow.conn, carried.order_id, item_no)
    if not ids:
        return
    uow.tell(f"order:{carried.order_id}", FeesWithdrawn(
        order_id=carried.order_id, account_id=carried.order["account_id"] or "", fee_ids=tuple(ids), reason=reason,
    ))  # fmt: skip
    if item_no is None or len(carried.items) == 1:
        carried.order["payment_state"] = "refund_due" if carried.order["payment_state"] == "paid" else "withdrawn"
