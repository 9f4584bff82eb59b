"""Showing orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from server_api.business.ordering import rules, store
from server_api.business.ordering.policy import order_policy
from server_api.business.resource import service as resource
from shared_models.contracts.ordering import (
    FeeView,
    HeldView,
    OrderAct,
    OrderEventView,
    OrderHead,
    OrderItemView,
    OrderState,
    OrderView,
    StepView,
)
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.common import NotFound


def read_order(conn: Connection, order: str, context: WorkContext) -> OrderView:
    """One order whole, by its id or its number. Raises NotFound, also outside the caller's scope."""
    row = store.by_no(conn, order, context) if order.startswith("O") else store.one(conn, order, context)
    if row is None:
        raise NotFound(what="order")
    items = [dict(one._mapping) for one in store.items(conn, row.order_id)]
    numbers = {item["item_id"]: item["item_no"] for item in items}
    return OrderView(
        **dict(head(row)), account_id=row.account_id or "", pay_mode=row.pay_mode, expires_at=row.expires_at,
        remark=row.remark or "", reason=row.reason_code or "", may_cancel=_may_cancel(row.state, items),
        items=view_items(items),
        fees=tuple(
            FeeView(item_no=fee.item_no, price_code=fee.price_code, label_zh=fee.label_zh, label_en=fee.label_en,
                    amount_fen=fee.amount, state=fee.state)
            for fee in store.fees(conn, row.order_id)
        ),
        held=tuple(
            HeldView(item_no=numbers.get(one.item_id or "", 0), kind=one.kind, code=one.code, until_at=one.until_at)
            for one in resource.held_by_order(conn, row.order_id)
        ),
        log=tuple(
            OrderEventView(at=one.at, item_no=one.item_no, event=one.event, to_state=one.to_state,
                           staff_no=one.staff_no, code=one.code or "", remark=one.remark or "")
            for one in store.events(conn, row.order_id)
        ),
    )  # fmt: skip


def page_of_orders(
    conn: Connection, context: WorkContext, *, limit: int, before: tuple[datetime, str] | None = None,
    customer_id: str | None = None, state: str | None = None,
) -> list[OrderHead]:  # fmt: skip
    """Orders, newest first, within the caller's scope."""
    rows = store.page(conn, context, limit=limit, before=before, customer_id=customer_id, state=state)
    return [head(row) for row in rows]


def head(row: Any) -> OrderHead:
    """An order as lists show it."""
    return OrderHead(
        order_id=row.order_id, order_no=row.order_no, customer_id=row.customer_id, state=OrderState(row.state),
        payment_state=row.payment_state, channel=row.channel, total_fen=row.total, opened_at=row.opened_at,
        closed_at=row.closed_at,
    )  # fmt: skip


def view_items(items: Sequence[Mapping[str, Any]]) -> tuple[OrderItemView, ...]:
    """Items with how far each is."""
    acts = order_policy().acts
    return tuple(
        OrderItemView(
            item_no=item["item_no"], item_id=item["item_id"], act=OrderAct(item["act_name"]),
            state=OrderState(item["state"]), product_id=item["product_id"] or "",
            offering_code=item["offering_code"] or "", effective_on=item["effective_on"],
            steps=tuple(
                StepView(
                    step=step["step"], state=step["state"],
                    no_return=step["step"] == acts[item["act_name"]].no_return,
                )
                for step in item["steps"]
            ),
            code=item["result_code"] or "", text=item["result_text"] or "",
        )
        for item in items
    )  # fmt: skip


def _may_cancel(state: str, items: Sequence[Mapping[str, Any]]) -> bool:
    acts = order_policy().acts
    return state not in rules.ENDS and not any(
        rules.past_return(item["steps"], acts[item["act_name"]].no_return) for item in items
    )
