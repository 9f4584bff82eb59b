"""Fees of an order wait on the account's next bill, once however often they are told, and leave it with the order."""

from __future__ import annotations

from server_api.business.ordering import service as ordering
from server_api.platform.database import Databases
from server_api.platform.facts.dispatcher import deliver_all
from server_api.wiring import crossings
from shared_models.contracts.ordering import EndOrder
from tests.support.business import ask
from tests.support.money import new_counter
from tests.support.orders import an_order, furnish, phone, submit


def test_fees_are_charged_and_taken_back(databases: Databases) -> None:
    counter = new_counter(databases)
    account = counter.open_account()
    owner = furnish(databases.business)
    over = crossings(databases, counter.wiring)[0]

    def cross() -> None:
        deliver_all([over])

    order = an_order(owner, phone("2680001"), account_id=account, booking=True)
    submit(databases.business, order)
    cross()
    (fee,) = counter.charges(account)
    assert (fee.kind, fee.item_code, fee.amount_fen.amount_fen) == ("fee", "voice.install", 5000)
    ask(databases.business, lambda uow: ordering.cancel_order(uow, order_id=order.order_id, end=EndOrder()))
    cross()
    assert sum(one.amount_fen.amount_fen for one in counter.charges(account)) == 0
    counter.assert_books_balance()
