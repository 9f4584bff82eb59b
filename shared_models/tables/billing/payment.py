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
    # payment, reversal, refund, deposit, deposit_back
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

#: A deposit (押金) in a book of its own: it secures, pays no bill, and is returned or forfeited, wholly or in parts.
account_deposit = Table(
    "account_deposit",
    billing_metadata,
    Column("deposit_id", Id(), primary_key=True),
    Column("account_id", Id(), ForeignKey("billing_account.account_id"), nullable=False, index=True),
    Column("book_id", Id(), ForeignKey("balance_book.book_id"), nullable=False, unique=True),
    Column("product_id", Id()),
    Column("purpose", Words(60), nullable=False),
    # held, returned, forfeited, partly_forfeit
    Column("state", Code(16), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("returned_fen", FenType(), nullable=False),
    Column("forfeited_fen", FenType(), nullable=False),
    Column("receipt_no", Code(40), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Column("staff_id", Code(32), nullable=False),
    Column("taken_at", Instant(), nullable=False),
    Column("ended_at", Instant()),
    Column("act_id", Id(), nullable=False),
)

#: What was done with a deposit after it was taken. Append only; the deposit's own sums are sums of these.
deposit_move = Table(
    "deposit_move",
    billing_metadata,
    Column("deposit_id", Id(), ForeignKey("account_deposit.deposit_id"), primary_key=True),
    Column("act_id", Id(), primary_key=True),
    # returned, to_balance, forfeited
    Column("kind", Code(12), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("reason", Words(200), nullable=False),
    Column("approval_id", Id()),
    Column("receipt_no", Code(40)),
    Column("staff_id", Code(32), nullable=False),
    Column("moved_on", Day, nullable=False),
)

#: Balance moved from one book to another (转账), of one account or of two.
balance_transfer = Table(
    "balance_transfer",
    billing_metadata,
    Column("transfer_id", Id(), primary_key=True),
    Column(
        "from_account_id",
        Id(),
        ForeignKey("billing_account.account_id", name="fk_balance_transfer_from"),
        nullable=False,
    ),
    Column("from_book_id", Id(), nullable=False),
    Column(
        "to_account_id",
        Id(),
        ForeignKey("billing_account.account_id", name="fk_balance_transfer_to"),
        nullable=False,
    ),
    Column("to_book_id", Id(), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("reason", Words(200), nullable=False),
    Column("approval_id", Id()),
    Column("receipt_no", Code(40)),
    Column("hall_code", Code(20), nullable=False),
    Column("staff_id", Code(32), nullable=False),
    Column("moved_on", Day, nullable=False),
    Column("act_id", Id(), nullable=False),
    Index("ix_balance_transfer_from", "from_account_id"),
    Index("ix_balance_transfer_to", "to_account_id"),
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
