"""What messages say of a session: repeated, late, mixed up, gone round; and what of it is rated."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server_api.billing.usage.formats.accounting_files import (
    CSV,
    DETAIL,
    INTERIM,
    START,
    STOP,
    Message,
    looks_like,
    notes,
)
from server_api.billing.usage.radius.rules import APPLIED, REPEATED, Session, cut, heard, silent

BEGIN = 1_795_310_130
DETAIL_FILE = b"""Sun Nov 22 09:15:30 2026
\tPacket-Type = Accounting-Request
\tUser-Name = "KD3961234"
\tNAS-IP-Address = 127.0.0.1
\tFramed-IP-Address = 10.20.0.5
\tAcct-Status-Type = Start
\tAcct-Session-Id = "0000A1"
\tEvent-Timestamp = "Nov 22 2026 09:15:30 CST"
\tTimestamp = 1795310130

Sun Nov 22 10:15:30 2026
\tUser-Name = "KD3961234"
\tNAS-IP-Address = 127.0.0.1
\tAcct-Status-Type = Stop
\tAcct-Session-Id = "0000A1"
\tAcct-Input-Octets = 123456789
\tAcct-Output-Octets = 705032704
\tAcct-Input-Gigawords = 0
\tAcct-Output-Gigawords = 1
\tAcct-Session-Time = 3600
\tAcct-Terminate-Cause = User-Request
\tAcct-Delay-Time = 5
\tTimestamp = 1795313735
"""


def message(status: int, after_s: int, octets: int = 0, **more: object) -> Message:
    values = {"nas": "10.0.0.1", "session": "A1", "login": "kd1", **more}
    return Message(
        status=status, at_s=BEGIN + after_s, seconds=after_s, octets_in=octets, octets_out=octets // 2, **values
    )  # type: ignore[arg-type]


def told(*messages: Message, known: Session | None = None) -> Session:
    for one in messages:
        _before, known, _verdict = heard([known] if known else [], one)
    assert known is not None
    return known


def test_a_detail_file() -> None:
    assert looks_like(DETAIL_FILE) == DETAIL
    start, stop = (note.message for note in notes(DETAIL, iter(DETAIL_FILE.split(b"\n"))))
    assert start is not None and stop is not None
    assert (start.status, start.login, start.at_s, start.address) == (START, "kd3961234", BEGIN, "10.20.0.5")
    # totals: gigawords times 2^32 and the rest; the delay is taken off the time it came
    assert (stop.octets_in, stop.octets_out) == (123_456_789, 5_000_000_000)
    assert (stop.status, stop.seconds, stop.at_s, stop.cause) == (STOP, 3_600, BEGIN + 3_600, 1)


def test_sessions_and_messages_as_csv() -> None:
    rows = (
        b"radacctid,acctsessionid,username,nasipaddress,acctstarttime,acctstoptime,acctsessiontime,acctinputoctets,"
        b"acctoutputoctets\n"
        b"1,0000A1,kd1,10.0.0.1,2026-11-22 09:15:30,2026-11-22 10:15:30,3600,5000000000,7\n"
        b"2,0000A2,kd2,10.0.0.1,2026-11-22 09:15:30,,60,5,7\n"
        b"3,0000A3,kd3,10.0.0.1,,,60,5,7\n4,x\n"
    )
    assert looks_like(rows) == CSV
    closed, going, broken, short = notes(CSV, iter(rows.split(b"\n")[:-1]))
    assert closed.message is not None and going.message is not None
    assert (closed.message.status, closed.message.at_s, closed.message.octets_in) == (
        STOP,
        BEGIN + 3_600,
        5_000_000_000,
    )
    assert not closed.message.wraps
    assert (going.message.status, going.message.at_s) == (INTERIM, BEGIN + 60)
    assert (broken.reason, short.reason) == ("unknown_record_type", "wrong_field_count")


def test_a_life() -> None:
    known = told(message(START, 0), message(INTERIM, 600, 1_000), message(STOP, 900, 1_500))
    assert (known.state, known.closed_by, known.duration_s, known.octets_in, known.octets_out) == (
        "closed",
        "stop",
        900,
        1_500,
        750,
    )


def test_repeated_and_late_messages_change_nothing() -> None:
    known = told(message(START, 0), message(STOP, 900, 1_500))
    for one in (message(STOP, 900, 1_500), message(INTERIM, 600, 1_000), message(START, 0)):
        before, after, verdict = heard([known], one)
        assert (before, verdict) == (None, REPEATED)
        assert replace(after, message_count=known.message_count) == known


def test_a_name_used_again_is_another_session() -> None:
    known = told(message(START, 0), message(INTERIM, 600, 1_000))
    before, after, verdict = heard([known], replace(message(START, 0), at_s=BEGIN + 5_000))
    assert before is not None
    assert (before.state, before.closed_by, after.run_no, after.octets_in, verdict) == (
        "closed",
        "restart",
        2,
        0,
        APPLIED,
    )


def test_a_late_message_finds_the_run_it_speaks_of() -> None:
    """The stop of the first run comes twice, the second time after the name is used again."""
    stop = message(STOP, 600, 1_000)
    first = told(message(START, 0), stop)
    _before, second, _verdict = heard([first], replace(message(START, 0), at_s=BEGIN + 5_000))
    before, after, verdict = heard([first, second], stop)
    assert (before, after.run_no, verdict, after.octets_in) == (None, 1, REPEATED, 1_000)
    old = replace(stop, at_s=BEGIN - 90_000)
    assert heard([first, second], old)[1:] == (heard([first, second], old)[1], APPLIED)
    assert heard([first, second], old)[1].run_no == 3


def test_a_counter_that_goes_round() -> None:
    """A server without gigawords: 4,000,000,000 then 100 is 4,294,967,396."""
    known = told(message(INTERIM, 600, 4_000_000_000, wraps=True), message(INTERIM, 1_200, 100, wraps=True))
    assert known.octets_in == 2**32 + 100
    late = told(message(INTERIM, 300, 50, wraps=True), known=known)
    assert late.octets_in == 2**32 + 100


def test_silence_is_not_the_end_of_what_may_be_heard() -> None:
    known = told(message(START, 0), message(INTERIM, 600, 1_000))
    quiet, piece = cut(silent(known))
    assert piece is not None and (piece.duration_s, piece.octets_in) == (600, 1_000)
    again = told(message(STOP, 900, 1_500), known=quiet)
    _done, rest = cut(again)
    assert rest is not None
    assert (rest.start_s, rest.duration_s, rest.octets_in, rest.session_name) == (
        BEGIN + 600,
        300,
        500,
        piece.session_name[:-1] + "2",
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 2**40)), min_size=1, max_size=12), st.randoms())
def test_any_order_any_repetition_any_cuts_give_the_same(steps: list[tuple[int, int]], chance: random.Random) -> None:
    """What is rated in the end is what the last message says, whatever came when and however often it was cut."""
    seconds = octets = 0
    messages = [message(START, 0)]
    for more_s, more in steps:
        seconds, octets = seconds + more_s, octets + more
        messages.append(message(INTERIM, seconds, octets))
    messages[-1] = replace(messages[-1], status=STOP)
    heap = messages + chance.choices(messages, k=len(messages))
    chance.shuffle(heap)
    known: Session | None = None
    pieces = []
    for one in heap:
        _before, known, _verdict = heard([known] if known else [], one)
        if chance.random() < 0.3:
            known, piece = cut(known)
            pieces += [piece] if piece else []
    assert known is not None
    known, piece = cut(known)
    pieces += [piece] if piece else []
    assert known.run_no == 1 and known.state == "closed"
    assert sum(one.octets_in for one in pieces) == octets
    assert sum(one.octets_out for one in pieces) == octets // 2
    assert sum(one.duration_s for one in pieces) == seconds
    assert len({one.session_name for one in pieces}) == len(pieces)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Acct-Status-Type = Dance", "unknown_record_type"),
        ("Acct-Session-Time = -1", "not_a_number"),
        ("Acct-Input-Octets = 99999999999999999999", "not_a_number"),
        ("Acct-Input-Gigawords = 4294967295", "not_a_number"),
        ("Timestamp = yesterday", "bad_time"),
        ('User-Name = "a b\0c"', "not_a_number"),
        ('User-Name = ""', "no_caller"),
    ],
)
def test_messages_that_are_none(line: str, reason: str) -> None:
    name = line.split(" ", 1)[0]
    stop = DETAIL_FILE.split(b"\n\n")[1].decode().split("\n")
    text = "\n".join([f"\t{line}" if row.startswith(f"\t{name} ") else row for row in stop])
    if line not in text:
        text += f"\t{line}\n"
    (note,) = notes(DETAIL, iter(text.encode().split(b"\n")))
    assert (note.reason, note.message) == (reason, None)
    assert line.replace("\0", "\\x00") in note.raw
