"""Credit control: what prepaid calls hold of a balance while they last, and what they took when they ended.

Charges are raw micro-yuan (``*_micro_yuan``). A row of credit_account is the sum of the sessions and months it stands
for; ``onehall check-books`` proves it.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Count, Day, FenType, Flag, Id, Instant, JsonText, YearMonth

#: One call, session or event as the switch asked for it. ``open`` holds money; ``closed`` has taken it.
credit_session = Table(
    "credit_session",
    billing_metadata,
    # made by who asks
    Column("session_id", Id(), primary_key=True),
    Column("account_id", Code(32), nullable=False),
    Column("product_id", Code(32), nullable=False),
    # voice, broadband: also the item group of the books that may pay
    Column("service", Code(12), nullable=False),
    # the number or login charged, as looked up, and the other end as dialled
    Column("access_key", Code(64), nullable=False),
    Column("called", Code(32)),
    Column("start_s", Count, nullable=False),
    # open, closed
    Column("state", Code(8), nullable=False),
    # final, silent, event
    Column("end_reason", Code(12)),
    Column("request_no", Integer, nullable=False),
    # all quantities count from the beginning: seconds, octets or events, as the tariff charges
    Column("used_quantity", Count, nullable=False),
    Column("granted_quantity", Count, nullable=False),
    Column("held_micro_yuan", Count, nullable=False),
    Column("debited_micro_yuan", Count, nullable=False),
    # what the balance could not pay for any more: left to the call record
    Column("shortfall_micro_yuan", Count, nullable=False),
    # the month its charge is debited in
    Column("period", YearMonth, nullable=False),
    Column("price_no", Count, nullable=False),
    # included units held (open) or used (closed): allowance to quantity
    Column("draws", JsonText, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Index("ix_credit_session_expiry", "state", "expires_at"),
    Index("ix_credit_session_account", "account_id", "state"),
)

#: The sums a reservation is held against, under the account's lock. A row per item group the account has used.
credit_account = Table(
    "credit_account",
    billing_metadata,
    Column("account_id", Code(32), primary_key=True),
    Column("item_group", Code(20), primary_key=True),
    # open reservations
    Column("held_micro_yuan", Count, nullable=False),
    # debited, and not cut from a book yet; a fraction of a fen below zero where a cut was rounded up
    Column("unbooked_micro_yuan", Count, nullable=False),
    # ok, low, exhausted: what business was told last
    Column("balance_state", Code(12), nullable=False),
)

#: What live charges of a month took. cut_fen is always the whole month rounded once, never a sum of rounded calls.
credit_month = Table(
    "credit_month",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("account_id", Code(32), primary_key=True),
    Column("item_group", Code(20), primary_key=True),
    Column("debited_micro_yuan", Count, nullable=False),
    Column("cut_fen", FenType(), nullable=False),
    # 1 while debits wait to be cut
    Column("due", Flag, nullable=False),
    # 1 once the bill, made of call records, has taken its place and the cuts went back to their books
    Column("released", Flag, nullable=False),
    Index(None, "due"),
)

#: The daily lines of a prepaid account: what was taken from which book on which day, for which month.
credit_cut = Table(
    "credit_cut",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("account_id", Code(32), primary_key=True),
    Column("item_group", Code(20), primary_key=True),
    Column("day_on", Day, primary_key=True),
    Column("book_id", Id(), primary_key=True),
    Column("cut_fen", FenType(), nullable=False),
    # the month's exact sum at that moment
    Column("debited_micro_yuan", Count, nullable=False),
)

#: Included units taken by live calls of a month, reservations among them.
credit_used = Table(
    "credit_used",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("product_id", Code(32), primary_key=True),
    Column("allowance_key", Code(64), primary_key=True),
    Column("used_quantity", Count, nullable=False),
)
