"""Whatever tellers do, in whatever order, the books balance; also when two of them do it at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from server_api.platform.database import open_databases
from shared_models.values.clock import ManualClock
from shared_models.values.faults.base import Fault
from shared_models.values.faults.payment import AdvanceAlreadySpent, AdvanceTooLittle, PaymentAlreadyReversed
from shared_models.values.ids import new_id
from shared_models.values.money import Fen
from tests.support.databases import MONDAY_MORNING
from tests.support.engines import TEST_SECRETS
from tests.support.money import Counter, new_counter, teller


class Tellers(RuleBasedStateMachine):
    """Random days at one counter, checked after every step."""

    payments = Bundle("payments")

    @initialize()
    def open(self) -> None:
        self.folder = TemporaryDirectory()
        base = f"sqlite:///{Path(self.folder.name)}"
        clock = ManualClock(MONDAY_MORNING)
        self.databases = open_databases(
            f"{base}/business.db", f"{base}/billing.db", secrets=TEST_SECRETS, clock=clock, label="tests"
        )
        self.databases.billing.create_all()
        self.counter = new_counter(self.databases, teller(limits_fen={"refund_day": 10**9}))
        self.accounts = [self.counter.open_account() for _ in range(2)]
        self.counter.open_till(50_000)
        self.month = 202601

    @rule(which=st.integers(0, 1), fen=st.lists(st.integers(1, 9_000), min_size=1, max_size=3))
    def bill(self, which: int, fen: list[int]) -> None:
        self.month += 1 if self.month % 100 < 12 else 89
        self.counter.owe(self.accounts[which], self.month, fen, due_on=date(2026, 1 + self.month % 3, 20))

    @rule(target=payments, which=st.integers(0, 1), fen=st.integers(1, 20_000))
    def pay(self, which: int, fen: int) -> str:
        return self.counter.pay(self.accounts[which], fen).payment_id

    @rule(payment_id=consumes(payments))
    def reverse(self, payment_id: str) -> None:
        try:
            self.counter.reverse(payment_id)
        except AdvanceAlreadySpent:
            return
        with pytest.raises(PaymentAlreadyReversed):
            self.counter.reverse(payment_id)

    @rule(which=st.integers(0, 1), fen=st.integers(1, 5_000))
    def refund(self, which: int, fen: int) -> None:
        held = self.counter.owed(self.accounts[which]).balance_fen
        if held < Fen(fen):
            with pytest.raises(AdvanceTooLittle):
                self.counter.refund(self.accounts[which], fen)
        else:
            assert self.counter.refund(self.accounts[which], fen).balance_after_fen == held - Fen(fen)

    @rule(which=st.integers(0, 1), fen=st.integers(1, 5_000))
    def pay_while_held(self, which: int, fen: int) -> None:
        account_id = self.accounts[which]
        self.counter.hold(account_id)
        assert self.counter.pay(account_id, fen).settled_later
        self.counter.release_and_settle(account_id)

    @invariant()
    def books_balance(self) -> None:
        if hasattr(self, "counter"):
            self.counter.assert_books_balance()

    def teardown(self) -> None:
        if hasattr(self, "databases"):
            self.databases.close()
            self.folder.cleanup()


TestTellers = Tellers.TestCase
TestTellers.settings = settings(
    max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_two_tellers_on_one_account_at_once_lose_nothing(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202602, [3_000, 2_000, 1_000], due_on=date(2026, 3, 25))
    tellers = [counter.at(teller(f"10{n:02d}", f"{n:02d}")) for n in range(1, 7)]
    for one in tellers:
        one.open_till()
    start = threading.Barrier(len(tellers))

    def pay(one: Counter) -> list[int]:
        start.wait()
        return [one.pay(account_id, 700).advance_fen.amount_fen for _ in range(5)]

    with ThreadPoolExecutor(len(tellers)) as pool:
        left = [fen for fens in pool.map(pay, tellers) for fen in fens]
    owed = counter.owed(account_id)
    assert owed.owed_fen == Fen(0) and owed.balance_fen == Fen(30 * 700 - 6_000) == Fen(sum(left))
    counter.assert_books_balance()


def test_a_double_click_is_one_payment(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    act_id, start = new_id(), threading.Barrier(8)

    def click(_: int) -> str:
        start.wait()
        return counter.pay(account_id, 900, act_id=act_id).receipt.receipt_no

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(click, range(8))) == {"H01-03-0000001"}
    assert counter.owed(account_id).balance_fen == Fen(900)
    counter.assert_books_balance()


def test_paying_and_reversing_and_closing_at_once_never_breaks_the_books(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202602, [3_000], due_on=date(2026, 3, 25))
    counter.open_till()
    first = [counter.pay(account_id, 500).payment_id for _ in range(6)]

    def attempt(job: int) -> str:
        try:
            if job % 3 == 0:
                counter.pay(account_id, 250)
            elif job % 3 == 1:
                counter.reverse(first[job // 3])
            else:
                counter.count(20_000)
                counter.close("对不上")
        except Fault as fault:
            return fault.code
        return "done"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(attempt, range(18)))
    assert outcomes.count("done") >= 1
    counter.assert_books_balance()
