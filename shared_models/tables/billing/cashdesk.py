"""Tills: sessions, their entries and counts, deposit slips, and the papers handed out."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Count, Day, FenType, Id, Instant, LongWords, Words

till_session = Table(
    "till_session",
    billing_metadata,
    Column("till_id", Id(), primary_key=True),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Column("counter_no", Code(20), nullable=False),
    Column("staff_id", Code(32), nullable=False),
    Column("staff_no", Code(20), nullable=False),
    Column("staff_name", Words(60)),
    # open, trading, counted, closed, deposited, audited_1 … audited_3
    Column("state", Code(12), nullable=False),
    # "<hall>/<counter>" and the person while the session lives, its own id afterwards: one live session each
    Column("counter_key", Code(60), nullable=False, unique=True),
    Column("staff_key", Code(60), nullable=False, unique=True),
    Column("business_on", Day, nullable=False),
    Column("opened_at", Instant(), nullable=False),
    Column("float_fen", FenType(), nullable=False),
    # as counted last; NULL while it is not
    Column("count_no", Integer, nullable=False),
    Column("counted_fen", FenType()),
    Column("difference_fen", FenType()),
    Column("counted_at", Instant()),
    Column("closed_at", Instant()),
    Column("closed_by", Code(32)),
    Column("deposited_fen", FenType()),
    Column("deposited_at", Instant()),
    Column("remark", Words(200)),
    Index("ix_till_session_scope", "hall_code", "business_on"),
)

#: Everything that went into the till or out of it (negative). Cash in the till is the sum of its cash entries.
till_entry = Table(
    "till_entry",
    billing_metadata,
    Column("till_id", Id(), ForeignKey("till_session.till_id"), nullable=False),
    Column("act_id", Id(), nullable=False),
    Column("line_no", Integer, nullable=False, autoincrement=False),
    # float, payment, reversal, refund, over_short, deposit
    Column("item", Code(12), nullable=False),
    Column("method", Code(12), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("payment_id", Id()),
    Column("occurred_at", Instant(), nullable=False),
    PrimaryKeyConstraint("till_id", "act_id", "line_no"),
)

till_count = Table(
    "till_count",
    billing_metadata,
    Column("till_id", Id(), ForeignKey("till_session.till_id"), primary_key=True),
    Column("count_no", Integer, primary_key=True, autoincrement=False),
    Column("value_fen", Integer, primary_key=True, autoincrement=False),
    Column("pieces", Integer, nullable=False),
    Column("act_id", Id(), nullable=False),
)

deposit_slip = Table(
    "deposit_slip",
    billing_metadata,
    Column("slip_id", Id(), primary_key=True),
    Column("till_id", Id(), ForeignKey("till_session.till_id"), nullable=False, index=True),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("bank_name", Words(60)),
    # the bank's own number on the slip
    Column("bank_slip_no", Code(40)),
    Column("receipt_no", Code(40), nullable=False),
    Column("deposited_at", Instant(), nullable=False),
    Column("staff_id", Code(32), nullable=False),
)

#: Who compared a deposited session with the bank's slip, level by level, each another person. Append only.
till_audit = Table(
    "till_audit",
    billing_metadata,
    Column("till_id", Id(), ForeignKey("till_session.till_id"), nullable=False),
    Column("level_no", Integer, nullable=False, autoincrement=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("remark", Words(200)),
    Column("staff_id", Code(32), nullable=False),
    Column("staff_no", Code(20), nullable=False),
    Column("audited_at", Instant(), nullable=False),
    Column("act_id", Id(), nullable=False),
    PrimaryKeyConstraint("till_id", "level_no"),
)

#: Every paper as issued. seq_no is gapless per counter; the document never changes, only the count of copies.
receipt = Table(
    "receipt",
    billing_metadata,
    Column("receipt_no", Code(40), primary_key=True),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Column("counter_no", Code(20), nullable=False),
    Column("seq_no", Count, nullable=False),
    Column("kind", Code(20), nullable=False),
    Column("till_id", Id(), ForeignKey("till_session.till_id"), nullable=False, index=True),
    Column("account_id", Id(), index=True),
    Column("payment_id", Id()),
    Column("staff_id", Code(32), nullable=False),
    Column("total_fen", FenType(), nullable=False),
    Column("issued_at", Instant(), nullable=False),
    Column("copy_count", Integer, nullable=False),
    Column("act_id", Id(), nullable=False),
    Column("document", LongWords(), nullable=False, comment="the receipt as JSON, sealed"),
    UniqueConstraint("hall_code", "counter_no", "seq_no", name="uq_receipt_counter_seq"),
)
