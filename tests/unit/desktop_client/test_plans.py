"""Carrying acts out: lost replies, refusals, crashes between steps; nothing doubled, nothing lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_client.gateway.trouble import Refused, Unreachable
from desktop_client.work.acts import ActKept, ActState, JournalNotUsable, Step, reply_of, segment
from desktop_client.work.journal import Journal
from desktop_client.work.plans import Courier
from desktop_client.work.runner import Cancelled, Ticket
from shared_models.contracts.problem import BothWords, Problem

OWNER = "o"
OK, LOST_BEFORE, LOST_AFTER, NO_LINE, BUSY, NO = "ok", "lost_before", "lost_after", "no_line", "busy", "no"


def refused(code: str, status: int = 409, retry: bool = False) -> Refused:
    words = BothWords(zh=code, en=code)
    return Refused(Problem(
        type=f"/problems/{code}", title=code, status=status, code=code, detail=words, remedy=words, retry=retry
    ))


class Server:
    """Books each act id once, as the real one does, and suffers as it is told."""

    def __init__(self, script: list[str] | None = None) -> None:
        self.script = list(script or [])
        self.booked: dict[str, tuple[str, dict[str, Any]]] = {}
        self.heard: list[str] = []

    def send_act(self, path: str, body: dict[str, Any], *, act_id: str, reason: str = "") -> dict[str, Any]:
        happens = self.script.pop(0) if self.script else OK
        self.heard.append(act_id)
        if happens == NO_LINE:
            raise Unreachable("no_connection", maybe_sent=False)
        if happens == LOST_BEFORE:
            raise Unreachable("connection_lost", maybe_sent=True)
        if happens == BUSY:
            raise refused("too_busy", 503, retry=True)
        if happens == NO:
            raise refused("till_not_open")
        self.booked.setdefault(act_id, (path, body))
        assert self.booked[act_id] == (path, body), "the same id must always say the same"
        if happens == LOST_AFTER:
            raise Unreachable("timeout", maybe_sent=True)
        return {"number": list(self.booked).index(act_id) + 1}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, use_keyring=False)


def courier(journal: Journal, server: Server) -> Courier:
    return Courier(journal, server, retry_after_s=(0.0, 0.0))


PLAN = [
    Step("open_account", "/accounts", {"name": "王"}),
    Step("pay", "/accounts/{open_account.number}/payments", {"account": reply_of("open_account", "number")}),
]


def test_a_lost_reply_is_asked_for_again_under_the_same_id(journal: Journal) -> None:
    server = Server([LOST_AFTER])
    sender = courier(journal, server)
    operation = sender.record([Step("pay", "/p", {})], owner=OWNER)
    with pytest.raises(ActKept):
        sender.carry_out(operation, Ticket())
    assert journal.plan(operation)[0].state is ActState.SENT
    outcome = sender.carry_out(operation, Ticket())
    assert outcome.last == {"number": 1}
    assert len(server.booked) == 1 and len(set(server.heard)) == 1


def test_a_later_step_uses_what_an_earlier_one_was_told(journal: Journal) -> None:
    server = Server()
    sender = courier(journal, server)
    outcome = sender.carry_out(sender.record(PLAN, owner=OWNER), Ticket())
    assert list(outcome.replies) == ["open_account", "pay"]
    assert list(server.booked.values())[1] == ("/accounts/1/payments", {"account": 1})


def test_a_plan_goes_on_at_the_first_unconfirmed_step(journal: Journal) -> None:
    server = Server([OK, LOST_BEFORE])
    sender = courier(journal, server)
    operation = sender.record(PLAN, owner=OWNER)
    with pytest.raises(ActKept):
        sender.carry_out(operation, Ticket())
    sender.carry_out(operation, Ticket())
    assert [act for act in server.heard if server.heard.count(act) == 1] == [server.heard[0]]


def test_busy_is_tried_again_a_few_times_and_then_kept(journal: Journal) -> None:
    server = Server([BUSY, BUSY, OK])
    sender = courier(journal, server)
    assert sender.carry_out(sender.record([Step("pay", "/p", {})], owner=OWNER), Ticket()).last["number"] == 1
    server.script = [BUSY, BUSY, BUSY]
    with pytest.raises(ActKept):
        sender.carry_out(sender.record([Step("pay", "/p", {})], owner=OWNER), Ticket())


def test_a_refused_act_is_gone_and_its_caller_knows(journal: Journal) -> None:
    sender = courier(journal, Server([NO]))
    operation = sender.record([Step("pay", "/p", {})], owner=OWNER)
    with pytest.raises(Refused):
        sender.carry_out(operation, Ticket())
    assert journal.open_entries() == []


def test_a_plan_refused_half_way_stays_to_be_seen(journal: Journal) -> None:
    sender = courier(journal, Server([OK, NO]))
    operation = sender.record(PLAN, owner=OWNER)
    with pytest.raises(Refused):
        sender.carry_out(operation, Ticket())
    assert [entry.state for entry in journal.plan(operation)] == [ActState.CONFIRMED, ActState.REFUSED]
    sender.done(operation)
    assert journal.open_entries() == []


def test_a_session_that_ended_keeps_the_act_for_after_signing_in(journal: Journal) -> None:
    class Ended(Server):
        def send_act(self, path: str, body: dict[str, Any], *, act_id: str, reason: str = "") -> dict[str, Any]:
            raise refused("not_signed_in", 401)

    sender = courier(journal, Ended())
    operation = sender.record([Step("pay", "/p", {})], owner=OWNER)
    with pytest.raises(ActKept):
        sender.carry_out(operation, Ticket())
    assert journal.unconfirmed_operations(OWNER) == [operation]


def test_a_cancelled_wait_leaves_the_act_to_be_resumed(journal: Journal) -> None:
    ticket = Ticket()
    ticket.cancel()
    sender = courier(journal, Server([BUSY]))
    operation = sender.record([Step("pay", "/p", {})], owner=OWNER)
    with pytest.raises(Cancelled):
        sender.carry_out(operation, ticket)
    assert journal.unconfirmed_operations(OWNER) == [operation]


def test_a_reply_that_cannot_be_written_down_is_asked_for_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    sender = courier(journal, server)
    operation = sender.record([Step("pay", "/p", {})], owner=OWNER)

    def full(*_: Any) -> None:
        raise JournalNotUsable("cannot_write", "disk full")

    with monkeypatch.context() as disk:
        disk.setattr(journal, "confirm", full)
        with pytest.raises(ActKept):
            sender.carry_out(operation, Ticket())
    assert sender.carry_out(operation, Ticket()).last == {"number": 1}
    assert len(server.booked) == 1


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    script=st.lists(st.sampled_from([OK, LOST_BEFORE, LOST_AFTER, NO_LINE, BUSY]), max_size=12),
    crash_at=st.sets(st.integers(0, 10), max_size=4),
)
def test_whatever_happens_each_act_is_booked_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, script: list[str], crash_at: set[int]
) -> None:
    """Faults in any order, and a crash of the client (a new journal object, nothing else kept) at any try."""
    folder = tmp_path_factory.mktemp("journal")
    server = Server(script)
    journal = Journal(folder, use_keyring=False)
    operation = courier(journal, server).record(PLAN, owner=OWNER)
    for attempt in range(40):
        if attempt in crash_at:
            journal.close()
            journal = Journal(folder, use_keyring=False)
        try:
            outcome = courier(journal, server).carry_out(operation, Ticket())
        except ActKept:
            continue
        assert outcome.replies == {"open_account": {"number": 1}, "pay": {"number": 2}}
        assert len(server.booked) == 2
        journal.clear(operation)
        journal.close()
        return
    raise AssertionError("forty tries were not enough")


@pytest.mark.parametrize(("text", "part"), [
    ("YM01-03-0000123", "YM01-03-0000123"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("收据", "%E6%94%B6%E6%8D%AE"),
])
def test_a_text_becomes_one_part_of_a_path(text: str, part: str) -> None:
    assert segment(text) == part


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_what_would_name_another_place_is_no_part_of_a_path(text: str) -> None:
    with pytest.raises(ValueError, match="names no part"):
        segment(text)


