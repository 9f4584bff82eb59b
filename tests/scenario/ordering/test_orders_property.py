"""Whatever is ordered and whenever it is given up: nothing stays kept, nothing stays owed, the books hold."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_api.business.inventory.jobs import _one_open_event, _one_product_a_number
from server_api.business.ordering import service as ordering
from server_api.business.ordering.jobs import _fees_stand, _nothing_kept
from server_api.business.resource import service as resource
from server_api.platform.database import Database, Databases
from shared_models.contracts.ordering import EndOrder, OrderDone
from shared_models.values.faults.base import Fault
from tests.support.business import ask
from tests.support.orders import an_order, furnish, phone

pytestmark = pytest.mark.one_engine

WISHES = st.lists(
    st.tuples(st.integers(1, 6), st.booleans(), st.booleans()), min_size=1, max_size=3
)  # number, with a visit, with a line
ORDERS = st.lists(
    st.tuples(WISHES, st.booleans(), st.sampled_from(("on_bill", "first")), st.sampled_from(("", "cancel", "return"))),
    min_size=1, max_size=5,
)  # fmt: skip


def attempt(database: Database, work: object) -> OrderDone | None:
    """An act, or None where it was refused."""
    try:
        return ask(database, work)  # type: ignore[arg-type]
    except Fault:
        return None


def test_nothing_stays_of_an_order_given_up(databases: Databases) -> None:
    business = databases.business
    owner = furnish(business)

    @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(ORDERS)
    def orders(drawn: list[tuple[list[tuple[int, bool, bool]], bool, str, str]]) -> None:
        for wishes, booking, pay_mode, end in drawn:
            items = [
                phone(
                    f"26800{number:02d}", address="铁人大道12号" if visit else "",
                    things=({"kind": "line", "address": "铁人大道12号"},) if with_line else (),
                )
                for number, visit, with_line in wishes
            ]  # fmt: skip
            order = an_order(owner, *items, booking=booking, pay_mode=pay_mode)
            done = attempt(business, lambda uow, order=order: ordering.submit_order(uow, order=order))
            gone = done is None
            if done is not None and end:
                act = ordering.cancel_order if end == "cancel" else ordering.return_order
                ended = attempt(
                    business, lambda uow, act=act, order=order: act(uow, order_id=order.order_id, end=EndOrder())
                )
                gone = ended is not None
            if gone:
                with business.reading() as connection:
                    assert resource.held_by_order(connection, order.order_id) == ()
        for check in (_nothing_kept, _fees_stand, _one_open_event, _one_product_a_number):
            assert check(business).holds

    orders()
