"""The same expressions on Spark: random tariffs of every model and random months, equal in every column.

``SPARK_TARIFFS=400`` tries so many tariffs; the short form is part of every run.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from server_api.billing.rating import spark
from server_api.billing.rating.arithmetic import ceil_div, dividing_in_floats, floor_div
from server_api.billing.rating.rater import rate
from server_api.billing.rating.tariff.compile import Compiled, compile_tariffs
from server_api.billing.rating.tariff.model import Tariff
from server_api.cli.main import main
from shared_models.values.faults.rating import SparkNotThere
from tests.unit.rating import test_against_reference as plain
from tests.unit.rating import test_every_model as every

TARIFFS = int(os.environ.get("SPARK_TARIFFS", "24"))
AT_ONCE = 12
CALLS = 120


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    with spark.spark_session("local[2]") as opened:
        yield opened


def _together(
    tariffs: list[Tariff], frames: list[pl.DataFrame], zones: dict[str, str]
) -> tuple[Compiled, pl.DataFrame]:
    """Several tariffs laid out at once, each with its own calls: a plan for each."""
    named = [replace(tariff, code=f"T{number}") for number, tariff in enumerate(tariffs)]
    tables = compile_tariffs(dict(enumerate(named, start=1)), [(tariff.code,) for tariff in named], zones)
    calls = pl.concat(
        [
            frame.with_columns(
                usage_id=pl.col("usage_id") + number * 1_000_000,
                product_id=pl.format("{}-{}", pl.col("owner_key").cast(pl.String), pl.lit(number)),
                plan_no=pl.lit(number, pl.Int64),
                account_id=pl.lit("a"),
            )
            for number, frame in enumerate(frames)
        ],
        how="diagonal",
    )
    return tables, calls


def _equal(session: Any, tables: Compiled, calls: pl.DataFrame) -> pl.DataFrame:
    here = rate(calls.lazy(), tables, None, included=True, explain=True).collect().sort("usage_id")
    there = spark.rate_with_spark(session, calls, tables, None, included=True).sort("usage_id")
    assert sorted(here.columns) == sorted(there.columns)
    assert_frame_equal(here, there.select([pl.col(name).cast(kind) for name, kind in here.schema.items()]))
    return here


@pytest.mark.parametrize("first", range(0, TARIFFS // 2, AT_ONCE))
def test_every_charge_model(session: Any, first: int) -> None:
    rngs = [random.Random(seed) for seed in range(first, first + AT_ONCE)]
    tariffs = [every.random_tariff(rng) for rng in rngs]
    frames = [every.frame_of(every.random_calls(rng, CALLS)) for rng in rngs]
    tables, calls = _together(tariffs, frames, every.ZONES)
    rated = _equal(session, tables, calls)
    assert rated["charge_micro_yuan"].sum() > 0


@pytest.mark.parametrize("first", range(0, TARIFFS // 2, AT_ONCE))
def test_included_units(session: Any, first: int) -> None:
    rngs = [random.Random(1_000 + seed) for seed in range(first, first + AT_ONCE)]
    tables, calls = _together(
        [plain.random_tariff(rng) for rng in rngs],
        [plain.frame_of(plain.random_calls(rng, CALLS)) for rng in rngs],
        plain.ZONES,
    )
    rated = _equal(session, tables, calls)
    assert rated["covered"].sum() > 0


def test_dividing_in_floats_is_exact_up_to_where_money_ends() -> None:
    """Polars divides whole numbers; the other body, worked out in floats, gives the same up to quotients of 2^52."""
    rng = random.Random(5)
    rows = [(rng.randrange(2**62), rng.randrange(2**11, 2**40)) for _ in range(20_000)]
    rows += [(q * d + r, d) for d in (1, 2, 3, 60, 10**6, 10**9) for q in (0, 1, 2**51) for r in (0, d - 1)]
    rows = [(a, b) for a, b in rows if a // b < 2**52 and a < 2**63]
    frame = nw.from_native(pl.DataFrame(rows, schema=["a", "b"], orient="row").lazy())

    def float_floor(quantity: nw.Expr, divisor: nw.Expr) -> nw.Expr:
        whole = quantity - quantity % divisor + divisor // 2
        return (whole.cast(nw.Float64()) / divisor.cast(nw.Float64())).floor().cast(nw.Int64())

    a, b = nw.col("a"), nw.col("b")
    with dividing_in_floats():
        found = frame.with_columns(f=float_floor(a, b), q=floor_div(a, b), up=ceil_div(a, b))
    result = nw.to_native(found).collect()
    assert result["f"].to_list() == result["q"].to_list() == [x // y for x, y in rows]
    assert result["up"].to_list() == [-(-x // y) for x, y in rows]


def test_the_command_gives_the_same_charges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usage = tmp_path / "calls.csv"
    usage.write_text(
        "caller,called,start,duration_s\n"
        "3961234,02164851234,2026-03-05 06:59:30,60\n"
        "3961234,2685123,2026-03-05 10:00:00,200\n",
        encoding="ascii",
    )
    tariff = Path(__file__).parents[3] / "resources" / "catalog" / "tariffs" / "voice.yaml"
    told = []
    for engine in ("polars", "spark"):
        words = ["rate", "--tariff", str(tariff), "--usage", str(usage), "--output", "json", "--engine", engine]
        assert main(words) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1] and '"rated": 2' in told[0]


def test_without_java_or_pyspark_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(SparkNotThere), spark.spark_session():
        pass
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(SparkNotThere), spark.spark_session():
        pass
