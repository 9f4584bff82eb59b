"""A prepaid call from its first message to its last, and whatever order the messages come in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select

from server_api.billing.ledger import checks as ledger_checks
from server_api.billing.rating.credit import jobs
from server_api.platform.database import Database, Databases
from server_api.platform.jobs import enqueue_now, run_all
from server_api.wiring import wire_databases
from shared_models.tables.platform import PlatformTables
from shared_models.values.clock import ManualClock
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import ActReused
from shared_models.values.faults.credit import (
    CreditNoPrice,
    CreditOwnerUnknown,
    CreditRequestLate,
    CreditSessionEnded,
    CreditSessionNotFound,
    CreditSessionTaken,
    CreditUsedFalls,
)
from shared_models.values.ids import new_id
from shared_models.values.money import Fen
from shared_models.values.money_states import PaymentType
from tests.support.credit_town import SHANGHAI, Switch, prepaid_town

# The first of a town is on the offering with minutes included; calls to Shanghai are outside of them.
RICH, POOR, NONE = "3960001", "3960002", "3960003"
#: VOICE-STD, national: 0.07 yuan for each 6 s.
BLOCK, STEP_S = 70_000, 6


@pytest.fixture
def switch(databases: Databases) -> Switch:
    prepaid_town(databases.billing, {"3960000": 0, RICH: 100_00, POOR: 1_00, NONE: 0})
    return Switch.of(databases.billing)


def told(database: Database) -> list[str]:
    table = PlatformTables_of(database).fact_out
    with database.reading() as conn:
        rows = conn.execute(select(table.c.kind, table.c.seq).order_by(table.c.aggregate, table.c.seq))
        return [row.kind for row in rows if row.kind.startswith("Balance")]


def PlatformTables_of(database: Database) -> PlatformTables:  # noqa: N802 - names what it gives
    return database.platform


def test_a_call_from_beginning_to_end(switch: Switch) -> None:
    begun = switch.begin(RICH, ask=60)
    assert (begun.verdict, begun.unit, begun.granted, begun.last) == ("granted", "seconds", 60, False)
    assert begun.held_micro_yuan.amount_micro_yuan == 10 * BLOCK
    assert begun.available_micro_yuan.amount_micro_yuan == 100_000_000 - 10 * BLOCK
    more = switch.update(begun.session_id, 1, 60, ask=120)
    assert (more.granted, more.granted_total, more.held_micro_yuan.amount_micro_yuan) == (120, 180, 30 * BLOCK)
    ended = switch.end(begun.session_id, 2, 95)
    assert (ended.verdict, ended.charged_micro_yuan.amount_micro_yuan) == ("ended", 16 * BLOCK)
    assert ended.available_micro_yuan.amount_micro_yuan == 100_000_000 - 16 * BLOCK
    assert switch.view(RICH).open_sessions == 0
    switch.checked()


def test_a_poor_balance_gives_exactly_what_it_pays_for(switch: Switch) -> None:
    """1.00 yuan pays for 14 blocks of 0.07 yuan: 84 seconds, and not one more."""
    begun = switch.begin(POOR, ask=600)
    assert (begun.verdict, begun.granted, begun.last) == ("partial", 84, True)
    assert switch.cost(POOR, 84) <= 1_000_000 < switch.cost(POOR, 85)
    more = switch.update(begun.session_id, 1, 84, ask=600)
    assert (more.verdict, more.granted, more.last) == ("exhausted", 0, True)
    ended = switch.end(begun.session_id, 2, 84)
    assert ended.available_micro_yuan.amount_micro_yuan == 1_000_000 - 14 * BLOCK
    switch.checked()


def test_no_money_no_call(switch: Switch) -> None:
    assert switch.begin(NONE).verdict == "exhausted"
    assert told(switch.database) == ["BalanceExhausted"]
    assert switch.begin(NONE).verdict == "exhausted"
    assert told(switch.database) == ["BalanceExhausted"]  # told once
    assert switch.view(NONE).open_sessions == 0


def test_who_uses_more_than_granted_pays_what_there_is(switch: Switch) -> None:
    """The balance never falls below its limit; what it could not pay is kept and left to the call record."""
    begun = switch.begin(POOR, ask=60)
    ended = switch.end(begun.session_id, 1, 600)
    assert ended.charged_micro_yuan.amount_micro_yuan == 1_000_000
    assert ended.shortfall_micro_yuan.amount_micro_yuan == 100 * BLOCK - 1_000_000
    assert ended.available_micro_yuan.amount_micro_yuan == 0
    switch.checked()


def test_repeats_are_answered_the_same(switch: Switch) -> None:
    session_id, first, second = new_id(), new_id(), new_id()
    begun = switch.begin(RICH, session_id=session_id, ask=60, act_id=first)
    assert switch.begin(RICH, session_id=session_id, ask=60, act_id=first) == begun
    ended = switch.end(session_id, 1, 30, act_id=second)
    assert switch.end(session_id, 1, 30, act_id=second) == ended
    assert switch.view(RICH).unbooked_micro_yuan.amount_micro_yuan == 5 * BLOCK
    with pytest.raises(ActReused):
        switch.end(session_id, 1, 31, act_id=second)
    switch.checked()


def test_messages_out_of_order(switch: Switch) -> None:
    """What comes late changes nothing; what comes before the beginning may be sent again."""
    session_id = new_id()
    with pytest.raises(CreditSessionNotFound):
        switch.update(session_id, 1, 10)
    switch.begin(RICH, session_id=session_id, ask=60)
    switch.update(session_id, 3, 50)
    with pytest.raises(CreditRequestLate):
        switch.update(session_id, 2, 40)
    with pytest.raises(CreditUsedFalls):
        switch.update(session_id, 4, 49)
    with pytest.raises(CreditSessionTaken):
        switch.begin(RICH, session_id=session_id)
    switch.end(session_id, 5, 55)
    for late in (lambda: switch.update(session_id, 6, 60), lambda: switch.end(session_id, 7, 60)):
        with pytest.raises(CreditSessionEnded):
            late()
    assert switch.view(RICH).unbooked_micro_yuan.amount_micro_yuan == 10 * BLOCK
    switch.checked()


def test_who_is_not_known_is_refused(switch: Switch) -> None:
    cases: list[tuple[str, str, type[Fault]]] = [("3999999", SHANGHAI, CreditOwnerUnknown)]
    for access, called, fault in cases:
        with pytest.raises(fault):
            switch.begin(access, called)
    assert issubclass(CreditNoPrice, Fault)


def test_an_event(switch: Switch) -> None:
    charged = switch.event(RICH, quantity=6)
    assert charged.charged_micro_yuan.amount_micro_yuan == BLOCK
    assert switch.event(POOR, quantity=600).verdict == "exhausted"
    assert switch.view(RICH).unbooked_micro_yuan.amount_micro_yuan == BLOCK
    switch.checked()


@pytest.mark.one_engine
def test_who_pays_afterwards_needs_no_reservation(databases: Databases) -> None:
    prepaid_town(databases.billing, {"3960000": 0, RICH: 0}, payment_type=PaymentType.POSTPAID)
    switch = Switch.of(databases.billing)
    begun = switch.begin(RICH, ask=60)
    assert (begun.verdict, begun.granted) == ("not_applicable", 60)
    assert switch.view(RICH) is None


@pytest.mark.one_engine
def test_a_credit_limit_is_part_of_the_room(databases: Databases) -> None:
    prepaid_town(databases.billing, {"3960000": 0, RICH: 0}, credit_limit=Fen(70))
    switch = Switch.of(databases.billing)
    assert switch.begin(RICH, ask=600).granted == 10 * STEP_S
    switch.checked()


def test_silent_sessions_are_settled_by_what_they_reported(databases: Databases, clock: ManualClock) -> None:
    wiring = wire_databases(databases)
    prepaid_town(databases.billing, {"3960000": 0, RICH: 100_00, POOR: 1_00})
    switch = Switch.of(databases.billing)
    silent, talking = switch.begin(RICH, ask=60), switch.begin(POOR, ask=60)
    switch.update(silent.session_id, 1, 30, ask=60)
    clock.advance(timedelta(seconds=1_200 + 121))
    switch.update(talking.session_id, 1, 6, ask=6)
    enqueue_now(databases.billing, jobs.SILENT_JOB)
    run_all(databases.billing, wiring.jobs["billing"])
    assert switch.view(RICH).open_sessions == 0
    assert switch.view(RICH).unbooked_micro_yuan.amount_micro_yuan == 5 * BLOCK
    assert switch.view(POOR).open_sessions == 1
    with pytest.raises(CreditSessionEnded):
        switch.end(silent.session_id, 2, 40)
    switch.checked()


@pytest.mark.one_engine
def test_a_call_over_midnight_and_month_end_keeps_the_price_and_month_of_its_start(
    databases: Databases, clock: ManualClock
) -> None:
    """23:59:30 on 31 March in the town to half past midnight: March's call, whatever the clock says at its end."""
    clock.set(datetime(2026, 3, 31, 15, 59, 30, tzinfo=timezone.utc))
    prepaid_town(databases.billing, {"3960000": 0, RICH: 1000_00})
    switch = Switch.of(databases.billing)
    begun = switch.begin(RICH, ask=600)
    cost = switch.cost(RICH, 1_830)
    clock.advance(timedelta(seconds=600))
    switch.update(begun.session_id, 1, 600, ask=1_800)
    clock.advance(timedelta(seconds=1_230))
    ended = switch.end(begun.session_id, 2, 1_830)
    assert ended.charged_micro_yuan.amount_micro_yuan == cost
    with databases.billing.reading() as conn:
        from server_api.billing.rating.credit import store

        assert [row.period for row in store.month_rows(conn)] == [202603]
    switch.checked()
    assert ledger_checks.trial_balance_zero(databases.billing).wrong == ()
