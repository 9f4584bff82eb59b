"""The acts and reads of orders."""

from server_api.business.ordering.service.change import (
    accept_order,
    amend_order,
    cancel_order,
    retry_order,
    return_order,
)
from server_api.business.ordering.service.read import page_of_orders, read_order
from server_api.business.ordering.service.submit import quote_order, submit_order
from server_api.business.ordering.service.upkeep import end_expired, go_on_due

__all__ = [
    "accept_order",
    "amend_order",
    "cancel_order",
    "end_expired",
    "go_on_due",
    "page_of_orders",
    "quote_order",
    "read_order",
    "retry_order",
    "return_order",
    "submit_order",
]
