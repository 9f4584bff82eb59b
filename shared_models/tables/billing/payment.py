"""Payments and what they settled. Append only, but for a payment's own state."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Day, FenType, Id, Instant, Words, YearMonth

#: amount = applied + advance, always; a reversal or refund is a row of its own with negative amounts.
payment = Table(
    "payment",
    billing_metadata,
    Column("payment_id", Id(), primary_key=True),
    # payment, reversal, refund
    Column("kind", Code(12), nullable=False),
    # done, reversed
    Column("state", Code(12), nullable=False),
    Column("account_id", Id(), ForeignKey("billing_account.account_id"), nullable=False),
    Column("book_id", Id(), ForeignKey("balance_book.book_id"), nullable=False, index=True),
    Column("till_id", Id(), ForeignKey("till_session.till_id"), nullable=False, index=True),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Column("counter_no", Code(20), nullable=False),
    Column("staff_id", Code(32), nullable=False),
    Column("staff_no", Code(20), nullable=False),
    Column("method", Code(12), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("applied_fen", FenType(), nullable=False),
    Column("advance_fen", FenType(), nullable=False),
    Column("received_fen", FenType(), nullable=False),
    Column("change_fen", FenType(), nullable=False),
    Column("receipt_no", Code(40), nullable=False, unique=True),
    Column("paid_at", Instant(), nullable=False),
    Column("act_id", Id(), nullable=False),
    # of a reversal: the payment it undoes. Of a reversed payment: what undid it
    Column("reverses_id", Id()),
    Column("reversed_by_id", Id()),
    # the rail's own number, where money moved outside us
    Column("trace_no", Code(60)),
    Column("remark", Words(200)),
    Index("ix_payment_account_paid_at", "account_id", "paid_at"),
)

#: Book x bill line x amount (销账). A reversal adds the mirror row with a negative amount.
applied_payment = Table(
    "applied_payment",
    billing_metadata,
    Column("period", YearMonth, nullable=False, autoincrement=False),
    Column("bill_id", Id(), nullable=False),
    Column("bill_line_no", Integer, nullable=False, autoincrement=False),
    Column("act_id", Id(), nullable=False),
    Column("seq_no", Integer, nullable=False, autoincrement=False),
    Column("account_id", Id(), nullable=False),
    Column("book_id", Id(), nullable=False),
    # the payment whose money it was; NULL where a book settled by itself
    Column("payment_id", Id(), index=True),
    Column("amount_fen", FenType(), nullable=False),
    Column("applied_on", Day, nullable=False),
    PrimaryKeyConstraint("period", "bill_id", "bill_line_no", "act_id", "seq_no"),
)

#: Money that moves outside us: stored before the device is asked, resolved by its answer, a query or a person.
payment_intent = Table(
    "payment_intent",
    billing_metadata,
    Column("intent_id", Id(), primary_key=True),
    Column("rail", Code(12), nullable=False),
    Column("account_id", Id(), ForeignKey("billing_account.account_id"), nullable=False, index=True),
    Column("till_id", Id(), ForeignKey("till_session.till_id"), nullable=False, index=True),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    # intended, confirmed, refused, unknown, booked
    Column("state", Code(12), nullable=False),
    Column("trace_no", Code(60), nullable=False),
    Column("rail_message", Words(200)),
    Column("intended_at", Instant(), nullable=False),
    Column("resolved_at", Instant()),
    Column("resolved_by", Code(32)),
    Column("act_id", Id(), nullable=False),
    UniqueConstraint("rail", "trace_no", name="uq_payment_intent_trace"),
)
