"""Halls, counters, staff, their roles and their sessions."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint

from shared_models.tables.business.metadata import business_metadata
from shared_models.tables.types import Code, Flag, Id, Instant, JsonText, Words

hall = Table(
    "hall", business_metadata,
    Column("hall_code", Code(20), primary_key=True),
    Column("district_code", Code(20), nullable=False, index=True),
    Column("hall_name", Words(60), nullable=False),
    Column("district_name", Words(60)),
    Column("address", Words(200)),
    # open, closed
    Column("state", Code(12), nullable=False),
)

hall_counter = Table(
    "hall_counter", business_metadata,
    Column("hall_code", Code(20), ForeignKey("hall.hall_code"), nullable=False),
    Column("counter_no", Code(20), nullable=False),
    Column("state", Code(12), nullable=False),
    PrimaryKeyConstraint("hall_code", "counter_no"),
)

staff_member = Table(
    "staff_member", business_metadata,
    Column("staff_id", Id(), primary_key=True),
    Column("staff_no", Code(20), nullable=False),
    Column("staff_name", Words(60), nullable=False),
    Column("hall_code", Code(20), ForeignKey("hall.hall_code"), nullable=False, index=True),
    # hall, district, all: how far this person sees
    Column("data_scope", Code(12), nullable=False),
    # active, left
    Column("state", Code(12), nullable=False),
    Column("password_hash", Code(200), nullable=False),
    Column("password_set_at", Instant(), nullable=False),
    # a password somebody else has seen lets its owner do one thing: change it
    Column("must_change", Flag(), nullable=False),
    Column("failed_count", Integer, nullable=False),
    Column("locked_until_at", Instant()),
    # ceilings per act by name, in fen
    Column("limits_fen", JsonText()),
    Column("version_no", Integer, nullable=False),
    UniqueConstraint("staff_no"),
)

#: Earlier passwords, so that the last few are not taken again.
staff_password = Table(
    "staff_password", business_metadata,
    Column("staff_id", Id(), ForeignKey("staff_member.staff_id"), nullable=False),
    Column("set_at", Instant(), nullable=False),
    Column("password_hash", Code(200), nullable=False),
    PrimaryKeyConstraint("staff_id", "set_at"),
)

staff_role = Table(
    "staff_role", business_metadata,
    Column("role_code", Code(40), primary_key=True),
    Column("name_zh", Words(60), nullable=False),
    Column("name_en", Words(60), nullable=False),
)

role_permission = Table(
    "role_permission", business_metadata,
    Column("role_code", Code(40), ForeignKey("staff_role.role_code"), nullable=False),
    Column("permission", Code(60), nullable=False),
    PrimaryKeyConstraint("role_code", "permission"),
)

staff_grant = Table(
    "staff_grant", business_metadata,
    Column("staff_id", Id(), ForeignKey("staff_member.staff_id"), nullable=False),
    Column("role_code", Code(40), ForeignKey("staff_role.role_code"), nullable=False, index=True),
    PrimaryKeyConstraint("staff_id", "role_code"),
)

#: One row a sign-in. The edge keeps what it read for at most 60 s, so an ended session dies within a minute.
staff_session = Table(
    "staff_session", business_metadata,
    Column("session_id", Id(), primary_key=True),
    Column("staff_id", Id(), ForeignKey("staff_member.staff_id"), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("counter_no", Code(20)),
    Column("channel", Code(20), nullable=False),
    Column("started_at", Instant(), nullable=False),
    Column("last_used_at", Instant(), nullable=False),
    Column("expires_at", Instant(), nullable=False),
    Column("ended_at", Instant()),
    # signed_out, revoked, password_changed, replaced
    Column("end_reason", Code(20)),
    Index("ix_staff_session_staff_id", "staff_id", "ended_at"),
)
