"""What a message says of a session, given what was heard of it before. Pure.

Counters are totals since the session began and never fall: a message heard twice, or late, changes nothing. So however
messages are repeated, lost and mixed up, the greatest total heard is what was used. A counter that is smaller although
the session went on has gone round (2^32) where the server sends no gigawords.

**Source:** RFC 2866 (a stop closes a session; Accounting-On and -Off close all of a server), RFC 2869 (gigawords).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from server_api.billing.usage.formats.accounting_files import SERVER_OFF, SERVER_ON, START, STOP, Message, rules

OPEN, CLOSED = "open", "closed"
BY_STOP, BY_SILENCE, BY_RESTART = "stop", "silence", "restart"
APPLIED, REPEATED = "applied", "repeated"
_ROUND = 2**32


@dataclass(frozen=True)
class Session:
    """A session as far as it is known. ``cut_*`` is how much of it was taken to be rated."""

    session_key: str
    run_no: int
    nas_code: str
    session_id: str
    login: str
    address: str
    state: str
    closed_by: str | None
    cause: int | None
    start_s: int
    last_s: int
    duration_s: int
    octets_in: int
    octets_out: int
    cut_duration_s: int = 0
    cut_octets_in: int = 0
    cut_octets_out: int = 0
    slice_count: int = 0
    message_count: int = 0


def session_key(nas: str, session: str) -> str:
    """The key of a server's session.

    >>> session_key("10.0.0.1", "A1") == session_key("10.0.0.1", "A1") != session_key("10.0.0.1", "A2")
    True
    """
    return hashlib.sha256(f"{nas}\0{session}".encode()).hexdigest()


def closes_all(message: Message) -> bool:
    """True for a server that says it begins or ends: none of its sessions is left."""
    return message.status in (SERVER_ON, SERVER_OFF)


def heard(runs: Sequence[Session], message: Message) -> tuple[Session | None, Session, str]:
    """What a message makes of a session, given its runs so far (by number).

    Returns the run closed by this (the server uses the name again; else None), the run the message belongs to, and
    APPLIED or REPEATED (nothing new in it).
    """
    known = _run_of(runs, message)
    if known is not None:
        grown = _grown(known, message)
        return None, grown, REPEATED if _same(known, grown) else APPLIED
    last = runs[-1] if runs else None
    before = None
    if last is not None and last.state == OPEN and message.at_s - message.seconds > last.last_s:
        before = replace(last, state=CLOSED, closed_by=BY_RESTART)
    return before, _begun(message, last.run_no + 1 if last is not None else 1), APPLIED


def _run_of(runs: Sequence[Session], message: Message) -> Session | None:
    """The run a message speaks of: the latest that had begun by then; None for one not heard of before."""
    tolerance_s = rules()["start_tolerance_s"]
    begins = message.at_s - message.seconds
    for run in sorted(runs, key=lambda one: -one.start_s):
        if begins >= run.start_s - tolerance_s:
            return run if begins <= run.last_s + tolerance_s else None
    first = min(runs, key=lambda one: one.start_s, default=None)
    return first if first is not None and message.at_s >= first.start_s - tolerance_s else None


def _begun(message: Message, run_no: int) -> Session:
    stopped = message.status == STOP
    return Session(
        session_key=session_key(message.nas, message.session),
        run_no=run_no,
        nas_code=message.nas,
        session_id=message.session[:128],
        login=message.login,
        address=message.address,
        state=CLOSED if stopped else OPEN,
        closed_by=BY_STOP if stopped else None,
        cause=message.cause if stopped else None,
        start_s=message.at_s - message.seconds,
        last_s=message.at_s,
        duration_s=message.seconds,
        octets_in=message.octets_in,
        octets_out=message.octets_out,
        message_count=1,
    )


def _grown(known: Session, message: Message) -> Session:
    later = message.seconds >= known.duration_s and message.status != START
    stopped = message.status == STOP
    return replace(
        known,
        # a stop says more than silence did; an interim after a stop is a late one
        state=CLOSED if stopped else (OPEN if later and known.closed_by == BY_SILENCE else known.state),
        closed_by=BY_STOP if stopped else (None if later and known.closed_by == BY_SILENCE else known.closed_by),
        cause=message.cause if stopped and message.cause is not None else known.cause,
        address=known.address or message.address,
        last_s=max(known.last_s, message.at_s),
        duration_s=max(known.duration_s, message.seconds),
        message_count=known.message_count + 1,
        octets_in=_total(known.octets_in, message.octets_in, message.wraps and later),
        octets_out=_total(known.octets_out, message.octets_out, message.wraps and later),
    )


def _total(known: int, said: int, wraps: bool) -> int:
    """The greater total; where the server's counter goes round at 2^32, as often as it must have."""
    if not wraps or said >= _ROUND:
        return max(known, said)
    rounds = known // _ROUND
    total = rounds * _ROUND + said
    return total + _ROUND if total < known else total


def _same(known: Session, grown: Session) -> bool:
    return replace(grown, message_count=known.message_count, last_s=known.last_s) == known


def silent(known: Session) -> Session:
    """The session closed because nothing was heard of it."""
    return replace(known, state=CLOSED, closed_by=BY_SILENCE)


@dataclass(frozen=True)
class Slice:
    """What a session used since it was last cut: a usage record of its own."""

    session_key: str
    run_no: int
    session_name: str
    login: str
    address: str
    start_s: int
    duration_s: int
    octets_in: int
    octets_out: int


def cut(known: Session) -> tuple[Session, Slice | None]:
    """What of a session is not rated yet, and the session with that taken; None where there is nothing."""
    duration = known.duration_s - known.cut_duration_s
    octets_in, octets_out = known.octets_in - known.cut_octets_in, known.octets_out - known.cut_octets_out
    if duration <= 0 and octets_in <= 0 and octets_out <= 0:
        return known, None
    number = known.slice_count + 1
    piece = Slice(
        session_key=known.session_key,
        run_no=known.run_no,
        session_name=f"{known.session_key[:40]}.{known.run_no}.{number}",
        login=known.login,
        address=known.address,
        start_s=known.start_s + known.cut_duration_s,
        # octets that came without a second having passed are still octets: a record of no time would be an attempt
        duration_s=max(duration, 1),
        octets_in=octets_in,
        octets_out=octets_out,
    )
    taken = replace(
        known,
        cut_duration_s=max(known.duration_s, known.cut_duration_s + piece.duration_s),
        cut_octets_in=known.octets_in,
        cut_octets_out=known.octets_out,
        slice_count=number,
    )
    return taken, piece
