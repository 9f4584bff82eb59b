"""Orders from the counter to the network, the product and its bill, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from server_api.business.inventory import service as inventory
from server_api.business.ordering import service as ordering
from server_api.business.ordering.jobs import _fees_stand, _nothing_kept
from server_api.business.provisioning.manifest import Site
from server_api.business.provisioning.simulation import Simulator
from server_api.platform.database import Database, Databases
from shared_models.contracts.events import FeeRaised, FeesWithdrawn, ProductRecorded
from shared_models.contracts.inventory import Access, ProductView
from shared_models.contracts.ordering import EndOrder, OrderItemWish
from shared_models.values.clock import ManualClock, town_day
from shared_models.values.faults.inventory import NotAMember, NotSuspendedForThat
from shared_models.values.faults.ordering import (
    BundleMemberMissing,
    OrderStepNotPossible,
    OrderUnderWay,
)
from tests.support.business import ask, do, worker
from tests.support.network import work
from tests.support.orders import (
    ACCOUNT,
    an_order,
    broadband,
    broadband_manager,
    furnish,
    kept,
    phone,
    shown,
    submit,
    told,
    wish,
)


@pytest.fixture
def business(databases: Databases) -> Database:
    return databases.business


@pytest.fixture
def owner(business: Database) -> str:
    return furnish(business)


@pytest.fixture
def manager() -> Iterator[tuple[Simulator, Site]]:
    with broadband_manager() as made:
        yield made


def product(database: Database, product_id: str) -> ProductView:
    with database.reading() as connection:
        return inventory.read_product(connection, product_id, worker())


def events(database: Database, product_id: str) -> list[tuple[str, str, str]]:
    """(kind, day, reason) of each billing event, as billing heard it last."""
    last = [one for one in told(database, ProductRecorded) if one.product_id == product_id][-1]
    return [(event.kind.value, event.effective_on.isoformat(), event.reason) for event in last.events]


def proven(database: Database) -> None:
    assert _nothing_kept(database).holds and _fees_stand(database).holds


def installed(database: Database, owner: str, *items: object, site: Site | None = None) -> list[str]:
    """Order these and have them carried out; the ids of the products."""
    order = an_order(owner, *items)  # type: ignore[arg-type]
    submit(database, order)
    if site is not None:
        work(database, [site])
    view = shown(database, order.order_id)
    assert view.state == "completed", (view.items[0].code, view.items[0].text)
    return [item.product_id for item in view.items]


def test_broadband_from_the_counter_to_the_bill(
    business: Database, owner: str, manager: tuple[Simulator, Site], clock: ManualClock
) -> None:
    simulator, site = manager
    order = an_order(owner, broadband("zhangsan"))
    done = submit(business, order)
    assert done.state == "in_progress"
    assert kept(business, order.order_id) == {"login": "zhangsan"}
    assert "zhangsan" not in simulator.book
    work(business, [site])
    view = shown(business, order.order_id)
    assert view.state == "completed", (view.items[0].code, view.items[0].text)
    assert [step.state for step in view.items[0].steps] == ["done", "done", "skipped", "done"]
    assert simulator.book["zhangsan"]["status"] == "0"
    assert kept(business, order.order_id) == {}
    made = product(business, view.items[0].product_id)
    assert made.state == "active" and made.account_id == ACCOUNT
    assert events(business, made.product_id) == [("activated", town_day(clock.now()).isoformat(), "")]
    assert [event.to_state for event in view.log if event.item_no is None][-1] == "completed"
    proven(business)


def test_a_cancelled_order_keeps_nothing_and_owes_nothing(
    business: Database, owner: str, manager: tuple[Simulator, Site]
) -> None:
    simulator, site = manager
    order = an_order(owner, phone(address="铁人大道12号", things=({"kind": "line"},)), broadband("lisi"))
    assert submit(business, order).total_fen.amount_fen == 5000
    assert set(kept(business, order.order_id)) == {"number", "login", "port", "pair"}
    assert told(business, FeeRaised)[0].fees[0].item_code == "voice.install"
    ended = ask(business, lambda uow: ordering.cancel_order(uow, order_id=order.order_id, end=EndOrder(reason="wish")))
    assert (ended.state, ended.payment_state) == ("cancelled", "withdrawn")
    assert kept(business, order.order_id) == {}
    assert len(told(business, FeesWithdrawn)[0].fee_ids) == 1
    work(business, [site])
    assert simulator.book == {}
    again = an_order(owner, phone())
    assert submit(business, again).state == "completed", "the number is free again"
    with pytest.raises(OrderStepNotPossible):
        ask(business, lambda uow: ordering.cancel_order(uow, order_id=order.order_id, end=EndOrder()))
    proven(business)


def test_what_the_network_did_is_taken_back(business: Database, owner: str, manager: tuple[Simulator, Site]) -> None:
    """The visit is still to come when the customer changes his mind: the login is closed again, then free."""
    simulator, site = manager
    order = an_order(owner, broadband("wangwu", address="铁人大道12号"))
    submit(business, order)
    work(business, [site])
    assert shown(business, order.order_id).state == "in_progress" and "wangwu" in simulator.book
    ask(business, lambda uow: ordering.cancel_order(uow, order_id=order.order_id, end=EndOrder()))
    work(business, [site])
    assert simulator.book == {} and kept(business, order.order_id) == {}


def test_a_refusal_of_the_network_fails_the_item_and_changes_nothing(
    business: Database, owner: str, manager: tuple[Simulator, Site]
) -> None:
    simulator, site = manager
    (one,) = installed(business, owner, broadband("zhaoliu"), site=site)
    del simulator.book["zhaoliu"]
    order = an_order(owner, wish("suspend", one, suspend_reason="lost"))
    submit(business, order)
    with pytest.raises(OrderUnderWay):
        submit(business, an_order(owner, wish("terminate", one)))
    work(business, [site])
    view = shown(business, order.order_id)
    assert view.state == "failed" and view.items[0].code == "NO_USER"
    assert product(business, one).state == "active"


def test_suspend_resume_terminate(
    business: Database, owner: str, manager: tuple[Simulator, Site], clock: ManualClock
) -> None:
    simulator, site = manager
    (one,) = installed(business, owner, broadband("sunqi"), site=site)
    clock.advance(timedelta(days=5))
    for reason in ("owner_request", "lost"):
        submit(business, an_order(owner, wish("suspend", one, suspend_reason=reason)))
        work(business, [site])
    assert simulator.book["sunqi"]["status"] == "1" and product(business, one).state == "suspended"
    submit(business, an_order(owner, wish("resume", one, suspend_reason="lost")))
    work(business, [site])
    assert simulator.book["sunqi"]["status"] == "1", "the other reason holds"
    submit(business, an_order(owner, wish("resume", one, suspend_reason="owner_request")))
    work(business, [site])
    assert simulator.book["sunqi"]["status"] == "0" and product(business, one).state == "active"
    with pytest.raises(NotSuspendedForThat):
        submit(business, an_order(owner, wish("resume", one, suspend_reason="lost")))
    submit(business, an_order(owner, wish("terminate", one, reason="moved_away")))
    work(business, [site])
    assert "sunqi" not in simulator.book
    assert [kind for kind, _on, _why in events(business, one)] == ["activated", "suspended", "resumed", "terminated"]
    assert events(business, one)[-1][2] == "moved_away"
    proven(business)


def test_a_bundle_whole_or_not_at_all(business: Database, owner: str, manager: tuple[Simulator, Site]) -> None:
    _simulator, site = manager
    do(business, lambda uow: _card(uow))
    voice = phone("2680003", bundle_code="BUNDLE-99")
    line = broadband("family", bundle_code="BUNDLE-99")
    card = Access(access_kind="card", access_key=CARD)
    tv = voice.model_copy(update={"offering_code": "TV-BASIC", "accesses": (card,)})
    with pytest.raises(BundleMemberMissing):
        submit(business, an_order(owner, voice, line))
    order = an_order(owner, voice, line, tv)
    with business.reading():
        quote = ordering.quote_order(business, worker(), order)
    assert [price.price_code for price in quote.prices] == ["BUNDLE-99-M"] and quote.total_fen.amount_fen == 0
    assert {held.kind for held in quote.held} == {"number", "login", "card"}
    assert kept(business, order.order_id) == {}, "a quote leaves nothing"
    submit(business, order)
    work(business, [site])
    view = shown(business, order.order_id)
    assert view.state == "completed"
    assert len({product(business, item.product_id).bundle_instance for item in view.items}) == 1
    voice_id, line_id, tv_id = (item.product_id for item in view.items)
    single = wish("change_offer", voice_id, offering_code="VOICE-HOME", bundle_code="BUNDLE-139")
    with pytest.raises(NotAMember):
        submit(business, an_order(owner, single))
    submit(business, an_order(owner, *_into("BUNDLE-139", voice_id, line_id, tv_id)))
    work(business, [site])
    assert product(business, voice_id).offering_code == "VOICE-B300"
    assert product(business, tv_id).bundle_code == "BUNDLE-139"
    proven(business)


def _into(bundle: str, voice_id: str, line_id: str, tv_id: str) -> list[OrderItemWish]:
    codes = (("VOICE-B300", voice_id), ("BB-100M", line_id), ("TV-BASIC", tv_id))
    return [wish("change_offer", one, offering_code=code, bundle_code=bundle) for code, one in codes]


CARD = "8537000000000018"


def _card(uow: object) -> None:
    from server_api.business.resource import store
    from server_api.business.resource.rules import compact_access

    store.add(uow.conn, [{  # type: ignore[attr-defined]
        "access_kind": "card", "access_key": compact_access("card", CARD, "0937"), "state": "available",
        "place_code": "WH1", "changed_at": uow.now,  # type: ignore[attr-defined]
    }])  # fmt: skip
