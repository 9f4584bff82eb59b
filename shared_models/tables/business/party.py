"""Customers, their documents and contacts, the keys they are found by, and the copy of their accounts."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint

from shared_models.tables.business.metadata import business_metadata
from shared_models.tables.types import Code, Count, Day, Flag, Id, Instant, Words

customer = Table(
    "customer", business_metadata,
    Column("customer_id", Id(), primary_key=True),
    Column("customer_no", Code(20), nullable=False),
    Column("customer_name", Words(120), nullable=False),
    # person, organisation
    Column("customer_kind", Code(12), nullable=False),
    # normal, vip, group, staff
    Column("customer_class", Code(12), nullable=False),
    # prospect, normal, closed
    Column("state", Code(12), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Column("address", Words(200)),
    Column("tax_no", Code(40)),
    # the group customer this one is a member of
    Column("group_customer_id", Id(), ForeignKey("customer.customer_id"), index=True),
    Column("remark", Words(500)),
    Column("created_at", Instant(), nullable=False),
    Column("changed_at", Instant(), nullable=False),
    Column("version_no", Integer, nullable=False),
    UniqueConstraint("customer_no"),
)

#: The document is sealed; the blind index finds the exact number; the mask is all that is shown without a right.
id_document = Table(
    "id_document", business_metadata,
    Column("customer_id", Id(), ForeignKey("customer.customer_id"), nullable=False),
    # resident_id, passport, business_licence, military_id, other
    Column("document_kind", Code(20), nullable=False),
    Column("sealed_no", Code(400), nullable=False),
    Column("blind_no", Code(64), nullable=False),
    Column("masked_no", Words(60), nullable=False),
    PrimaryKeyConstraint("customer_id", "document_kind"),
    Index("ix_id_document_blind_no", "blind_no", "customer_id"),
)

contact = Table(
    "contact", business_metadata,
    Column("customer_id", Id(), ForeignKey("customer.customer_id"), nullable=False),
    Column("contact_no", Integer, nullable=False, autoincrement=False),
    # mobile, phone, email
    Column("contact_kind", Code(12), nullable=False),
    Column("contact_name", Words(60)),
    Column("contact_value", Words(120), nullable=False),
    Column("is_main", Flag(), nullable=False),
    PrimaryKeyConstraint("customer_id", "contact_no"),
)

#: What a customer is found by, one row a key, read in key order and nothing else: the whole search is one walk along
#: this index. Keys are lower-case ASCII letters and digits, so a prefix is the same range under every collation; a
#: name is its UTF-16 code units in hexadecimal. Hall and district ride along so that the data scope costs no look-up.
customer_key = Table(
    "customer_key", business_metadata,
    # n name, p pinyin initials, t access number, a account number, c customer number, m contact telephone
    Column("key_kind", Code(1), nullable=False),
    Column("key_text", Code(80), nullable=False),
    Column("customer_id", Id(), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    PrimaryKeyConstraint("key_kind", "key_text", "customer_id", "hall_code", "district_code"),
    Index(None, "customer_id"),
    sqlite_with_rowid=False,
)

#: Two neighbouring characters of an organisation's name (hexadecimal): organisations are found by any part.
org_gram = Table(
    "org_gram", business_metadata,
    Column("gram", Code(8), nullable=False),
    Column("customer_id", Id(), ForeignKey("customer.customer_id"), nullable=False, index=True),
    PrimaryKeyConstraint("gram", "customer_id"),
)

#: Billing's accounts as this side last heard of them; never decided on alone.
account_ref = Table(
    "account_ref", business_metadata,
    Column("account_id", Id(), primary_key=True),
    Column("account_no", Code(20), nullable=False),
    Column("customer_id", Id(), nullable=False, index=True),
    # clear, owing, overdue, restricted
    Column("standing", Code(12), nullable=False),
    Column("owed_since_on", Day),
    Column("closed", Flag(), nullable=False),
    Column("source_seq", Count, nullable=False),
)
