"""Deposits held apart, balance moved, money the bank brings: each fen in exactly one book."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from server_api.billing.account import debit
from server_api.billing.payment import service as payment
from server_api.billing.payment.service import DebitPaid
from server_api.billing.payment.store import moves
from server_api.platform.acts import Act, digest_of, perform
from shared_models.contracts.deposit import BankDebitView, OpenBankDebit, StopBankDebit
from shared_models.contracts.events import Standing
from shared_models.contracts.receipt import ReceiptKind
from shared_models.contracts.work import system_context
from shared_models.tables.billing.account import bank_debit_contract
from shared_models.values.clock import ManualClock
from shared_models.values.faults.approval import ApprovalNeeded, LimitReached
from shared_models.values.faults.cashdesk import TillCashTooLittle
from shared_models.values.faults.deposit import BankDebitNotLive, DepositNotFound, DepositTooLittle, TransferNotPossible
from shared_models.values.faults.payment import AdvanceTooLittle
from shared_models.values.giving import Giving
from shared_models.values.ids import new_id
from shared_models.values.money import Fen
from shared_models.values.money_states import DebitState, DepositState
from tests.support.money import Counter, teller

DUE = date(2026, 3, 25)


def test_a_deposit_pays_no_bill_and_is_given_back(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till(0)
    taken = counter.deposit(account_id, 20_000)
    assert taken.receipt is not None and taken.receipt.kind is ReceiptKind.DEPOSIT
    assert taken.deposit.state is DepositState.HELD and taken.deposit.held_fen == Fen(20_000)
    counter.owe(account_id, 202602, [3_000], due_on=DUE)
    owed = counter.owed(account_id)
    assert (owed.owed_fen, owed.balance_fen) == (Fen(3_000), Fen(0))
    with pytest.raises(DepositTooLittle):
        counter.give_deposit_back(taken.deposit.deposit_id, 20_001)
    part = counter.give_deposit_back(taken.deposit.deposit_id, 5_000)
    assert part.deposit.state is DepositState.HELD and part.deposit.held_fen == Fen(15_000)
    assert part.receipt is not None and part.receipt.total_fen == Fen(-5_000)
    rest = counter.give_deposit_back(taken.deposit.deposit_id, 15_000)
    assert rest.deposit.state is DepositState.RETURNED
    with pytest.raises(DepositTooLittle):
        counter.give_deposit_back(taken.deposit.deposit_id, 1)
    with pytest.raises(DepositNotFound):
        counter.give_deposit_back(new_id(), 1)
    counter.assert_books_balance()
    counted = counter.count(0)
    assert counted.difference_fen == Fen(0) and counted.expected_cash_fen == Fen(0)


def test_a_deposit_is_forfeited_in_part_and_the_rest_pays_bills(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202602, [3_000], due_on=DUE)
    counter.open_till()
    taken = counter.deposit(account_id, 20_000)
    assert counter.forfeit(taken.deposit.deposit_id, 10_600).deposit.forfeited_fen == Fen(10_600)
    counter.assert_books_balance()
    moved = counter.give_deposit_back(taken.deposit.deposit_id, 9_400, to="balance")
    assert moved.deposit.state is DepositState.PARTLY_FORFEITED
    owed = counter.owed(account_id)
    assert (owed.owed_fen, owed.balance_fen, owed.standing) == (Fen(0), Fen(6_400), Standing.CLEAR)
    counter.assert_books_balance()


def test_returning_needs_cash_and_stays_within_limits(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till(0)
    taken = counter.deposit(account_id, 2_000)
    other = counter.at(teller("1002", "04", limits_fen={"deposit_day": 500}))
    other.open_till(1_000)
    with pytest.raises(TillCashTooLittle):
        other.give_deposit_back(taken.deposit.deposit_id, 1_001)
    with pytest.raises(LimitReached):
        other.give_deposit_back(taken.deposit.deposit_id, 501)
    approved = other.approved(Giving.DEPOSIT, account_id, 501)
    assert approved.give_deposit_back(taken.deposit.deposit_id, 501).deposit.held_fen == Fen(1_499)
    assert other.give_deposit_back(taken.deposit.deposit_id, 499).limit_warning
    counter.assert_books_balance()


def test_balance_moves_between_accounts_of_one_customer_and_settles(counter: Counter) -> None:
    customer_id = new_id()
    first, second = counter.open_account(customer_id=customer_id), counter.open_account(customer_id=customer_id)
    counter.owe(second, 202602, [3_000], due_on=DUE)
    counter.open_till()
    counter.pay(first, 5_000)
    moved = counter.transfer(first, second, 4_000)
    assert (moved.from_balance_after_fen, moved.to_balance_after_fen) == (Fen(1_000), Fen(1_000))
    assert moved.to_owed_after_fen == Fen(0) and counter.owed(second).standing is Standing.CLEAR
    assert moved.receipt is not None and moved.receipt.kind is ReceiptKind.TRANSFER
    with pytest.raises(AdvanceTooLittle):
        counter.transfer(first, second, 1_001)
    with pytest.raises(TransferNotPossible):
        counter.transfer(first, first, 1)
    with pytest.raises(TransferNotPossible):
        counter.transfer(first, second, 1, from_book_id=new_id())
    counter.assert_books_balance()


def test_to_another_customer_a_second_person_approves(counter: Counter) -> None:
    first, second = counter.open_account(), counter.open_account()
    counter.open_till()
    counter.pay(first, 5_000)
    with pytest.raises(ApprovalNeeded):
        counter.transfer(first, second, 100)
    assert counter.approved(Giving.TRANSFER, first, 100).transfer(first, second, 100).amount_fen == Fen(100)
    taken = counter.deposit(first, 700)
    with pytest.raises(TransferNotPossible):
        counter.transfer(first, second, 100, from_book_id=_book_of(counter, first, taken.deposit.deposit_id))
    counter.assert_books_balance()


def _book_of(counter: Counter, account_id: str, deposit_id: str) -> str:
    with counter.databases.billing.reading() as conn:
        rows = moves.deposits_of(conn, account_id)
        return next(row.book_id for row in rows if row.deposit_id == deposit_id)


def open_contract(counter: Counter, account_id: str, number: str = "6222020200112233") -> BankDebitView:
    request = OpenBankDebit(
        account_id=account_id, bank_code="ICBC", bank_account_no=number, holder="王秀兰", largest_fen=Fen(100_000)
    )
    return counter.act(BankDebitView, lambda uow: debit.open_debit(uow, request=request))


def test_a_bank_debit_contract_is_opened_replaced_and_stopped(counter: Counter, clock: ManualClock) -> None:
    account_id = counter.open_account()
    first = open_contract(counter, account_id)
    assert (first.bank_account_tail, first.state) == ("2233", DebitState.LIVE)
    clock.advance(timedelta(days=1))
    second = open_contract(counter, account_id, "6222020200119999")
    billing = counter.databases.billing
    with billing.reading() as conn:
        live = debit.live_contracts(conn, billing.secrets, from_id="0", until_id="g", on=date(2027, 1, 1))
        assert [(one.contract_no, one.bank_account_no, one.holder) for one in live] == [
            (second.contract_no, "6222020200119999", "王秀兰")
        ]
        assert "6222" not in repr(live)
        stored = conn.execute(select(bank_debit_contract.c.sealed_bank_account)).scalars().all()
        assert not any("6222020200" in text for text in stored)
        assert [one.state for one in debit.contracts_of(conn, account_id)] == [DebitState.LIVE, DebitState.REPLACED]
    request = StopBankDebit(reason="客户申请")
    stopped = counter.act(BankDebitView, lambda uow: debit.stop_debit(uow, account_id=account_id, request=request))
    assert stopped.state is DebitState.STOPPED
    with pytest.raises(BankDebitNotLive):
        counter.act(BankDebitView, lambda uow: debit.stop_debit(uow, account_id=account_id, request=request))
    counter.assert_books_balance()


def test_what_the_bank_paid_is_booked_once_without_a_till(counter: Counter) -> None:
    first, second, held = counter.open_account(), counter.open_account(), counter.open_account()
    bill_id = counter.owe(first, 202602, [3_000], due_on=DUE)
    counter.owe(second, 202602, [2_000], due_on=DUE)
    counter.owe(held, 202602, [1_000], due_on=DUE)
    counter.hold(held)
    items = [
        DebitPaid(first, Fen(3_000), "0001", (bill_id,)),
        DebitPaid(second, Fen(2_500), "0002", (new_id(),)),
        DebitPaid(held, Fen(1_000), "0003"),
    ]
    act = Act(new_id(), "bank_debit", digest_of("F1"), system_context("bank"))
    made: list[str] = []
    for _again in range(2):
        perform(
            counter.databases.billing,
            act,
            lambda uow: made.extend(payment.book_bank_debit(uow, items=items, file_no="F1")),
        )
    assert len(made) == 3
    assert counter.owed(first).owed_fen == Fen(0)
    assert (counter.owed(second).owed_fen, counter.owed(second).balance_fen) == (Fen(0), Fen(500))
    assert counter.owed(held).balance_fen == Fen(1_000)
    assert counter.release_and_settle(held) == Fen(1_000)
    counter.assert_books_balance()
