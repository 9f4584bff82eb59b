"""What slices above and faces may ask of work orders."""

from server_api.business.workorder.service.board import (
    board,
    my_work,
    page_of_work,
    put_team,
    read_work,
    teams,
    work_of,
)
from server_api.business.workorder.service.dispatch import (
    book_work,
    cancel_work,
    cancel_work_of_ticket,
    cancel_work_orders,
    dispatch_work,
    open_work_order,
)
from server_api.business.workorder.service.field import arrive, close_work, follow_up, make_contact
from server_api.business.workorder.steps import done
from shared_models.contracts.workorder import Window

__all__ = [
    "Window",
    "arrive",
    "board",
    "book_work",
    "cancel_work",
    "cancel_work_of_ticket",
    "cancel_work_orders",
    "close_work",
    "dispatch_work",
    "done",
    "follow_up",
    "make_contact",
    "my_work",
    "open_work_order",
    "page_of_work",
    "put_team",
    "read_work",
    "teams",
    "work_of",
]
