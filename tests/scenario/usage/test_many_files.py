"""Several files in one command: included units are dealt out once, after the last, also where one was refused."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from server_api.billing.rating import included
from server_api.billing.rating import service as rating
from server_api.billing.usage.formats import calls_csv
from server_api.billing.usage.samples import sample_calls
from server_api.cli import usage as command
from server_api.cli.console import REFUSED, Console
from server_api.platform.database import Databases
from shared_models.values.period import Month
from tests.support import usage_town as town

MONTH = Month(202602)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(8)]


@pytest.mark.one_engine
def test_dealt_once_after_the_last(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    town.small_town(databases.billing, NUMBERS)
    paths = [tmp_path / "missing.csv"]
    calls = sample_calls(NUMBERS, MONTH, 900, 5)
    for index in range(3):
        paths.append(tmp_path / f"{index}.csv")
        paths[-1].write_bytes(calls_csv.encode(calls[index * 300 : index * 300 + 300]))

    @contextmanager
    def house(_args: Any) -> Iterator[Any]:
        yield SimpleNamespace(databases=databases, settings=SimpleNamespace(data_dir=tmp_path))

    dealt: list[int] = []
    whole = included.deal_included_units

    def counted(*arguments: Any, **options: Any) -> int:
        dealt.append(whole(*arguments, **options))
        return dealt[-1]

    monkeypatch.setattr(command, "open_house", house)
    monkeypatch.setattr(included, "deal_included_units", counted)
    monkeypatch.setattr("server_api.billing.rating.importer.deal_included_units", counted)
    args = argparse.Namespace(files=paths, format=None, switch=None)
    assert command._import(args, Console(as_json=True)) == REFUSED, "one file is not there"
    assert len(dealt) == 1 and dealt[0] > 0
    with databases.billing.reading() as conn:
        assert rating.allowances_due(conn, MONTH.yyyymm) == 0
        assert sum(one.call_count for one in rating.charges_for(conn, MONTH.yyyymm)) == 900
