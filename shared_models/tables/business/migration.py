"""What came from the old systems: which old record became which new one, and what was set aside and why."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table

from shared_models.tables.business.metadata import business_metadata
from shared_models.tables.types import Code, Count, FenType, Id, Instant, JsonText, Words

#: One row an old record taken over. The fen are the source's own, so both sides' totals can be held against it.
migration_link = Table(
    "migration_link", business_metadata,
    Column("system_code", Code(20), nullable=False),
    # customer, account, product, balance, bill, number
    Column("record_kind", Code(12), nullable=False),
    Column("old_key", Words(80), nullable=False),
    Column("new_id", Id(), nullable=False),
    Column("amount_fen", FenType()),
    Column("digest", Code(64), nullable=False),
    PrimaryKeyConstraint("system_code", "record_kind", "old_key"),
    Index(None, "new_id"),
)

migration_run = Table(
    "migration_run", business_metadata,
    Column("run_id", Id(), primary_key=True),
    Column("system_code", Code(20), nullable=False),
    Column("started_at", Instant(), nullable=False),
    Column("ended_at", Instant()),
    Column("row_count", Count, nullable=False),
    Column("error_count", Count, nullable=False),
    Column("totals", JsonText()),
)

migration_error = Table(
    "migration_error", business_metadata,
    Column("run_id", Id(), nullable=False),
    Column("error_no", Integer, nullable=False),
    Column("file_name", Words(120), nullable=False),
    Column("row_no", Integer, nullable=False),
    Column("field", Words(60)),
    Column("error_code", Code(60), nullable=False),
    Column("params", JsonText()),
    PrimaryKeyConstraint("run_id", "error_no"),
)
