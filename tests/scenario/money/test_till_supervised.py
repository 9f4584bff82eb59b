"""What another person does with a till session: closes one left behind, audits it level by level."""

from __future__ import annotations

import pytest

from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.ledger import store as ledger_store
from shared_models.contracts.cashdesk import AuditTill, CloseForOther, DayClose, DepositCash, Deposited, TillSession
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.values.faults.cashdesk import (
    CounterUnknown,
    TillAuditDisagrees,
    TillAuditedByYou,
    TillIsYourOwn,
    TillNotFound,
    TillNotOpen,
    TillStepNotAllowed,
)
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import Fen
from shared_models.values.money_states import TillState
from tests.support.money import Counter, teller


def close_for(counter: Counter, who: WorkContext, till_id: str, counted_fen: int) -> DayClose:
    request = CloseForOther(counted_fen=Fen(counted_fen), note="柜员请病假")
    return counter.at(who).act(DayClose, lambda uow: cashdesk.close_for_other(uow, till_id=till_id, request=request))


def audit(counter: Counter, staff_no: str, till_id: str, amount_fen: int, **more: object) -> TillSession:
    who = teller(staff_no, "", **more)  # type: ignore[arg-type]
    request = AuditTill(amount_fen=Fen(amount_fen), note="核对无误")
    return counter.at(who).act(TillSession, lambda uow: cashdesk.audit_till(uow, till_id=till_id, request=request))


def deposit(counter: Counter, amount_fen: int) -> Deposited:
    return counter.act(
        Deposited, lambda uow: cashdesk.deposit_cash(uow, request=DepositCash(amount_fen=Fen(amount_fen)))
    )


def deposited(counter: Counter) -> str:
    account_id = counter.open_account()
    till = counter.open_till(20_000)
    counter.pay(account_id, 5_000)
    counter.count(25_000)
    counter.close()
    deposit(counter, 5_000)
    return till.till_session_id


def test_a_session_left_behind(counter: Counter) -> None:
    """Counted with a difference, closed, its cash handed to the bank by who closed it; the counter is free again."""
    account_id = counter.open_account()
    left = counter.open_till(20_000)
    counter.pay(account_id, 5_000)
    boss = teller("2001", "01")
    with pytest.raises(CounterUnknown):
        close_for(counter, teller("2001", ""), left.till_session_id, 24_900)
    closed = close_for(counter, boss, left.till_session_id, 24_900)
    assert (closed.till.state, closed.till.difference_fen, closed.till.note) == (
        TillState.CLOSED,
        Fen(-100),
        "柜员请病假",
    )
    assert closed.report.total_fen == Fen(24_900) and closed.report.staff_no == "2001"
    with pytest.raises(TillStepNotAllowed):
        close_for(counter, boss, left.till_session_id, 24_900)
    assert counter.at(teller("1002", "03")).open_till().state is TillState.OPEN
    handed = deposit(counter.at(boss), 24_900)
    assert (handed.till.till_session_id, handed.till.state) == (left.till_session_id, TillState.DEPOSITED)
    with pytest.raises(TillNotOpen):
        deposit(counter, 1)
    with counter.databases.billing.reading() as conn:
        assert ledger_store.sums_by_name(conn, LedgerCode.OVER_SHORT) == {left.till_session_id: Fen(100)}
    with pytest.raises(TillIsYourOwn):  # who closed it does not audit it
        audit(counter, "2001", left.till_session_id, 24_900)
    counter.assert_books_balance()


def test_what_is_not_anybodys_to_close(counter: Counter) -> None:
    till = counter.open_till(100).till_session_id
    with pytest.raises(TillIsYourOwn):
        close_for(counter, counter.context, till, 100)
    with pytest.raises(TillNotFound):
        close_for(counter, teller("2001", "01", hall="H02"), till, 100)
    with pytest.raises(TillNotFound):
        close_for(counter, teller("2001", "01"), "0" * 32, 100)
    assert close_for(counter, teller("2001", "01", hall="H02", scope=DataScope.ALL), till, 100).till.note


def test_three_levels_three_persons(counter: Counter) -> None:
    till_id = deposited(counter)
    with pytest.raises(TillIsYourOwn):
        audit(counter, "1001", till_id, 5_000)
    with pytest.raises(TillAuditDisagrees):
        audit(counter, "2001", till_id, 4_900)
    with pytest.raises(TillNotFound):
        audit(counter, "2001", till_id, 5_000, hall="H02")
    assert audit(counter, "2001", till_id, 5_000).state is TillState.AUDITED_1
    with pytest.raises(TillAuditedByYou):
        audit(counter, "2001", till_id, 5_000)
    assert audit(counter, "2002", till_id, 5_000, scope=DataScope.DISTRICT).state is TillState.AUDITED_2
    done = audit(counter, "3001", till_id, 5_000, hall="H09", scope=DataScope.ALL)
    assert done.state is TillState.AUDITED_3
    assert [(one.level, one.staff_no) for one in done.audits] == [(1, "2001"), (2, "2002"), (3, "3001")]
    with pytest.raises(TillStepNotAllowed):
        audit(counter, "3002", till_id, 5_000, scope=DataScope.ALL)
    with counter.databases.billing.reading() as conn:
        (listed,) = cashdesk.list_tills(conn, counter.context, business_on=None, after=None, limit=5)
    assert listed.audits == done.audits
    counter.assert_books_balance()


def test_nothing_is_audited_before_it_is_at_the_bank(counter: Counter) -> None:
    till = counter.open_till(0).till_session_id
    for step in (lambda: None, lambda: counter.count(0), counter.close):
        step()
        with pytest.raises(TillStepNotAllowed):
            audit(counter, "2001", till, 0)
