"""Usage as it came: files, the calls set aside, the identities seen, and the access copy that finds an owner.

Instants of usage are whole seconds since 1970 UTC (``*_s``): usage is written by the hundred thousand a second, and a
date type costs twice the bytes and a conversion per row on every engine.
"""

from __future__ import annotations

from sqlalchemy import Column, Identity, Index, Integer, SmallInteger, Table, UniqueConstraint

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Bytes, Code, Count, Instant, LongWords, Serial, Words, YearMonth

#: One row a file, found by its content. read = accepted + rejected + duplicate, always.
usage_file = Table(
    "usage_file",
    billing_metadata,
    Column("file_no", Serial, Identity(start=1), primary_key=True),
    Column("sha256", Code(64), nullable=False),
    Column("file_name", Words(200)),
    Column("format_code", Code(24), nullable=False),
    Column("switch_code", Code(24), nullable=False),
    Column("byte_count", Count, nullable=False),
    # registered, importing, done, refused
    Column("state", Code(12), nullable=False),
    # pieces are fixed byte ranges of the file; after a crash the import goes on at pieces_done
    Column("piece_count", Integer, nullable=False),
    Column("pieces_done", Integer, nullable=False),
    Column("lines_done", Count, nullable=False),
    # records as they lie in the file; joined_count of them were parts of a longer call and became one with it
    Column("record_count", Count, nullable=False),
    Column("joined_count", Count, nullable=False),
    Column("read_count", Count, nullable=False),
    Column("accepted_count", Count, nullable=False),
    # of the accepted, incoming and transit calls: kept as traffic, priced for nobody
    Column("traffic_count", Count, nullable=False, server_default="0"),
    Column("rejected_count", Count, nullable=False),
    Column("duplicate_count", Count, nullable=False),
    Column("charge_micro_yuan", Count, nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("worker", Code(80)),
    Column("lease_until_at", Instant),
    UniqueConstraint("sha256"),
)

#: The identities (64-bit) of the calls taken, 8 bytes each, a row per write turn: what makes a call count once only.
usage_seen = Table(
    "usage_seen",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("file_no", Count, primary_key=True, autoincrement=False),
    Column("piece_no", Integer, primary_key=True, autoincrement=False),
    Column("turn_no", Integer, primary_key=True, autoincrement=False),
    Column("identities", Bytes, nullable=False),
)

#: The least and the greatest identity a piece of a file took in a month (written before them): whoever looks for
#: doubles reads only pieces that may hold one. A piece without a row may hold any.
usage_span = Table(
    "usage_span",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("file_no", Count, primary_key=True, autoincrement=False),
    Column("piece_no", Integer, primary_key=True, autoincrement=False),
    Column("low_id", Count, nullable=False),
    Column("high_id", Count, nullable=False),
)

#: The error pool: what could not be decoded, has no owner or no price; nothing of it is thrown away.
usage_pool = Table(
    "usage_pool",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("file_no", Count, primary_key=True, autoincrement=False),
    # byte offset in a binary file, line number in a text file
    Column("file_pos", Count, primary_key=True, autoincrement=False),
    Column("reason", Code(24), nullable=False),
    # waiting, rated, dropped
    Column("state", Code(12), nullable=False),
    Column("service", Code(12), nullable=False),
    # the key the owner was looked for by; "-" where the record was unreadable
    Column("owner_key", Code(64), nullable=False),
    Column("usage_id", Count),
    Column("seq_no", Count),
    Column("caller", Code(32)),
    Column("called", Code(32)),
    # the called number in full, left aligned to 15 digits: what zones are found by
    Column("called_15", Count),
    Column("start_s", Count),
    Column("duration_s", Count),
    Column("octets_in", Count),
    Column("octets_out", Count),
    Column("in_trunk", Integer),
    Column("out_trunk", Integer),
    Column("call_type", SmallInteger),
    Column("charged_party", SmallInteger),
    Column("free_flag", SmallInteger),
    Column("cause", SmallInteger),
    # of a part of a long call: 1 first, 2 middle, 3 last; else 0 or none
    Column("partial_no", SmallInteger),
    # the record itself: hexadecimal for binary files, the line for text files
    Column("raw_record", LongWords()),
    Index(None, "state", "owner_key"),
)

#: Billing's copy of who is reached by a number, login or card, and when. Keys are normalised (usage.rules).
usage_access = Table(
    "usage_access",
    billing_metadata,
    Column("kind", Code(12), primary_key=True),
    Column("access_key", Code(64), primary_key=True),
    Column("product_id", Code(32), primary_key=True),
    Column("from_at", Instant, primary_key=True),
    Column("until_at", Instant),
    Column("source_seq", Count, nullable=False),
    Index(None, "product_id"),
)
