"""Adjusting before and after billing: what comes off, where paid money goes, and that nothing is credited twice."""

from __future__ import annotations

from datetime import date

import pytest

from shared_models.contracts.events import Standing
from shared_models.contracts.receipt import ReceiptKind
from shared_models.values.faults.adjustment import (
    AccountBeingBilled,
    BillLineNotFound,
    ChargeNotValid,
    CreditTooMuch,
)
from shared_models.values.faults.approval import LimitReached
from shared_models.values.faults.payment import AdvanceAlreadySpent
from shared_models.values.ids import new_id
from shared_models.values.money import Fen
from tests.support.money import Counter, teller

DUE = date(2026, 3, 25)


def test_an_open_line_shrinks_and_the_bill_stays_as_issued(counter: Counter) -> None:
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, 202602, [3_000, 2_500], due_on=DUE)
    counter.open_till()
    credited = counter.credit_line(bill_id, 1, 1_000)
    assert (credited.returned_fen, credited.left_of_line_fen, credited.open_fen) == (Fen(0), Fen(2_000), Fen(4_500))
    receipt = credited.receipt
    assert receipt is not None and receipt.kind is ReceiptKind.ADJUSTMENT and receipt.total_fen == Fen(-1_000)
    assert receipt.owed_after_fen == Fen(4_500) and receipt.total_capitals == "人民币负壹拾元整"
    owed = counter.owed(account_id)
    assert owed.owed_fen == Fen(4_500) and owed.bills[0].total_fen == Fen(5_500)
    assert [line.open_fen for line in owed.bills[0].lines] == [Fen(2_000), Fen(2_500)]
    counter.assert_books_balance()
    assert counter.pay(account_id, 4_500).owed_after_fen == Fen(0)
    counter.assert_books_balance()


def test_a_credit_never_exceeds_what_is_left_of_the_line(counter: Counter) -> None:
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, 202602, [1_001])
    counter.credit_line(bill_id, 1, 333)
    counter.credit_line(bill_id, 1, 333)
    with pytest.raises(CreditTooMuch) as refused:
        counter.credit_line(bill_id, 1, 336)
    assert refused.value.params["left"] == "3.35"
    assert counter.credit_line(bill_id, 1, 335).open_fen == Fen(0)
    with pytest.raises(CreditTooMuch):
        counter.credit_line(bill_id, 1, 1)
    with pytest.raises(BillLineNotFound):
        counter.credit_line(bill_id, 2, 1)
    with pytest.raises(BillLineNotFound):
        counter.credit_line(new_id(), 1, 1)
    assert counter.owed(account_id).standing is Standing.CLEAR
    counter.assert_books_balance()


def test_what_had_been_paid_goes_back_to_the_book_and_pays_what_is_open(counter: Counter) -> None:
    account_id = counter.open_account()
    first = counter.owe(account_id, 202601, [3_000], due_on=date(2026, 2, 25))
    counter.open_till()
    counter.pay(account_id, 3_000)
    assert counter.credit_line(first, 1, 1_200).returned_fen == Fen(1_200)
    assert counter.owed(account_id).balance_fen == Fen(1_200)
    second = counter.owe(account_id, 202602, [2_000], due_on=DUE)
    assert (counter.owed(account_id).owed_fen, counter.owed(account_id).balance_fen) == (Fen(800), Fen(0))
    again = counter.credit_line(first, 1, 500)
    assert again.returned_fen == Fen(500) and counter.owed(account_id).owed_fen == Fen(300)
    half = counter.credit_line(second, 1, 1_000)
    assert half.returned_fen == Fen(700) and half.open_fen == Fen(0)
    assert counter.owed(account_id).balance_fen == Fen(700)
    counter.assert_books_balance()


def test_a_reversal_takes_the_returned_money_back(counter: Counter) -> None:
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, 202602, [3_000], due_on=DUE)
    counter.open_till()
    taken = counter.pay(account_id, 3_000)
    counter.credit_line(bill_id, 1, 1_000)
    undone = counter.reverse(taken.payment_id)
    assert undone.refund_cash_fen == Fen(3_000)
    owed = counter.owed(account_id)
    assert (owed.owed_fen, owed.balance_fen) == (Fen(2_000), Fen(0))
    counter.assert_books_balance()
    counter.pay(account_id, 2_000)
    counter.assert_books_balance()


def test_a_reversal_is_refused_when_the_returned_money_is_spent(counter: Counter) -> None:
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, 202602, [3_000], due_on=DUE)
    counter.open_till()
    taken = counter.pay(account_id, 3_000)
    counter.credit_line(bill_id, 1, 1_000)
    counter.refund(account_id, 600)
    with pytest.raises(AdvanceAlreadySpent):
        counter.reverse(taken.payment_id)
    counter.assert_books_balance()


def test_credits_are_limited_and_wait_for_a_bill_run(counter: Counter) -> None:
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, 202602, [30_000])
    limited = counter.at(teller(limits_fen={"credit_day": 1_000}))
    assert not limited.credit_line(bill_id, 1, 700).limit_warning
    assert limited.credit_line(bill_id, 1, 100).limit_warning
    with pytest.raises(LimitReached):
        limited.credit_line(bill_id, 1, 201)
    limited.credit_line(bill_id, 1, 200)
    counter.hold(account_id)
    with pytest.raises(AccountBeingBilled):
        counter.credit_line(bill_id, 1, 1)
    counter.release(account_id)
    counter.assert_books_balance()


def test_a_charge_waits_for_the_next_bill_and_can_be_taken_back(counter: Counter) -> None:
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, 202602, [3_000])
    debit = counter.charge(account_id, 500, about_bill_id=bill_id, about_line_no=1)
    credit = counter.charge(account_id, -200)
    assert credit.amount_fen == Fen(-200) and debit.yyyymm == credit.yyyymm
    assert sorted(row.amount_fen.amount_fen for row in counter.charges(account_id)) == [-200, 500]
    counter.undo_charge(account_id, debit.charge_id)
    assert sum(row.amount_fen.amount_fen for row in counter.charges(account_id)) == -200
    assert counter.owed(account_id).owed_fen == Fen(3_000)
    for wrong in ({"item_code": "no.such"}, {"about_bill_id": bill_id, "amount_fen": -1}):
        with pytest.raises(ChargeNotValid):
            counter.charge(account_id, int(wrong.pop("amount_fen", 100)), **wrong)
    with pytest.raises(ChargeNotValid):
        counter.charge(counter.open_account(), 100, about_bill_id=bill_id)
    counter.assert_books_balance()
