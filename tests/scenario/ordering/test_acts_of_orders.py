"""Bookings, payment first, days ahead, relocation, numbers, owners, payers, dunning's wishes, files; nothing twice."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

import pytest

from server_api.business.ordering import service as ordering
from server_api.business.ordering.batch import order_rows
from server_api.business.ordering.jobs import _fees_stand, _nothing_kept
from server_api.business.ordering.service.hear import heard_paid, heard_resume, heard_suspension
from server_api.platform.database import Database, Databases
from server_api.platform.facts.receiver import Envelope
from shared_models.contracts.events import FeesPaid, ProductRecorded, ResumeWanted, SuspensionWanted
from shared_models.contracts.ordering import AmendOrder, EndOrder
from shared_models.values.clock import ManualClock
from shared_models.values.faults.inventory import OfferingRequired
from shared_models.values.faults.ordering import OrderFieldMissing, OrderIdTaken, OrderStepNotPossible
from shared_models.values.faults.resource import ResourceTaken
from shared_models.values.ids import new_id
from tests.scenario.ordering.test_orders import product
from tests.support.business import ask, do, make_customer, worker
from tests.support.orders import ACCOUNT, an_order, furnish, kept, phone, shown, submit, told, wish


@pytest.fixture
def business(databases: Databases) -> Database:
    return databases.business


@pytest.fixture
def owner(business: Database) -> str:
    return furnish(business)


def tell(database: Database, handler: object, fact: object) -> None:
    """Hand a fact to its handler as the receiver would."""
    made = {one.name: None for one in fields(Envelope)}
    envelope = Envelope(**{**made, "fact_id": new_id()})  # type: ignore[arg-type]
    do(database, lambda uow: handler(uow, envelope, fact))  # type: ignore[operator]


def line(business: Database, owner: str, number: str = "2680001") -> str:
    order = an_order(owner, phone(number))
    assert submit(business, order).state == "completed"
    return shown(business, order.order_id).items[0].product_id


def test_a_booking_is_kept_until_it_is_accepted_or_runs_out(business: Database, owner: str, clock: ManualClock) -> None:
    first, second = an_order(owner, phone("2680001"), booking=True), an_order(owner, phone("2680002"), booking=True)
    assert submit(business, first).state == "pending" and submit(business, second).state == "pending"
    with pytest.raises(ResourceTaken):
        submit(business, an_order(owner, phone("2680001")))
    assert ask(business, lambda uow: ordering.accept_order(uow, order_id=first.order_id)).state == "completed"
    with pytest.raises(OrderStepNotPossible):
        ask(business, lambda uow: ordering.accept_order(uow, order_id=first.order_id))
    clock.advance(timedelta(days=16))
    do(business, lambda uow: ordering.end_expired(uow))
    view = shown(business, second.order_id)
    assert (view.state, view.reason, view.payment_state) == ("cancelled", "expired", "withdrawn")
    assert kept(business, second.order_id) == {}
    assert _nothing_kept(business).holds and _fees_stand(business).holds


def test_paid_first_then_done_and_paid_too_late_is_given_back(business: Database, owner: str) -> None:
    one, two = an_order(owner, phone("2680001"), pay_mode="first"), an_order(owner, phone("2680002"), pay_mode="first")
    assert submit(business, one).state == "pending" and submit(business, two).payment_state == "unpaid"
    tell(business, heard_paid, FeesPaid(order_id=one.order_id, account_id=ACCOUNT, amount_fen=5000))
    assert (shown(business, one.order_id).state, shown(business, one.order_id).payment_state) == ("completed", "paid")
    ask(business, lambda uow: ordering.cancel_order(uow, order_id=two.order_id, end=EndOrder()))
    tell(business, heard_paid, FeesPaid(order_id=two.order_id, account_id=ACCOUNT, amount_fen=5000))
    assert shown(business, two.order_id).payment_state == "refund_due"


def test_from_next_month_and_another_day(business: Database, owner: str, clock: ManualClock) -> None:
    one = line(business, owner)
    order = an_order(owner, wish("change_offer", one, offering_code="VOICE-OFFICE", when="next_month"))
    assert submit(business, order).state == "pending"
    due = shown(business, order.order_id).items[0].effective_on
    assert due.day == 1
    later = due + timedelta(days=2)
    change = AmendOrder(item_no=1, effective_on=later, remark="晚两天")
    ask(business, lambda uow: ordering.amend_order(uow, order_id=order.order_id, change=change))
    clock.advance(timedelta(days=40))
    do(business, lambda uow: ordering.go_on_due(uow))
    assert shown(business, order.order_id).state == "completed"
    last = [fact for fact in told(business, ProductRecorded) if fact.product_id == one][-1].events[-1]
    assert (last.kind.value, last.effective_on, last.offering_code) == ("changed", later, "VOICE-OFFICE")
    with pytest.raises(OrderStepNotPossible):
        ask(business, lambda uow: ordering.cancel_order(uow, order_id=order.order_id, end=EndOrder()))


def test_a_feature_comes_with_its_telephone_and_goes(business: Database, owner: str) -> None:
    with pytest.raises(OfferingRequired):
        submit(business, an_order(owner, wish("install", new_id(), offering_code="CLIP")))
    number = new_id()
    clip = wish("add_feature", number, offering_code="CLIP")
    order = an_order(owner, clip, phone("2680001", product_id=number))
    assert submit(business, order).state == "completed", "the telephone first, whatever the order of the rows"
    feature = shown(business, order.order_id).items[0].product_id
    gone = an_order(owner, wish("remove_feature", feature))
    assert submit(business, gone).state == "completed"
    assert product(business, feature).state == "terminated" and product(business, number).state == "active"


def test_another_number_owner_payer_and_address(business: Database, owner: str) -> None:
    one = line(business, owner)
    submit(business, an_order(owner, wish("change_number", one, accesses=({"access_key": "2680005"},))))
    assert product(business, one).shown_as.endswith("2680005")
    with pytest.raises(ResourceTaken):
        submit(business, an_order(owner, phone("2680001")))
    other_account = "bd" * 16
    submit(business, an_order(owner, wish("change_account", one, account_id=other_account)))
    assert product(business, one).account_id == other_account
    moved = an_order(owner, wish("relocate", one, address="铁人大道14号", things=({"kind": "line"},)))
    assert submit(business, moved).state == "in_progress" and set(kept(business, moved.order_id)) == {"port", "pair"}
    ask(business, lambda uow: ordering.cancel_order(uow, order_id=moved.order_id, end=EndOrder()))
    assert kept(business, moved.order_id) == {} and product(business, one).install_address == ""
    heir = make_customer(business, "李四").customer_id
    with pytest.raises(OrderFieldMissing):
        submit(business, an_order(owner, wish("transfer_owner", one, to_customer_id=heir)))
    submit(business, an_order(owner, wish("transfer_owner", one, to_customer_id=heir, account_id=ACCOUNT)))
    assert product(business, one).customer_id == heir


def test_dunning_suspends_and_payment_brings_back(business: Database, owner: str) -> None:
    one = line(business, owner)
    wanted = SuspensionWanted(product_id=one, account_id=ACCOUNT, suspend_reason="arrears_two_way")
    for _ in range(2):
        tell(business, heard_suspension, wanted)
    assert product(business, one).suspend_reasons == ("arrears_two_way",)
    submit(business, an_order(owner, wish("suspend", one, suspend_reason="lost")))
    tell(business, heard_resume, ResumeWanted(product_id=one, account_id=ACCOUNT))
    assert product(business, one).suspend_reasons == ("lost",), "what somebody else wanted stays"


def test_a_file_of_orders_twice(business: Database, owner: str) -> None:
    raw = (
        "customer_id,account_id,act,offering_code,number\n"
        f"{owner},{ACCOUNT},install,VOICE-HOME,2680001\n{owner},{ACCOUNT},install,VOICE-HOME,2680001\n"
        f"{owner},{ACCOUNT},fly,VOICE-HOME,2680002\n"
    ).encode()
    results = list(order_rows(business, worker(), raw))
    assert [one.done is not None for one in results] == [True, False, False]
    assert [one.fault.code for one in results if one.fault] == ["resource_taken", "input_not_valid"]
    again = list(order_rows(business, worker(), raw))
    assert again[0].done == results[0].done


def test_the_same_order_twice_is_one(business: Database, owner: str) -> None:
    order, act_id = an_order(owner, phone("2680001")), new_id()
    first = do(business, lambda uow: ordering.submit_order(uow, order=order), act_id=act_id)
    assert first and not do(business, lambda uow: ordering.submit_order(uow, order=order), act_id=act_id)
    with pytest.raises(OrderIdTaken):
        submit(business, order)
