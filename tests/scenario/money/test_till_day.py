"""A teller's day: float, trade, count, close, deposit; and what is refused on the way."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.ledger import store as ledger_store
from shared_models.contracts.cashdesk import CountTill, Denomination, DepositCash, Deposited, OpenTill, TillSession
from shared_models.contracts.receipt import ReceiptKind
from shared_models.contracts.work import DataScope
from shared_models.values.clock import ManualClock
from shared_models.values.faults.cashdesk import (
    DepositTooMuch,
    TillAlreadyOpen,
    TillCountDoesNotAdd,
    TillDifferenceUnexplained,
    TillFloatNotValid,
    TillNotOpen,
    TillStepNotAllowed,
)
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import Fen
from shared_models.values.money_states import TillState
from tests.support.money import Counter, teller


def deposit(counter: Counter, amount_fen: int) -> Deposited:
    request = DepositCash(amount_fen=Fen(amount_fen), slip_no="ICBC-0042", bank="工商银行人民路支行")
    return counter.act(Deposited, lambda uow: cashdesk.deposit_cash(uow, request=request))


def test_a_day_without_difference_ends_at_the_bank(counter: Counter) -> None:
    account_id = counter.open_account()
    opened = counter.open_till(20_000)
    assert opened.state is TillState.OPEN and opened.expected_cash_fen == Fen(20_000)
    counter.pay(account_id, 8_800, received_fen=10_000)
    counter.pay(account_id, 1_200)
    counter.reverse(counter.pay(account_id, 500).payment_id)
    counter.refund(account_id, 300)
    counted = counter.count(29_700)
    assert counted.state is TillState.COUNTED and counted.difference_fen == Fen(0)
    assert (counted.cash_in_fen, counted.cash_out_fen) == (Fen(10_500), Fen(800))
    assert (counted.payment_count, counted.reversal_count) == (3, 1)
    closed = counter.close()
    assert closed.till.state is TillState.CLOSED and closed.till.expected_cash_fen == Fen(29_700)
    report = closed.report
    assert report.kind is ReceiptKind.DAY_CLOSE and report.total_fen == Fen(29_700)
    assert {(line.label, line.amount_fen.amount_fen) for line in report.lines} == {
        ("备用金", 20_000),
        ("收费", 10_500),
        ("冲正", -500),
        ("退费", -300),
    }
    handed = deposit(counter, 9_700)
    assert handed.till.state is TillState.DEPOSITED and handed.slip.kind is ReceiptKind.DEPOSIT_SLIP
    assert handed.till.deposited_fen == Fen(9_700) and handed.slip.note == "工商银行人民路支行"
    with counter.databases.billing.reading() as conn:
        assert ledger_store.sums_by_name(conn, LedgerCode.BANK) == {opened.till_session_id: Fen(9_700)}
        assert ledger_store.sums_by_name(conn, LedgerCode.FLOAT) == {"H01": Fen(0)}
        assert ledger_store.sums_by_name(conn, LedgerCode.CASH) == {opened.till_session_id: Fen(0)}
    counter.assert_books_balance()


@pytest.mark.parametrize(("counted_fen", "difference_fen"), [(21_050, 50), (20_900, -100)])
def test_a_difference_is_booked_and_needs_a_word(counter: Counter, counted_fen: int, difference_fen: int) -> None:
    account_id = counter.open_account()
    till = counter.open_till(20_000)
    counter.pay(account_id, 1_000)
    assert counter.count(counted_fen).difference_fen == Fen(difference_fen)
    with pytest.raises(TillDifferenceUnexplained):
        counter.close()
    closed = counter.close("找零差错")
    assert closed.till.counted_fen == Fen(counted_fen) and closed.till.note == "找零差错"
    assert closed.report.total_fen == Fen(counted_fen)
    with counter.databases.billing.reading() as conn:
        over_short = ledger_store.sums_by_name(conn, LedgerCode.OVER_SHORT)
    assert over_short == {till.till_session_id: Fen(-difference_fen)}
    counter.assert_books_balance()


def test_nothing_posts_to_a_closed_session(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    counter.count(20_000)
    counter.close()
    with pytest.raises(TillNotOpen):
        counter.pay(account_id, 100)
    with pytest.raises(TillNotOpen):
        counter.refund(account_id, 100) if counter.owed(account_id).balance_fen else counter.pay(account_id, 100)
    with pytest.raises(TillNotOpen):
        counter.count(20_000)
    with pytest.raises(TillNotOpen):
        counter.close()
    counter.assert_books_balance()


def test_taking_money_makes_a_count_void(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till(0)
    counter.count(0)
    counter.pay(account_id, 100)
    with pytest.raises(TillStepNotAllowed):
        counter.close()
    assert counter.count(100).difference_fen == Fen(0)
    assert counter.close().till.state is TillState.CLOSED


def test_one_session_a_counter_and_one_a_person(counter: Counter) -> None:
    counter.open_till()
    with pytest.raises(TillAlreadyOpen):
        counter.open_till()
    with pytest.raises(TillAlreadyOpen):
        counter.at(teller("1002", "03")).open_till()
    with pytest.raises(TillAlreadyOpen):
        counter.at(teller("1001", "04")).open_till()
    counter.at(teller("1002", "04")).open_till()
    counter.count(20_000)
    counter.close()
    assert counter.open_till().state is TillState.OPEN
    counter.assert_books_balance()


def test_counting_by_notes_must_add_up(counter: Counter) -> None:
    counter.open_till(20_000)
    notes = (Denomination(value_fen=10_000, pieces=1), Denomination(value_fen=5_000, pieces=2))
    right = CountTill(denominations=notes, counted_fen=Fen(20_000))
    wrong = CountTill(denominations=notes, counted_fen=Fen(20_100))
    with pytest.raises(TillCountDoesNotAdd):
        counter.act(TillSession, lambda uow: cashdesk.count_till(uow, request=wrong))
    assert counter.act(TillSession, lambda uow: cashdesk.count_till(uow, request=right)).counted_fen == Fen(20_000)
    again = counter.act(TillSession, lambda uow: cashdesk.count_till(uow, request=right))
    assert again.difference_fen == Fen(0)


def test_odd_amounts_are_refused(counter: Counter) -> None:
    for float_fen in (-1, 2_000_001):
        with pytest.raises(TillFloatNotValid):
            counter.act(
                TillSession, lambda uow, f=float_fen: cashdesk.open_till(uow, request=OpenTill(float_fen=Fen(f)))
            )
    counter.open_till(1_000)
    with pytest.raises(TillFloatNotValid):
        counter.count(-1)
    counter.count(1_000)
    with pytest.raises(TillNotOpen):
        deposit(counter, 100)
    counter.close()
    with pytest.raises(DepositTooMuch):
        deposit(counter, 1_001)
    deposit(counter, 1_000)
    with pytest.raises(TillNotOpen):
        deposit(counter, 1)
    counter.assert_books_balance()


def test_the_teller_sees_the_own_session_and_the_supervisor_those_in_scope(
    counter: Counter, clock: ManualClock
) -> None:
    billing = counter.databases.billing
    with billing.reading() as conn:
        assert cashdesk.current_till(conn, counter.context).till is None
    counter.open_till()
    clock.advance(timedelta(minutes=1))
    counter.at(teller("2001", "01", hall="H02")).open_till(100)
    with billing.reading() as conn:
        mine = cashdesk.current_till(conn, counter.context).till
        assert mine is not None and mine.counter_no == "03"
        assert cashdesk.current_till(conn, teller("1002")).till is None

        def seen(scope: DataScope, hall: str = "H01", district: str = "D1") -> list[str]:
            who = teller("9", "", hall=hall, district=district, scope=scope)
            return [till.hall_code for till in cashdesk.list_tills(conn, who, business_on=None, after=None, limit=10)]

        assert seen(DataScope.HALL) == ["H01"]
        assert seen(DataScope.DISTRICT) == ["H02", "H01"]
        assert seen(DataScope.DISTRICT, "H09", "D9") == []
        assert seen(DataScope.ALL, "H09", "D9") == ["H02", "H01"]
        day = cashdesk.list_tills(
            conn, teller(scope=DataScope.ALL), business_on=date(2026, 3, 15), after=None, limit=10
        )
        assert day == []


def test_papers_of_a_counter_are_numbered_without_gaps(counter: Counter) -> None:
    account_id = counter.open_account()
    counter.open_till()
    first = counter.pay(account_id, 100)
    with pytest.raises(ValueError):
        counter.pay(account_id, -5)
    reversal = counter.reverse(first.payment_id)
    counter.count(20_000)
    report = counter.close().report
    slip = deposit(counter, 20_000).slip
    numbers = [paper.receipt_no for paper in (first.receipt, reversal.receipt, report, slip)]
    assert numbers == [f"H01-03-{n:07d}" for n in (1, 2, 3, 4)]
    other = counter.at(teller("1002", "04"))
    other.open_till()
    assert other.pay(account_id, 100).receipt.receipt_no == "H01-04-0000001"
    counter.assert_books_balance()
