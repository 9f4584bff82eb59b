"""Facts cross once, in order, whatever fails in between; on every engine."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import OperationalError

from server_api.platform import audit
from server_api.platform.database import Database, Databases
from server_api.platform.facts.after import wait_for_news
from server_api.platform.facts.dispatcher import deliver_all, deliver_lane
from server_api.platform.facts.outbox import INTERACTIVE_LANES, lane_of
from server_api.platform.facts.parking import list_parked, retry_parked, skip_parked
from server_api.platform.facts.replay import begin_epoch, compare, replay
from shared_models.values.faults.common import CopyBehind, InputNotValid, NotFound, TooBusy
from tests.support.facts import Heard, account_news, applied, pending_count, tell


def test_facts_of_an_aggregate_arrive_once_and_in_order(databases: Databases) -> None:
    heard = Heard()
    for _ in range(5):
        tell(databases.billing, "account:1")
        tell(databases.billing, "account:2")
    assert deliver_all([heard.crossing(databases)]) == 10
    assert [seq for name, seq in heard.order if name == "account:1"] == [1, 2, 3, 4, 5]
    assert applied(databases.business, "account:2") == 5
    assert deliver_all([heard.crossing(databases)]) == 0
    assert pending_count(databases.billing) == 0


def test_a_lost_confirmation_does_not_apply_twice(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    tell(databases.billing, "account:1")
    lane = lane_of("account:1", bulk=False)

    def crash(*_arguments: object) -> None:
        raise RuntimeError("killed between the two commits")

    with monkeypatch.context() as patched:
        patched.setattr("server_api.platform.facts.dispatcher._forget", crash)
        with pytest.raises(RuntimeError):
            deliver_lane(heard.crossing(databases), lane)
    assert (applied(databases.business, "account:1"), pending_count(databases.billing)) == (1, 1)
    deliver_all([heard.crossing(databases)])
    assert (applied(databases.business, "account:1"), pending_count(databases.billing)) == (1, 0)


def test_a_poison_fact_parks_its_aggregate_only_and_can_be_retried(databases: Databases) -> None:
    heard = Heard()
    poison = ("account:1", 2)
    heard.refuse = lambda fact: ValueError("bad news") if (fact.aggregate, fact.seq) == poison else None
    for _ in range(3):
        tell(databases.billing, "account:1")
        tell(databases.billing, "account:2")
    crossing = heard.crossing(databases)
    deliver_all([crossing])
    assert (applied(databases.business, "account:1"), applied(databases.business, "account:2")) == (1, 3)
    (parked,) = list_parked(databases.billing)
    assert (parked.aggregate, parked.seq, parked.error) == ("account:1", 2, "ValueError: bad news")
    heard.refuse = lambda envelope: None
    assert retry_parked(databases.billing, "account:1")
    assert not retry_parked(databases.billing, "account:1")
    deliver_all([crossing])
    assert applied(databases.business, "account:1") == 3
    assert [seq for name, seq in heard.order if name == "account:1"] == [1, 2, 3]


def test_a_poison_fact_can_be_skipped_with_a_reason_that_stays(databases: Databases) -> None:
    heard = Heard()
    heard.refuse = lambda envelope: ValueError("bad news") if envelope.seq == 1 else None
    for _ in range(3):
        tell(databases.billing, "account:1")
    deliver_all([heard.crossing(databases)])
    skipped = skip_parked(databases.billing, databases.business, "account:1", "entered by hand, ticket 17")
    assert skipped.seq == 1
    deliver_all([heard.crossing(databases)])
    assert applied(databases.business, "account:1") == 2
    inbox = databases.business.platform.fact_in
    with databases.business.reading() as connection:
        reasons = connection.execute(select(inbox.c.skipped_reason).order_by(inbox.c.seq)).scalars().all()
        entry = databases.business.platform.audit_entry
        said = connection.execute(select(entry.c.what, entry.c.subject, entry.c.remark)).one()
    assert list(reasons) == ["entered by hand, ticket 17", None, None]
    assert tuple(said) == ("fact.skipped", "account:1", "AccountRecorded 1: entered by hand, ticket 17")
    assert audit.verify(databases.business).wrong == []
    with pytest.raises(NotFound):
        skip_parked(databases.billing, databases.business, "account:1", "again")


def test_trouble_of_the_database_is_not_poison(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadlock inside a handler sends the batch again; nothing is parked."""
    heard = Heard()
    codes = {"sqlite": "SQLITE_BUSY", "postgresql": "40P01"}
    troubles = [1]

    class Native(Exception):
        sqlstate = codes.get(databases.business.dialect.name, "")
        sqlite_errorname = sqlstate

    def refuse(_envelope: object) -> Exception | None:
        return OperationalError("x", {}, Native("deadlock")) if troubles and troubles.pop() else None

    heard.refuse = refuse
    tell(databases.billing, "account:1")
    try:
        deliver_all([heard.crossing(databases)])
    except TooBusy:  # where acts share a transaction the batch is not run again by itself
        deliver_all([heard.crossing(databases)])
    assert list_parked(databases.billing) == []
    assert applied(databases.business, "account:1") == 1


