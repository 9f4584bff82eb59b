"""Faults and complaints: who reported what, what the first look found, how far it is, what became of it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint

from shared_models.tables.business.metadata import business_metadata
from shared_models.tables.types import Code, Id, Instant, Words

trouble_ticket = Table(
    "trouble_ticket", business_metadata,
    Column("ticket_id", Id(), primary_key=True),
    Column("ticket_no", Code(20), nullable=False),
    # fault, complaint
    Column("ticket_kind", Code(12), nullable=False),
    # resources/policy/troubles.toml
    Column("category", Code(40), nullable=False),
    # single, area, hard
    Column("reach", Code(12), nullable=False),
    # which there are, and what leads from one to the other, is a table in business/trouble/rules.py
    Column("state", Code(20), nullable=False),
    # the area-wide fault this one is a part of
    Column("parent_id", Id(), ForeignKey("trouble_ticket.ticket_id"), index=True),
    Column("product_id", Id()),
    Column("customer_id", Id()),
    # of an area-wide fault: what is broken, with all that hangs on it
    Column("place_code", Code(40)),
    Column("shown_as", Words(60)),
    Column("address", Words(200)),
    Column("area_code", Code(20), nullable=False),
    Column("contact_name", Words(60)),
    Column("contact_phone", Words(40)),
    Column("described", Words(500), nullable=False),
    # hall, telephone, portal, network
    Column("channel", Code(12), nullable=False),
    # how often it was passed up
    Column("escalated", Integer, nullable=False),
    Column("escalate_at", Instant()),
    Column("due_at", Instant(), nullable=False),
    Column("opened_at", Instant(), nullable=False),
    Column("resolved_at", Instant()),
    Column("closed_at", Instant()),
    Column("cause_code", Code(40)),
    Column("resolution", Words(500)),
    # none, satisfied, not_satisfied, not_reached
    Column("follow_up", Code(20), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Column("version_no", Integer, nullable=False),
    UniqueConstraint("ticket_no"),
    Index("ix_trouble_ticket_product", "product_id", "state"),
    Index("ix_trouble_ticket_customer", "customer_id"),
    Index("ix_trouble_ticket_state", "state", "due_at"),
    Index("ix_trouble_ticket_reach", "reach", "state"),
)

trouble_event = Table(
    "trouble_event", business_metadata,
    Column("event_id", Id(), primary_key=True),
    Column("ticket_id", Id(), ForeignKey("trouble_ticket.ticket_id"), nullable=False),
    Column("event_no", Integer, nullable=False),
    Column("at", Instant(), nullable=False),
    Column("event", Code(20), nullable=False),
    Column("to_state", Code(20), nullable=False),
    Column("staff_no", Code(20), nullable=False),
    Column("remark", Words(500)),
    UniqueConstraint("ticket_id", "event_no", name="uq_trouble_event_event_no"),
)

#: What was looked at and what it said: the first look by the system, later ones by people.
trouble_finding = Table(
    "trouble_finding", business_metadata,
    Column("ticket_id", Id(), ForeignKey("trouble_ticket.ticket_id"), nullable=False),
    Column("finding_no", Integer, nullable=False, autoincrement=False),
    Column("at", Instant(), nullable=False),
    # arrears, suspension, line, area_fault, work_order, line_test, onu_state, online
    Column("looked_at", Code(20), nullable=False),
    # good, bad, unknown
    Column("verdict", Code(12), nullable=False),
    Column("detail", Words(200)),
    Column("staff_no", Code(20), nullable=False),
    PrimaryKeyConstraint("ticket_id", "finding_no"),
)
