"""Orders: what was asked for, item by item, with the plan of each, its fees, and what happened."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint

from shared_models.tables.business.metadata import business_metadata
from shared_models.tables.types import Code, Day, FenType, Id, Instant, JsonText, LongWords, Words

product_order = Table(
    "product_order",
    business_metadata,
    Column("order_id", Id(), primary_key=True),
    Column("order_no", Code(20), nullable=False),
    Column("customer_id", Id(), ForeignKey("customer.customer_id"), nullable=False),
    # TM Forum 622; which lead where is a table in business/ordering/rules.py
    Column("state", Code(24), nullable=False),
    # none, unpaid, paid, withdrawn, refund_due
    Column("payment_state", Code(12), nullable=False),
    # on_bill, first
    Column("pay_mode", Code(12), nullable=False),
    Column("account_id", Id()),
    Column("total", FenType(), nullable=False),
    # hall, portal, phone, file, dunning
    Column("channel", Code(12), nullable=False),
    Column("staff_no", Code(20), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Column("opened_at", Instant(), nullable=False),
    # until when what it holds is kept; a booking or an unpaid order ends itself then
    Column("expires_at", Instant()),
    Column("closed_at", Instant()),
    # visit: address, contact, window, as asked for
    Column("visit", JsonText()),
    Column("remark", Words(500)),
    Column("reason_code", Code(20)),
    Column("event_count", Integer, nullable=False),
    Column("version_no", Integer, nullable=False),
    UniqueConstraint("order_no"),
    Index("ix_product_order_customer", "customer_id", "opened_at"),
    Index("ix_product_order_state", "state", "opened_at", "order_id"),
    Index("ix_product_order_expires", "expires_at", "order_id"),
)

order_item = Table(
    "order_item",
    business_metadata,
    Column("order_id", Id(), ForeignKey("product_order.order_id"), nullable=False),
    Column("item_no", Integer, nullable=False, autoincrement=False),
    Column("item_id", Id(), nullable=False),
    # contracts.ordering.OrderAct
    Column("act_name", Code(20), nullable=False),
    # TM Forum 641
    Column("state", Code(24), nullable=False),
    Column("product_id", Id()),
    Column("offering_code", Code(40)),
    Column("effective_on", Day, nullable=False),
    # the day on which a step that waits for its day goes on
    Column("due_on", Day),
    # the wish without its secrets, and those sealed
    Column("wish", JsonText(), nullable=False),
    Column("secrets_sealed", LongWords),
    # the steps: [{step, state, refs}]
    Column("steps", JsonText(), nullable=False),
    Column("result_code", Code(40)),
    Column("result_text", Words(400)),
    PrimaryKeyConstraint("order_id", "item_no"),
    UniqueConstraint("item_id"),
    Index("ix_order_item_due", "due_on", "order_id"),
    Index("ix_order_item_product", "product_id", "state"),
)

order_fee = Table(
    "order_fee",
    business_metadata,
    Column("fee_id", Id(), primary_key=True),
    Column("order_id", Id(), ForeignKey("product_order.order_id"), nullable=False, index=True),
    Column("item_no", Integer, nullable=False),
    Column("price_code", Code(40), nullable=False),
    Column("item_code", Code(40), nullable=False),
    Column("label_zh", Words(80), nullable=False),
    Column("label_en", Words(80), nullable=False),
    Column("amount", FenType(), nullable=False),
    # raised, withdrawn
    Column("state", Code(12), nullable=False),
)

order_event = Table(
    "order_event",
    business_metadata,
    Column("order_id", Id(), ForeignKey("product_order.order_id"), nullable=False),
    Column("event_no", Integer, nullable=False, autoincrement=False),
    Column("at", Instant(), nullable=False),
    Column("item_no", Integer),
    Column("event", Code(24), nullable=False),
    Column("to_state", Code(24), nullable=False),
    Column("staff_no", Code(20), nullable=False),
    Column("code", Code(40)),
    Column("remark", Words(400)),
    PrimaryKeyConstraint("order_id", "event_no"),
)
