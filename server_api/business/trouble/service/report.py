"""Taking a fault or complaint, with a first look at what explains most of them; declaring an area-wide fault."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server_api.business.inventory import service as inventory
from server_api.business.party import service as party
from server_api.business.resource import service as resource
from server_api.business.trouble import rules, store
from server_api.business.trouble.policy import trouble_policy
from server_api.business.trouble.steps import done, note, step
from server_api.business.workorder import service as workorder
from server_api.platform.numbering import next_number
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.inventory import ProductView
from shared_models.contracts.trouble import DeclareAreaFault, FileTicket, TicketDone
from shared_models.contracts.workorder import WorkOrderHead
from shared_models.tables.business.trouble import trouble_ticket
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.trouble import AlreadyReported, CategoryUnknown
from shared_models.values.ids import derived_id

_OWING = ("overdue", "restricted")


def file_ticket(uow: UnitOfWork, *, wish: FileTicket) -> TicketDone:
    """Take a fault or complaint; of a product, look at once at suspension, arrears, its line and area-wide faults.

    What belongs to an area-wide fault becomes a part of it. Raises NotFound, CategoryUnknown, AlreadyReported.
    """
    policy = trouble_policy()
    if wish.category not in policy.categories[wish.kind]:
        raise CategoryUnknown(category=wish.category, known=", ".join(policy.categories[wish.kind]))
    product = None
    if wish.product_id is not None:
        product = inventory.read_product(uow.conn, wish.product_id, uow.context)
        _need_new(uow, wish.product_id, wish.category)
    customer_id = product.customer_id if product is not None else wish.customer_id
    if customer_id is None:
        raise NotFound(what="customer")
    owner = party.need_customer(uow.conn, customer_id, uow.context)
    area_code = wish.area_code or "town"
    ticket_id = derived_id(uow.act_id, "ticket")
    store.add(uow.conn, _row(
        uow, ticket_id, ticket_kind=wish.kind, category=wish.category, reach="single", product_id=wish.product_id,
        customer_id=customer_id, shown_as=product.shown_as if product is not None else None,
        address=(product.install_address or None) if product is not None else None, area_code=area_code,
        contact_name=wish.contact_name, contact_phone=wish.contact_phone, described=wish.described,
        channel=wish.channel, due_at=uow.now + policy.due_within(wish.kind, area_code), hall_code=owner.hall_code,
        district_code=owner.district_code,
    ))  # fmt: skip
    note(uow, ticket_id, "file", "acknowledged")
    if wish.kind == "fault" and product is not None:
        _look(uow, ticket_id, product)
    return done(uow, ticket_id)


def declare_area_fault(uow: UnitOfWork, *, wish: DeclareAreaFault) -> TicketDone:
    """Say that something broke that many hang on: open faults of these become parts of it, later ones too.

    Raises PlaceUnknown, CategoryUnknown.
    """
    policy = trouble_policy()
    if wish.category not in policy.categories["fault"]:
        raise CategoryUnknown(category=wish.category, known=", ".join(policy.categories["fault"]))
    place = resource.read_place(uow.conn, wish.place_code)
    ticket_id = derived_id(uow.act_id, "area")
    store.add(uow.conn, _row(
        uow, ticket_id, ticket_kind="fault", category=wish.category, reach="area", place_code=wish.place_code,
        shown_as=place.place_name[:60], address=place.address, area_code="town", described=wish.described,
        channel="network", due_at=uow.now + policy.area_fault, hall_code=uow.context.hall_code,
        district_code=uow.context.district_code,
    ))  # fmt: skip
    note(uow, ticket_id, "file", "acknowledged")
    for child in store.open_of_products(uow.conn, resource.products_below(uow.conn, wish.place_code)):
        locked = uow.lock(store.any_one(child.ticket_id), trouble_ticket)
        if locked is not None and locked.state in rules.OPEN and locked.parent_id is None:
            step(uow, locked, "join_area", parent_id=ticket_id)
    return done(uow, ticket_id)


def _row(uow: UnitOfWork, ticket_id: str, *, due_at: datetime, **values: Any) -> dict[str, Any]:
    policy = trouble_policy()
    empty = dict.fromkeys(("product_id", "customer_id", "place_code", "contact_name", "contact_phone"))
    return {
        **empty, "ticket_id": ticket_id, "ticket_no": f"T{next_number(uow, 'trouble_ticket'):08d}",
        "state": "acknowledged", "escalated": 0, "due_at": due_at, "opened_at": uow.now, "follow_up": "none",
        "escalate_at": rules.next_escalation(uow.now, 0, policy.escalate_after_hours), "version_no": 1, **values,
    }  # fmt: skip


def _need_new(uow: UnitOfWork, product_id: str, category: str) -> None:
    there = store.open_of_product(uow.conn, product_id, category)
    if there is not None:
        raise AlreadyReported(ticket_no=there.ticket_no)


def _look(uow: UnitOfWork, ticket_id: str, product: ProductView) -> None:
    """The first look: what is known here without asking anybody. What is not known is said to be unknown."""
    trace = resource.trace_product(uow.conn, product.product_id)
    places = {hop.place_code for end in trace.ends for hop in end.hops}
    area = store.open_area_faults(uow.conn, places)
    broken = [one.code for one in trace.things if one.state in ("faulty", "lost", "to_repair", "in_repair")]
    standing = party.account_standing(uow.conn, product.account_id)
    open_work = [one for one in _work(uow, product.product_id) if one.closed_at is None]
    looked = {
        "suspension": ("bad" if product.suspend_reasons else "good", ", ".join(product.suspend_reasons)),
        "arrears": ("unknown" if standing is None else "bad" if standing in _OWING else "good", standing or ""),
        "line": ("bad" if broken else "good" if trace.ends else "unknown", ", ".join(broken)),
        "area_fault": ("bad" if area else "good", ", ".join(one.ticket_no for one in area)),
        "work_order": ("bad" if open_work else "good", ", ".join(one.work_order_no for one in open_work)),
    }
    store.add_findings(uow.conn, ticket_id, [
        {"at": uow.now, "looked_at": name, "verdict": verdict, "detail": detail[:200] or None, "staff_no": "system"}
        for name, (verdict, detail) in looked.items()
    ])  # fmt: skip
    if area:
        row = uow.lock(store.any_one(ticket_id), trouble_ticket)
        step(uow, row, "join_area", parent_id=area[0].ticket_id)


def _work(uow: UnitOfWork, product_id: str) -> list[WorkOrderHead]:
    return workorder.work_of(uow.conn, "product_id", product_id, uow.now, uow.context)
