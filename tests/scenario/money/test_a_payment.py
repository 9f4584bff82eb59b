"""A household pays at the counter: from the bill on the screen to the receipt and the books."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.ledger import store as ledger_store
from server_api.billing.payment import service as payment
from server_api.billing.payment.news import ArrearsCleared
from server_api.platform.acts import Act, digest_of, perform
from shared_models.contracts.cashdesk import Reprint
from shared_models.contracts.events import Standing
from shared_models.contracts.payment import TakePayment
from shared_models.contracts.receipt import Receipt, ReceiptKind
from shared_models.contracts.work import DataScope
from shared_models.values.clock import ManualClock
from shared_models.values.faults.account import AccountNotFound
from shared_models.values.faults.cashdesk import CounterUnknown, ReceiptNotFound, TillNotOpen
from shared_models.values.faults.common import ActReused
from shared_models.values.faults.payment import (
    BillNotOpen,
    PaymentTooLarge,
    RailNotAvailable,
    ReceivedTooLittle,
    ReceivedTooMuch,
)
from shared_models.values.ids import new_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import Fen
from shared_models.values.money_states import PayMethod
from tests.support.money import Counter, teller

DUE = date(2026, 3, 25)


def test_paying_a_bill_hands_over_a_receipt_and_keeps_the_rest_as_advance(counter: Counter) -> None:
    account_id = counter.open_account("A10086")
    counter.owe(account_id, 202602, [3000, 2500], due_on=DUE)
    counter.open_till()
    taken = counter.pay(account_id, 8_800, received_fen=10_000, note="谢谢")
    assert (taken.change_fen, taken.advance_fen, taken.owed_after_fen) == (Fen(1_200), Fen(3_300), Fen(0))
    assert taken.balance_after_fen == Fen(3_300) and taken.standing is Standing.CLEAR
    assert [part.amount_fen for part in taken.applied] == [Fen(5_500)]
    receipt = taken.receipt
    assert receipt.kind is ReceiptKind.PAYMENT and receipt.receipt_no == "H01-03-0000001"
    assert receipt.total_capitals == "人民币捌拾捌元整" and receipt.change_fen == Fen(1_200)
    assert [(line.label, line.amount_fen.amount_fen) for line in receipt.lines] == [
        ("月租费", 3000),
        ("月租费", 2500),
        ("预存款", 3300),
    ]
    assert receipt.account_no == "A10086" and receipt.hall_name == "人民路营业厅" and receipt.copy_no == 1
    owed = counter.owed(account_id)
    assert owed.owed_fen == Fen(0) and owed.balance_fen == Fen(3_300) and owed.bills == ()
    counter.assert_books_balance()


def test_a_part_is_paid_today_and_the_rest_tomorrow(counter: Counter, clock: ManualClock) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202602, [3000, 2500], due_on=DUE)
    counter.open_till()
    first = counter.pay(account_id, 4_000)
    assert first.owed_after_fen == Fen(1_500) and first.standing is Standing.OWING
    lines = counter.owed(account_id).bills[0].lines
    assert [line.open_fen for line in lines] == [Fen(0), Fen(1_500)]
    clock.advance(timedelta(days=1))
    second = counter.pay(account_id, 1_500)
    assert second.owed_after_fen == Fen(0) and second.advance_fen == Fen(0)
    counter.assert_books_balance()


def test_the_oldest_bill_is_paid_first_and_a_named_one_before_it(counter: Counter) -> None:
    account_id = counter.open_account()
    january = counter.owe(account_id, 202601, [1_000], due_on=date(2026, 2, 25))
    february = counter.owe(account_id, 202602, [2_000], due_on=DUE)
    counter.open_till()
    assert [part.bill_id for part in counter.pay(account_id, 400).applied] == [january]
    named = counter.pay(account_id, 2_100, bill_ids=(february,))
    assert [(part.bill_id, part.amount_fen.amount_fen) for part in named.applied] == [
        (february, 2_000),
        (january, 100),
    ]
    assert named.owed_after_fen == Fen(500)
    counter.assert_books_balance()


def test_paying_a_later_bill_leaves_the_account_overdue_and_paying_the_oldest_clears_it(counter: Counter) -> None:
    heard: list[ArrearsCleared] = []
    counter.databases.billing.listeners.setdefault(ArrearsCleared, []).append(lambda uow, news: heard.append(news))
    account_id = counter.open_account()
    counter.owe(account_id, 202601, [1_000], due_on=date(2026, 2, 25))
    later = counter.owe(account_id, 202602, [2_000], due_on=DUE)
    assert counter.owed(account_id).standing is Standing.OVERDUE
    counter.open_till()
    assert counter.pay(account_id, 2_000, bill_ids=(later,)).standing is Standing.OVERDUE
    assert heard == []
    taken = counter.pay(account_id, 1_000)
    assert taken.standing is Standing.CLEAR
    assert [(news.account_id, news.before, news.payment_id) for news in heard] == [
        (account_id, Standing.OVERDUE, taken.payment_id)
    ]
    counter.assert_books_balance()


def test_business_hears_of_a_changed_standing_once(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202602, [1_000, 1_000], due_on=DUE)
    counter.open_till()
    counter.pay(account_id, 500)
    counter.pay(account_id, 1_500)
    counter.pay(account_id, 100)
    assert [(seq, kind, standing) for seq, kind, standing in counter.facts_of(account_id)] == [
        (1, "AccountRecorded", "clear"),
        (2, "AccountStandingChanged", "owing"),
        (3, "AccountStandingChanged", "clear"),
    ]


def test_preview_is_the_same_calculation_and_stores_nothing(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202602, [3_000, 2_500], due_on=DUE)
    request = TakePayment(account_id=account_id, amount_fen=Fen(6_000), received_fen=Fen(10_000))
    billing = counter.databases.billing
    with billing.reading() as conn:
        shown = payment.preview_payment(conn, counter.context, billing.clock, request=request)
    assert counter.owed(account_id).owed_fen == Fen(5_500)
    counter.open_till()
    taken = counter.pay(account_id, 6_000, received_fen=10_000)
    assert shown.applied == taken.applied and shown.advance_fen == taken.advance_fen == Fen(500)
    assert shown.change_fen == taken.change_fen and shown.owed_after_fen == taken.owed_after_fen
    assert shown.explanation[-1] == "余下 5.00 元转为预存款" and len(shown.explanation) == 3


def test_the_same_act_twice_is_one_payment(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    act_id = new_id()
    first = counter.pay(account_id, 1_000, act_id=act_id)
    again = counter.pay(account_id, 1_000, act_id=act_id)
    assert first == again and counter.owed(account_id).balance_fen == Fen(1_000)
    with pytest.raises(ActReused):
        counter.pay(account_id, 2_000, act_id=act_id)
    counter.assert_books_balance()


def test_a_refused_payment_stores_nothing_and_leaves_its_id_free(counter: Counter) -> None:
    account_id = counter.open_account()
    act_id = new_id()
    with pytest.raises(TillNotOpen):
        counter.pay(account_id, 1_000, act_id=act_id)
    counter.open_till()
    assert counter.pay(account_id, 1_000, act_id=act_id).receipt.receipt_no == "H01-03-0000001"
    counter.assert_books_balance()


def test_refusals_name_the_situation(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    with pytest.raises(ReceivedTooLittle):
        counter.pay(account_id, 1_000, received_fen=999)
    with pytest.raises(ReceivedTooMuch):
        counter.pay(account_id, 1_000, received_fen=1_000 + 1_000_001)
    with pytest.raises(PaymentTooLarge):
        counter.pay(account_id, 50_000_001)
    with pytest.raises(PaymentTooLarge):
        counter.at(teller(limits_fen={"payment": 999})).pay(account_id, 1_000)
    with pytest.raises(AccountNotFound):
        counter.pay(new_id(), 1_000)
    with pytest.raises(BillNotOpen):
        counter.pay(account_id, 1_000, bill_ids=("202602" + "0" * 26,))
    with pytest.raises(RailNotAvailable):
        counter.pay(account_id, 1_000, method=PayMethod.POS)
    with pytest.raises(CounterUnknown):
        counter.at(teller(counter_no="")).pay(account_id, 1_000)
    with pytest.raises(TillNotOpen):
        counter.at(teller("1002")).pay(account_id, 1_000)
    for amount in (0, -1):
        with pytest.raises(ValueError):
            TakePayment(account_id=account_id, amount_fen=Fen(amount))
    assert counter.owed(account_id).balance_fen == Fen(0)
    counter.assert_books_balance()


def test_text_people_type_comes_back_as_it_was(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    odd = "'; DROP TABLE payment;-- <script>alert(1)</script> 👩‍👩‍👧 ％＿[x]"
    taken = counter.pay(account_id, 100, note=odd)
    assert taken.receipt.note == odd
    billing = counter.databases.billing
    with billing.reading() as conn:
        kept = cashdesk.read_receipt(conn, taken.receipt.receipt_no, counter.context, billing.secrets)
        row = payment.list_payments(
            conn, counter.context, billing.clock, billing.secrets, receipt_no=taken.receipt.receipt_no
        )[0]
    assert kept == taken.receipt and row.amount_fen == Fen(100) and row.reversible


def test_a_reprint_is_the_same_paper_with_the_next_copy_number(counter: Counter, clock: ManualClock) -> None:
    account_id = counter.open_account()
    counter.open_till()
    first = counter.pay(account_id, 100).receipt
    clock.advance(timedelta(minutes=5))

    def again() -> Receipt:
        return counter.act(
            Receipt,
            lambda uow: cashdesk.reprint_receipt(uow, receipt_no=first.receipt_no, request=Reprint(reason="卡纸")),
        )

    second, third = again(), again()
    assert (second.copy_no, third.copy_no) == (2, 3) and second.is_reprint and second.printed_at == clock.now()
    assert second.model_copy(update={"copy_no": 1, "printed_at": None}) == first


def test_papers_and_payments_of_another_hall_are_not_seen(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    receipt_no = counter.pay(account_id, 100).receipt.receipt_no
    billing = counter.databases.billing
    seen = {
        "same hall": teller("1009", "04"),
        "same district": teller("1010", "01", hall="H02", scope=DataScope.DISTRICT),
        "all": teller("1011", "01", hall="H09", district="D9", scope=DataScope.ALL),
    }
    unseen = {
        "other hall": teller("1012", "01", hall="H02"),
        "other district": teller("1013", "01", hall="H09", district="D9", scope=DataScope.DISTRICT),
    }
    with billing.reading() as conn:
        for who in seen.values():
            assert cashdesk.read_receipt(conn, receipt_no, who, billing.secrets).receipt_no == receipt_no
            assert len(payment.list_payments(conn, who, billing.clock, billing.secrets, account_id=account_id)) == 1
        for who in unseen.values():
            with pytest.raises(ReceiptNotFound):
                cashdesk.read_receipt(conn, receipt_no, who, billing.secrets)
            assert payment.list_payments(conn, who, billing.clock, billing.secrets, account_id=account_id) == []


def test_payments_are_listed_newest_first_in_pages(counter: Counter, clock: ManualClock) -> None:
    account_id = counter.open_account()
    counter.open_till()
    for amount in (100, 200, 300, 400, 500):
        counter.pay(account_id, amount)
        clock.advance(timedelta(seconds=1))
    billing = counter.databases.billing
    got: list[int] = []
    after = None
    with billing.reading() as conn:
        while page := payment.list_payments(
            conn, counter.context, billing.clock, billing.secrets, account_id=account_id, after=after, limit=2
        ):
            got += [row.amount_fen.amount_fen for row in page]
            after = (page[-1].paid_at, page[-1].payment_id)
    assert got == [500, 400, 300, 200, 100]


def test_money_lies_where_the_ledger_says(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202602, [5_500], due_on=DUE)
    till = counter.open_till(20_000)
    counter.pay(account_id, 8_800)
    with counter.databases.billing.reading() as conn:
        cash = ledger_store.sums_by_name(conn, LedgerCode.CASH)
        receivable = ledger_store.sums_by_name(conn, LedgerCode.RECEIVABLE)
        advance = ledger_store.sums_by_name(conn, LedgerCode.ADVANCE)
    assert cash == {till.till_session_id: Fen(28_800)}
    assert receivable == {account_id: Fen(0)} and list(advance.values()) == [Fen(-3_300)]


def test_money_that_comes_while_a_bill_run_holds_the_account_waits_as_balance(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202602, [1_000], due_on=DUE)
    counter.open_till()
    counter.hold(account_id)
    taken = counter.pay(account_id, 1_500)
    assert taken.settled_later and taken.advance_fen == Fen(1_500) and taken.owed_after_fen == Fen(1_000)
    assert [line.label for line in taken.receipt.lines] == ["预存款"]
    counter.assert_books_balance()
    assert counter.release_and_settle(account_id) == Fen(1_000)
    owed = counter.owed(account_id)
    assert (owed.owed_fen, owed.balance_fen, owed.standing) == (Fen(0), Fen(500), Standing.CLEAR)
    counter.assert_books_balance()


def test_advance_pays_the_next_bill_when_it_is_issued(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    counter.pay(account_id, 5_000)
    counter.owe(account_id, 202603, [3_000], due_on=date(2026, 4, 25))
    owed = counter.owed(account_id)
    assert (owed.owed_fen, owed.balance_fen, owed.standing) == (Fen(0), Fen(2_000), Standing.CLEAR)
    counter.owe(account_id, 202604, [2_500], due_on=date(2026, 5, 25))
    owed = counter.owed(account_id)
    assert (owed.owed_fen, owed.balance_fen, owed.standing) == (Fen(500), Fen(0), Standing.OWING)
    counter.assert_books_balance()


def test_a_large_bill_gets_one_line_a_bill_on_its_receipt(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202602, [100] * 40, due_on=DUE)
    counter.open_till()
    receipt = counter.pay(account_id, 4_500).receipt
    assert [line.amount_fen for line in receipt.lines] == [Fen(4_000), Fen(500)]
    assert receipt.lines[0].label == "2026-02 账单"


def test_what_a_failed_listener_did_is_undone_with_the_payment(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.owe(account_id, 202601, [1_000], due_on=date(2026, 2, 25))
    counter.open_till()

    def refuse(uow: object, news: object) -> None:
        raise BillNotOpen()

    listeners = counter.databases.billing.listeners.setdefault(ArrearsCleared, [])
    listeners.append(refuse)
    request = TakePayment(account_id=account_id, amount_fen=Fen(1_000), received_fen=Fen(1_000))
    act = Act(new_id(), "take_payment", digest_of(request), counter.context)
    with pytest.raises(BillNotOpen):
        perform(counter.databases.billing, act, lambda uow: payment.take_payment(uow, request=request))
    listeners.remove(refuse)
    assert counter.owed(account_id).owed_fen == Fen(1_000)
    counter.assert_books_balance()
