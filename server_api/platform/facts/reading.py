"""Rows of the outbox as envelopes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from server_api.platform.facts.receiver import Envelope


def envelope_of(row: Row[Any]) -> Envelope:
    """The envelope a row of ``fact_out`` holds."""
    return Envelope(
        fact_id=row.fact_id, aggregate=row.aggregate, seq=int(row.seq), epoch=int(row.epoch),
        epoch_first_seq=int(row.epoch_first_seq), kind=row.kind, version=row.version, effective_at=row.effective_at,
        recorded_at=row.recorded_at, act_id=row.act_id, payload=row.payload,
    )
