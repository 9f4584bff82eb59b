"""What slices above and faces may ask of resources."""

from server_api.business.resource.service.hold import (
    Criteria,
    Held,
    extend,
    held_by_order,
    held_by_product,
    occupy,
    orders_holding,
    quit,
    release,
    reserve,
)
from server_api.business.resource.service.numbers import Taken, take_number, take_over_numbers

__all__ = [
    "Criteria",
    "Held",
    "Taken",
    "extend",
    "held_by_order",
    "held_by_product",
    "occupy",
    "orders_holding",
    "quit",
    "release",
    "reserve",
    "take_number",
    "take_over_numbers",
]
