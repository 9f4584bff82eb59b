"""One-off charges of the open month, and what was taken off lines of frozen bills. Append only."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, SmallInteger, Table

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Day, FenType, Id, Instant, MicroYuanType, Words, YearMonth

#: A charge (or, below zero, a credit) that goes on the account's next bill as a line of its own. ``period`` is the open
#: month it will be billed in; nothing marks it billed, the frozen period says so.
account_charge = Table(
    "account_charge",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("account_id", Id(), primary_key=True),
    Column("charge_id", Id(), primary_key=True),
    # the product it is about, where it is about one
    Column("product_id", Id()),
    Column("item_code", Code(40), nullable=False),
    # fee, adjustment, late_fee, late_fee_waived, early_stop, minimum_spend, deposit, discount, other
    Column("kind", Code(16), nullable=False),
    Column("amount_micro_yuan", MicroYuanType(), nullable=False),
    Column("from_on", Day, nullable=False),
    Column("until_on", Day, nullable=False),
    Column("reason", Words(200), nullable=False),
    # the issued bill and line it is about: of a debit after billing, or of a waived late fee
    Column("about_bill_id", Code(32)),
    Column("about_line_no", Integer),
    # the charge this one takes back
    Column("undoes_id", Id()),
    Column("approval_id", Id()),
    Column("act_id", Id(), nullable=False),
    Column("staff_id", Code(32), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("booked_at", Instant(), nullable=False),
    sqlite_with_rowid=False,
)

#: So much was taken off one line of an issued bill (调账). The bill itself never changes; what is left of a line is
#: amount - netted - the sum of these. ``returned_fen`` is the part that had been paid and went back to a book.
bill_adjustment = Table(
    "bill_adjustment",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("bill_id", Code(32), primary_key=True),
    Column("line_no", Integer, primary_key=True, autoincrement=False),
    Column("adjustment_id", Id(), primary_key=True),
    Column("account_id", Id(), nullable=False),
    # credit, late_fee_waived
    Column("kind", Code(16), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("net_fen", FenType(), nullable=False),
    Column("tax_fen", FenType(), nullable=False),
    Column("tax_per_mille", SmallInteger, nullable=False),
    Column("returned_fen", FenType(), nullable=False),
    Column("book_id", Id()),
    Column("reason", Words(200), nullable=False),
    Column("approval_id", Id()),
    Column("receipt_no", Code(40)),
    Column("act_id", Id(), nullable=False),
    Column("staff_id", Code(32), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("booked_on", Day, nullable=False),
    Column("booked_at", Instant(), nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
    Index("ix_bill_adjustment_account", "account_id", "booked_on"),
    sqlite_with_rowid=False,
)
