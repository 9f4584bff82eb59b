"""Reversing and refunding: what comes back, what stays, and who may."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server_api.billing.payment.news import ArrearsReturned
from shared_models.contracts.events import Standing
from shared_models.contracts.receipt import ReceiptKind
from shared_models.values.clock import ManualClock
from shared_models.values.faults.approval import LimitReached
from shared_models.values.faults.cashdesk import TillCashTooLittle
from shared_models.values.faults.payment import (
    AdvanceAlreadySpent,
    AdvanceTooLittle,
    PaymentAlreadyReversed,
    PaymentDayClosed,
    PaymentNotFound,
    PaymentNotReversible,
    PaymentOfAnother,
)
from shared_models.values.ids import new_id
from shared_models.values.money import Fen
from tests.support.money import SUPERVISOR_RIGHTS, Counter, teller

DUE = date(2026, 3, 25)


def test_a_reversal_opens_the_bills_again_and_gives_the_money_back(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202602, [3_000, 2_500], due_on=DUE)
    counter.open_till()
    taken = counter.pay(account_id, 8_000, received_fen=10_000)
    undone = counter.reverse(taken.payment_id, "输错金额")
    assert undone.refund_cash_fen == Fen(8_000) and undone.standing is Standing.OWING
    receipt = undone.receipt
    assert receipt.kind is ReceiptKind.REVERSAL and receipt.total_fen == Fen(-8_000)
    assert receipt.total_capitals == "人民币负捌拾元整" and receipt.reverses_receipt_no == taken.receipt.receipt_no
    assert [line.amount_fen.amount_fen for line in receipt.lines] == [-3_000, -2_500, -2_500]
    owed = counter.owed(account_id)
    assert (owed.owed_fen, owed.balance_fen) == (Fen(5_500), Fen(0))
    assert [line.open_fen for line in owed.bills[0].lines] == [Fen(3_000), Fen(2_500)]
    counter.assert_books_balance()
    again = counter.pay(account_id, 5_500)
    assert again.owed_after_fen == Fen(0)
    counter.assert_books_balance()


def test_a_payment_is_reversed_once_and_a_reversal_never(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    taken = counter.pay(account_id, 1_000)
    undone = counter.reverse(taken.payment_id)
    with pytest.raises(PaymentAlreadyReversed):
        counter.reverse(taken.payment_id)
    with pytest.raises(PaymentNotReversible):
        counter.reverse(undone.reversal_id)
    with pytest.raises(PaymentNotFound):
        counter.reverse(new_id())
    with pytest.raises(PaymentNotFound):
        counter.at(teller("2001", "01", hall="H02", rights=SUPERVISOR_RIGHTS)).reverse(taken.payment_id)
    counter.assert_books_balance()


def test_a_spent_advance_cannot_be_taken_back(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    taken = counter.pay(account_id, 5_000)
    counter.owe(account_id, 202603, [3_000], due_on=date(2026, 4, 25))
    with pytest.raises(AdvanceAlreadySpent):
        counter.reverse(taken.payment_id)
    assert counter.owed(account_id).balance_fen == Fen(2_000)
    counter.assert_books_balance()


def test_only_those_who_may_reverse_a_colleagues_payment(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    taken = counter.pay(account_id, 1_000)
    colleague = counter.at(teller("1002", "04"))
    colleague.open_till()
    with pytest.raises(PaymentOfAnother):
        colleague.reverse(taken.payment_id)
    supervisor = counter.at(teller("1900", "05", rights=SUPERVISOR_RIGHTS))
    supervisor.open_till(5_000)
    assert supervisor.reverse(taken.payment_id).refund_cash_fen == Fen(1_000)
    counter.assert_books_balance()


def test_after_the_day_close_only_a_red_entry_of_the_next_day(counter: Counter, clock: ManualClock) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202602, [700], due_on=DUE)
    counter.open_till()
    taken = counter.pay(account_id, 1_000)
    counter.count(21_000)
    counter.close()
    clock.advance(timedelta(days=1))
    counter.open_till()
    with pytest.raises(PaymentDayClosed):
        counter.reverse(taken.payment_id)
    supervisor = counter.at(teller("1900", "05", rights=SUPERVISOR_RIGHTS))
    supervisor.open_till(5_000)
    red = supervisor.reverse(taken.payment_id, "次日红冲")
    assert red.receipt.receipt_no == "H01-05-0000001" and red.receipt.note == "次日红冲"
    assert counter.owed(account_id).owed_fen == Fen(700)
    counter.assert_books_balance()


def test_a_reversal_needs_the_cash_in_the_drawer(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till(0)
    taken = counter.pay(account_id, 5_000)
    supervisor = counter.at(teller("1900", "05", rights=SUPERVISOR_RIGHTS))
    supervisor.open_till(4_999)
    with pytest.raises(TillCashTooLittle):
        supervisor.reverse(taken.payment_id)
    counter.reverse(taken.payment_id)
    counter.assert_books_balance()


def test_a_reversal_may_bring_arrears_back(counter: Counter) -> None:
    heard: list[ArrearsReturned] = []
    counter.databases.billing.listeners.setdefault(ArrearsReturned, []).append(lambda uow, news: heard.append(news))
    account_id = counter.open_account()
    counter.owe(account_id, 202601, [1_000], due_on=date(2026, 2, 25))
    counter.open_till()
    taken = counter.pay(account_id, 1_000)
    assert counter.reverse(taken.payment_id).standing is Standing.OVERDUE
    assert [news.account_id for news in heard] == [account_id]


def test_a_refund_takes_no_more_than_the_advance_and_the_limit_of_the_day(counter: Counter, clock: ManualClock) -> None:
    account_id = counter.open_account()
    limited = counter.at(teller(limits_fen={"refund_day": 1_000}))
    limited.open_till()
    limited.pay(account_id, 3_000)
    first = limited.refund(account_id, 700)
    assert first.balance_after_fen == Fen(2_300) and not first.limit_warning
    assert first.receipt.kind is ReceiptKind.REFUND and first.receipt.total_fen == Fen(-700)
    assert limited.refund(account_id, 100).limit_warning
    with pytest.raises(LimitReached):
        limited.refund(account_id, 201)
    clock.advance(timedelta(days=1))
    limited.refund(account_id, 1_000)
    with pytest.raises(AdvanceTooLittle):
        limited.refund(account_id, 1_201)
    counter.assert_books_balance()


def test_a_refund_needs_the_cash_in_the_drawer(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till(0)
    counter.pay(account_id, 3_000)
    other = counter.at(teller("1002", "04"))
    other.open_till(100)
    with pytest.raises(TillCashTooLittle):
        other.refund(account_id, 101)
    other.refund(account_id, 100)
    counter.assert_books_balance()


def test_a_payment_while_older_advance_stands_spends_the_older_first(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    counter.pay(account_id, 1_000)
    counter.hold(account_id)
    counter.owe_quietly(account_id, 202602, [1_500], due_on=DUE)
    counter.release(account_id)
    taken = counter.pay(account_id, 2_000)
    assert [line.amount_fen.amount_fen for line in taken.receipt.lines] == [500, 1_500]
    assert taken.owed_after_fen == Fen(0) and taken.balance_after_fen == Fen(1_500)
    counter.assert_books_balance()
    undone = counter.reverse(taken.payment_id)
    assert undone.refund_cash_fen == Fen(2_000)
    assert counter.owed(account_id).owed_fen == Fen(500)
    counter.assert_books_balance()
