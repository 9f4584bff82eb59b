"""Acts and questions of usage files. Importing is rating's (rating/importer.py), which stands above this slice."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from server_api.billing.usage import store
from server_api.billing.usage.formats.reasons import town_moment
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.usage import PooledUsage, PooledUsagePage, UsageFileReport
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.faults.usage import AlreadyRegistered
from shared_models.values.money import MicroYuan

MOST_ROWS = 500


class Registrable(Protocol):
    """A file that can be registered: what it is known by, and in how many pieces it is read."""

    @property
    def path(self) -> Path: ...

    @property
    def sha256(self) -> str: ...

    @property
    def format_code(self) -> str: ...

    @property
    def byte_count(self) -> int: ...

    @property
    def piece_count(self) -> int: ...


def register_file(uow: UnitOfWork, *, source: Registrable, switch_code: str) -> UsageFileReport:
    """Register a usage file by its content, before anything of it is read.

    A file begun earlier and not finished comes back as it stands. Raises AlreadyRegistered for one that is in already,
    under whatever name.
    """
    known = store.file_by_sha(uow.conn, source.sha256)
    if known is not None:
        if known.state == "done":
            raise AlreadyRegistered(file=source.path.name, file_no=known.file_no, known_as=known.file_name or "")
        return report_of(uow.conn, known.file_no)
    file_no = store.add_file(
        uow.conn,
        sha256=source.sha256,
        file_name=source.path.name[:200],
        format_code=source.format_code,
        switch_code=switch_code,
        byte_count=source.byte_count,
        piece_count=source.piece_count,
        registered_at=uow.now,
    )
    return report_of(uow.conn, file_no)


def report_of(conn: Connection, file_no: int) -> UsageFileReport:
    """What became of a file. Raises NotFound."""
    row = store.file_by_no(conn, file_no)
    if row is None:
        raise NotFound(what="usage file", id=file_no)
    return UsageFileReport(
        file_no=row.file_no,
        file_name=row.file_name or "",
        sha256=row.sha256,
        format_code=row.format_code,
        state=row.state,
        record_count=row.record_count,
        joined_count=row.joined_count,
        read_count=row.read_count,
        accepted_count=row.accepted_count,
        traffic_count=row.traffic_count,
        rejected_count=row.rejected_count,
        duplicate_count=row.duplicate_count,
        charge_micro_yuan=MicroYuan(row.charge_micro_yuan),
        reasons=store.reasons_of(conn, file_no),
    )


def files(conn: Connection, *, before_no: int | None = None, limit: int = 50) -> list[UsageFileReport]:
    """The files taken, the latest first."""
    return [report_of(conn, row.file_no) for row in store.files(conn, before_no, max(1, min(limit, MOST_ROWS)))]


def errors(
    conn: Connection,
    *,
    reason: str | None = None,
    file_no: int | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> PooledUsagePage:
    """Records that wait in the error pool, with their reason and as they came."""
    after = _cursor(cursor) if cursor else None
    limit = max(1, min(limit, MOST_ROWS))
    rows = store.pool_page(conn, state="waiting", reason=reason, file_no=file_no, after=after, limit=limit + 1)
    items = tuple(
        PooledUsage(
            period=row.period,
            file_no=row.file_no,
            file_pos=row.file_pos,
            reason=row.reason,
            state=row.state,
            owner_key=row.owner_key,
            started=town_moment(row.start_s),
            duration_s=row.duration_s,
            called=row.called or "",
            raw_record=row.raw_record or "",
        )
        for row in rows[:limit]
    )
    more = f"{items[-1].period}.{items[-1].file_no}.{items[-1].file_pos}" if len(rows) > limit else None
    return PooledUsagePage(items=items, next_cursor=more)


def _cursor(text: str) -> tuple[int, int, int]:
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise InputNotValid(field="cursor", reason="not one of ours")
    return int(parts[0]), int(parts[1]), int(parts[2])
