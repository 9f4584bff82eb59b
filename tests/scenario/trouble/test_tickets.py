"""Faults and complaints: a first look, somebody sent out, an area-wide fault and its parts, passed up, asked back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server_api.business.inventory import service as inventory
from server_api.business.resource import service as resource
from server_api.business.trouble import service as trouble
from server_api.business.workorder import service as workorder
from server_api.platform.database import Database, Databases
from server_api.platform.jobs import enqueue, run_all
from server_api.wiring import new_wiring, wire_databases
from shared_models.contracts.inventory import Access, InstallProduct, PayRelation, SuspendProduct, SuspendReason
from shared_models.contracts.trouble import (
    AddFinding,
    DeclareAreaFault,
    FileTicket,
    ResolveTicket,
    SendOut,
    TicketDone,
    TicketRemark,
    TicketSaid,
    TicketView,
)
from shared_models.contracts.work import DataScope
from shared_models.contracts.workorder import CloseWork
from shared_models.values.clock import ManualClock
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.trouble import AlreadyReported, CategoryUnknown, TroubleStepNotPossible
from shared_models.values.ids import new_id
from tests.support.business import ask, do, make_customer, publish_sample_catalog, worker
from tests.support.ground import lay


@pytest.fixture
def business(databases: Databases) -> Database:
    """Ground, a catalogue, all listeners."""
    wire_databases(databases)
    lay(databases.business)
    publish_sample_catalog(databases.business)
    return databases.business


def installed(business: Database, number: str) -> str:
    """A telephone with its line."""
    product_id, order_id = new_id(), new_id()
    customer = make_customer(business, "王秀兰")
    until_at = business.clock.now() + timedelta(days=1)
    criteria = resource.Criteria(address="铁人大道14号")

    def work(uow: object) -> None:
        resource.reserve(uow, kind="line", order_id=order_id, item_id="1", until_at=until_at, criteria=criteria)  # type: ignore[arg-type]
        resource.reserve(uow, kind="number", order_id=order_id, item_id="1", until_at=until_at, code=number)  # type: ignore[arg-type]
        resource.occupy(uow, order_id=order_id, item_id="1", product_id=product_id)  # type: ignore[arg-type]
        wish = InstallProduct(
            product_id=product_id, customer_id=customer.customer_id, offering_code="VOICE-HOME",
            accesses=(Access(access_key=number),), pay_relations=(PayRelation(account_id=new_id()),),
            install_address="铁人大道14号201室",
        )  # fmt: skip
        inventory.install_product(uow, install=wish)  # type: ignore[arg-type]

    do(business, work)
    return product_id


def filed(business: Database, product_id: str, **more: object) -> TicketDone:
    wish = FileTicket.model_validate(
        {"kind": "fault", "category": "no_dial_tone", "described": "没有声音", "product_id": product_id, **more}
    )
    return ask(business, lambda uow: trouble.file_ticket(uow, wish=wish))


def seen(business: Database, ticket_id: str) -> TicketView:
    with business.reading() as connection:
        return trouble.read_ticket(connection, ticket_id, worker(), business.clock.now())


def test_a_fault_from_first_look_to_closed(business: Database, clock: ManualClock) -> None:
    product_id = installed(business, "2680007")
    ticket = filed(business, product_id, contact_phone="13900000000")
    view = seen(business, ticket.ticket_id)
    found = {one.looked_at: one.verdict for one in view.findings}
    assert found == {
        "suspension": "good", "arrears": "unknown", "line": "good", "area_fault": "good", "work_order": "good",
    }  # fmt: skip
    assert view.first_cause is None and view.due_at == clock.now() + timedelta(hours=48)
    assert (view.shown_as, view.address) == ("0937-2680007", "铁人大道14号201室")
    with pytest.raises(AlreadyReported):
        filed(business, product_id)
    with pytest.raises(CategoryUnknown):
        filed(business, product_id, category="bill")
    finding = AddFinding(looked_at="line_test", verdict="bad", detail="环路开路")
    ask(business, lambda uow: trouble.add_finding(uow, ticket_id=ticket.ticket_id, finding=finding))
    ask(business, lambda uow: trouble.send_out(uow, ticket_id=ticket.ticket_id, wish=SendOut()))
    (order,) = seen(business, ticket.ticket_id).work_orders
    assert (order.kind, order.ticket_id, order.address) == ("repair", ticket.ticket_id, "铁人大道14号201室")
    close = CloseWork(result="done", reason_code="repaired_drop")
    ask(business, lambda uow: workorder.close_work(uow, work_order_id=order.work_order_id, close=close))
    view = seen(business, ticket.ticket_id)
    assert (view.state, view.cause_code, view.resolution) == ("resolved", "visit", "repaired_drop")
    unhappy, happy = TicketSaid(outcome="not_satisfied"), TicketSaid(outcome="satisfied")
    said = ask(business, lambda uow: trouble.ask_back(uow, ticket_id=ticket.ticket_id, said=unhappy))
    assert said.state == "in_progress" and seen(business, ticket.ticket_id).escalated == 1
    resolve = ResolveTicket(cause_code="customer_device", resolution="话机已换")
    ask(business, lambda uow: trouble.resolve_ticket(uow, ticket_id=ticket.ticket_id, wish=resolve))
    assert ask(business, lambda uow: trouble.ask_back(uow, ticket_id=ticket.ticket_id, said=happy)).state == "closed"
    with pytest.raises(TroubleStepNotPossible):
        ask(business, lambda uow: trouble.resolve_ticket(uow, ticket_id=ticket.ticket_id, wish=resolve))


def test_the_first_look_sees_suspension_and_broken_lines(business: Database) -> None:
    product_id = installed(business, "2680007")
    do(business, lambda uow: resource.change_state(uow, kind="pair", code="BOX2-01", event="fail", remark=""))  # type: ignore[arg-type, return-value]
    lost = SuspendProduct(suspend_reason=SuspendReason.LOST)
    ask(business, lambda uow: inventory.suspend_product(uow, product_id=product_id, suspend=lost))
    view = seen(business, filed(business, product_id).ticket_id)
    found = {one.looked_at: (one.verdict, one.detail) for one in view.findings}
    assert found["suspension"] == ("bad", "lost") and found["line"] == ("bad", "BOX2-01")
    assert view.first_cause == "suspension"


def test_an_area_fault_takes_its_parts_along(business: Database) -> None:
    first, second = installed(business, "2680007"), installed(business, "2680008")
    before = filed(business, first).ticket_id
    wish = DeclareAreaFault(place_code="CAB1", category="no_dial_tone", described="交接箱被撞")
    area = ask(business, lambda uow: trouble.declare_area_fault(uow, wish=wish)).ticket_id
    after = filed(business, second).ticket_id
    assert seen(business, area).affected == 2
    for part in (before, after):
        view = seen(business, part)
        assert (view.parent_id, view.state) == (area, "in_progress")
    assert seen(business, after).first_cause == "area_fault"
    resolve = ResolveTicket(cause_code="cable_cut", resolution="重新接续")
    ask(business, lambda uow: trouble.resolve_ticket(uow, ticket_id=area, wish=resolve))
    assert [seen(business, part).state for part in (before, after)] == ["resolved", "resolved"]


def test_what_waits_too_long_is_passed_up(business: Database, clock: ManualClock) -> None:
    ticket_id = filed(business, installed(business, "2680007")).ticket_id
    for hours, passed in ((23, 0), (2, 1), (1, 1), (23, 2), (100, 3), (100, 3)):
        clock.advance(timedelta(hours=hours))
        do(business, lambda uow: enqueue(uow, "trouble.escalate"))  # type: ignore[arg-type, return-value]
        run_all(business, new_wiring().jobs["business"])
        assert seen(business, ticket_id).escalated == passed, hours
    with business.reading() as connection:
        late = trouble.page_of_tickets(connection, worker(), clock.now(), limit=9, after=None, overdue=True)
    assert [one.ticket_id for one in late] == [ticket_id]


def test_cancelling_withdraws_what_is_open_in_the_field(business: Database) -> None:
    ticket_id = filed(business, installed(business, "2680007")).ticket_id
    ask(business, lambda uow: trouble.send_out(uow, ticket_id=ticket_id, wish=SendOut()))
    why = TicketRemark(remark="用户自行恢复")
    ask(business, lambda uow: trouble.cancel_ticket(uow, ticket_id=ticket_id, why=why))
    view = seen(business, ticket_id)
    assert view.state == "cancelled" and [one.state for one in view.work_orders] == ["cancelled"]


def test_a_complaint_needs_no_product_and_stays_in_its_hall(business: Database) -> None:
    customer = make_customer(business, "赵大海")
    wish = FileTicket(kind="complaint", category="bill", described="话费不对", customer_id=customer.customer_id)
    ticket_id = ask(business, lambda uow: trouble.file_ticket(uow, wish=wish)).ticket_id
    assert seen(business, ticket_id).findings == ()
    with business.reading() as connection, pytest.raises(NotFound):
        trouble.read_ticket(connection, ticket_id, worker("H03", "D2", DataScope.HALL), business.clock.now())
