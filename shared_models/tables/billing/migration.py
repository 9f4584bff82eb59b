"""What billing took over from old systems: written in the same transaction as the money, so nothing is taken twice."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, FenType, Id, Words

#: One row an old record taken over. The fen are the source's own, so both sides' totals can be held against it.
migration_link = Table(
    "migration_link",
    billing_metadata,
    Column("system_code", Code(20), nullable=False),
    # account, balance, bill
    Column("record_kind", Code(12), nullable=False),
    Column("old_key", Words(80), nullable=False),
    Column("new_id", Id(), nullable=False),
    Column("amount_fen", FenType()),
    Column("digest", Code(64), nullable=False),
    PrimaryKeyConstraint("system_code", "record_kind", "old_key"),
    Index(None, "new_id"),
)
