"""A usage file from its bytes to rated rows: registered, decoded, made unique, guided, rated, stored; piece by piece.

While some pieces are written the next are made. It may be killed anywhere and started again: pieces depend on the file
alone, a piece is counted once, and every write turn holds its rows together with their identities. Files are taken one
at a time, so two with the same calls cannot both find them new.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from server_api.billing.rating.ahead import Ahead
from server_api.billing.rating.batches import BatchWriter, as_stored
from server_api.billing.rating.guide import load_guide
from server_api.billing.rating.included import deal_included_units
from server_api.billing.rating.piece import MadePiece, Order, made_pieces
from server_api.billing.rating.retry import retry_pool
from server_api.billing.rating.turns import TurnSize
from server_api.billing.usage import service as usage_service
from server_api.billing.usage import store as usage_store
from server_api.billing.usage.formats.registry import UsageSource, open_usage
from server_api.billing.usage.parts.join import join_late_parts
from server_api.billing.usage.policy import policy
from server_api.billing.usage.taken import Taken
from server_api.billing.usage.traffic.store import write_traffic
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from shared_models.contracts.usage import UsageFileReport
from shared_models.contracts.work import WorkContext, system_context
from shared_models.values.clock import SystemClock, town_day
from shared_models.values.faults.base import Fault
from shared_models.values.faults.usage import ImportCancelled, UsageBeingImported
from shared_models.values.ids import derived_id, new_id
from shared_models.values.period import Month

_log = logging.getLogger("onehall.usage")
LEASE_S = 30
_RENEW_NS = 5_000_000_000
#: Rated calls that may wait to be written (some hundred bytes each); the more are written together, the fewer pages a
#: row costs.
_MOST_WAITING = 1_500_000
#: progress(bytes done, bytes in all, records read so far)
Progress = Callable[[int, int, int], None]


@dataclass
class _Import:
    """An import while it runs."""

    database: Database
    order: Order
    worker: str
    cancelled: Callable[[], bool]
    size: TurnSize
    renewed_ns: int = 0

    @property
    def source(self) -> UsageSource:
        return self.order.source

    @property
    def file_no(self) -> int:
        return self.order.file_no

    def beat(self) -> None:
        """Between turns: stop if asked to, and keep the file ours."""
        if self.cancelled():
            raise ImportCancelled(file=self.source.path.name)
        if time.monotonic_ns() - self.renewed_ns > _RENEW_NS:
            self.renewed_ns = time.monotonic_ns()
            until = SystemClock().now() + timedelta(seconds=LEASE_S)
            if not self.database.write(lambda conn: usage_store.renew_lease(conn, self.file_no, self.worker, until)):
                raise UsageBeingImported(file=self.source.path.name)


def import_file(
    database: Database,
    path: Path,
    *,
    format_code: str | None = None,
    switch_code: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    context: WorkContext | None = None,
    deal: bool = True,
) -> UsageFileReport:
    """Bring a usage file in and rate it; an import begun earlier is gone on with.

    With ``deal`` included units are dealt out at the end. Raises AlreadyRegistered, UsageBeingImported, ImportCancelled
    and what open_usage raises.
    """
    source = open_usage(path, format_code)
    switch = switch_code or policy().switch_code
    act = Act(
        derived_id("usage_file", source.sha256, new_id()),
        "usage.register",
        digest_of({"sha256": source.sha256, "switch": switch}),
        context or system_context("usage import"),
    )
    outcome = perform(database, act, lambda uow: usage_service.register_file(uow, source=source, switch_code=switch))
    registered = UsageFileReport.model_validate_json(outcome.reply)
    run = _claimed(database, source, registered.file_no, switch, cancelled)
    try:
        _pieces(run, progress)
        if deal:
            deal_included_units(database, beat=run.beat)
        database.write(lambda conn: usage_store.file_done(conn, run.file_no, database.clock.now()))
    except BaseException:
        _let_go(run)
        raise
    if source.joined is not None and source.joined.open_ends:
        # parts of long calls lie in this file: those in others may make them whole
        late = join_late_parts(database)
        if late.owner_keys:
            retry_pool(database, late.owner_keys)
    with database.reading() as conn:
        return usage_service.report_of(conn, run.file_no)


def _let_go(run: _Import) -> None:
    """Give the file back. On a disk that is full or a database that is away it stays ours until the lease ends."""
    try:
        run.database.write(lambda conn: usage_store.let_go(conn, run.file_no, run.worker))
    except Fault as trouble:
        _log.warning("usage file %s could not be given back: %s", run.file_no, trouble)


def _claimed(
    database: Database, source: UsageSource, file_no: int, switch: str, cancelled: Callable[[], bool]
) -> _Import:
    """Take the right to import, also from a worker of this machine that died."""
    worker = f"{socket.gethostname()[:30]}:{os.getpid()}:{new_id()[:8]}"
    now = SystemClock().now()

    def claim(conn: object) -> bool:
        usage_store.free_dead(conn, _is_dead)  # type: ignore[arg-type]
        return usage_store.claim_file(conn, file_no, worker, now, now + timedelta(seconds=LEASE_S))  # type: ignore[arg-type]

    if not database.write(claim):
        raise UsageBeingImported(file=source.path.name)
    with database.reading() as conn:
        row = usage_store.file_by_no(conn, file_no)
    assert row is not None
    limits = policy()
    registered_s = int(row.registered_at.timestamp())
    order = Order(
        source,
        load_guide(database, source.service),
        file_no,
        row.switch_code,
        oldest_s=registered_s - limits.max_age_days * 86_400,
        newest_s=registered_s + limits.max_ahead_s,
        undated_month=Month.of(town_day(row.registered_at)).yyyymm,
    )
    return _Import(database, order, worker, cancelled, TurnSize(database), time.monotonic_ns())


def _is_dead(worker: str) -> bool:
    """True for a process of this machine that is no more."""
    host, _, rest = worker.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname()[:30] or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OSError):
        return False
    return False


def _pieces(run: _Import, progress: Progress | None) -> None:
    """Make pieces on one thread and write those that wait on this one, until the file is through."""
    with run.database.reading() as conn:
        row = usage_store.file_by_no(conn, run.file_no)
    assert row is not None
    if row.piece_count != len(run.source.pieces):
        # Another release cuts files elsewhere. What is stored is found by its identities; the counts begin anew.
        run.database.write(lambda conn: usage_store.begin_again(conn, run.file_no, len(run.source.pieces)))
        return _pieces(run, progress)
    taken = Taken(run.database, run.file_no, row.pieces_done)
    writer = BatchWriter(run.database, run.order.guide, run.file_no, run.beat, run.size)
    pieces = made_pieces(run.order, taken, row.pieces_done, row.lines_done)
    read = row.read_count
    with Ahead(pieces, _MOST_WAITING, lambda piece: piece.weight) as ahead:
        for made in ahead.taken(run.beat):
            own, next_turn = taken.own
            some = [as_stored(run.database, run.file_no, piece, own) for piece in made]
            writer.write(some, next_turn, _telling(run, progress, some, read))
            counts = {name: sum(piece.counts[name] for piece in some) for name in usage_store.COUNTS}
            _count(run, some, counts)
            read += counts["read_count"]
            if progress is not None:
                progress(some[-1].piece.end, run.source.byte_count, read)
            run.beat()


def _telling(run: _Import, progress: Progress | None, some: list[MadePiece], read: int) -> Callable[[int, int], None]:
    """Say how far a batch is, by its rows: one may take many seconds."""
    begin, end = some[0].piece.begin, some[-1].piece.end
    records = sum(piece.counts["read_count"] for piece in some)

    def tell(done: int, of: int) -> None:
        if progress is not None and done < of:
            progress(begin + (end - begin) * done // of, run.source.byte_count, read + records * done // of)

    return tell


def _count(run: _Import, some: list[MadePiece], counts: dict[str, int]) -> None:
    """Store the traffic of pieces, then count them."""
    for piece in some:
        if piece.traffic is not None:
            write_traffic(run.database, run.file_no, piece.piece.number, piece.traffic, run.beat)
    first, following = some[0].piece.number, some[-1].piece.number + 1
    lines = sum(piece.line_count for piece in some)
    run.database.write(lambda conn: usage_store.pieces_done(conn, run.file_no, first, following, lines, counts))
