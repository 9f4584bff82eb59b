"""Fapiao against a provider that is a real server with faults: never twice, never more than was paid, never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from server_api.billing.payment.fapiao import reading, sending, service, store
from server_api.billing.payment.fapiao.provider import DESK
from server_api.billing.payment.fapiao.remote import RemoteProvider
from server_api.billing.payment.fapiao.simulator import KEY_ID, SECRET, Simulator
from shared_models.contracts.fapiao import Buyer, FapiaoCopy, FapiaoView, IssueFapiao, RedFapiao, ResolveFapiao
from shared_models.contracts.work import DataScope
from shared_models.values.clock import ManualClock
from shared_models.values.fapiao import FapiaoState, RedReason
from shared_models.values.faults.fapiao import (
    FapiaoNotConfigured,
    FapiaoNotFound,
    FapiaoStepNotAllowed,
    NothingToInvoice,
    RedTooMuch,
)
from shared_models.values.money import Fen
from tests.support.money import Counter, teller

DUE = date(2026, 3, 25)
BUYER = Buyer(name="王秀兰", contact="13800000000")


@pytest.fixture
def provider() -> Iterator[Simulator]:
    with Simulator(slow_s=0.4) as simulator:
        DESK.connect(RemoteProvider(simulator.url, KEY_ID, SECRET, timeout_s=2.0))
        yield simulator
        DESK.connect(None)


@pytest.fixture
def paid(counter: Counter, provider: Simulator) -> tuple[Counter, str, str]:
    """An account with a bill of 30.01 + 25.00, paid; (counter, bill, payment)."""
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, 202602, [3_001, 2_500], due_on=DUE)
    counter.open_till()
    return counter, bill_id, counter.pay(account_id, 6_000).payment_id


def ask(counter: Counter, **basis: object) -> FapiaoView:
    request = IssueFapiao(buyer=BUYER, **basis)  # type: ignore[arg-type]
    return counter.act(FapiaoView, lambda uow: service.issue_fapiao(uow, request=request))


def red(counter: Counter, fapiao_id: str, amount_fen: int | None = None) -> FapiaoView:
    request = RedFapiao(
        reason_code=RedReason.MISTAKE, amount_fen=Fen(amount_fen) if amount_fen else None, reason="抬头开错"
    )
    return counter.act(FapiaoView, lambda uow: service.red_fapiao(uow, fapiao_id=fapiao_id, request=request))


def seen(counter: Counter, fapiao_id: str) -> FapiaoView:
    billing = counter.databases.billing
    with billing.reading() as conn:
        return reading.read_fapiao(conn, fapiao_id, counter.context, billing.secrets)


def work(counter: Counter, clock: ManualClock, hours: float = 2) -> int:
    """What the job does over some hours, looking every minute or so; returns how often it spoke."""
    billing, spoken, until = counter.databases.billing, 0, clock.now() + timedelta(hours=hours)
    while clock.now() < until:
        with billing.reading() as conn:
            rows = store.due(conn, clock.now(), 20)
        spoken += sum(sending.speak(billing, DESK.provider(), row) for row in rows)
        clock.advance(timedelta(minutes=7))
    return spoken


def test_a_payment_gets_its_fapiao_once(paid: tuple[Counter, str, str], clock: ManualClock) -> None:
    counter, bill_id, payment_id = paid
    asked = ask(counter, payment_id=payment_id)
    assert asked.state is FapiaoState.INTENDED and asked.amount_fen == Fen(5_501)
    assert asked.net_fen + asked.tax_fen == asked.amount_fen and len(asked.lines) == 2
    counter.assert_books_balance()
    for basis in ({"payment_id": payment_id}, {"bill_ids": (bill_id,)}):
        with pytest.raises(NothingToInvoice):
            ask(counter, **basis)
    work(counter, clock)
    issued = seen(counter, asked.fapiao_id)
    assert issued.state is FapiaoState.NORMAL and len(issued.fapiao_no) == 20 and issued.pdf_url
    stranger = counter.at(teller("3001", hall="H77", district="D7", scope=DataScope.HALL))
    with pytest.raises(FapiaoNotFound):
        seen(stranger, asked.fapiao_id)
    copies = [
        counter.act(FapiaoCopy, lambda uow: service.copy_fapiao(uow, fapiao_id=asked.fapiao_id)).copy_no
        for _ in range(2)
    ]
    assert copies == [1, 2]
    counter.assert_books_balance()


def test_only_what_is_paid_is_put_on_a_fapiao(counter: Counter, provider: Simulator) -> None:
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, 202602, [3_000, 2_000], due_on=DUE)
    with pytest.raises(NothingToInvoice):
        ask(counter, bill_ids=(bill_id,))
    counter.open_till()
    counter.pay(account_id, 3_500)
    assert ask(counter, bill_ids=(bill_id,)).amount_fen == Fen(3_500)
    counter.pay(account_id, 1_500)
    assert ask(counter, bill_ids=(bill_id,)).amount_fen == Fen(1_500)
    counter.assert_books_balance()


@pytest.mark.parametrize("fault", ["lost_reply", "duplicate", "number_late", "garbage", "busy"])
def test_faults_end_in_one_fapiao(
    paid: tuple[Counter, str, str], clock: ManualClock, provider: Simulator, fault: str
) -> None:
    counter, _bill_id, payment_id = paid
    asked = ask(counter, payment_id=payment_id)
    provider.faults.add(fault)
    work(counter, clock, hours=0.3)
    assert seen(counter, asked.fapiao_id).state in (
        FapiaoState.UNKNOWN, FapiaoState.ASKED, FapiaoState.INTENDED, FapiaoState.NORMAL,
    )  # fmt: skip
    counter.assert_books_balance()
    provider.faults.clear()
    work(counter, clock)
    assert seen(counter, asked.fapiao_id).state is FapiaoState.NORMAL
    assert len(provider.orders) == 1 and provider.calls.count("issue") == 1
    counter.assert_books_balance()


def test_a_refused_fapiao_frees_what_it_was_for(
    paid: tuple[Counter, str, str], clock: ManualClock, provider: Simulator
) -> None:
    counter, _bill_id, payment_id = paid
    provider.faults.add("refused")
    first = ask(counter, payment_id=payment_id)
    work(counter, clock)
    refused = seen(counter, first.fapiao_id)
    assert refused.state is FapiaoState.REFUSED and "税号" in refused.problem
    provider.faults.clear()
    assert ask(counter, payment_id=payment_id).amount_fen == Fen(5_501)
    counter.assert_books_balance()


def test_what_never_arrived_is_sent_again_under_the_same_number(
    paid: tuple[Counter, str, str], clock: ManualClock, provider: Simulator
) -> None:
    counter, _bill_id, payment_id = paid
    asked = ask(counter, payment_id=payment_id)
    billing = counter.databases.billing
    with billing.reading() as conn:
        row = store.read_fapiao(conn, asked.fapiao_id)
    # the process dies after its intent to send is durable and before anything leaves
    assert billing.write(
        lambda conn: store.claim(
            conn, row, state="sent", sent_at=clock.now(), next_at=clock.now() + timedelta(minutes=2)
        )
    )
    assert sending.speak(billing, DESK.provider(), row) == 0  # somebody else has it
    work(counter, clock, hours=0.2)
    assert "issue" not in provider.calls and provider.calls[0] == "query"
    work(counter, clock)
    assert seen(counter, asked.fapiao_id).state is FapiaoState.NORMAL and provider.calls.count("issue") == 1
    counter.assert_books_balance()


def test_a_person_settles_what_nobody_can_tell(
    paid: tuple[Counter, str, str], clock: ManualClock, provider: Simulator
) -> None:
    counter, _bill_id, payment_id = paid
    provider.faults.add("lost_reply")
    asked = ask(counter, payment_id=payment_id)
    work(counter, clock, hours=0.3)
    request = ResolveFapiao(outcome="issued", fapiao_no="26117000000000000077", reason="税局网站查得")
    settled = counter.act(
        FapiaoView, lambda uow: service.resolve_fapiao(uow, fapiao_id=asked.fapiao_id, request=request)
    )
    assert settled.state is FapiaoState.NORMAL and settled.fapiao_no == "26117000000000000077"
    with pytest.raises(FapiaoStepNotAllowed):
        counter.act(FapiaoView, lambda uow: service.resolve_fapiao(uow, fapiao_id=asked.fapiao_id, request=request))
    counter.assert_books_balance()


def test_red_in_parts_then_whole_and_a_new_one(paid: tuple[Counter, str, str], clock: ManualClock) -> None:
    counter, bill_id, payment_id = paid
    blue = ask(counter, payment_id=payment_id)
    with pytest.raises(FapiaoStepNotAllowed):
        red(counter, blue.fapiao_id)
    work(counter, clock)
    first = red(counter, blue.fapiao_id, 1_000)
    assert (first.amount_fen, first.red_of_id) == (Fen(-1_000), blue.fapiao_id)
    counter.assert_books_balance()
    work(counter, clock)
    assert seen(counter, first.fapiao_id).state is FapiaoState.RED_LETTER
    assert seen(counter, blue.fapiao_id).state is FapiaoState.PARTLY_RED
    with pytest.raises(RedTooMuch):
        red(counter, blue.fapiao_id, 4_502)
    rest = red(counter, blue.fapiao_id)
    work(counter, clock)
    assert rest.amount_fen == Fen(-4_501) and seen(counter, blue.fapiao_id).state is FapiaoState.FULLY_RED
    assert first.tax_fen + rest.tax_fen == -blue.tax_fen
    assert ask(counter, bill_ids=(bill_id,)).amount_fen == Fen(5_501)
    counter.assert_books_balance()


def test_credits_and_reversals_make_fapiao_red_by_themselves(
    paid: tuple[Counter, str, str], clock: ManualClock
) -> None:
    counter, bill_id, payment_id = paid
    blue = ask(counter, payment_id=payment_id)
    work(counter, clock)
    counter.credit_line(bill_id, 1, 700)
    assert seen(counter, blue.fapiao_id).red_fen == Fen(700)
    counter.assert_books_balance()
    work(counter, clock)
    assert seen(counter, blue.fapiao_id).state is FapiaoState.PARTLY_RED
    counter.reverse(payment_id)
    work(counter, clock)
    assert seen(counter, blue.fapiao_id).state is FapiaoState.FULLY_RED
    counter.assert_books_balance()


def test_without_a_provider_nothing_is_promised(counter: Counter) -> None:
    with pytest.raises(FapiaoNotConfigured):
        ask(counter, bill_ids=("2026030123456789abcdef0123456700",))
