"""Messages into sessions, durably, many in one transaction; sessions into pieces to be rated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from server_api.billing.usage.formats.accounting_files import Message, rules
from server_api.billing.usage.radius import store
from server_api.billing.usage.radius.rules import (
    APPLIED,
    BY_RESTART,
    CLOSED,
    REPEATED,
    Session,
    Slice,
    closes_all,
    cut,
    heard,
    session_key,
    silent,
)
from server_api.platform.database import Database
from shared_models.values.clock import town_day
from shared_models.values.period import Month

#: A turn of so many takes about ten milliseconds.
_AT_ONCE = 200
_TRIES = 5
_Place = tuple[str, int]


class HeardMeanwhile(Exception):
    """Another worker wrote one of these sessions; to be looked at again."""


@dataclass
class _Batch:
    """Sessions while messages are applied: the runs of each, as they were stored, and what is to be written."""

    runs: dict[str, list[Session]]
    stored: dict[_Place, Session]
    touched: dict[_Place, Session]

    def touch(self, one: Session) -> None:
        """Write this at the end."""
        self.touched[one.session_key, one.run_no] = one
        others = [run for run in self.runs.get(one.session_key, []) if run.run_no != one.run_no]
        self.runs[one.session_key] = sorted([*others, one], key=lambda run: run.run_no)


def take_batch(database: Database, messages: Sequence[Message], *, live: bool = False) -> list[str]:
    """Apply messages in one durable transaction; APPLIED or REPEATED for each. ``live``: somebody waits for it."""
    for _try in range(_TRIES - 1):
        try:
            return _taken(database, messages, live)
        except HeardMeanwhile:
            continue
    return _taken(database, messages, live)


def _taken(database: Database, messages: Sequence[Message], live: bool) -> list[str]:
    if live:
        return database.write(lambda conn: take_messages(conn, messages, database.clock.now()))
    with database.batch() as conn:
        return take_messages(conn, messages, database.clock.now())


def take_messages(conn: Connection, messages: Sequence[Message], now: datetime) -> list[str]:
    """Apply messages in the order they came, in the caller's transaction; APPLIED or REPEATED for each.

    Raises HeardMeanwhile.
    """
    runs = store.runs_of(conn, [session_key(one.nas, one.session) for one in messages if not closes_all(one)])
    batch = _Batch(runs, {(one.session_key, one.run_no): one for some in runs.values() for one in some}, {})
    verdicts: list[str] = []
    for message in messages:
        if closes_all(message):
            verdicts.append(_close_server(conn, message, batch))
            continue
        before, after, verdict = heard(batch.runs.get(session_key(message.nas, message.session), []), message)
        for one in (before, after):
            if one is not None:
                batch.touch(one)
        verdicts.append(verdict)
    new = [one for place, one in batch.touched.items() if place not in batch.stored]
    changed = [(batch.stored[place], one) for place, one in batch.touched.items() if place in batch.stored]
    if not store.put_heard(conn, new, [pair for pair in changed if pair[0] != pair[1]], now):
        raise HeardMeanwhile
    return verdicts


def _close_server(conn: Connection, message: Message, batch: _Batch) -> str:
    """Close what a server that starts anew had open, as far as it began before that."""
    theirs = {(one.session_key, one.run_no): one for one in store.open_of_server(conn, message.nas)}
    batch.stored |= {place: one for place, one in theirs.items() if place not in batch.stored}
    theirs |= {place: one for place, one in batch.touched.items() if one.nas_code == message.nas}
    verdict = REPEATED
    for one in theirs.values():
        if one.state != CLOSED and one.start_s < message.at_s:
            batch.touch(replace(one, state=CLOSED, closed_by=BY_RESTART, message_count=one.message_count + 1))
            verdict = APPLIED
    return verdict


def close_silent(database: Database, now_s: int) -> int:
    """Close sessions of which nothing was heard for as long as the policy says; how many."""
    count = 0
    while True:
        with database.batch() as conn:
            quiet = store.silent_since(conn, now_s - rules()["silence_s"], _AT_ONCE)
            if not store.put_heard(conn, [], [(one, silent(one)) for one in quiet], database.clock.now()):
                raise HeardMeanwhile
        count += len(quiet)
        if len(quiet) < _AT_ONCE:
            return count


def make_cut(database: Database) -> int | None:
    """Take what is not rated yet of sessions that are over, long, or begun in a month that is over, as pieces of a cut;
    its number, None for nothing.

    A cut begun before a crash is gone on with: pieces and what was taken of their sessions are written together.
    """
    waits_s = rules()["cut_open_after_s"]
    month_s = int(Month.of(town_day(database.clock.now())).starts_at.timestamp())
    with database.reading() as conn:
        begun = store.cuts_in(conn, "making")
        nothing = not begun and not store.with_rest(conn, waits_s, month_s, None, 1)
    if nothing:
        return None
    cut_no = begun[0].cut_no if begun else database.write(lambda conn: store.add_cut(conn, database.clock.now()))
    after: tuple[str, int] | None = None
    while True:
        with database.batch() as conn:
            number = store.slice_count(conn, cut_no) + 1
            some = store.with_rest(conn, waits_s, month_s, after, _AT_ONCE)
            pairs = [cut(one) for one in some]
            if not store.put_cut(conn, [taken for taken, piece in pairs if piece]):
                raise HeardMeanwhile
            store.add_slices(conn, cut_no, number, [piece for _taken, piece in pairs if piece])
            if len(some) < _AT_ONCE:
                store.set_cut(conn, cut_no, "made", store.slice_count(conn, cut_no))
                return int(cut_no)
        after = (some[-1].session_key, some[-1].run_no)


def slices(conn: Connection, cut_no: int) -> Iterator[Slice]:
    """The pieces of a cut."""
    for row in store.slices_of(conn, cut_no):
        yield Slice(
            session_key=row.session_key,
            run_no=row.run_no,
            session_name=row.session_name,
            login=row.login or "",
            address=row.address or "",
            start_s=row.start_s,
            duration_s=row.duration_s,
            octets_in=row.octets_in,
            octets_out=row.octets_out,
        )


def in_chunks(items: Iterable[Message], size: int = _AT_ONCE) -> Iterator[list[Message]]:
    """Some at a time."""
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk


def spool_name(folder: Path, cut_no: int) -> Path:
    """Where the file of a cut lies while it is rated."""
    return folder / f"radius-cut-{cut_no:08d}.csv"
