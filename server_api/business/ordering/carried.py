"""An order while an act carries it on: its row, its items and what happened, read once and written once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from server_api.business.ordering import rules, store
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.ordering import OrderDone, OrderItemWish, OrderState
from shared_models.tables.business.ordering import product_order
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.ordering import OrderStepNotPossible

#: Orders this thread is carrying on: news about them inside the same act are its own doing.
_CARRYING: ContextVar[tuple[str, ...]] = ContextVar("onehall_orders_carried", default=())

Item = dict[str, Any]
Step = dict[str, Any]


@dataclass
class Carried:
    """An order in hand."""

    uow: UnitOfWork
    order: dict[str, Any]
    items: list[Item]
    events: list[dict[str, Any]] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    #: it is only being accepted: what is refused now refuses the order
    accepting: bool = False

    @property
    def order_id(self) -> str:
        return str(self.order["order_id"])

    def item_of(self, item_id: str | None) -> Item | None:
        """The item with this id."""
        return next((item for item in self.items if item["item_id"] == item_id), None)

    def wish(self, item: Item) -> OrderItemWish:
        """What was asked for, with its secrets."""
        document = {name: value for name, value in item["wish"].items() if name != "bundle_instance"}
        if item["secrets_sealed"]:
            document |= json.loads(self.uow.database.secrets.unseal(item["secrets_sealed"]))
        return OrderItemWish.model_validate(document)

    def touch(self, item: Item) -> None:
        """The item is to be written."""
        self.changed.add(item["item_no"])

    def put_item(self, item: Item, state: str, *, code: str = "", text: str = "") -> None:
        """Bring an item to a state, by one event of the table or by going on first."""
        before = item["state"]
        if before != state:
            for event in _way(before, state):
                item["state"] = rules.STATES[item["state"], event]
                self.note(event, item["state"], item_no=item["item_no"], code=code, remark=text)
        item["result_code"], item["result_text"] = code[:40] or None, text[:400] or None
        self.touch(item)

    def put(self, state: str, *, code: str = "", remark: str = "") -> None:
        """Bring the order to a state."""
        if self.order["state"] == state:
            return
        for event in _way(self.order["state"], state):
            self.order["state"] = rules.STATES[self.order["state"], event]
            self.note(event, self.order["state"], code=code, remark=remark)
        if state in rules.ENDS:
            self.order["closed_at"], self.order["expires_at"] = self.uow.now, None

    def note(self, event: str, to_state: str, *, item_no: int | None = None, code: str = "", remark: str = "") -> None:
        """Add a line to what happened."""
        self.order["event_count"] += 1
        self.events.append({
            "order_id": self.order_id, "event_no": self.order["event_count"], "at": self.uow.now, "item_no": item_no,
            "event": event, "to_state": to_state, "staff_no": self.uow.context.staff_no, "code": code[:40] or None,
            "remark": remark[:400] or None,
        })  # fmt: skip

    def save(self) -> None:
        """Write what changed."""
        uow = self.uow
        store.change(
            uow.conn, self.order_id, version_no=self.order["version_no"] + 1,
            **{name: self.order[name] for name in (
                "state", "payment_state", "expires_at", "closed_at", "visit", "remark", "reason_code", "event_count",
            )},
        )  # fmt: skip
        for item in self.items:
            if item["item_no"] in self.changed:
                store.change_item(
                    uow.conn, self.order_id, item["item_no"],
                    **{name: item[name] for name in (
                        "state", "effective_on", "due_on", "steps", "result_code", "result_text", "product_id",
                    )},
                )  # fmt: skip
        store.add_events(uow.conn, self.events)

    def done(self) -> OrderDone:
        """The reply to whoever acted."""
        return OrderDone(
            order_id=self.order_id, order_no=self.order["order_no"], state=OrderState(self.order["state"]),
            payment_state=self.order["payment_state"], total_fen=self.order["total"],
        )  # fmt: skip


def _way(before: str, after: str) -> tuple[str, ...]:
    event = rules.event_between(before, after)
    if event is not None:
        return (event,)
    for (state, first), between in rules.STATES.items():
        if state == before:
            second = rules.event_between(between, after)
            if second is not None:
                return first, second
    raise OrderStepNotPossible(state=before, event=after)


def load(uow: UnitOfWork, order_id: str) -> Carried | None:
    """An order, locked; None where there is none."""
    row = uow.lock(store.lock_query(order_id), product_order)
    if row is None:
        return None
    items = [dict(one._mapping) for one in store.items(uow.conn, order_id)]
    return Carried(uow, dict(row._mapping), items)


def need(uow: UnitOfWork, order_id: str) -> Carried:
    """An order the caller may see, locked. Raises NotFound."""
    if store.one(uow.conn, order_id, uow.context) is None:
        raise NotFound(what="order")
    carried = load(uow, order_id)
    if carried is None:
        raise NotFound(what="order")
    return carried


@contextmanager
def carrying(order_id: str) -> Iterator[None]:
    """While this lasts, news about the order are not heard: they come from here."""
    token = _CARRYING.set((*_CARRYING.get(), order_id))
    try:
        yield
    finally:
        _CARRYING.reset(token)


def is_carried(order_id: str | None) -> bool:
    """True for an order this thread is carrying on."""
    return order_id in _CARRYING.get()
