"""The ledger: postings, append only. Balances are sums of them; nothing is edited, a correction is a mirror."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Day, FenType, Id, Words, YearMonth

#: Leads with the period and then the act, because the month run writes it by the hundred thousand, act by act.
posting = Table(
    "posting",
    billing_metadata,
    Column("period", YearMonth, nullable=False, autoincrement=False),
    Column("act_id", Id(), nullable=False),
    Column("line_no", Integer, nullable=False, autoincrement=False),
    Column("booked_on", Day, nullable=False),
    # LedgerCode and owner: credited
    Column("from_code", Code(12), nullable=False),
    Column("from_owner", Code(40), nullable=False),
    # LedgerCode and owner: debited
    Column("to_code", Code(12), nullable=False),
    Column("to_owner", Code(40), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    # the payment, bill or till session it is about
    Column("ref_id", Code(40)),
    # of a mirror: the posting it undoes, and why
    Column("reverses_period", YearMonth),
    Column("reverses_act_id", Id()),
    Column("reverses_line_no", Integer),
    Column("reason", Words(200)),
    PrimaryKeyConstraint("period", "act_id", "line_no"),
    CheckConstraint("amount_fen > 0", name="amount"),
)

#: Which postings were undone: the key refuses a second mirror of the same posting.
posting_mirror = Table(
    "posting_mirror",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("act_id", Id(), primary_key=True),
    Column("line_no", Integer, primary_key=True, autoincrement=False),
    Column("mirror_act_id", Id(), nullable=False),
    Index("ix_posting_mirror_act_id", "mirror_act_id"),
)
