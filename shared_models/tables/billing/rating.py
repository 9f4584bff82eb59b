"""Rated usage, the tariffs that rated it, and billing's copy of the price book.

Charges are raw micro-yuan integers here (``*_micro_yuan``): these rows are written and summed by the hundred thousand.
"""

from __future__ import annotations

from sqlalchemy import Column, Identity, Index, Integer, SmallInteger, Table, UniqueConstraint

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Count, Day, Flag, Instant, JsonText, Serial, YearMonth

#: One row a call or session, clustered by its key and with no other index: an index more halves the writing speed.
rated_usage = Table(
    "rated_usage",
    billing_metadata,
    # the billing period: the month of the start, or the first open one after it where that month is billed already
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("account_id", Code(32), primary_key=True),
    # 63-bit digest of (switch, seq, start, caller, called): the same call always has the same id
    Column("usage_id", Count, primary_key=True, autoincrement=False),
    Column("product_id", Code(32), nullable=False),
    # tariff version × 1 000 000 + row within it (rating_tariff.version_no); 0 where the exchange marked the call free
    Column("price_no", Count, nullable=False),
    Column("item_code", Code(24), nullable=False),
    Column("zone_code", Code(12), nullable=False),
    Column("start_s", Count, nullable=False),
    Column("duration_s", Count, nullable=False),
    # what is charged for: seconds, octets or sessions, as the tariff says
    Column("quantity", Count, nullable=False),
    # blocks charged, after rounding up
    Column("units", Count, nullable=False),
    # how much of the quantity included units covered
    Column("covered", Count, nullable=False),
    Column("charge_micro_yuan", Count, nullable=False),
    # the other end as dialled; the login's address or nothing for a session
    Column("peer_no", Code(32)),
    Column("call_type", SmallInteger, nullable=False),
    Column("file_no", Count, nullable=False),
    Column("file_pos", Count, nullable=False),
    # the number in full or the login whose owner pays: re-rating finds the owner of today by it, without the file
    Column("owner_key", Code(64)),
    # what a session carried, also where it is charged by time or not at all; nothing for a call
    Column("octets", Count),
    sqlite_with_rowid=False,
)

#: The parts of a charge, only where there is more than one: a window crossed, or included units drawn.
rated_step = Table(
    "rated_step",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("account_id", Code(32), primary_key=True),
    Column("usage_id", Count, primary_key=True, autoincrement=False),
    Column("step_no", SmallInteger, primary_key=True, autoincrement=False),
    # connect, first, window:<code>, included:<code>, cap
    Column("kind", Code(32), nullable=False),
    Column("quantity", Count, nullable=False),
    Column("price_micro_yuan", Count, nullable=False),
    Column("amount_micro_yuan", Count, nullable=False),
    sqlite_with_rowid=False,
)

#: Products whose included units must be dealt out anew for a month (of the calls' start), because usage came since.
rating_due = Table(
    "rating_due",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("account_id", Code(32), primary_key=True),
    Column("product_id", Code(32), primary_key=True),
    # 1 while it is being dealt out; usage that comes meanwhile sets it back to 0, so that nothing of it is lost
    Column("dealing", SmallInteger, nullable=False, server_default="0"),
)

#: Tariff versions as imported, whole; never changed, only followed by a later one.
rating_tariff = Table(
    "rating_tariff",
    billing_metadata,
    Column("version_no", Serial, Identity(start=1), primary_key=True),
    Column("tariff_code", Code(40), nullable=False),
    Column("effective_on", Day, nullable=False),
    Column("digest", Code(64), nullable=False),
    Column("document", JsonText, nullable=False),
    Column("imported_at", Instant, nullable=False),
    UniqueConstraint("tariff_code", "effective_on", "digest", name="uq_rating_tariff_version"),
)

#: Frozen versions of the catalogue's prices as heard from the business side.
rating_price_book = Table(
    "rating_price_book",
    billing_metadata,
    Column("book_version", Integer, primary_key=True, autoincrement=False),
    Column("row_count", Integer),
    Column("digest", Code(64)),
    Column("effective_on", Day),
    # 1 once all parts are here and count and digest match
    Column("live", Flag, nullable=False),
    Column("heard_at", Instant, nullable=False),
)

#: The rows of a price book version, as the parts they came in.
rating_price_part = Table(
    "rating_price_part",
    billing_metadata,
    Column("book_version", Integer, primary_key=True, autoincrement=False),
    Column("part_no", Integer, primary_key=True, autoincrement=False),
    Column("document", JsonText, nullable=False),
)

#: Which offering a product had, from when until when: leads from a product to the tariffs its usage is priced by.
rating_product = Table(
    "rating_product",
    billing_metadata,
    Column("product_id", Code(32), primary_key=True),
    Column("from_on", Day, primary_key=True),
    Column("until_on", Day),
    Column("service", Code(20), nullable=False),
    Column("offering_code", Code(40), nullable=False),
    # the bundle it is a member of, whose usage prices go before its own
    Column("bundle_code", Code(40)),
    Column("book_version", Integer, nullable=False),
    Column("source_seq", Count, nullable=False),
    Index("ix_rating_product_offering", "offering_code"),
)
