"""Work orders: what somebody has to do where and by when, who does it, what was found, used and signed."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint

from shared_models.tables.business.metadata import business_metadata
from shared_models.tables.types import Code, Count, Day, Flag, Id, Instant, JsonText, Words

work_order = Table(
    "work_order", business_metadata,
    Column("work_order_id", Id(), primary_key=True),
    Column("work_order_no", Code(20), nullable=False),
    # install, repair, move, remove, swap, inspect: resources/policy/workorders.toml
    Column("work_kind", Code(12), nullable=False),
    # which there are, and what leads from one to the other, is a table in business/workorder/rules.py
    Column("state", Code(20), nullable=False),
    Column("order_id", Id()),
    Column("item_id", Code(40)),
    Column("ticket_id", Id()),
    Column("product_id", Id()),
    Column("customer_id", Id()),
    Column("address", Words(200), nullable=False),
    Column("contact_name", Words(60)),
    Column("contact_phone", Words(40)),
    Column("area_code", Code(20), nullable=False),
    Column("skill", Code(20), nullable=False),
    Column("team_code", Code(20)),
    Column("staff_no", Code(20)),
    Column("window_on", Day),
    Column("window_slot", Code(12)),
    Column("due_at", Instant(), nullable=False),
    Column("opened_at", Instant(), nullable=False),
    Column("begun_at", Instant()),
    Column("closed_at", Instant()),
    Column("reason_code", Code(40)),
    Column("late_reason", Code(40)),
    Column("remark", Words(500)),
    Column("result_remark", Words(500)),
    # none, satisfied, not_satisfied, not_reached
    Column("follow_up", Code(20), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Column("version_no", Integer, nullable=False),
    UniqueConstraint("work_order_no"),
    Index("ix_work_order_order_id", "order_id", "item_id"),
    Index("ix_work_order_ticket_id", "ticket_id"),
    Index("ix_work_order_product_id", "product_id"),
    Index("ix_work_order_staff_no", "staff_no", "state"),
    Index("ix_work_order_team", "team_code", "state", "window_on"),
    Index("ix_work_order_state", "state", "due_at"),
)

#: What happened to it, one row an event: booked, handed on, somebody called, somebody there, closed.
work_order_event = Table(
    "work_order_event", business_metadata,
    Column("event_id", Id(), primary_key=True),
    Column("work_order_id", Id(), ForeignKey("work_order.work_order_id", name="fk_work_order_event"), nullable=False),
    Column("event_no", Integer, nullable=False),
    Column("at", Instant(), nullable=False),
    Column("event", Code(20), nullable=False),
    Column("to_state", Code(20), nullable=False),
    Column("staff_no", Code(20), nullable=False),
    Column("reason_code", Code(40)),
    Column("remark", Words(500)),
    UniqueConstraint("work_order_id", "event_no", name="uq_work_order_event_no"),
)

work_order_reading = Table(
    "work_order_reading", business_metadata,
    Column("work_order_id", Id(), ForeignKey("work_order.work_order_id", name="fk_work_order_reading"), nullable=False),
    Column("reading_no", Integer, nullable=False, autoincrement=False),
    Column("at", Instant(), nullable=False),
    # insulation, loop_resistance, attenuation, optical_power, down_rate
    Column("reading", Code(20), nullable=False),
    # thousandths of its unit
    Column("value_milli", Count, nullable=False),
    Column("good", Flag(), nullable=False),
    PrimaryKeyConstraint("work_order_id", "reading_no"),
)

work_order_material = Table(
    "work_order_material", business_metadata,
    Column(
        "work_order_id", Id(), ForeignKey("work_order.work_order_id", name="fk_work_order_material"), nullable=False
    ),
    Column("material_no", Integer, nullable=False, autoincrement=False),
    Column("place_code", Code(40)),
    # a material that is counted, or a kind of device with its number
    Column("material_code", Code(40), nullable=False),
    Column("serial_no", Code(64)),
    Column("quantity", Count, nullable=False),
    PrimaryKeyConstraint("work_order_id", "material_no"),
)

work_order_signature = Table(
    "work_order_signature", business_metadata,
    Column(
        "work_order_id", Id(), ForeignKey("work_order.work_order_id", name="fk_work_order_signature"), primary_key=True
    ),
    Column("signed_by", Words(60), nullable=False),
    Column("signed_at", Instant(), nullable=False),
    # lists of points, each on a field of 300 by 120
    Column("strokes", JsonText(), nullable=False),
)

work_team = Table(
    "work_team", business_metadata,
    Column("team_code", Code(20), primary_key=True),
    Column("team_name", Words(60), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    # in_use, closed
    Column("state", Code(12), nullable=False),
)

#: Where a team works and what it can do; '*' is everything.
work_team_reach = Table(
    "work_team_reach", business_metadata,
    Column("area_code", Code(20), nullable=False),
    Column("skill", Code(20), nullable=False),
    Column("team_code", Code(20), ForeignKey("work_team.team_code"), nullable=False, index=True),
    PrimaryKeyConstraint("area_code", "skill", "team_code"),
)

work_team_member = Table(
    "work_team_member", business_metadata,
    Column("team_code", Code(20), ForeignKey("work_team.team_code"), nullable=False),
    Column("staff_no", Code(20), nullable=False),
    PrimaryKeyConstraint("team_code", "staff_no"),
    Index(None, "staff_no"),
)

#: How much of a team's time is promised; a row is changed only while there is room.
work_window = Table(
    "work_window", business_metadata,
    Column("team_code", Code(20), ForeignKey("work_team.team_code"), nullable=False),
    Column("window_on", Day, nullable=False),
    Column("window_slot", Code(12), nullable=False),
    Column("booked", Integer, nullable=False),
    PrimaryKeyConstraint("team_code", "window_on", "window_slot"),
)
