"""What time does to orders: the day comes, or nobody came in time."""

from __future__ import annotations

from server_api.business.ordering import rules, store
from server_api.business.ordering.carried import load
from server_api.business.ordering.service.change import cancel_carried, carry_on
from server_api.platform.unit_of_work import UnitOfWork


def go_on_due(uow: UnitOfWork, *, limit: int = 50) -> int:
    """Carry on orders with an item whose day has come; how many were looked at."""
    order_ids = store.due(uow.conn, uow.today, limit)
    for order_id in order_ids:
        carried = load(uow, order_id)
        if carried is not None and carried.order["state"] not in rules.ENDS:
            carry_on(carried)
    return len(order_ids)


def end_expired(uow: UnitOfWork, *, limit: int = 50) -> int:
    """Cancel bookings nobody accepted and orders nobody paid in time; how many were looked at."""
    order_ids = store.expired(uow.conn, uow.now, limit)
    for order_id in order_ids:
        carried = load(uow, order_id)
        if carried is not None and carried.order["state"] in rules.OPEN:
            cancel_carried(carried, reason="expired")
    return len(order_ids)