def test_a_refusal_that_says_later_is_tried_again(databases: Databases) -> None:
    heard = Heard()
    heard.refuse = lambda envelope: CopyBehind()
    tell(databases.billing, "account:1")
    crossing = heard.crossing(databases)
    assert deliver_all([crossing]) == 0
    assert list_parked(databases.billing) == []
    assert list(crossing.resting) == ["account:1"]
    heard.refuse = lambda envelope: None
    assert deliver_all([crossing]) == 1


def test_bulk_news_never_stands_before_what_somebody_waits_for(databases: Databases) -> None:
    heard = Heard()
    for number in range(300):
        tell(databases.billing, f"account:{number}", bulk=True)
    tell(databases.billing, "account:now")
    deliver_all([heard.crossing(databases)], list(INTERACTIVE_LANES))
    assert heard.order == [("account:now", 1)]


def test_an_aggregate_with_facts_in_two_lanes_keeps_its_order(databases: Databases) -> None:
    heard = Heard()
    tell(databases.billing, "account:1", bulk=True)
    tell(databases.billing, "account:1")
    tell(databases.billing, "account:1", bulk=True)
    deliver_all([heard.crossing(databases)])
    assert heard.order == [("account:1", 1), ("account:1", 2), ("account:1", 3)]


def _delete_pending(database: Database, seq: int) -> None:
    table = database.platform.fact_pending
    database.write(lambda connection: connection.execute(delete(table).where(table.c.seq == seq)))


def test_a_gap_is_asked_for_again_from_the_outbox(databases: Databases) -> None:
    heard = Heard()
    for _ in range(3):
        tell(databases.billing, "account:1")
    _delete_pending(databases.billing, 2)
    deliver_all([heard.crossing(databases)])
    assert heard.order == [("account:1", 1), ("account:1", 2), ("account:1", 3)]


def test_a_gap_the_outbox_cannot_fill_parks_and_says_so(databases: Databases) -> None:
    heard = Heard()
    for _ in range(3):
        tell(databases.billing, "account:1")
    _delete_pending(databases.billing, 2)
    out = databases.billing.platform.fact_out
    databases.billing.write(lambda connection: connection.execute(delete(out).where(out.c.seq == 2)))
    deliver_all([heard.crossing(databases)])
    (parked,) = list_parked(databases.billing)
    assert parked.error == "FactGap: fact 2 is not in the outbox any more"
    assert applied(databases.business, "account:1") == 1


def test_a_receiver_restored_to_the_past_is_sent_what_it_lacks(databases: Databases) -> None:
    heard = Heard()
    crossing = heard.crossing(databases)
    for _ in range(4):
        tell(databases.billing, "account:1")
    deliver_all([crossing])
    _rewind_receiver(databases.business, "account:1", 2)
    assert compare(databases.billing, databases.business).missing == 2
    done = replay(databases.billing, databases.business)
    assert (done.queued, done.lost_future) == (2, 0)
    deliver_all([crossing])
    assert applied(databases.business, "account:1") == 4
    assert replay(databases.billing, databases.business).queued == 0


def _rewind_receiver(target: Database, aggregate: str, seq: int) -> None:
    """As if the receiver had been restored to when it had applied ``seq`` facts."""
    tables = target.platform

    def work(connection: object) -> None:
        connection.execute(delete(tables.fact_in).where(tables.fact_in.c.seq > seq))  # type: ignore[attr-defined]
        connection.execute(update(tables.fact_cursor).values(seq=seq))  # type: ignore[attr-defined]
        connection.execute(update(tables.number_counter).where(  # type: ignore[attr-defined]
            tables.number_counter.c.counter_name == f"heard {aggregate}").values(next_value=seq + 1))

    target.write(work)


def _rewind_sender(source: Database, aggregate: str, seq: int) -> None:
    """As if the sender had been restored to when it had told ``seq`` facts and all were confirmed."""
    tables = source.platform

    def work(connection: object) -> None:
        connection.execute(delete(tables.fact_pending).where(tables.fact_pending.c.seq > seq))  # type: ignore[attr-defined]
        connection.execute(delete(tables.fact_out).where(tables.fact_out.c.seq > seq))  # type: ignore[attr-defined]
        connection.execute(update(tables.fact_aggregate).values(last_seq=seq))  # type: ignore[attr-defined]

    source.write(work)


