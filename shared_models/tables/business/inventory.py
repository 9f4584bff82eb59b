"""Installed products: what a customer has, how it is reached, who pays, what it costs since when."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint

from shared_models.tables.business.metadata import business_metadata
from shared_models.tables.types import Code, Day, Id, Instant, Words

product = Table(
    "product", business_metadata,
    Column("product_id", Id(), primary_key=True),
    Column("product_no", Code(20), nullable=False),
    Column("customer_id", Id(), ForeignKey("customer.customer_id"), nullable=False, index=True),
    Column("offering_code", Code(40), ForeignKey("offering.offering_code"), nullable=False, index=True),
    Column("service", Code(20), nullable=False),
    # the access number as people read it on bills
    Column("shown_as", Words(60), nullable=False),
    # pending_active, active, suspended, terminated
    Column("state", Code(20), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Column("region", Code(20)),
    Column("install_address", Words(200)),
    Column("bundle_code", Code(40)),
    Column("bundle_instance", Id()),
    Column("installed_on", Day, nullable=False),
    Column("terminated_on", Day),
    Column("version_no", Integer, nullable=False),
    UniqueConstraint("product_no"),
    Index(None, "bundle_instance"),
)

product_access = Table(
    "product_access", business_metadata,
    # number, login, card
    Column("access_kind", Code(12), nullable=False),
    Column("access_key", Code(64), nullable=False),
    Column("from_at", Instant(), nullable=False),
    Column("product_id", Id(), ForeignKey("product.product_id"), nullable=False, index=True),
    Column("until_at", Instant()),
    PrimaryKeyConstraint("access_kind", "access_key", "from_at"),
)

pay_relation = Table(
    "pay_relation", business_metadata,
    Column("relation_id", Id(), primary_key=True),
    Column("product_id", Id(), ForeignKey("product.product_id"), nullable=False, index=True),
    Column("account_id", Id(), nullable=False, index=True),
    # '*' is everything
    Column("item_group", Code(40), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("from_on", Day, nullable=False),
    Column("until_on", Day),
)

#: Suspension is a set of reasons; clearing one never clears another. A row with cleared_at NULL is in force.
suspension = Table(
    "suspension", business_metadata,
    Column("suspension_id", Id(), primary_key=True),
    Column("product_id", Id(), ForeignKey("product.product_id"), nullable=False),
    # owner_request, arrears_one_way, arrears_two_way, lost, fraud, admin
    Column("suspend_reason", Code(20), nullable=False),
    Column("since_at", Instant(), nullable=False),
    Column("cleared_at", Instant()),
    Index("ix_suspension_product_id", "product_id", "cleared_at"),
)

#: What the product costs from which day on. until_on NULL is the open event: a product in being has exactly one.
billing_event = Table(
    "billing_event", business_metadata,
    Column("event_id", Id(), primary_key=True),
    Column("product_id", Id(), ForeignKey("product.product_id"), nullable=False),
    Column("event_no", Integer, nullable=False),
    # activated, changed, suspended, resumed, terminated
    Column("event_kind", Code(12), nullable=False),
    Column("effective_on", Day, nullable=False),
    Column("until_on", Day),
    Column("offering_code", Code(40), nullable=False),
    Column("price_version", Integer, nullable=False),
    Column("bundle_code", Code(40)),
    Column("bundle_instance", Id()),
    # why, by code; some forgive an early-stop fee
    Column("reason", Code(20)),
    UniqueConstraint("product_id", "event_no", name="uq_billing_event_event_no"),
)
