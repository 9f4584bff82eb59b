"""Each product has the same billing events on both sides; news under way is no difference, a lost event is."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from server_api.business.inventory import service as inventory
from server_api.faces.joined.proofs import product_events_agree
from shared_models.contracts.inventory import SuspendProduct, SuspendReason
from shared_models.tables.billing.bill import billing_event
from shared_models.values.clock import town_day
from tests.support.family import move_in, sell_things
from tests.support.house import House


def test_a_family_moves_in_and_both_sides_know_what_it_costs(house: House) -> None:
    sell_things(house)
    move_in(house)
    house.deliver()
    found = product_events_agree(house.databases)
    assert found.holds and found.counted >= 1

    product_id = _a_product(house)
    today = town_day(house.databases.business.clock.now())
    suspend = SuspendProduct(suspend_reason=SuspendReason.OWNER_REQUEST, effective_on=today)

    house.act("business", lambda uow: inventory.suspend_product(uow, product_id=product_id, suspend=suspend))
    assert product_events_agree(house.databases).holds, "news under way is not a difference"
    house.deliver()
    assert product_events_agree(house.databases).holds


def test_a_lost_and_an_invented_event_are_named(house: House) -> None:
    sell_things(house)
    move_in(house)
    house.deliver()
    product_id = _a_product(house)
    with house.databases.billing.reading() as conn:
        row = conn.execute(select(billing_event).where(billing_event.c.product_id == product_id)).mappings().one()
    house.databases.billing.write(
        lambda conn: conn.execute(delete(billing_event).where(billing_event.c.product_id == product_id))
    )
    lost = product_events_agree(house.databases)
    assert lost.wrong_count == 1 and product_id in lost.wrong[0]
    unknown = {**row, "product_id": "f" * 32, "event_id": "e" * 32}
    house.databases.billing.write(lambda conn: conn.execute(insert(billing_event), [dict(row), unknown]))
    invented = product_events_agree(house.databases)
    assert invented.wrong == (f"product {'f' * 32}: billed, and business does not know it",)


def _a_product(house: House) -> str:
    with house.databases.billing.reading() as conn:
        query = select(billing_event.c.product_id).order_by(billing_event.c.product_id).limit(1)
        return str(conn.execute(query).scalar_one())
