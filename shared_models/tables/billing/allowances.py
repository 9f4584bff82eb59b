"""Packs of units granted by date, who shares a pool, what a month leaves over, and corrections of billed usage."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Count, Day, Id, Instant, Words, YearMonth

#: A pack of units an owner has from a day until a day. Never edited; taken back by an end of its own.
allowance_pack = Table(
    "allowance_pack",
    billing_metadata,
    Column("pack_id", Id(), primary_key=True),
    # product, account, customer, pool
    Column("owner_kind", Code(12), nullable=False),
    Column("owner_id", Code(40), nullable=False),
    # the package of the tariffs (by_pack) whose rows it may be used on
    Column("code", Code(40), nullable=False),
    Column("quantity", Count, nullable=False),
    # days in the town, half-open
    Column("from_on", Day, nullable=False),
    Column("until_on", Day, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("reason", Words(200)),
    Column("act_id", Id(), nullable=False),
    Column("staff_id", Code(32)),
    Column("granted_at", Instant, nullable=False),
    Index(None, "owner_id"),
)

#: The products that share a named pool, from when until when; a product is in one pool at a time.
allowance_member = Table(
    "allowance_member",
    billing_metadata,
    Column("product_id", Code(32), primary_key=True),
    Column("from_on", Day, primary_key=True),
    Column("until_on", Day),
    Column("pool_id", Code(40), nullable=False),
    Column("act_id", Id(), nullable=False),
    Index(None, "pool_id"),
)

#: What a month left of packages that are carried over, as last dealt out, by the month they were granted in.
allowance_left = Table(
    "allowance_left",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("owner_id", Code(40), primary_key=True),
    Column("tariff_code", Code(40), primary_key=True),
    Column("code", Code(40), primary_key=True),
    Column("granted_month", YearMonth, primary_key=True, autoincrement=False),
    Column("left_quantity", Count, nullable=False),
    sqlite_with_rowid=False,
)

#: What usage of billed months should have cost: the rated row stays, the difference is billed in an open period.
#: now - was adds up over the periods; a call that moved to another product or account has a row in both places.
rated_change = Table(
    "rated_change",
    billing_metadata,
    # the open period the difference is billed in
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("account_id", Code(32), primary_key=True),
    Column("usage_id", Count, primary_key=True, autoincrement=False),
    Column("product_id", Code(32), primary_key=True),
    Column("item_code", Code(24), primary_key=True),
    # where the rated row lies: its period and account
    Column("for_month", YearMonth, nullable=False),
    Column("rated_account_id", Code(32), nullable=False),
    Column("was_micro_yuan", Count, nullable=False),
    Column("now_micro_yuan", Count, nullable=False),
    # what prices it now; of the place it left: nothing
    Column("price_no", Count),
    Column("quantity", Count, nullable=False),
    Column("covered", Count, nullable=False),
    Column("units", Count, nullable=False),
    Column("rerate_id", Id(), nullable=False),
    sqlite_with_rowid=False,
)

#: Each re-rating: what was asked and what came of it.
rerate = Table(
    "rerate",
    billing_metadata,
    Column("rerate_id", Id(), primary_key=True),
    # running, done, cancelled
    Column("state", Code(12), nullable=False),
    Column("from_on", Day, nullable=False),
    Column("until_on", Day, nullable=False),
    Column("tariff_code", Code(40)),
    Column("account_id", Code(32)),
    Column("reason", Words(200), nullable=False),
    Column("staff_id", Code(32)),
    Column("asked_at", Instant, nullable=False),
    Column("done_at", Instant),
    # the last account done of the month being worked on: where to go on
    Column("at_month", YearMonth, nullable=False),
    Column("at_account", Code(32)),
    Column("call_count", Count, nullable=False),
    Column("changed_count", Count, nullable=False),
    Column("moved_count", Count, nullable=False),
    Column("was_micro_yuan", Count, nullable=False),
    Column("now_micro_yuan", Count, nullable=False),
)
