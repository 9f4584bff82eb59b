"""Live charges, daily lines, and the bill made of call records that takes their place: each call is charged once."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select

from server_api.billing.account import checks as account_checks
from server_api.billing.account import service as account
from server_api.billing.account import store as account_store
from server_api.billing.account.service import OpeningBalance
from server_api.billing.ledger import checks as ledger_checks
from server_api.billing.ledger import store as ledger_store
from server_api.billing.rating.credit import jobs, service, store
from server_api.platform.database import Database, Databases
from server_api.platform.jobs import enqueue_now, run_all
from server_api.platform.unit_of_work import UnitOfWork
from server_api.wiring import wire_databases
from shared_models.values.clock import ManualClock
from shared_models.values.ids import new_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import Fen, MicroYuan
from tests.support.credit_town import Switch, prepaid_town
from tests.support.usage_town import account_of, act

RICH = "3960001"
#: Local calls of VOICE-STD after its first block, so that charges are no whole fen.
LOCAL = "3961234"


def books_left(database: Database, access: str) -> Fen:
    with database.reading() as conn:
        state = account_store.read(conn, account_of(access))
    assert state is not None
    return Fen.total(item.book.left for item in state.books)


def used(database: Database, access: str) -> Fen:
    """What stands at used:<account> in the ledger."""
    with database.reading() as conn:
        return -ledger_store.sums_by_name(conn, LedgerCode.USED).get(account_of(access), Fen(0))


def all_hold(database: Database, switch: Switch) -> None:
    switch.checked()
    assert ledger_checks.trial_balance_zero(database).wrong == ()
    assert account_checks.book_equals_postings(database).wrong == ()
    assert account_checks.book_is_in_less_out(database).wrong == ()


def test_a_month_cut_by_the_day_is_one_rounding(databases: Databases, clock: ManualClock) -> None:
    wiring = wire_databases(databases)
    database = databases.billing
    prepaid_town(database, {"3960000": 0, RICH: 100_00})
    switch, rng = Switch.of(database), random.Random(3)
    total = 0
    for _day in range(4):
        for _call in range(2):
            seconds = rng.randrange(1, 400)
            begun = switch.begin(RICH, ask=600)
            total += switch.end(begun.session_id, 1, seconds).charged_micro_yuan.amount_micro_yuan
        clock.advance(timedelta(days=1))
        enqueue_now(database, jobs.CUT_JOB)
        run_all(database, wiring.jobs["billing"])
        assert switch.view(RICH).available_micro_yuan.amount_micro_yuan == 100_000_000 - total
        all_hold(database, switch)
    whole = MicroYuan(total).to_fen()
    assert used(database, RICH) == whole
    assert books_left(database, RICH) == Fen(100_00) - whole
    with database.reading() as conn:
        lines = store.cut_sums(conn)
        postings = conn.execute(select(ledger_store.posting.c.act_id)).all()
    assert list(lines.values()) == [whole]
    assert len(postings) <= 1 + 4  # the opening balance, then a line a day, not one a call


def test_the_bill_takes_the_place_of_live_debits(databases: Databases) -> None:
    """The record of a call and its live debit are the same money: when the month is billed the debit goes back."""
    wire_databases(databases)
    database = databases.billing
    prepaid_town(database, {"3960000": 0, RICH: 10_00})
    switch = Switch.of(database)
    begun = switch.begin(RICH, ask=600)
    charged = switch.end(begun.session_id, 1, 590).charged_micro_yuan.to_fen()
    switch.cut(RICH)
    assert used(database, RICH) == charged
    with database.reading() as conn:
        (month,) = store.month_rows(conn)
    account_id = account_of(RICH)

    def release(uow: UnitOfWork) -> None:
        service.release_live_debits(uow, period=month.period, account_ids=[account_id])

    act(database, release)
    assert (used(database, RICH), books_left(database, RICH)) == (Fen(0), Fen(10_00))
    assert switch.view(RICH).unbooked_micro_yuan == MicroYuan(0)
    act(database, release)
    assert books_left(database, RICH) == Fen(10_00)  # given back once
    all_hold(database, switch)


@pytest.mark.one_engine
def test_what_is_held_is_not_given_away(databases: Databases) -> None:
    database = databases.billing
    prepaid_town(database, {"3960000": 0, RICH: 10_00})
    switch = Switch.of(database)
    begun = switch.begin(RICH, ask=60)
    with database.reading() as conn:
        state = account_store.read(conn, account_of(RICH))
        assert state is not None
        today = database.clock.now().date()
        assert service.spoken_for(conn, account_of(RICH)) == Fen(70)
        assert service.free_to_leave(conn, state, today) == Fen(9_30)
    switch.end(begun.session_id, 1, 7)
    with database.reading() as conn:
        assert service.spoken_for(conn, account_of(RICH)) == Fen(14)


def test_low_exhausted_and_restored_are_told_in_order(databases: Databases) -> None:
    wire_databases(databases)
    database = databases.billing
    prepaid_town(database, {"3960000": 0, RICH: 10_50})
    switch = Switch.of(database)

    def kinds() -> list[str]:
        facts = database.platform.fact_out
        with database.reading() as conn:
            rows = conn.execute(
                select(facts.c.kind, facts.c.seq)
                .where(facts.c.aggregate == f"account:{account_of(RICH)}")
                .order_by(facts.c.seq)
            ).all()
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        return [row.kind for row in rows if row.kind.startswith("Balance")]

    begun = switch.begin(RICH, ask=600)
    assert kinds() == []  # a reservation is no debit
    switch.end(begun.session_id, 1, 60)
    assert kinds() == ["BalanceLow"]
    begun = switch.begin(RICH, ask=3_600)
    switch.end(begun.session_id, 1, 840)
    assert switch.view(RICH).available_micro_yuan == MicroYuan(0)
    assert kinds() == ["BalanceLow", "BalanceExhausted"]

    def top_up(uow: object) -> None:
        account.import_opening_balances(uow, balances=[OpeningBalance(account_of(RICH), Fen(50_00), "top up")])  # type: ignore[arg-type]
        service.reconsider(uow, account_id=account_of(RICH))  # type: ignore[arg-type]

    act(database, top_up)
    assert kinds() == ["BalanceLow", "BalanceExhausted", "BalanceRestored"]
    assert switch.begin(RICH, session_id=new_id(), ask=60).verdict == "granted"
    all_hold(database, switch)


@pytest.mark.one_engine
def test_a_late_end_of_a_billed_month_goes_to_the_open_one(databases: Databases, clock: ManualClock) -> None:
    from sqlalchemy import insert

    from shared_models.tables.billing.bill import bill_period

    clock.set(datetime(2026, 3, 31, 15, 0, tzinfo=timezone.utc))
    database = databases.billing
    prepaid_town(database, {"3960000": 0, RICH: 10_00})
    switch = Switch.of(database)
    begun = switch.begin(RICH, ask=60)
    clock.set(datetime(2026, 4, 2, 2, 0, tzinfo=timezone.utc))
    act(database, lambda uow: uow.conn.execute(insert(bill_period).values(period=202603, state="closed")) and None)
    switch.end(begun.session_id, 1, 60)
    with database.reading() as conn:
        assert [row.period for row in store.month_rows(conn)] == [202604]
    switch.checked()
