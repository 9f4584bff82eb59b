"""Products: each act books one billing event and tells billing; numbers belong to one product; reasons are a set."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from server_api.business.inventory import service as inventory
from server_api.business.inventory.jobs import _one_open_event, _one_product_a_number
from server_api.business.party import service as party
from server_api.platform.database import Database, Databases
from shared_models.contracts.events import ProductRecorded
from shared_models.contracts.inventory import (
    Access,
    ChangeOffer,
    InstallProduct,
    PayRelation,
    ProductChanged,
    ProductState,
    ResumeProduct,
    SuspendProduct,
    SuspendReason,
    TerminateProduct,
)
from shared_models.contracts.party import SearchWords
from shared_models.contracts.work import DataScope
from shared_models.values.clock import ManualClock
from shared_models.values.faults.base import Fault
from shared_models.values.faults.catalog import OfferingNotSold, OfferingUnknown
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.inventory import (
    AlreadySuspendedForThat,
    EffectiveDayTooEarly,
    NotAMember,
    NotSuspendedForThat,
    NumberAlreadyTaken,
    NumberNotValid,
    OfferingRequired,
    ProductEnded,
    ProductIdTaken,
    WrongService,
)
from shared_models.values.ids import new_id
from tests.support.business import ask, make_customer, publish_sample_catalog, worker

ACCOUNT = "ac" * 16


def install(database: Database, customer_id: str, number: str = "3961234", **more: object) -> ProductChanged:
    wanted = InstallProduct.model_validate({
        "product_id": new_id(), "customer_id": customer_id, "offering_code": "VOICE-HOME",
        "accesses": (Access(access_key=number),) if number else (), "pay_relations": (PayRelation(account_id=ACCOUNT),),
        **more,
    })  # fmt: skip
    return ask(database, lambda uow: inventory.install_product(uow, install=wanted))


def told(database: Database, product_id: str) -> list[ProductRecorded]:
    table = database.platform.fact_out
    with database.reading() as connection:
        rows = connection.execute(
            select(table.c.payload).where(table.c.aggregate == f"product:{product_id}").order_by(table.c.seq)
        ).scalars()
        return [ProductRecorded.model_validate(row) for row in rows]


def proven(database: Database) -> None:
    assert _one_open_event(database).holds and _one_product_a_number(database).holds


def test_the_life_of_a_product_as_billing_hears_it(databases: Databases, clock: ManualClock) -> None:
    business = databases.business
    version = publish_sample_catalog(business)
    owner = make_customer(business, "张三").customer_id
    made = install(business, owner, "0937-396 1234")
    one = made.product_id
    clock.advance(timedelta(days=10))
    lost = SuspendProduct(suspend_reason=SuspendReason.LOST)
    wish = SuspendProduct(suspend_reason=SuspendReason.OWNER_REQUEST)
    ask(business, lambda uow: inventory.suspend_product(uow, product_id=one, suspend=wish))
    ask(business, lambda uow: inventory.suspend_product(uow, product_id=one, suspend=lost))
    clock.advance(timedelta(days=10))
    back = ResumeProduct(suspend_reason=SuspendReason.OWNER_REQUEST)
    still = ask(business, lambda uow: inventory.resume_product(uow, product_id=one, resume=back))
    assert still.state is ProductState.SUSPENDED  # clearing one reason never clears another
    found = ResumeProduct(suspend_reason=SuspendReason.LOST)
    assert ask(business, lambda uow: inventory.resume_product(uow, product_id=one, resume=found)).state == "active"
    clock.advance(timedelta(days=10))
    other = ChangeOffer(offering_code="VOICE-OFFICE")
    ask(business, lambda uow: inventory.change_offer(uow, product_id=one, change=other))
    clock.advance(timedelta(days=10))
    end = TerminateProduct()
    ask(business, lambda uow: inventory.terminate_product(uow, product_id=one, terminate=end))
    facts = told(business, one)
    last = facts[-1]
    assert [(event.kind, event.effective_on, event.offering_code) for event in last.events] == [
        ("activated", date(2026, 3, 16), "VOICE-HOME"), ("suspended", date(2026, 3, 26), "VOICE-HOME"),
        ("resumed", date(2026, 4, 5), "VOICE-HOME"), ("changed", date(2026, 4, 15), "VOICE-OFFICE"),
        ("terminated", date(2026, 4, 25), "VOICE-OFFICE"),
    ]  # fmt: skip
    assert {event.price_version for event in last.events} == {version}
    assert len({event.event_id for event in last.events}) == 5 and len(facts) == 7
    assert last.accesses[0].key == "09373961234" and last.accesses[0].until_at is not None
    assert last.pay_relations[0].account_id == ACCOUNT and last.pay_relations[0].until_on == date(2026, 4, 25)
    assert last.shown_as == "0937-3961234"
    proven(business)


def test_a_number_rests_before_somebody_else_gets_it(databases: Databases, clock: ManualClock) -> None:
    business = databases.business
    publish_sample_catalog(business)
    first, second = make_customer(business, "张三").customer_id, make_customer(business, "李四").customer_id
    made = install(business, first)
    with pytest.raises(NumberAlreadyTaken):
        install(business, second, "09373961234")
    end = TerminateProduct()
    ask(business, lambda uow: inventory.terminate_product(uow, product_id=made.product_id, terminate=end))
    with business.reading() as connection:
        words = SearchWords(q="3961234")
        assert party.search_customers(connection, words, worker(), secrets=business.secrets).items == ()
    with pytest.raises(NumberAlreadyTaken):
        install(business, second)
    clock.advance(timedelta(days=90))
    install(business, second)
    proven(business)


def test_a_bundle_names_itself_on_every_member(databases: Databases) -> None:
    business = databases.business
    publish_sample_catalog(business)
    owner, instance = make_customer(business, "张三").customer_id, new_id()
    bundle = {"bundle_code": "BUNDLE-99", "bundle_instance": instance}
    made = [
        install(business, owner, **bundle),
        install(business, owner, "", offering_code="BB-100M",
                accesses=(Access(access_kind="login", access_key="YM000001"),), **bundle),
        install(business, owner, "", offering_code="TV-BASIC",
                accesses=(Access(access_kind="card", access_key="8537 0025 0000 0001"),), **bundle),
    ]  # fmt: skip
    for one in made:
        event = told(business, one.product_id)[0].events[0]
        assert (event.bundle_code, event.bundle_instance) == ("BUNDLE-99", instance)
    with business.reading() as connection:
        views = inventory.products_of_customer(connection, owner, worker())
    assert [view.shown_as for view in views] == ["0937-3961234", "ym000001", "8537002500000001"]
    assert {view.account_id for view in views} == {ACCOUNT}
    with pytest.raises(NotAMember):
        install(business, owner, "3969999", offering_code="VOICE-OFFICE", **bundle)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"offering_code": "NOTHING"}, OfferingUnknown), ({"offering_code": "BB-HOURLY"}, OfferingNotSold),
        ({"offering_code": "BUNDLE-99"}, NotAMember), ({"offering_code": "CLIP", "accesses": ()}, OfferingRequired),
        ({"accesses": (Access(access_key="12"),)}, NumberNotValid), ({"accesses": ()}, NumberNotValid),
        ({"accesses": (Access(access_kind="card", access_key="12ab"),)}, NumberNotValid),
        ({"effective_on": date(2028, 1, 1)}, EffectiveDayTooEarly), ({"customer_id": "0" * 32}, NotFound),
    ],
)  # fmt: skip
def test_what_cannot_be_installed(databases: Databases, changes: dict[str, object], refusal: type[Fault]) -> None:
    business = databases.business
    publish_sample_catalog(business)
    owner = make_customer(business, "张三").customer_id
    with pytest.raises(refusal):
        install(business, **{"customer_id": owner, **changes})  # type: ignore[arg-type]
    install(business, owner)  # nothing of the refused act is left behind
    proven(business)


def test_refusals_of_changes(databases: Databases) -> None:
    business = databases.business
    publish_sample_catalog(business)
    owner = make_customer(business, "张三").customer_id
    one = install(business, owner).product_id
    wish = SuspendProduct(suspend_reason=SuspendReason.OWNER_REQUEST)
    ask(business, lambda uow: inventory.suspend_product(uow, product_id=one, suspend=wish))
    acts = [
        (AlreadySuspendedForThat, lambda uow: inventory.suspend_product(uow, product_id=one, suspend=wish)),
        (NotSuspendedForThat, lambda uow: inventory.resume_product(
            uow, product_id=one, resume=ResumeProduct(suspend_reason=SuspendReason.FRAUD))),
        (WrongService, lambda uow: inventory.change_offer(
            uow, product_id=one, change=ChangeOffer(offering_code="TV-BASIC"))),
        (EffectiveDayTooEarly, lambda uow: inventory.terminate_product(
            uow, product_id=one, terminate=TerminateProduct(effective_on=date(2026, 3, 1)))),
        (ProductIdTaken, lambda uow: inventory.install_product(uow, install=InstallProduct(
            product_id=one, customer_id=owner, offering_code="VOICE-HOME", accesses=(Access(access_key="3960001"),),
            pay_relations=(PayRelation(account_id=ACCOUNT),)))),
    ]  # fmt: skip
    for refusal, work in acts:
        with pytest.raises(refusal):
            ask(business, work)  # type: ignore[arg-type]
    foreign = worker("H03", "D2", DataScope.HALL)
    with pytest.raises(NotFound):
        ask(business, lambda uow: inventory.suspend_product(uow, product_id=one, suspend=wish), foreign)
    end = TerminateProduct()
    ask(business, lambda uow: inventory.terminate_product(uow, product_id=one, terminate=end))
    with pytest.raises(ProductEnded):
        ask(business, lambda uow: inventory.terminate_product(uow, product_id=one, terminate=end))
    proven(business)


def test_an_addon_needs_its_telephone_and_has_no_number(databases: Databases) -> None:
    business = databases.business
    publish_sample_catalog(business)
    owner = make_customer(business, "张三").customer_id
    install(business, owner)
    addon = install(business, owner, "", offering_code="CLIP", shown_as="0937-3961234")
    fact = told(business, addon.product_id)[0]
    assert fact.service == "addon" and fact.accesses == () and fact.shown_as == "0937-3961234"
