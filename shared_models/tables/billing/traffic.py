"""Traffic of exchanges by hour and trunk group, the agreements it is settled by, and sessions as RADIUS tells them.

Traffic rows are sums per piece of a file: a piece that is imported again writes the same rows again, and those of a
piece not yet done are not counted. Seconds and hours are of the town's clock where they say ``hour``, else since 1970.
"""

from __future__ import annotations

from sqlalchemy import Column, Identity, Index, Integer, SmallInteger, Table, UniqueConstraint

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Count, Instant, JsonText, Serial, Words, YearMonth

#: One row per piece, hour, trunk group, direction and type of call.
usage_traffic = Table(
    "usage_traffic",
    billing_metadata,
    # the month the hour lies in
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("file_no", Count, primary_key=True, autoincrement=False),
    Column("piece_no", Integer, primary_key=True, autoincrement=False),
    # yyyymmddhh of the town
    Column("hour_no", Integer, primary_key=True, autoincrement=False),
    # 0 where no trunk group was used
    Column("trunk_no", Integer, primary_key=True, autoincrement=False),
    # 0 none (within the exchange), 1 incoming, 2 outgoing
    Column("direction", SmallInteger, primary_key=True, autoincrement=False),
    Column("call_type", SmallInteger, primary_key=True, autoincrement=False),
    # of calls begun in the hour
    Column("call_count", Count, nullable=False),
    Column("answered_count", Count, nullable=False),
    Column("talked_s", Count, nullable=False),
    # the same in begun minutes and begun six seconds of each call: what operators settle by
    Column("minute_count", Count, nullable=False),
    Column("six_second_count", Count, nullable=False),
    # seconds of the hour circuits were held, whenever their calls began
    Column("held_s", Count, nullable=False),
)

#: Operators, trunk groups and settlement rates as imported, whole; the last is in force, none is ever changed.
usage_agreement = Table(
    "usage_agreement",
    billing_metadata,
    Column("version_no", Serial, Identity(start=1), primary_key=True),
    Column("digest", Code(64), nullable=False),
    Column("document", JsonText, nullable=False),
    Column("imported_at", Instant, nullable=False),
    UniqueConstraint("digest"),
)

#: The last that was heard of a session, and how much of it is rated. Counters only grow.
usage_session = Table(
    "usage_session",
    billing_metadata,
    # sha256 of the server's name and its session id
    Column("session_key", Code(64), primary_key=True),
    # a server uses an id again after a restart: 1, 2 …
    Column("run_no", Integer, primary_key=True, autoincrement=False),
    Column("nas_code", Code(64), nullable=False),
    Column("session_id", Words(128), nullable=False),
    Column("login", Words(64)),
    Column("address", Code(45)),
    # open, closed
    Column("state", Code(12), nullable=False),
    # stop, silence, restart
    Column("closed_by", Code(12)),
    Column("cause", SmallInteger),
    Column("start_s", Count, nullable=False),
    Column("last_s", Count, nullable=False),
    Column("duration_s", Count, nullable=False),
    Column("octets_in", Count, nullable=False),
    Column("octets_out", Count, nullable=False),
    Column("cut_duration_s", Count, nullable=False),
    Column("cut_octets_in", Count, nullable=False),
    Column("cut_octets_out", Count, nullable=False),
    Column("slice_count", Integer, nullable=False),
    Column("message_count", Integer, nullable=False),
    Column("heard_at", Instant, nullable=False),
    Index(None, "state", "last_s"),
)

#: Differences of sessions taken to be rated together, as a file of their own.
usage_cut = Table(
    "usage_cut",
    billing_metadata,
    Column("cut_no", Serial, Identity(start=1), primary_key=True),
    Column("slice_count", Integer, nullable=False),
    # made, rated
    Column("state", Code(12), nullable=False),
    Column("made_at", Instant, nullable=False),
)

#: What a cut holds: how much each session used since the cut before.
usage_slice = Table(
    "usage_slice",
    billing_metadata,
    Column("cut_no", Count, primary_key=True, autoincrement=False),
    Column("slice_no", Integer, primary_key=True, autoincrement=False),
    Column("session_key", Code(64), nullable=False),
    Column("run_no", Integer, nullable=False),
    Column("session_name", Code(64), nullable=False),
    Column("login", Words(64)),
    Column("address", Code(45)),
    Column("start_s", Count, nullable=False),
    Column("duration_s", Count, nullable=False),
    Column("octets_in", Count, nullable=False),
    Column("octets_out", Count, nullable=False),
)
