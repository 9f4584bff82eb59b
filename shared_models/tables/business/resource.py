"""Numbers, logins and cards as things one has or has not: their state and who used them when."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table

from shared_models.tables.business.metadata import business_metadata
from shared_models.tables.types import Code, Day, Id, Instant

number_resource = Table(
    "number_resource", business_metadata,
    # number, login, card
    Column("access_kind", Code(12), nullable=False),
    Column("access_key", Code(64), nullable=False),
    # available, reserved, in_use, cooling, withdrawn
    Column("state", Code(12), nullable=False),
    Column("hall_code", Code(20)),
    Column("product_id", Id()),
    Column("cooling_until_on", Day),
    Column("changed_at", Instant(), nullable=False),
    PrimaryKeyConstraint("access_kind", "access_key"),
    Index(None, "product_id"),
    Index("ix_number_resource_state", "access_kind", "state", "access_key"),
)
