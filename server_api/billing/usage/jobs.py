"""What usage hears: who is reached by which number, login or card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server_api.billing.usage import store
from server_api.billing.usage.numbers import access_key
from server_api.billing.usage.radius import store as sessions
from server_api.platform.database import Database
from server_api.platform.facts.receiver import Envelope
from server_api.platform.registry import Copy, CopyRow, Finding, Wiring
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import ProductRecorded


def wire(wiring: Wiring) -> None:
    """Say what this slice hears and checks."""
    wiring.hear_fact("billing", ProductRecorded, keep_access, keep_new_accesses)
    wiring.copy(Copy("usage_access", "billing", ("ProductRecorded",), access_copy))
    wiring.invariant("billing", "usage_counts_add_up", usage_counts_add_up)
    wiring.invariant("billing", "session_pieces_add_up", session_pieces_add_up)


def keep_access(uow: UnitOfWork, envelope: Envelope, payload: ProductRecorded) -> None:
    """Keep what a product is reached by; an older fact never replaces a newer one."""
    known = store.access_of_product(uow.conn, payload.product_id)
    if any(row.source_seq > envelope.seq for row in known):
        return
    store.put_access(uow.conn, payload.product_id, _rows(envelope, payload))


def keep_new_accesses(uow: UnitOfWork, heard: Sequence[tuple[Envelope, ProductRecorded]]) -> None:
    """Keep what many products nobody has heard of are reached by."""
    store.add_access(uow.conn, [row for envelope, payload in heard for row in _rows(envelope, payload)])


def _rows(envelope: Envelope, payload: ProductRecorded) -> list[dict[str, Any]]:
    rows = {}
    for access in payload.accesses:
        key = access_key(access.kind, access.key)
        rows[access.kind, key, access.from_at] = {
            "kind": access.kind,
            "access_key": key,
            "product_id": payload.product_id,
            "from_at": access.from_at,
            "until_at": access.until_at,
            "source_seq": envelope.seq,
        }
    return list(rows.values())


def access_copy(database: Database) -> Sequence[CopyRow]:
    """What is kept, for comparing with a replay."""
    with database.reading() as conn:
        rows = store.access_rows(conn)
    return [
        CopyRow(f"{row.kind}:{row.access_key}:{row.product_id}:{row.from_at.isoformat()}", f"{row.until_at}")
        for row in rows
    ]


def usage_counts_add_up(database: Database) -> Finding:
    """read = accepted + rejected + duplicate, in every finished file."""
    with database.reading() as conn:
        totals = store.file_totals(conn)
        wrong = tuple(f"{row.file_no} {row.file_name}" for row in store.count_gaps(conn))
    return Finding(counted=int(totals.records), wrong=wrong)


def session_pieces_add_up(database: Database) -> Finding:
    """What was taken of a session to be rated is the sum of its pieces."""
    with database.reading() as conn:
        wrong = tuple(f"{key[:12]} {run_no}" for key, run_no in sessions.slices_amiss(conn))
        return Finding(counted=sessions.session_count(conn), wrong=wrong)
