"""What faces may ask of faults and complaints."""

from server_api.business.trouble.service.handle import (
    add_finding,
    ask_back,
    begin_ticket,
    cancel_ticket,
    escalate_due,
    heard_work_order,
    mark_hard,
    resolve_ticket,
    send_out,
    wait_ticket,
)
from server_api.business.trouble.service.look import page_of_tickets, read_ticket
from server_api.business.trouble.service.report import declare_area_fault, file_ticket

__all__ = [
    "add_finding",
    "ask_back",
    "begin_ticket",
    "cancel_ticket",
    "declare_area_fault",
    "escalate_due",
    "file_ticket",
    "heard_work_order",
    "mark_hard",
    "page_of_tickets",
    "read_ticket",
    "resolve_ticket",
    "send_out",
    "wait_ticket",
]
