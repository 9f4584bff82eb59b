"""The audit trail: who looked at or did what. Entries are keyed digests, sealed into a chain in batches by a job.

No act waits for a global last row: an entry is one insert inside the act. The digests are HMACs under the
installation's key, so that whoever can change the database but has no key cannot make a changed entry look right.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from server_api.platform.database import Database
from server_api.platform.unit_of_work import UnitOfWork

SEAL_LIMIT = 2_000
_CHUNK = 500
_BEGINNING = "0" * 64


@dataclass(frozen=True)
class AuditReport:
    """What a check of the trail found; ``wrong`` names each entry or seal that does not hold."""

    sealed: int
    unsealed: int
    seals: int
    head: str
    wrong: list[str] = field(default_factory=list)


def note(uow: UnitOfWork, what: str, subject: str = "", remark: str = "") -> None:
    """Leave a line in the audit trail, inside the act. ``remark`` must hold no identity number and no secret."""
    entry = {
        "act_id": uow.act_id, "occurred_at": uow.now, "staff_id": uow.context.staff_id,
        "staff_no": uow.context.staff_no, "what": what, "subject": subject or None, "remark": remark.rstrip() or None,
    }
    uow.conn.execute(insert(uow.platform.audit_entry).values(entry_digest=_digest(uow.database, entry), **entry))


def _digest(database: Database, entry: dict[str, Any]) -> str:
    at: datetime = entry["occurred_at"]
    content = json.dumps([
        database.role, entry["act_id"], at.astimezone(timezone.utc).isoformat(timespec="microseconds"),
        entry["staff_id"], entry["staff_no"], entry["what"], entry["subject"], entry["remark"],
    ], ensure_ascii=False)
    return hmac.new(database.secrets.audit_key, content.encode(), hashlib.sha256).hexdigest()


def _seal_digest(database: Database, seal_no: int, previous: str, entries: list[tuple[int, str]]) -> str:
    head = f"{database.role}|{seal_no}|{previous}|{len(entries)}"
    mac = hmac.new(database.secrets.audit_key, head.encode(), hashlib.sha256)
    for entry_id, digest in entries:
        mac.update(f"|{entry_id}:{digest}".encode())
    return mac.hexdigest()


def seal(database: Database) -> int:
    """Seal what has no seal yet into the chain, one batch; returns how many entries."""
    return database.write(lambda connection: _seal(database, connection))


def _seal(database: Database, connection: Connection) -> int:
    entry, seals = database.platform.audit_entry, database.platform.audit_seal
    rows = connection.execute(
        select(entry.c.entry_id, entry.c.entry_digest).where(entry.c.sealed_in.is_(None))
        .order_by(entry.c.entry_id).limit(SEAL_LIMIT)
    ).all()
    if not rows:
        return 0
    last = connection.execute(select(seals).order_by(seals.c.seal_no.desc()).limit(1)).one_or_none()
    seal_no = 1 if last is None else int(last.seal_no) + 1
    previous = _BEGINNING if last is None else last.seal_digest
    entries = [(int(row.entry_id), row.entry_digest) for row in rows]
    # The primary key of the seal decides if two workers should ever do this at once.
    connection.execute(insert(seals).values(
        seal_no=seal_no, entry_count=len(entries), previous_digest=previous,
        seal_digest=_seal_digest(database, seal_no, previous, entries), sealed_at=database.clock.now(),
    ))
    for start in range(0, len(entries), _CHUNK):
        ids = [entry_id for entry_id, _digest_ in entries[start:start + _CHUNK]]
        connection.execute(update(entry).where(entry.c.entry_id.in_(ids)).values(sealed_in=seal_no))
    return len(entries)


def verify(database: Database) -> AuditReport:
    """Recompute every entry and every seal; an edited, added or deleted line of the past is named."""
    entry, seals = database.platform.audit_entry, database.platform.audit_seal
    wrong: list[str] = []
    sealed = 0
    previous = _BEGINNING
    with database.reading() as connection:
        chain = connection.execute(select(seals).order_by(seals.c.seal_no)).all()
        for expected_no, row in enumerate(chain, start=1):
            members = connection.execute(
                select(entry).where(entry.c.sealed_in == row.seal_no).order_by(entry.c.entry_id)).all()
            sealed += len(members)
            wrong += _wrong_entries(database, members)
            wrong += _wrong_seal(database, row, expected_no, previous, members)
            previous = row.seal_digest
        loose = connection.execute(select(entry).where(entry.c.sealed_in.is_(None)).order_by(entry.c.entry_id)).all()
        wrong += _wrong_entries(database, loose)
        strays = connection.execute(select(func.count()).select_from(entry).where(
            entry.c.sealed_in.is_not(None), entry.c.sealed_in.not_in(select(seals.c.seal_no)))).scalar_one()
        if strays:
            wrong.append(f"{strays} entries belong to a seal that is gone")
    return AuditReport(sealed, len(loose), len(chain), previous, wrong)


def _wrong_entries(database: Database, rows: list[Row[Any]] | Any) -> list[str]:
    return [f"entry {row.entry_id} was changed" for row in rows
            if not hmac.compare_digest(_digest(database, dict(row._mapping)), row.entry_digest)]


def _wrong_seal(database: Database, row: Row[Any], expected_no: int, previous: str, members: Any) -> list[str]:
    wrong = []
    if row.seal_no != expected_no:
        wrong.append(f"seal {expected_no} is gone")
    if row.previous_digest != previous:
        wrong.append(f"seal {row.seal_no} does not follow the one before")
    if len(members) != row.entry_count:
        wrong.append(f"seal {row.seal_no} holds {row.entry_count} entries, {len(members)} are there")
    entries = [(int(member.entry_id), member.entry_digest) for member in members]
    if _seal_digest(database, int(row.seal_no), row.previous_digest, entries) != row.seal_digest:
        wrong.append(f"seal {row.seal_no} does not fit its entries")
    return wrong
