"""Fapiao (数电票): each one, what is on it, and every word exchanged about it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, SmallInteger, Table

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Day, FenType, Id, Instant, Words, YearMonth

#: A blue fapiao, or (red_of_id) the red one that takes it back, wholly or in part; amounts of red ones are negative.
fapiao = Table(
    "fapiao",
    billing_metadata,
    Column("fapiao_id", Id(), primary_key=True),
    Column("account_id", Id(), ForeignKey("billing_account.account_id"), nullable=False, index=True),
    # 81 special, 82 general
    Column("type_code", Code(4), nullable=False),
    # intended, sent, asked, unknown, refused, normal, returned, partly_red, fully_red, red_letter, void
    Column("state", Code(12), nullable=False),
    # the 20 digits; number_key is the number once there is one, before that the fapiao's own id
    Column("fapiao_no", Code(20)),
    Column("number_key", Code(32), nullable=False, unique=True),
    Column("red_of_id", Id(), index=True),
    Column("red_reason", Code(4)),
    # of a red one: the confirmation (红字确认单) the provider gave before it may be issued
    Column("confirmation_no", Code(40)),
    Column("sealed_buyer", Code(4000), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("net_fen", FenType(), nullable=False),
    Column("tax_fen", FenType(), nullable=False),
    # what the payment or the bills are it was asked for
    Column("about", Code(40)),
    Column("intended_at", Instant(), nullable=False),
    Column("sent_at", Instant()),
    Column("issued_at", Instant()),
    # a job holds it until then; the next word with the provider is due then
    Column("next_at", Instant(), nullable=False),
    Column("try_count", Integer, nullable=False),
    Column("problem", Words(200)),
    Column("pdf_url", Code(400)),
    Column("ofd_url", Code(400)),
    Column("xml_url", Code(400)),
    Column("copy_count", Integer, nullable=False),
    Column("resolved_by", Code(32)),
    Column("reason", Words(200)),
    Column("act_id", Id(), nullable=False),
    Column("staff_id", Code(32), nullable=False),
    Column("staff_no", Code(20), nullable=False),
    Column("hall_code", Code(20), nullable=False),
    Column("district_code", Code(20), nullable=False),
    Index("ix_fapiao_due", "state", "next_at"),
)

#: So much of one bill line is on the fapiao. Of a red one negative.
fapiao_line = Table(
    "fapiao_line",
    billing_metadata,
    Column("fapiao_id", Id(), ForeignKey("fapiao.fapiao_id"), nullable=False),
    Column("line_no", Integer, nullable=False, autoincrement=False),
    Column("period", YearMonth, nullable=False),
    Column("bill_id", Code(32), nullable=False),
    Column("bill_line_no", Integer, nullable=False),
    Column("item_code", Code(40), nullable=False),
    Column("label", Words(80), nullable=False),
    Column("tax_per_mille", SmallInteger, nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("net_fen", FenType(), nullable=False),
    Column("tax_fen", FenType(), nullable=False),
    PrimaryKeyConstraint("fapiao_id", "line_no"),
    Index("ix_fapiao_line_bill", "bill_id", "bill_line_no"),
)

#: What was asked of the provider and what came back. Append only; no name and no tax number in it.
fapiao_word = Table(
    "fapiao_word",
    billing_metadata,
    Column("fapiao_id", Id(), ForeignKey("fapiao.fapiao_id"), nullable=False),
    Column("word_no", Integer, nullable=False, autoincrement=False),
    # issue, query, red_apply, red_issue, download, person
    Column("asked", Code(12), nullable=False),
    # issued, pending, refused, already, not_found, busy, auth, unknown
    Column("outcome", Code(12), nullable=False),
    Column("code", Code(40)),
    Column("remark", Words(200)),
    Column("said_on", Day, nullable=False),
    Column("said_at", Instant(), nullable=False),
    PrimaryKeyConstraint("fapiao_id", "word_no"),
)
