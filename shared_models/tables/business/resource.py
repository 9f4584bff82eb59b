"""What one has or has not: numbers, logins, cards, pairs, ports, circuits, devices, addresses; and where they are."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table

from shared_models.tables.business.metadata import business_metadata
from shared_models.tables.types import Code, Count, Day, Id, Instant, Words

#: One row a thing that only one can have, whatever it is. Whoever wants it changes the row's state or does not get it.
number_resource = Table(
    "number_resource", business_metadata,
    # number, login, card, pair, port, circuit, onu, set_top_box, cable_modem, ip
    Column("access_kind", Code(12), nullable=False),
    Column("access_key", Code(64), nullable=False),
    # which there are, and what leads from one to the other, is a table in business/resource/rules.py
    Column("state", Code(12), nullable=False),
    Column("hall_code", Code(20)),
    Column("product_id", Id()),
    Column("cooling_until_on", Day),
    Column("changed_at", Instant(), nullable=False),
    # where it ends (box, cabinet, exchange, port of an OLT) or lies (warehouse, hall, van)
    Column("place_code", Code(40)),
    Column("pool_code", Code(20)),
    # how good a number it is: 0 is any number
    Column("level_no", Integer),
    Column("order_id", Id()),
    Column("item_id", Code(40)),
    Column("reserved_until_at", Instant()),
    # a circuit has two ends: a, z
    Column("route_end", Code(1)),
    Column("model_code", Code(40)),
    # the smart card of a set-top box and the reverse
    Column("paired_key", Code(64)),
    PrimaryKeyConstraint("access_kind", "access_key"),
    Index(None, "product_id"),
    Index("ix_number_resource_state", "access_kind", "state", "access_key"),
    Index("ix_number_resource_place", "place_code", "access_kind", "state", "access_key"),
    Index(None, "order_id"),
)

#: Who had what when: one row a change of state, never changed.
resource_use = Table(
    "resource_use", business_metadata,
    Column("use_id", Id(), primary_key=True),
    Column("access_kind", Code(12), nullable=False),
    Column("access_key", Code(64), nullable=False),
    Column("at", Instant(), nullable=False),
    Column("event", Code(20), nullable=False),
    Column("from_state", Code(12)),
    Column("to_state", Code(12), nullable=False),
    Column("order_id", Id()),
    Column("item_id", Code(40)),
    Column("product_id", Id()),
    Column("place_code", Code(40)),
    Column("staff_no", Code(20), nullable=False),
    Column("remark", Words(200)),
    Index("ix_resource_use_key", "access_kind", "access_key", "at"),
    Index(None, "product_id"),
)

#: Exchanges, frames, cabinets, boxes, OLTs and their ports as a tree; and the warehouses and vans where stock lies.
network_place = Table(
    "network_place", business_metadata,
    Column("place_code", Code(40), primary_key=True),
    # exchange, mdf, cabinet, box, olt, pon_port, store, van
    Column("place_kind", Code(12), nullable=False),
    Column("place_name", Words(80), nullable=False),
    Column("parent_code", Code(40), ForeignKey("network_place.place_code"), index=True),
    Column("address", Words(200)),
    Column("hall_code", Code(20)),
    # in_use, closed
    Column("state", Code(12), nullable=False),
)

#: Which addresses a place reaches: their beginnings, without blanks and full-width forms.
place_cover = Table(
    "place_cover", business_metadata,
    Column("cover_text", Words(100), nullable=False),
    Column("place_code", Code(40), ForeignKey("network_place.place_code"), nullable=False, index=True),
    PrimaryKeyConstraint("cover_text", "place_code"),
)

#: What is counted and not told apart: cable, sockets, connectors; whole units.
material_stock = Table(
    "material_stock", business_metadata,
    Column("place_code", Code(40), ForeignKey("network_place.place_code"), nullable=False),
    Column("material_code", Code(40), nullable=False),
    Column("material_name", Words(80), nullable=False),
    # m, piece
    Column("unit", Code(12), nullable=False),
    Column("quantity", Count, nullable=False),
    PrimaryKeyConstraint("place_code", "material_code"),
)

material_move = Table(
    "material_move", business_metadata,
    Column("move_id", Id(), primary_key=True),
    Column("place_code", Code(40), nullable=False),
    Column("material_code", Code(40), nullable=False),
    Column("delta", Count, nullable=False),
    Column("at", Instant(), nullable=False),
    # import, moved, used
    Column("cause", Code(12), nullable=False),
    Column("cause_id", Code(64)),
    Column("staff_no", Code(20), nullable=False),
    Index("ix_material_move_place", "place_code", "material_code", "at"),
)
