"""From call files to trunk statistics and settlement: every call once, whatever is imported twice or killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sqlalchemy import func, select

from server_api.billing.rating import importer
from server_api.billing.usage.formats import calls_csv
from server_api.billing.usage.formats.gb2048_encode import blocks_of, records_of
from server_api.billing.usage.jobs import usage_counts_add_up
from server_api.billing.usage.samples import sample_calls
from server_api.billing.usage.traffic import service
from server_api.billing.usage.traffic import store as traffic_store
from server_api.billing.usage.traffic.rules import traffic_of
from server_api.platform.database import Database, Databases
from shared_models.tables.billing.rating import rated_usage
from shared_models.tables.billing.usage import usage_pool
from shared_models.values.faults.usage import NoAgreement
from shared_models.values.period import Month
from tests.support import usage_town as town
from tests.unit.usage.test_settlement import FILE

MONTH = Month(202602)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(20)]


@pytest.fixture
def billing(databases: Databases) -> Database:
    town.small_town(databases.billing, NUMBERS, [])
    return databases.billing


def calls(count: int, seed: int) -> pl.DataFrame:
    """A quarter comes in over trunk 12, a quarter goes through from 12 to 13; every tenth is an attempt."""
    at = np.arange(count)
    frame = sample_calls(NUMBERS, MONTH, count, seed)
    kind = np.where(at % 4 == 0, 7, np.where(at % 4 == 1, 9, frame["call_type"].to_numpy()))
    return frame.with_columns(
        seq_no=pl.Series(at + 1 + seed * 1_000_000),
        in_trunk=pl.Series(np.where(at % 4 < 2, 12, 0)).cast(pl.Int32),
        out_trunk=pl.Series(np.where(at % 4 == 0, 0, np.where(at % 4 == 1, 13, frame["out_trunk"]))).cast(pl.Int32),
        call_type=pl.Series(kind).cast(pl.Int16),
        duration_s=pl.when(pl.Series(at % 10 == 3)).then(0).otherwise(pl.col("duration_s")),
    )


def sums(database: Database) -> list[tuple[Any, ...]]:
    with database.reading() as conn:
        return [tuple(row) for row in traffic_store.traffic_rows(conn, MONTH.yyyymm)]


def expected(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """What a month's statistics of these calls must be."""
    rows = traffic_of(frame).filter(pl.col("period") == MONTH.yyyymm)
    keys = ["trunk_no", "direction", "call_type", "hour_no"]
    names = ["call_count", "answered_count", "talked_s", "minute_count", "six_second_count", "held_s"]
    return [("MAIN", *row) for row in rows.select([*keys, *names]).sort(keys).rows()]


def test_every_call_once(billing: Database, tmp_path: Path) -> None:
    """Incoming and transit calls are traffic, not errors; attempts are traffic and wait in the pool; a file with a part
    of the calls again, in another layout, adds nothing."""
    frame = calls(800, 1)
    first, second = tmp_path / "a.bil", tmp_path / "b.csv"
    first.write_bytes(blocks_of(records_of(frame[:500]), 1_770_000_000))
    second.write_bytes(calls_csv.encode(frame[400:]))
    reports = [importer.import_file(billing, path) for path in (first, second)]
    assert [one.duplicate_count for one in reports] == [0, 100]
    assert all(one.read_count == one.accepted_count + one.rejected_count + one.duplicate_count for one in reports)
    assert usage_counts_add_up(billing).holds
    with billing.reading() as conn:
        rated = conn.execute(select(func.count()).select_from(rated_usage)).scalar_one()
        reasons = {row[0] for row in conn.execute(select(usage_pool.c.reason).distinct())}
    assert reasons <= {"zero_duration", "no_price"}
    assert rated == sum(one.accepted_count - one.traffic_count for one in reports)
    assert sum(one.traffic_count for one in reports) == 400
    assert sums(billing) == expected(frame)


def test_the_same_whatever_is_killed(billing: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = calls(600, 2)
    path = tmp_path / "a.bil"
    path.write_bytes(blocks_of(records_of(frame), 1_770_000_000))
    begun = traffic_store.write_traffic

    def kill(*args: Any, **more: Any) -> None:
        begun(*args, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(importer, "write_traffic", kill)
    with pytest.raises(KeyboardInterrupt):
        importer.import_file(billing, path)
    assert sums(billing) == []  # written, but of a piece that is not done
    monkeypatch.undo()
    assert importer.import_file(billing, path).state == "done"
    assert sums(billing) == expected(frame)


def test_reports(billing: Database, tmp_path: Path) -> None:
    frame = calls(400, 3)
    (tmp_path / "a.csv").write_bytes(calls_csv.encode(frame[:90]))
    importer.import_file(billing, tmp_path / "a.csv")
    with billing.reading() as conn:
        with pytest.raises(NoAgreement):
            service.settlement_report(conn, MONTH)
        bare = service.trunk_report(conn, MONTH, language="en")
    assert [row[2] for row in bare.rows] == [""] * len(bare.rows)
    made = town.act(billing, lambda uow: service.import_agreements(uow, text=FILE, file="a.toml"))
    again = town.act(billing, lambda uow: service.import_agreements(uow, text=FILE, file="b.toml"))
    assert made.reply == again.reply
    rows = expected(frame[:90])
    with billing.reading() as conn:
        trunks = service.trunk_report(conn, MONTH, language="en")
        hours = service.hour_report(conn, MONTH, switch="MAIN")
        nothing = service.hour_report(conn, MONTH, switch="OTHER")
        settled, left = service.settlement_report(conn, MONTH)
    by_key = {(row[1], row[4]): row for row in trunks.rows}
    assert by_key[12, "in"][2:4] == ("移动关口局", "中国移动")
    assert by_key[12, "in"][5] == sum(row[5] for row in rows if row[1:3] == (12, 1))
    at = [column.key for column in trunks.columns].index("calls")
    assert trunks.totals[at] == sum(row[5] for row in rows)
    assert sum(int(row[4] or 0) for row in hours.rows) == sum(row[5] for row in rows)
    assert nothing.rows == ()
    with billing.reading() as conn:
        offices = service.report_by("office")(conn, MONTH, language="en")
    assert [row[:2] for row in offices.rows] == [("MAIN", "within"), ("MAIN", "in"), ("MAIN", "out")]
    assert offices.totals[2] == sum(row[5] for row in rows)
    minutes = sum(row[8] for row in rows if row[1:3] == (12, 1))
    (line,) = [row for row in settled.rows if row[1] == "in"]
    assert (line[6], line[8]) == (minutes, minutes * 6)
    assert settled.totals[-1] == sum(int(row[8] or 0) for row in settled.rows)
    assert {row[1] for row in left.rows} <= {12, 13}
