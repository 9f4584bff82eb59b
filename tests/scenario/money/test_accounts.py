"""Accounts: opened, taken over, told of, and how they stand as days go by."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server_api.billing.account import service as account
from server_api.billing.account.jobs import OVERDUE_JOB, keep_payer
from server_api.platform import jobs
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.facts.receiver import Envelope
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.account import AccountView, OpenAccount, SetCreditLimit
from shared_models.contracts.events import CustomerRecorded, Standing
from shared_models.contracts.work import system_context
from shared_models.values.clock import ManualClock
from shared_models.values.faults.account import AccountNoTaken, AccountNotFound, CreditLimitNotValid
from shared_models.values.ids import new_id
from shared_models.values.money import Fen
from shared_models.values.money_states import BookType
from tests.support.money import Counter


def opened(counter: Counter, **more: object) -> AccountView:
    request = OpenAccount(account_id=new_id(), customer_id=new_id(), **more)  # type: ignore[arg-type]
    return counter.act(AccountView, lambda uow: account.open_account(uow, request=request))


def job_act(counter: Counter, work: object) -> None:
    act = Act(new_id(), "test", digest_of(None), system_context("test"))
    perform(counter.databases.billing, act, work)  # type: ignore[arg-type]


def test_an_account_gets_the_next_number_and_its_advance_book(counter: Counter) -> None:
    first, second = opened(counter), opened(counter, account_no="OLD-77", credit_limit_fen=Fen(5_000))
    assert first.account_no == "1000000001" and second.account_no == "OLD-77"
    assert first.standing is Standing.CLEAR and [book.book_type for book in first.books] == [BookType.ADVANCE]
    assert second.credit_limit_fen == Fen(5_000)
    assert counter.facts_of(first.account_id) == [(1, "AccountRecorded", "clear")]
    with pytest.raises(AccountNoTaken):
        opened(counter, account_no="OLD-77")
    for limit in (-1, 100_000_001):
        with pytest.raises(CreditLimitNotValid):
            opened(counter, credit_limit_fen=Fen(limit))


def test_a_credit_limit_restricts_only_what_is_overdue(counter: Counter, clock: ManualClock) -> None:
    account_id = opened(counter).account_id
    limit = SetCreditLimit(credit_limit_fen=Fen(1_000))
    counter.act(AccountView, lambda uow: account.set_credit_limit(uow, account_id=account_id, request=limit))
    counter.owe(account_id, 202602, [3_000], due_on=date(2026, 3, 25))
    assert counter.owed(account_id).standing is Standing.OWING
    clock.set(clock.now() + timedelta(days=20))
    counter.open_till()
    assert counter.pay(account_id, 1_000).standing is Standing.RESTRICTED
    assert counter.pay(account_id, 1_000).standing is Standing.OVERDUE
    with pytest.raises(AccountNotFound):
        counter.act(AccountView, lambda uow: account.set_credit_limit(uow, account_id=new_id(), request=limit))


def test_owing_becomes_overdue_the_day_after_it_was_due(counter: Counter, clock: ManualClock) -> None:
    late, early = opened(counter).account_id, opened(counter).account_id
    counter.owe(late, 202602, [100], due_on=date(2026, 3, 16))
    counter.owe(early, 202602, [100], due_on=date(2026, 3, 17))
    billing = counter.databases.billing

    def nightly() -> None:
        jobs.enqueue_now(billing, OVERDUE_JOB)
        jobs.run_all(billing, counter.wiring.jobs["billing"])

    nightly()
    assert counter.owed(late).standing is Standing.OWING
    clock.advance(timedelta(days=1))
    nightly()
    assert (counter.owed(late).standing, counter.owed(early).standing) == (Standing.OVERDUE, Standing.OWING)
    assert counter.facts_of(late)[-1] == (3, "AccountStandingChanged", "overdue")
    nightly()
    assert len(counter.facts_of(late)) == 3
    counter.assert_books_balance()


def test_accounts_and_balances_are_taken_over_as_postings(counter: Counter) -> None:
    accounts = [
        account.AccountToImport(new_id(), f"P{number}", new_id(), credit_limit=Fen(number)) for number in range(5)
    ]
    balances = [account.OpeningBalance(item.account_id, Fen(100 * n), "boss97") for n, item in enumerate(accounts)]

    def take_over(uow: UnitOfWork) -> None:
        account.import_accounts(uow, accounts=accounts)
        account.import_opening_balances(uow, balances=balances)

    job_act(counter, take_over)
    assert [counter.owed(item.account_id).balance_fen for item in accounts] == [Fen(100 * n) for n in range(5)]
    assert counter.facts_of(accounts[3].account_id) == [(1, "AccountRecorded", "clear")]
    counter.assert_books_balance()
    again = account.AccountToImport(new_id(), "P1", new_id())
    with pytest.raises(AccountNoTaken):
        job_act(counter, lambda uow: account.import_account(uow, account=again))
    with pytest.raises(AccountNotFound):
        stranger = account.OpeningBalance(new_id(), Fen(1), "boss97")
        job_act(counter, lambda uow: account.import_opening_balance(uow, balance=stranger))
    with pytest.raises(ValueError):
        debt = account.OpeningBalance(accounts[0].account_id, Fen(-1), "boss97")
        job_act(counter, lambda uow: account.import_opening_balance(uow, balance=debt))


def test_the_newest_news_of_a_payer_is_printed_and_older_news_is_left(counter: Counter, clock: ManualClock) -> None:
    view = opened(counter)
    counter.open_till()
    seal = counter.databases.billing.secrets.seal

    def hear(seq: int, name: str) -> None:
        payload = CustomerRecorded(
            customer_id=view.customer_id, customer_no="C1", customer_class="normal", sealed_name=seal(name)
        )
        envelope = Envelope(
            fact_id=new_id(), aggregate=f"customer:{view.customer_id}", seq=seq, epoch=1, epoch_first_seq=1,
            kind="CustomerRecorded", version=1, effective_at=clock.now(), recorded_at=clock.now(), act_id=new_id(),
            payload={},
        )  # fmt: skip
        job_act(counter, lambda uow: keep_payer(uow, envelope, payload))

    hear(2, "李雷")
    hear(1, "旧名")
    assert counter.pay(view.account_id, 100).receipt.customer_name == "李雷"
    hear(3, "韩梅梅")
    receipt = counter.pay(view.account_id, 100).receipt
    assert (receipt.customer_name, receipt.customer_no) == ("韩梅梅", "C1")


def test_a_credit_is_kept_as_advance_and_pays_the_next_bill(counter: Counter) -> None:
    account_id = opened(counter).account_id
    counter.credit(account_id, 1_200)
    assert counter.owed(account_id).balance_fen == Fen(1_200)
    counter.owe(account_id, 202604, [1_000], due_on=date(2026, 5, 25))
    assert (counter.owed(account_id).owed_fen, counter.owed(account_id).balance_fen) == (Fen(0), Fen(200))
