"""What a tariff asks of a call — trunk groups, type, where it comes from — reaches the rating of an import."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import func, select

from server_api.billing.rating import importer
from server_api.billing.rating.service import sample_tariffs
from server_api.billing.rating.tariff.model import Quantity, Row, Tariff
from server_api.billing.usage.formats import calls_csv
from server_api.billing.usage.samples import sample_calls
from server_api.platform.database import Databases
from shared_models.tables.billing.rating import rated_usage
from shared_models.values.period import Month
from tests.support import usage_town as town

MONTH = Month(202602)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(6)]


def _row(code: str, **conditions: object) -> Row:
    return Row(
        code=code, zones=("*",), item_code=f"voice.{code}", step=60, per=60, prices_micro_yuan={"all": 1_000},
        **conditions,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.one_engine
def test_each_call_by_the_narrowest_row(databases: Databases, tmp_path: Path) -> None:
    rows = (
        _row("rest"),
        _row("trunk", in_trunks=(7,)),
        _row("type", call_types=(5,), priority=1),
        _row("origin", from_zones=("US",), priority=2),
    )
    tariff = Tariff("VOICE-STD", date(2001, 1, 1), Quantity.SECONDS, rows)
    others = [one for one in sample_tariffs() if one.code not in ("VOICE-STD", "VOICE-PKG300")]
    package = next(one for one in sample_tariffs() if one.code == "VOICE-PKG300")
    empty = replace(package, rows=(replace(rows[0], zones=("HK",)),), included=(), windows=tariff.windows)
    town.small_town(databases.billing, NUMBERS, tariffs=[tariff, empty, *others])
    calls = sample_calls(NUMBERS, MONTH, 400, 3).with_columns(
        in_trunk=pl.when(pl.col("seq_no") % 3 == 0).then(7).otherwise(1).cast(pl.Int32),
        call_type=pl.when(pl.col("seq_no") % 5 == 0).then(5).otherwise(3).cast(pl.Int16),
        called_n=pl.lit(3_961_234, pl.Int64),
        called_len=pl.lit(7, pl.Int8),
    )
    (tmp_path / "a.csv").write_bytes(calls_csv.encode(calls))
    report = importer.import_file(databases.billing, tmp_path / "a.csv")
    assert report.accepted_count == 400, report.reasons
    with databases.billing.reading() as conn:
        c = rated_usage.c
        counted = dict(conn.execute(select(c.item_code, func.count()).group_by(c.item_code)).all())
    seq = calls["seq_no"]
    by_type = int((seq % 5 == 0).sum())
    assert counted == {
        "voice.type": by_type,
        "voice.trunk": int(((seq % 3 == 0) & (seq % 5 != 0)).sum()),
        "voice.rest": int(((seq % 3 != 0) & (seq % 5 != 0)).sum()),
    }
