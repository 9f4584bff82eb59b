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
from server_api.business.resource.service.stock import (
    DEVICES,
    change_state,
    has_place,
    install_device,
    move_devices,
    move_material,
    pair_devices,
    put_material,
    use_material,
)

__all__ = [
    "Criteria",
    "DEVICES",
    "Held",
    "Taken",
    "change_state",
    "extend",
    "has_place",
    "held_by_order",
    "held_by_product",
    "install_device",
    "move_devices",
    "move_material",
    "occupy",
    "orders_holding",
    "pair_devices",
    "put_material",
    "quit",
    "release",
    "reserve",
    "take_number",
    "take_over_numbers",
    "use_material",
]