def test_a_restored_sender_is_noticed_by_itself_and_its_lost_future_is_named(databases: Databases) -> None:
    heard = Heard()
    crossing = heard.crossing(databases)
    for number in range(1, 6):
        tell(databases.billing, "account:1", account_news(number))
    deliver_all([crossing])
    _rewind_sender(databases.billing, "account:1", 3)
    # Number 4 again, with other content: without epochs the receiver would take it for done and lose it.
    tell(databases.billing, "account:1", account_news(44))
    deliver_all([crossing])
    assert applied(databases.business, "account:1") == 6
    difference = databases.business.platform.fact_difference
    with databases.business.reading() as connection:
        named = connection.execute(select(difference.c.seq, difference.c.epoch).order_by(difference.c.seq)).all()
    assert [tuple(row) for row in named] == [(4, 1), (5, 1)]
    assert pending_count(databases.billing) == 0
    tell(databases.billing, "account:1", account_news(45))
    deliver_all([crossing])
    assert applied(databases.business, "account:1") == 7
    assert list_parked(databases.billing) == []


def test_a_restored_sender_without_new_news_is_found_by_replay(databases: Databases) -> None:
    heard = Heard()
    for number in range(1, 6):
        tell(databases.billing, "account:1", account_news(number))
    deliver_all([heard.crossing(databases)])
    _rewind_sender(databases.billing, "account:1", 3)
    done = replay(databases.billing, databases.business)
    assert (done.lost_future, done.epoch) == (1, 2)
    with databases.business.reading() as connection:
        named = connection.execute(select(databases.business.platform.fact_difference.c.seq)).scalars().all()
    assert sorted(named) == [4, 5]
    tell(databases.billing, "account:1", account_news(44))
    assert deliver_all([heard.crossing(databases)]) >= 1
    assert applied(databases.business, "account:1") == 6
    assert compare(databases.billing, databases.business).missing == 0


def test_unconfirmed_facts_renumbered_into_an_epoch_are_not_applied_twice(databases: Databases) -> None:
    """The sender was restored to just before a confirmation: the fact is told under a new number, applied once."""
    heard = Heard()
    crossing = heard.crossing(databases)
    tell(databases.billing, "account:1", account_news(1))
    tell(databases.billing, "account:1", account_news(2))
    deliver_all([crossing])
    # The confirmation of fact 2 is undone by the restore.
    out, pending = databases.billing.platform.fact_out, databases.billing.platform.fact_pending
    with databases.billing.reading() as connection:
        row = connection.execute(select(out).where(out.c.seq == 2)).one()
    databases.billing.write(lambda connection: connection.execute(insert(pending).values(
        lane_no=row.lane_no, aggregate=row.aggregate, seq=2, epoch=1, fact_id=row.fact_id)))
    assert begin_epoch(databases.billing) == 2
    tell(databases.billing, "account:1", account_news(3))
    deliver_all([crossing])
    assert applied(databases.business, "account:1") == 3
    with databases.business.reading() as connection:
        assert connection.execute(select(databases.business.platform.fact_difference)).all() == []
    assert (pending_count(databases.billing), list_parked(databases.billing)) == (0, [])


def test_an_emptied_receiver_gets_the_facts_of_every_epoch(databases: Databases) -> None:
    heard = Heard()
    crossing = heard.crossing(databases)
    tell(databases.billing, "account:1")
    tell(databases.billing, "account:1")
    deliver_all([crossing])
    begin_epoch(databases.billing)
    tell(databases.billing, "account:1")
    deliver_all([crossing])
    tables = databases.business.platform
    for table in (tables.fact_in, tables.fact_cursor, tables.number_counter):
        databases.business.write(lambda connection, t=table: connection.execute(delete(t)))
    tell(databases.billing, "account:1")
    heard.order.clear()
    deliver_all([crossing])
    assert heard.order == [("account:1", 1), ("account:1", 2), ("account:1", 3), ("account:1", 4)]


def test_an_act_waits_for_the_news_it_builds_on(databases: Databases) -> None:
    heard = Heard()
    (token,) = tell(databases.billing, "account:1").after
    with pytest.raises(CopyBehind):
        wait_for_news(databases.business, [token], timeout_s=0.05)
    wait_for_news(databases.billing, [token], timeout_s=0.05)  # its own news need not cross
    deliver_all([heard.crossing(databases)])
    wait_for_news(databases.business, [token], timeout_s=0.05)
    for bad in ("account:1", "@1", "a@-1", "a@1.5", "x" * 81 + "@1", "a@" + "9" * 20):
        with pytest.raises(InputNotValid):
            wait_for_news(databases.business, [bad])
