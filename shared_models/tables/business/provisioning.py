"""What the network is told: commands per subscriber in order, what was said, what we made of it, where it differs."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint

from shared_models.tables.business.metadata import business_metadata
from shared_models.tables.types import Code, Flag, Id, Instant, JsonText, LongWords, Words

#: One row a connected system. Whoever holds it works it alone: rate, order and sessions are kept in one place.
prov_system = Table(
    "prov_system",
    business_metadata,
    Column("system_name", Code(40), primary_key=True),
    Column("stopped", Flag, nullable=False),
    Column("stop_reason", Words(200)),
    Column("stopped_by", Code(20)),
    Column("holder", Code(120)),
    # one more each time it changes hands: what an old holder still wants to store is refused
    Column("turn_no", Integer, nullable=False),
    Column("lease_until_at", Instant()),
    # since when it has not answered, and what it said last
    Column("down_since_at", Instant()),
    Column("down_code", Code(40)),
    Column("compared_at", Instant()),
)

#: A subscriber as a system knows him, and as we believe to have left him.
prov_subscriber = Table(
    "prov_subscriber",
    business_metadata,
    Column("system_name", Code(40), nullable=False),
    Column("subscriber_key", Code(64), nullable=False),
    Column("last_no", Integer, nullable=False),
    # NULL = nothing of ours was done yet
    Column("known", Flag),
    Column("state_kept", JsonText),
    PrimaryKeyConstraint("system_name", "subscriber_key"),
)

prov_task = Table(
    "prov_task",
    business_metadata,
    Column("task_id", Id(), primary_key=True),
    Column("system_name", Code(40), nullable=False),
    Column("subscriber_key", Code(64), nullable=False),
    # the order in which a subscriber's commands are done
    Column("task_no", Integer, nullable=False),
    Column("act_name", Code(40), nullable=False),
    Column("wanted", JsonText, nullable=False),
    # fields that are secret: sealed
    Column("wanted_sealed", LongWords),
    # interactive, bulk
    Column("lane", Code(12), nullable=False),
    # lane and priority as one figure: lower goes first
    Column("rank_no", Integer, nullable=False),
    Column("order_id", Id()),
    Column("item_id", Code(40)),
    # waiting, sent, done, refused, manual, cancelled
    Column("state", Code(12), nullable=False),
    # something was sent and has not been read back
    Column("in_doubt", Flag, nullable=False),
    Column("due_at", Instant(), nullable=False),
    Column("try_count", Integer, nullable=False),
    # every try ever, also those before a person said "again": the transcript's number
    Column("word_count", Integer, nullable=False),
    Column("result_code", Code(40)),
    Column("result_text", Words(400)),
    Column("steps", JsonText),
    Column("asked_at", Instant(), nullable=False),
    Column("ended_at", Instant()),
    Column("settled_by", Code(20)),
    Column("settle_reason", Words(200)),
    UniqueConstraint("system_name", "subscriber_key", "task_no", name="uq_prov_task_no"),
    Index("ix_prov_task_due", "system_name", "state", "rank_no", "due_at", "task_id"),
    Index(None, "order_id"),
    Index("ix_prov_task_state", "state", "asked_at", "task_id"),
)

#: What was said in one try, secrets masked.
prov_transcript = Table(
    "prov_transcript",
    business_metadata,
    Column("task_id", Id(), ForeignKey("prov_task.task_id"), nullable=False),
    Column("word_no", Integer, nullable=False),
    Column("at", Instant(), nullable=False),
    # done, refused, again, unknown, manual
    Column("verdict", Code(12), nullable=False),
    Column("result_code", Code(40)),
    Column("result_text", Words(400)),
    Column("exchanges", JsonText, nullable=False),
    PrimaryKeyConstraint("task_id", "word_no"),
)

#: Where a system says something else than we left there.
prov_difference = Table(
    "prov_difference",
    business_metadata,
    Column("difference_id", Id(), primary_key=True),
    Column("system_name", Code(40), nullable=False),
    Column("subscriber_key", Code(64), nullable=False),
    # missing, extra, differs
    Column("difference_kind", Code(12), nullable=False),
    Column("field_name", Code(40)),
    Column("ours", Words(200)),
    Column("theirs", Words(200)),
    Column("found_at", Instant(), nullable=False),
    Column("seen_at", Instant(), nullable=False),
    # open, settled, gone
    Column("state", Code(12), nullable=False),
    Column("settled_by", Code(20)),
    Column("settle_reason", Words(200)),
    Column("settled_at", Instant()),
    Index("ix_prov_difference_state", "system_name", "state", "subscriber_key"),
)
