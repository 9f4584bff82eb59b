"""RADIUS messages in files: registered like any usage file, applied to their sessions, counted.

A chunk of messages, what became of the sessions, what is set aside and the counts of the file are one transaction: an
import killed anywhere goes on with the next chunk, and the same message is never counted twice.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from server_api.billing.usage import service, store
from server_api.billing.usage.formats import accounting_files
from server_api.billing.usage.formats.accounting_files import Note
from server_api.billing.usage.formats.registry import plain_file, sample_of, sha256_of
from server_api.billing.usage.radius.rules import APPLIED
from server_api.billing.usage.radius.take import HeardMeanwhile, take_messages
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from shared_models.contracts.usage import UsageFileReport
from shared_models.contracts.work import WorkContext, system_context
from shared_models.tables.billing.usage import usage_pool
from shared_models.values.clock import SystemClock, town_day
from shared_models.values.faults.usage import UsageBeingImported, UsageFileChanged
from shared_models.values.ids import derived_id, new_id
from shared_models.values.period import Month

_CHUNK = 200
_LEASE_S = 30
_LONGEST = 1_048_576
_BLOCK = 1_048_576


@dataclass(frozen=True)
class AccountingFile:
    """A file of messages."""

    path: Path
    format_code: str
    sha256: str
    byte_count: int
    piece_count: int = 0


def is_accounting(path: Path) -> str:
    """radius_detail or radius_csv for a file of RADIUS messages, '' for any other. Raises what opening it raises."""
    return accounting_files.looks_like(sample_of(path, plain_file(path)[0]).head)


def take_file(
    database: Database, path: Path, *, context: WorkContext | None = None, cancelled: Callable[[], None] = lambda: None
) -> UsageFileReport:
    """Apply all messages of a file to their sessions; one begun before is gone on with.

    read = accepted (said something new) + duplicate (repeated or late) + rejected (set aside with a reason). Raises
    AlreadyRegistered, UsageBeingImported, UsageFileChanged.
    """
    seen = plain_file(path)
    source = AccountingFile(path, is_accounting(path), sha256_of(path, None), seen[0])
    act = Act(
        derived_id("usage_file", source.sha256, new_id()),
        "usage.register",
        digest_of({"sha256": source.sha256, "switch": "RADIUS"}),
        context or system_context("usage import"),
    )
    outcome = perform(database, act, lambda uow: service.register_file(uow, source=source, switch_code="RADIUS"))
    file_no = UsageFileReport.model_validate_json(outcome.reply).file_no
    worker = f"{socket.gethostname()[:30]}:{os.getpid()}:{new_id()[:8]}"
    _claim(database, path, file_no, worker)
    try:
        _chunks(database, source, file_no, worker, cancelled)
        if plain_file(path) != seen:
            raise UsageFileChanged(file=path.name)
        database.write(lambda conn: store.file_done(conn, file_no, database.clock.now()))
    except BaseException:
        database.write(lambda conn: store.let_go(conn, file_no, worker))
        raise
    with database.reading() as conn:
        return service.report_of(conn, file_no)


def _claim(database: Database, path: Path, file_no: int, worker: str) -> None:
    now = SystemClock().now()
    until = now + timedelta(seconds=_LEASE_S)
    if not database.write(lambda conn: store.claim_file(conn, file_no, worker, now, until)):
        raise UsageBeingImported(file=path.name)


def _chunks(
    database: Database, source: AccountingFile, file_no: int, worker: str, cancelled: Callable[[], None]
) -> None:
    with database.reading() as conn:
        row = store.file_by_no(conn, file_no)
    assert row is not None
    month, now_s = Month.of(town_day(row.registered_at)).yyyymm, int(row.registered_at.timestamp())
    notes = accounting_files.notes(source.format_code, lines_of(source.path))
    number = row.pieces_done
    for _done in islice(notes, number * _CHUNK):
        pass
    while chunk := list(islice(notes, _CHUNK)):
        cancelled()
        chunk = [accounting_files.believed(note, now_s) for note in chunk]
        until = SystemClock().now() + timedelta(seconds=_LEASE_S)
        if not database.write(lambda conn, u=until: store.renew_lease(conn, file_no, worker, u)):  # type: ignore[misc]
            raise UsageBeingImported(file=source.path.name)
        _chunk(database, file_no, number, month, chunk)
        number += 1


def _chunk(database: Database, file_no: int, number: int, month: int, chunk: list[Note]) -> None:
    """Apply a chunk, once: sessions, error pool and counts together."""
    messages = [note.message for note in chunk if note.message is not None]
    aside = [pool_row(month, file_no, note.place, note) for note in chunk if note.message is None]
    for last in (False, False, False, True):
        try:
            with database.batch() as conn:
                verdicts = take_messages(conn, messages, database.clock.now())
                database.bulk_insert(conn, usage_pool, store.POOL_COLUMNS, aside)
                applied = verdicts.count(APPLIED)
                counts = {"record_count": len(chunk), "read_count": len(chunk), "accepted_count": applied}
                counts |= {"rejected_count": len(aside), "duplicate_count": len(verdicts) - applied}
                store.pieces_done(conn, file_no, number, number + 1, 0, counts)
            return
        except HeardMeanwhile:
            if last:
                raise


def pool_row(month: int, file_no: int, place: int, note: Note) -> tuple[Any, ...]:
    """A message that is none, for the error pool."""
    values: dict[str, Any] = dict.fromkeys(store.POOL_COLUMNS)
    values |= {"period": month, "file_no": file_no, "file_pos": place, "reason": note.reason, "state": "waiting"}
    values |= {"service": "broadband", "owner_key": "-", "raw_record": note.raw or None}
    return tuple(values[name] for name in store.POOL_COLUMNS)


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file without their ends; of one too long to be a line only the beginning, never all of it."""
    rest = b""
    skipping = False
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            for line in lines:
                if not skipping:
                    yield line
                skipping = False
            if len(rest) > _LONGEST:
                if not skipping:
                    yield rest[:_LONGEST]
                skipping, rest = True, b""
    if rest and not skipping:
        yield rest
