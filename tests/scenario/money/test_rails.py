"""Money that moves outside us: intent, device, confirm; an unknown outcome is resolved, never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from server_api.billing.ledger import store as ledger_store
from server_api.billing.payment import service as payment
from server_api.billing.payment.rails import RAILS
from shared_models.contracts.payment import IntendPayment, IntentView, ResolveIntent
from shared_models.values.faults.common import InputNotValid
from shared_models.values.faults.payment import (
    IntentMismatch,
    IntentNotConfirmed,
    PaymentNotFound,
    RailNotAvailable,
    ReceivedTooMuch,
)
from shared_models.values.ids import new_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import IntentState, PayMethod
from tests.support.money import Counter


@dataclass(frozen=True)
class TerminalRail:
    """A card terminal as a rail; the device itself is driven by the client."""

    method: PayMethod = PayMethod.POS
    ledger_code: LedgerCode = LedgerCode.CLEARING
    needs_intent: bool = True

    def change_for(self, amount: Fen, received: Fen, largest_change: Fen) -> Fen:
        if received:
            raise ReceivedTooMuch(change=str(received))
        return ZERO_FEN


@pytest.fixture
def terminal() -> Iterator[None]:
    RAILS.add(TerminalRail())
    yield
    RAILS.remove(PayMethod.POS)


def intend(counter: Counter, account_id: str, fen: int, method: PayMethod = PayMethod.POS) -> IntentView:
    request = IntendPayment(intent_id=new_id(), account_id=account_id, amount_fen=Fen(fen), method=method)
    return counter.act(IntentView, lambda uow: payment.intend_payment(uow, request=request))


def resolve(counter: Counter, intent_id: str, outcome: IntentState, trace_no: str = "") -> IntentView:
    request = ResolveIntent(outcome=outcome, trace_no=trace_no)
    return counter.act(IntentView, lambda uow: payment.resolve_intent(uow, intent_id=intent_id, request=request))


@pytest.mark.usefixtures("terminal")
def test_a_confirmed_intent_is_booked_once_and_the_money_waits_at_the_bank(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    intent = intend(counter, account_id, 5_000)
    assert intent.state is IntentState.INTENDED
    with pytest.raises(IntentNotConfirmed):
        counter.pay(account_id, 5_000, received_fen=0, method=PayMethod.POS, intent_id=intent.intent_id)
    assert resolve(counter, intent.intent_id, IntentState.CONFIRMED, "POS-000123").trace_no == "POS-000123"
    taken = counter.pay(account_id, 5_000, received_fen=0, method=PayMethod.POS, intent_id=intent.intent_id)
    assert taken.receipt.methods[0].trace_no == "POS-000123" and taken.change_fen == ZERO_FEN
    with pytest.raises(IntentNotConfirmed):
        counter.pay(account_id, 5_000, received_fen=0, method=PayMethod.POS, intent_id=intent.intent_id)
    with counter.databases.billing.reading() as conn:
        assert ledger_store.sums_by_name(conn, LedgerCode.CLEARING) == {"pos": Fen(5_000)}
    counted = counter.count(20_000)
    assert counted.difference_fen == ZERO_FEN and counted.cash_in_fen == ZERO_FEN
    assert {(total.method, total.amount_fen) for total in counted.totals if total.item == "payment"} == {
        (PayMethod.POS, Fen(5_000))
    }
    assert counter.close().report.total_fen == Fen(25_000)
    counter.assert_books_balance()


@pytest.mark.usefixtures("terminal")
def test_an_unknown_outcome_waits_for_somebody_to_find_out(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    intent = intend(counter, account_id, 900)
    assert resolve(counter, intent.intent_id, IntentState.UNKNOWN).state is IntentState.UNKNOWN
    with pytest.raises(IntentNotConfirmed):
        counter.pay(account_id, 900, received_fen=0, method=PayMethod.POS, intent_id=intent.intent_id)
    with counter.databases.billing.reading() as conn:
        assert [item.intent_id for item in payment.list_intents(conn, counter.context, limit=10)] == [intent.intent_id]
    assert resolve(counter, intent.intent_id, IntentState.REFUSED).state is IntentState.REFUSED
    with pytest.raises(IntentMismatch):
        resolve(counter, intent.intent_id, IntentState.CONFIRMED)
    assert resolve(counter, intent.intent_id, IntentState.REFUSED).state is IntentState.REFUSED
    with counter.databases.billing.reading() as conn:
        assert payment.list_intents(conn, counter.context, limit=10) == []


@pytest.mark.usefixtures("terminal")
def test_an_intent_pays_only_what_it_was_for(counter: Counter) -> None:
    account_id, other = counter.open_account(), counter.open_account()
    counter.open_till()
    intent = intend(counter, account_id, 900)
    resolve(counter, intent.intent_id, IntentState.CONFIRMED)
    with pytest.raises(IntentMismatch):
        counter.pay(account_id, 800, received_fen=0, method=PayMethod.POS, intent_id=intent.intent_id)
    with pytest.raises(IntentMismatch):
        counter.pay(other, 900, received_fen=0, method=PayMethod.POS, intent_id=intent.intent_id)
    with pytest.raises(PaymentNotFound):
        counter.pay(account_id, 900, received_fen=0, method=PayMethod.POS, intent_id=new_id())
    with pytest.raises(IntentNotConfirmed):
        counter.pay(account_id, 900, received_fen=0, method=PayMethod.POS)
    with pytest.raises(InputNotValid):
        resolve(counter, intent.intent_id, IntentState.BOOKED)


def test_what_is_not_set_up_is_not_offered(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    assert RAILS.methods == (PayMethod.CASH,)
    for method in (PayMethod.POS, PayMethod.CASH):
        with pytest.raises(RailNotAvailable):
            intend(counter, account_id, 100, method)
