"""A usage file from its bytes to rated rows: registered, decoded, made unique, guided, rated, stored; piece by piece.

It may be killed anywhere and started again: pieces depend on the file alone, a piece is counted once, and every write
turn holds its rows together with their identities. Files are taken one at a time, so two with the same calls cannot
both find them new.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from server_api.billing.rating.guide import Guide, load_guide
from server_api.billing.rating.included import deal_included_units, with_steps
from server_api.billing.rating.rater import rate
from server_api.billing.rating.turns import TurnSize
from server_api.billing.rating.writing import PieceWriter, pool_rows, rated_rows
from server_api.billing.usage import service as usage_service
from server_api.billing.usage import store as usage_store
from server_api.billing.usage.formats.registry import Piece, UsageSource, open_usage
from server_api.billing.usage.policy import policy
from server_api.billing.usage.ready import made_ready
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from shared_models.contracts.usage import UsageFileReport
from shared_models.contracts.work import WorkContext, system_context
from shared_models.values.clock import SystemClock, town_day
from shared_models.values.faults.usage import ImportCancelled, UsageBeingImported
from shared_models.values.ids import derived_id, new_id
from shared_models.values.period import Month

LEASE_S = 30
_RENEW_NS = 5_000_000_000
#: progress(bytes done, bytes in all, records read so far)
Progress = Callable[[int, int, int], None]


@dataclass
class _Import:
    """An import while it runs."""

    database: Database
    source: UsageSource
    guide: Guide
    file_no: int
    switch_code: str
    undated_month: int
    worker: str
    oldest_s: int
    newest_s: int
    cancelled: Callable[[], bool]
    size: TurnSize
    renewed_ns: int = 0
    taken: dict[int, npt.NDArray[np.int64]] = field(default_factory=dict)

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
        database.write(lambda conn: usage_store.let_go(conn, run.file_no, run.worker))
        raise
    with database.reading() as conn:
        return usage_service.report_of(conn, run.file_no)


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
    return _Import(
        database,
        source,
        load_guide(database, source.service),
        file_no,
        row.switch_code,
        Month.of(town_day(row.registered_at)).yyyymm,
        worker,
        oldest_s=registered_s - limits.max_age_days * 86_400,
        newest_s=registered_s + limits.max_ahead_s,
        cancelled=cancelled,
        size=TurnSize(database),
        renewed_ns=time.monotonic_ns(),
    )


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
    with run.database.reading() as conn:
        row = usage_store.file_by_no(conn, run.file_no)
    assert row is not None
    lines, read = row.lines_done, row.read_count
    for piece in run.source.pieces[row.pieces_done :]:
        run.beat()
        counted, line_count = _piece(run, piece, lines)
        number, counts, these_lines = piece.number, counted, line_count
        run.database.write(
            lambda conn, n=number, c=counts, x=these_lines: usage_store.piece_done(conn, run.file_no, n, x, c)  # type: ignore[misc]
        )
        lines += line_count
        read += counted["read_count"]
        if progress is not None:
            progress(piece.end, run.source.byte_count, read)


def _piece(run: _Import, piece: Piece, first_line: int) -> tuple[dict[str, int], int]:
    """Rate and store one piece; its counts and how many lines it has."""
    decoded, absorbed = run.source.decode(piece, first_line)
    ready = made_ready(decoded.records, run.source.service, run.switch_code, run.oldest_s, run.newest_s)
    good = ready.filter(pl.col("reason") == 0)
    months = good["period"].unique().to_list()
    own, first_turn = _learn_taken(run, months, piece.number)
    fresh_mask = _fresh(good, run.taken)
    duplicates = int(len(good) - fresh_mask.sum())
    fresh = good.filter(pl.Series(fresh_mask))
    longest = policy().max_call_s if run.source.service == "voice" else policy().max_session_s
    rated = rate(
        fresh.lazy().drop("reason"), run.guide.tariffs, run.guide.owners, included=False, longest_s=longest
    ).collect()
    accepted = rated.filter(pl.col("reason") == 0)
    aside = pl.concat([ready.filter(pl.col("reason") != 0), rated.filter(pl.col("reason") != 0).select(ready.columns)])
    _store(run, piece, accepted, aside, decoded.raw, own, first_turn)
    for month in months:
        new = fresh.filter(pl.col("period") == month)["usage_id"].to_numpy()
        run.taken[month] = np.sort(np.concatenate([run.taken[month], new]), kind="stable")
    read = decoded.record_count - absorbed
    counts = {
        "record_count": decoded.record_count,
        "joined_count": absorbed,
        "read_count": read,
        "accepted_count": read - len(aside) - duplicates,
        "rejected_count": len(aside),
        "duplicate_count": duplicates,
        "charge_micro_yuan": int(accepted["charge_micro_yuan"].sum()),
    }
    return counts, decoded.line_count


def _learn_taken(run: _Import, months: list[int], piece_no: int) -> tuple[npt.NDArray[np.int64], int]:
    """Fill ``run.taken`` for the months; the identities this very piece stored before a crash, and its next turn."""
    own: list[npt.NDArray[np.int64]] = [np.zeros(0, np.int64)]
    turn = 0
    with run.database.reading() as conn:
        for month in months:
            if month in run.taken:
                continue
            others, mine, turns = usage_store.seen(conn, [month], run.file_no, piece_no)
            run.taken[month] = others
            own.append(mine)
            turn = max(turn, turns)
    return np.concatenate(own), turn


def _fresh(good: pl.DataFrame, taken: dict[int, npt.NDArray[np.int64]]) -> npt.NDArray[np.bool_]:
    """True for calls seen nowhere before, and for the first of those that come twice in this piece."""
    fresh = good["usage_id"].is_first_distinct().to_numpy().copy()
    identities, months = good["usage_id"].to_numpy(), good["period"].to_numpy()
    for month in np.unique(months):
        known = taken.get(int(month), np.zeros(0, np.int64))
        if len(known):
            here = np.flatnonzero(months == month)
            at = np.minimum(np.searchsorted(known, identities[here]), len(known) - 1)
            fresh[here] &= known[at] != identities[here]
    return fresh


def _store(
    run: _Import,
    piece: Piece,
    accepted: pl.DataFrame,
    aside: pl.DataFrame,
    raw: pl.DataFrame,
    own: npt.NDArray[np.int64],
    first_turn: int,
) -> None:
    writer = PieceWriter(run.database, run.guide, run.file_no, piece.number, first_turn, run.beat, run.size)
    rows = rated_rows(accepted, run.guide, run.file_no)
    writer.mark_due(rows)
    pooled = pool_rows(aside, raw, run.file_no, run.source.service, run.undated_month)
    if len(own):  # going on after a crash: what is there is there
        stored = pl.Series(own)
        rows = rows.filter(~pl.col("usage_id").is_in(stored.implode()))
        accepted = accepted.filter(~pl.col("usage_id").is_in(stored.implode()))
    pooled = _not_pooled_yet(run, piece, pooled)
    writer.write_rated(rows, with_steps(accepted, run.guide.tariffs))
    writer.write_pool(pooled)


def _not_pooled_yet(run: _Import, piece: Piece, pooled: pl.DataFrame) -> pl.DataFrame:
    if not len(pooled):
        return pooled
    places = pooled["file_pos"].to_list()
    months = pooled["period"].unique().to_list()
    with run.database.reading() as conn:
        known = usage_store.pooled_in_piece(conn, run.file_no, months, min(places), max(places) + 1)
    return pooled.filter(~pl.col("file_pos").is_in(list(known))) if known else pooled
