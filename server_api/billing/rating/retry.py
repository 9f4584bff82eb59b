"""Usage that waited for news: guided and rated again from the error pool, without its file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from server_api.billing.rating import store
from server_api.billing.rating.guide import Guide, load_guide
from server_api.billing.rating.included import deal_included_units, with_steps
from server_api.billing.rating.rater import rate
from server_api.billing.rating.store import arrivals
from server_api.billing.rating.writing import rated_rows
from server_api.billing.usage import store as usage_store
from server_api.billing.usage.formats.frame import REASONS, in_shape
from server_api.billing.usage.parts.join import join_late_parts
from server_api.billing.usage.policy import policy
from server_api.billing.usage.ready import made_ready
from server_api.platform.database import Database
from shared_models.contracts.usage import RetryReport
from shared_models.tables.billing.rating import rated_step, rated_usage
from shared_models.values.money import MicroYuan

_REASONS = ("no_owner", "no_tariff", "no_price", "no_account")
_AT_ONCE = 500
_MOST = 5_000_000


def retry_pool(database: Database, owner_keys: Sequence[str] | None = None) -> RetryReport:
    """Rate what waits in the pool and can be rated now. Each turn moves records and counts together."""
    if owner_keys is None:
        join_late_parts(database)
    tried = rated_count = charge = 0
    for service in ("voice", "broadband"):
        with database.reading() as conn:
            rows = [
                row for row in usage_store.pool_waiting_for(conn, owner_keys, _REASONS, _MOST) if row.service == service
            ]
        if not rows:
            continue
        guide = load_guide(database, service)
        tried += len(rows)
        for begin in range(0, len(rows), _AT_ONCE * 100):
            done = _retry(database, guide, rows[begin : begin + _AT_ONCE * 100])
            rated_count += done[0]
            charge += done[1]
    if rated_count:
        deal_included_units(database)
    return RetryReport(
        tried_count=tried, rated_count=rated_count, left_count=tried - rated_count, charge_micro_yuan=MicroYuan(charge)
    )


def _retry(database: Database, guide: Guide, rows: Sequence[Any]) -> tuple[int, int]:
    ready = _calls_of(rows, guide.service)
    longest = policy().max_call_s if guide.service == "voice" else policy().max_session_s
    rated = rate(ready.lazy(), guide.tariffs, guide.owners, included=False, longest_s=longest).collect()
    now = rated.filter(pl.col("reason") == 0)
    _note_new_reasons(database, rows, rated)
    files = {(row.file_no, row.file_pos): row for row in rows}
    table = rated_rows(now.with_columns(file_no=pl.col("pool_file_no")), guide, 0)
    table = (
        table.drop("file_no")
        .join(
            now.select(
                "usage_id",
                file_no=pl.col("pool_file_no"),
                by_month=pl.col("row_no").is_in(sorted(guide.with_included)),
            ),
            on="usage_id",
        )
        .sort("period", "account_id", "usage_id")
    )
    steps = _steps_by_id(now, guide)
    count = charge = 0
    for begin in range(0, len(table), _AT_ONCE):
        some = table.slice(begin, _AT_ONCE)
        done = _move(database, guide, some, files, steps)
        count += done[0]
        charge += done[1]
    return count, charge


def _steps_by_id(now: pl.DataFrame, guide: Guide) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for row in with_steps(now, guide.tariffs).rows():
        found.setdefault(row[0], []).append(row[1:])
    return found


def _move(
    database: Database,
    guide: Guide,
    some: pl.DataFrame,
    files: dict[tuple[int, int], Any],
    steps: dict[int, list[tuple[Any, ...]]],
) -> tuple[int, int]:
    """Move some records from the pool to the rated ones; those another worker moved meanwhile are left alone."""
    count = charge = 0
    with database.batch() as conn:
        moved = []
        for row in some.iter_rows(named=True):
            pool = files[row["file_no"], row["file_pos"]]
            if usage_store.pool_rated(conn, [(pool.period, pool.file_no, pool.file_pos)]) == 1:
                moved.append(row)
        database.bulk_insert(
            conn, rated_usage, store.RATED_COLUMNS, [tuple(row[name] for name in store.RATED_COLUMNS) for row in moved]
        )
        step_rows = [
            (row["period"], row["account_id"], row["usage_id"], *step)
            for row in moved
            for step in steps.get(row["usage_id"], ())
        ]
        database.bulk_insert(conn, rated_step, store.STEP_COLUMNS, step_rows)
        due = {(row["call_month"], row["account_id"], row["product_id"]) for row in moved if row["by_month"]}
        arrivals.note_due(database, conn, due)
        for file_no in {row["file_no"] for row in moved}:
            charges = [row["charge_micro_yuan"] for row in moved if row["file_no"] == file_no]
            usage_store.move_to_accepted(conn, file_no, len(charges), sum(charges))
            count += len(charges)
            charge += sum(charges)
    return count, charge


def _note_new_reasons(database: Database, rows: Sequence[Any], rated: pl.DataFrame) -> None:
    """A call that has an owner now but no price says so: the pool shows what is missing today."""
    by_place = {(row.file_no, row.file_pos): row for row in rows}
    changed = [
        (by_place[file_no, pos], REASONS[reason])
        for file_no, pos, reason in rated.filter(pl.col("reason") != 0)
        .select("pool_file_no", "file_pos", "reason")
        .rows()
        if by_place[file_no, pos].reason != REASONS[reason]
    ]
    for begin in range(0, len(changed), _AT_ONCE):
        with database.batch() as conn:
            for row, reason in changed[begin : begin + _AT_ONCE]:
                usage_store.pool_reason(conn, (row.period, row.file_no, row.file_pos), reason)


def _calls_of(rows: Sequence[Any], service: str) -> pl.DataFrame:
    """Pooled records as calls ready to be guided; their identity is the one they were given when they came."""
    records = pl.DataFrame(
        {
            "file_pos": [row.file_pos for row in rows],
            "seq_no": [row.seq_no or 0 for row in rows],
            **_digits("caller", [row.caller if service == "voice" else None for row in rows]),
            **_digits("called", [row.called for row in rows]),
            "owner_text": [row.owner_key for row in rows],
            "session": [str(row.usage_id) for row in rows],
            "start_s": [row.start_s for row in rows],
            "duration_s": [row.duration_s for row in rows],
            "octets_in": [row.octets_in for row in rows],
            "octets_out": [row.octets_out for row in rows],
            "in_trunk": [row.in_trunk or 0 for row in rows],
            "out_trunk": [row.out_trunk or 0 for row in rows],
            "call_type": [row.call_type or 0 for row in rows],
            "charged_party": [row.charged_party or 0 for row in rows],
            "free": [row.free_flag or 0 for row in rows],
            "cause": [row.cause or 0 for row in rows],
        }
    )
    ready = made_ready(in_shape(records), service, "", 0, 2**40).drop("reason")
    return ready.with_columns(
        usage_id=pl.Series([row.usage_id for row in rows], dtype=pl.Int64),
        called_15=pl.Series([row.called_15 or 0 for row in rows], dtype=pl.Int64),
        owner_key=pl.Series([int(row.owner_key) if service == "voice" else row.owner_key for row in rows]),
        pool_file_no=pl.Series([row.file_no for row in rows], dtype=pl.Int64),
    )


def _digits(name: str, texts: Sequence[str | None]) -> dict[str, list[int]]:
    return {
        f"{name}_n": [int(text) if text else 0 for text in texts],
        f"{name}_len": [len(text or "") for text in texts],
    }
