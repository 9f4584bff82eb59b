"""New customer → account → order → fee → card payment → confirm, cut off between every two steps.

The journal of the counter holds the plan: every step has an id that follows from it. Whether the step that was cut off
had been stored or not, it is sent again; the end is the same as without a cut, and everything happened once. What a
kill leaves is what was committed: each step is one transaction, and nothing but the databases is carried over it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from server_api.billing.account import service as account
from server_api.billing.ledger import store as ledger_store
from server_api.billing.payment import service as payment
from server_api.business.ordering import service as ordering
from server_api.business.party import service as party
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Databases
from server_api.platform.facts.dispatcher import deliver_all
from server_api.platform.unit_of_work import UnitOfWork
from server_api.wiring import crossings, wire_databases
from shared_models.contracts.account import OpenAccount
from shared_models.contracts.party import CreateCustomer
from shared_models.contracts.payment import IntendPayment, ResolveIntent, TakePayment
from shared_models.tables.business.ordering import product_order
from shared_models.tables.business.party import customer
from shared_models.values.ids import derived_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import Fen
from shared_models.values.money_states import IntentState, PayMethod
from tests.scenario.money.test_rails import terminal as terminal
from tests.support.business import worker
from tests.support.money import new_counter
from tests.support.orders import an_order, furnish, phone, shown

PLAN = "9f" * 16


@pytest.mark.parametrize("killed_at", range(8))
@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.usefixtures("terminal")
@pytest.mark.one_engine
def test_resumed_it_happens_once(databases: Databases, killed_at: int, stored: bool) -> None:
    counter = new_counter(databases)
    furnish(databases.business)
    wiring = wire_databases(databases)
    counter.open_till()
    owner, account_id = derived_id(PLAN, "customer"), derived_id(PLAN, "account")
    order = an_order(owner, phone("2680001"), account_id=account_id).model_copy(
        update={"order_id": derived_id(PLAN, "order")}
    )

    def act(side: str, step: str, work: Callable[[UnitOfWork], object]) -> Callable[[], object]:
        who = worker() if side == "business" else counter.context
        made = Act(derived_id(PLAN, step), step, digest_of(step), who)
        return lambda: perform(databases.of(side), made, work)  # type: ignore[arg-type]

    wanted = CreateCustomer(customer_id=owner, name="赵新")
    opening = OpenAccount(account_id=account_id, customer_id=owner)
    intent_id = derived_id(PLAN, "intent")
    intending = IntendPayment(intent_id=intent_id, account_id=account_id, amount_fen=Fen(5_000), method=PayMethod.POS)
    outcome = ResolveIntent(outcome=IntentState.CONFIRMED, trace_no="POS-000123")
    taking = TakePayment(account_id=account_id, amount_fen=Fen(5_000), method=PayMethod.POS, intent_id=intent_id)
    steps = [
        act("business", "customer", lambda uow: party.create_customer(uow, customer=wanted)),
        act("billing", "account", lambda uow: account.open_account(uow, request=opening)),
        act("business", "order", lambda uow: ordering.submit_order(uow, order=order)),
        lambda: deliver_all(crossings(databases, wiring)),  # the fee crosses
        act("billing", "intend", lambda uow: payment.intend_payment(uow, request=intending)),
        act("billing", "resolve", lambda uow: payment.resolve_intent(uow, intent_id=intent_id, request=outcome)),
        act("billing", "pay", lambda uow: payment.take_payment(uow, request=taking)),
        lambda: deliver_all(crossings(databases, wiring)),
    ]
    journal = 0
    dead = False
    while journal < len(steps):
        if journal == killed_at and not dead:
            dead = True
            if stored:
                steps[journal]()  # done, but nobody heard the answer
            continue
        steps[journal]()
        journal += 1
    with databases.business.reading() as connection:
        assert connection.execute(select(func.count()).select_from(product_order)).scalar_one() == 1
        named = select(func.count()).select_from(customer).where(customer.c.customer_id == owner)
        assert connection.execute(named).scalar_one() == 1
    assert shown(databases.business, order.order_id).state == "completed"
    assert [one.amount_fen.amount_fen for one in counter.charges(account_id)] == [5_000]
    with databases.billing.reading() as connection:
        assert ledger_store.sums_by_name(connection, LedgerCode.CLEARING) == {"pos": Fen(5_000)}
    counter.assert_books_balance()
