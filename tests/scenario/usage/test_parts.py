"""Long calls whose parts lie in several files: joined late, never priced half, nothing counted twice."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import select, update

from server_api.billing.rating import importer
from server_api.billing.rating.retry import retry_pool
from server_api.billing.usage import service as usage
from server_api.billing.usage.formats.gb2048_encode import blocks_of, records_of
from server_api.billing.usage.jobs import usage_counts_add_up
from server_api.billing.usage.parts.join import join_late_parts
from server_api.billing.usage.samples import sample_calls
from server_api.billing.usage.traffic import store as traffic_store
from server_api.platform.database import Database, Databases
from shared_models.tables.billing.rating import rated_usage
from shared_models.tables.billing.usage import usage_file
from shared_models.values.period import Month
from tests.support import usage_town as town

MONTH = Month(202602)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(20)]
FIRST, MIDDLE, LAST = 1, 2, 3


@pytest.fixture
def billing(databases: Databases) -> Database:
    town.small_town(databases.billing, NUMBERS, [])
    return databases.billing


def parts(number: int = 0, seed: int = 4, **more: Any) -> pl.DataFrame:
    """Three parts of one call, an hour each; ``number`` chooses another call."""
    start = int(MONTH.starts_at.timestamp()) + 50_000 + number * 20_000
    whole = sample_calls(NUMBERS, MONTH, 1, seed + number).with_columns(
        out_trunk=pl.lit(12, pl.Int32), call_type=pl.lit(5, pl.Int16)
    )
    return pl.concat(
        [
            whole.with_columns(
                seq_no=pl.lit(number * 10 + at, pl.Int64),
                start_s=pl.lit(start + (at - 1) * 3_600, pl.Int64),
                duration_s=pl.lit(3_600, pl.Int64),
                partial=pl.lit(at, pl.Int8),
                **{name: pl.lit(value).cast(whole.schema[name]) for name, value in more.items()},
            )
            for at in (FIRST, MIDDLE, LAST)
        ]
    )


def took(database: Database, folder: Path, name: str, frame: pl.DataFrame) -> Any:
    path = folder / f"{name}.bil"
    path.write_bytes(blocks_of(records_of(frame), 1_770_000_000 + len(name), file_serial=abs(hash(name)) % 10_000))
    return importer.import_file(database, path)


def rated(database: Database) -> list[tuple[int, int]]:
    with database.reading() as conn:
        c = rated_usage.c
        return [(row[0], row[1]) for row in conn.execute(select(c.start_s, c.duration_s).order_by(c.start_s))]


def counts(database: Database) -> list[tuple[int, ...]]:
    """record, joined, read, accepted, rejected, duplicate of each file."""
    with database.reading() as conn:
        c = usage_file.c
        names = ("record", "joined", "read", "accepted", "rejected", "duplicate")
        query = select(*[c[f"{name}_count"] for name in names]).order_by(c.file_no)
        return [tuple(row) for row in conn.execute(query)]


@pytest.mark.one_engine
@pytest.mark.parametrize("order", list(itertools.permutations((0, 1, 2))))
def test_a_call_in_three_files_in_any_order(billing: Database, tmp_path: Path, order: tuple[int, ...]) -> None:
    call = parts()
    for at in order[:-1]:
        report = took(billing, tmp_path, f"part-{at}", call[at : at + 1])
        assert report.reasons == {"awaiting_parts": 1}
        assert rated(billing) == []
    took(billing, tmp_path, f"part-{order[-1]}", call[order[-1] : order[-1] + 1])
    assert rated(billing) == [(call["start_s"][0], 10_800)]
    by_part = dict(zip(order, counts(billing), strict=True))
    assert by_part == {0: (1, 0, 1, 1, 0, 0), 1: (1, 1, 0, 0, 0, 0), 2: (1, 1, 0, 0, 0, 0)}
    assert usage_counts_add_up(billing).holds
    with billing.reading() as conn:
        traffic = traffic_store.traffic_rows(conn, MONTH.yyyymm)
        assert usage.errors(conn).items == ()
    assert (sum(row.call_count for row in traffic), sum(row.held_s for row in traffic)) == (1, 10_800)


def test_the_same_parts_twice_are_one_call(billing: Database, tmp_path: Path) -> None:
    """Overlapping files: each part comes in two of them, and once the whole call comes again."""
    call, other = parts(), sample_calls(NUMBERS, MONTH, 5, 9)
    took(billing, tmp_path, "a", call[:2])
    took(billing, tmp_path, "bb", pl.concat([call[:2], other[:1]]))
    took(billing, tmp_path, "ccc", call[2:])
    assert (call["start_s"][0], 10_800) in rated(billing)
    report = took(billing, tmp_path, "dddd", pl.concat([call, other[1:2]]))
    assert (report.record_count, report.joined_count, report.duplicate_count, report.accepted_count) == (4, 2, 1, 1)
    # parts of it once more, in two further files
    took(billing, tmp_path, "eeeee", pl.concat([call[:1], other[2:3]]))
    took(billing, tmp_path, "ffffff", pl.concat([call[1:], other[3:4]]))
    assert sum(1 for one in rated(billing) if one == (call["start_s"][0], 10_800)) == 1
    assert usage_counts_add_up(billing).holds
    assert all(row[0] == row[1] + row[2] for row in counts(billing))
    with billing.reading() as conn:
        assert usage.errors(conn).items == ()


def test_what_never_becomes_whole_is_given_up_and_still_joined_later(billing: Database, tmp_path: Path) -> None:
    call = parts()
    took(billing, tmp_path, "a", call[:1])
    took(billing, tmp_path, "bb", call[2:])
    with billing.batch() as conn:
        conn.execute(update(usage_file).values(registered_at=billing.clock.now() - timedelta(hours=49)))
    late = join_late_parts(billing)
    assert (late.joined_count, late.waiting_count, late.given_up_count) == (0, 2, 2)
    with billing.reading() as conn:
        assert {one.reason for one in usage.errors(conn).items} == {"open_partial"}
    assert rated(billing) == []
    took(billing, tmp_path, "ccc", call[1:2])
    assert rated(billing) == [(call["start_s"][0], 10_800)]


def test_two_calls_at_once_and_one_of_nobody(billing: Database, tmp_path: Path) -> None:
    mine, strangers = parts(0), parts(1, caller_n=5_551_234, caller_len=7)
    took(billing, tmp_path, "a", pl.concat([mine[:1], strangers[:1]]))
    took(billing, tmp_path, "bb", pl.concat([strangers[1:], mine[1:]]))
    assert [one[1] for one in rated(billing)] == [10_800]
    with billing.reading() as conn:
        (item,) = usage.errors(conn).items
    assert (item.reason, item.duration_s, item.owner_key) == ("no_owner", 10_800, "869375551234")
    assert retry_pool(billing).rated_count == 0
    assert usage_counts_add_up(billing).holds


def test_killed_while_joining(billing: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = parts()
    took(billing, tmp_path, "a", call[:1])
    monkeypatch.setattr(importer, "join_late_parts", lambda _database: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        took(billing, tmp_path, "bb", call[1:])
    monkeypatch.undo()
    assert rated(billing) == []
    assert retry_pool(billing).rated_count == 1
    assert rated(billing) == [(call["start_s"][0], 10_800)]
    assert usage_counts_add_up(billing).holds
