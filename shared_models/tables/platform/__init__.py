"""The tables both databases carry for the platform: acts, facts, numbering, jobs, audit."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Identity, Index, Integer, MetaData, PrimaryKeyConstraint, Table

from shared_models.tables.types import Code, Count, Flag, Id, Instant, JsonText, LongWords, Serial, Words


@dataclass(frozen=True)
class PlatformTables:
    """The platform's tables bound to one database's metadata."""

    act: Table
    fact_aggregate: Table
    fact_out: Table
    fact_pending: Table
    fact_cursor: Table
    fact_in: Table
    fact_parked: Table
    fact_difference: Table
    lane: Table
    side: Table
    number_counter: Table
    job: Table
    audit_entry: Table
    audit_seal: Table
    data_key: Table


def _act(metadata: MetaData) -> Table:
    return Table(
        "act", metadata,
        Column("act_id", Id(), primary_key=True),
        Column("kind", Code(60), nullable=False),
        Column("digest", Code(64), nullable=False),
        Column("staff_id", Code(32), nullable=False),
        Column("staff_no", Code(20), nullable=False),
        Column("hall_code", Code(20)),
        Column("counter_no", Code(20)),
        Column("channel", Code(20)),
        Column("reason", Words(200)),
        Column("occurred_at", Instant(), nullable=False),
        Column("reply", LongWords(), comment="sealed; returned as it was when the act is repeated"),
        Column("after_tokens", Code(500)),
    )


def _facts_out(metadata: MetaData) -> tuple[Table, Table, Table]:
    aggregate = Table(
        "fact_aggregate", metadata,
        Column("aggregate", Code(80), primary_key=True),
        Column("epoch", Integer, nullable=False),
        Column("last_seq", Count, nullable=False),
        Column("epoch_first_seq", Count, nullable=False),
    )
    out = Table(
        "fact_out", metadata,
        Column("fact_id", Id(), primary_key=True),
        Column("aggregate", Code(80), nullable=False),
        Column("seq", Count, nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("epoch_first_seq", Count, nullable=False),
        Column("lane_no", Integer, nullable=False),
        Column("kind", Code(60), nullable=False),
        Column("version", Integer, nullable=False),
        Column("effective_at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),
        Column("act_id", Id(), nullable=False),
        Column("payload", JsonText(), nullable=False),
        Index("uq_fact_out_agg_seq", "aggregate", "seq", "epoch", unique=True),
    )
    # The outbox is a log kept for months; what still has to be sent stands in this small table and leaves it when
    # the receiver has committed, so the search for work never walks the log.
    pending = Table(
        "fact_pending", metadata,
        Column("lane_no", Integer, nullable=False),
        Column("aggregate", Code(80), nullable=False),
        Column("seq", Count, nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("fact_id", Id(), nullable=False),
        PrimaryKeyConstraint("lane_no", "aggregate", "epoch", "seq"),
    )
    return aggregate, out, pending


def _facts_in(metadata: MetaData) -> tuple[Table, Table, Table, Table]:
    cursor = Table(
        "fact_cursor", metadata,
        Column("aggregate", Code(80), primary_key=True),
        Column("epoch", Integer, nullable=False),
        Column("seq", Count, nullable=False),
    )
    inbox = Table(
        "fact_in", metadata,
        Column("aggregate", Code(80), nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("seq", Count, nullable=False),
        Column("fact_id", Id(), nullable=False),
        Column("kind", Code(60), nullable=False),
        Column("applied_at", Instant(), nullable=False),
        Column("skipped_reason", Words(200)),
        PrimaryKeyConstraint("aggregate", "epoch", "seq"),
    )
    parked = Table(
        "fact_parked", metadata,
        Column("aggregate", Code(80), primary_key=True),
        Column("epoch", Integer, nullable=False),
        Column("seq", Count, nullable=False),
        Column("fact_id", Id(), nullable=False),
        Column("kind", Code(60), nullable=False),
        Column("error", Words(500)),
        Column("attempts", Integer, nullable=False),
        Column("parked_at", Instant(), nullable=False),
    )
    difference = Table(
        "fact_difference", metadata,
        Column("fact_id", Id(), primary_key=True),
        Column("aggregate", Code(80), nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("seq", Count, nullable=False),
        Column("kind", Code(60), nullable=False),
        Column("found_at", Instant(), nullable=False),
        Column("settled_at", Instant()),
        Column("remark", Words(200)),
    )
    return cursor, inbox, parked, difference


def _work(metadata: MetaData) -> tuple[Table, Table, Table, Table]:
    lane = Table(
        "lane", metadata,
        Column("lane_no", Integer, primary_key=True, autoincrement=False),
        Column("worker", Code(80)),
        Column("lease_until", Instant()),
    )
    side = Table(
        "side", metadata,
        Column("role", Code(20), primary_key=True),
        Column("epoch", Integer, nullable=False),
        Column("epoch_since", Instant(), nullable=False),
    )
    counter = Table(
        "number_counter", metadata,
        Column("counter_name", Code(80), primary_key=True),
        Column("next_value", Count, nullable=False),
    )
    job = Table(
        "job", metadata,
        Column("job_id", Id(), primary_key=True),
        Column("kind", Code(60), nullable=False),
        Column("state", Code(20), nullable=False),
        Column("asked_at", Instant(), nullable=False),
        Column("due_at", Instant(), nullable=False),
        Column("begun_at", Instant()),
        Column("ended_at", Instant()),
        Column("worker", Code(80)),
        Column("lease_until", Instant()),
        Column("attempts", Integer, nullable=False),
        Column("done_count", Count, nullable=False),
        Column("total_count", Count, nullable=False),
        Column("cancel_wanted", Flag(), nullable=False),
        Column("arguments", JsonText()),
        Column("state_kept", JsonText(), comment="where to go on after a crash"),
        Column("outcome", JsonText()),
        Index("ix_job_state_due_at", "state", "due_at"),
    )
    return lane, side, counter, job


def _audit(metadata: MetaData) -> tuple[Table, Table, Table]:
    entry = Table(
        "audit_entry", metadata,
        Column("entry_id", Serial, Identity(start=1), primary_key=True),
        Column("act_id", Id()),
        Column("occurred_at", Instant(), nullable=False),
        Column("staff_id", Code(32), nullable=False),
        Column("staff_no", Code(20), nullable=False),
        Column("what", Code(60), nullable=False),
        Column("subject", Code(80)),
        Column("remark", Words(500)),
        Column("entry_digest", Code(64), nullable=False),
        Column("sealed_in", Count, index=True),
    )
    seal = Table(
        "audit_seal", metadata,
        Column("seal_no", Count, primary_key=True, autoincrement=False),
        Column("entry_count", Count, nullable=False),
        Column("previous_digest", Code(64), nullable=False),
        Column("seal_digest", Code(64), nullable=False),
        Column("sealed_at", Instant(), nullable=False),
    )
    key = Table(
        "data_key", metadata,
        Column("key_no", Integer, primary_key=True, autoincrement=False),
        Column("wrapped_key", Code(200), nullable=False),
        Column("made_at", Instant(), nullable=False),
        Column("retired_at", Instant()),
    )
    return entry, seal, key


def define_platform_tables(metadata: MetaData) -> PlatformTables:
    """Add the platform's tables to a database's metadata and return them by name."""
    aggregate, out, pending = _facts_out(metadata)
    cursor, inbox, parked, difference = _facts_in(metadata)
    lane, side, counter, job = _work(metadata)
    entry, seal, key = _audit(metadata)
    return PlatformTables(
        act=_act(metadata), fact_aggregate=aggregate, fact_out=out, fact_pending=pending, fact_cursor=cursor,
        fact_in=inbox, fact_parked=parked, fact_difference=difference, lane=lane, side=side, number_counter=counter,
        job=job, audit_entry=entry, audit_seal=seal, data_key=key,
    )
