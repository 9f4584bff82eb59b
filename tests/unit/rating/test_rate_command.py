"""``onehall rate`` and ``onehall tariff check``: charges with their reasons as table, CSV and JSON, two languages."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import resources
from server_api.cli.main import main

VOICE = str(resources.path("catalog", "tariffs", "voice.yaml"))
CALLS = """seq,caller,called,start,end,duration_s,in_trunk,out_trunk,call_type,charged_party,free
1,09373960001,3960002,2026-10-05 06:59:30,2026-10-05 07:05:00,330,0,0,3,1,0
2,09373960001,02164851234,2026-10-05 06:59:30,2026-10-05 07:05:00,330,0,12,5,1,0
1,09373960001,3960002,2026-10-05 06:59:30,2026-10-05 07:05:00,330,0,0,3,1,0
5,3960001,xx,2026-10-05 06:59:30,2026-10-05 06:59:31,1,0,12,6,1,0
"""


@pytest.fixture
def calls(tmp_path: Path) -> str:
    path = tmp_path / "calls.csv"
    path.write_text(CALLS, encoding="ascii")
    return str(path)


def test_as_a_table(calls: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate", "--tariff", VOICE, "--usage", calls, "--lang", "en"]) == 0
    shown = capsys.readouterr().out
    assert "first 3 min (night) 0.22 + 3 × 1 min (day) at 0.11 = 0.33 = 0.55 yuan" in shown
    assert "5 × 6 s (night) at 0.04 = 0.20 + 50 × 6 s (day) at 0.07 = 3.50 = 3.70 yuan" in shown
    assert "4 records: 2 rated, 2 set aside, charges 4.25 yuan." in shown


def test_in_chinese(calls: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate", "--tariff", VOICE, "--usage", calls, "--lang", "zh_CN"]) == 0
    shown = capsys.readouterr().out
    assert "首 3 分钟（夜间） 0.22" in shown
    assert "费用 4.25 元" in shown


def test_as_csv(calls: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate", "--tariff", VOICE, "--usage", calls, "--output", "csv", "--lang", "en"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["charge"] for row in rows] == ["0.55", "3.70"]


def test_as_json(calls: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate", "--tariff", VOICE, "--usage", calls, "--output", "json", "--lang", "en"]) == 0
    *charges, totals = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [charge["charge_micro_yuan"] for charge in charges] == [550_000, 3_700_000]
    for charge in charges:
        assert sum(step["amount_micro_yuan"] for step in charge["steps"]) == charge["charge_micro_yuan"]
    assert totals == {
        "read": 4,
        "rated": 2,
        "aside": {"not_a_number": 1},
        "duplicate": 1,
        "charge_micro_yuan": 4_250_000,
    }


def test_a_bad_tariff_is_refused_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        Path(VOICE).read_text(encoding="utf-8").replace("price: 0.80", "price: 0.8000001"), encoding="utf-8"
    )
    assert main(["tariff", "check", str(path), "--lang", "en"]) == 1
    said = capsys.readouterr().err
    assert "bad.yaml, row international, field price: '0.8000001' is finer than a millionth of a yuan" in said
    assert main(["tariff", "check", VOICE, "--lang", "en"]) == 0


def test_a_missing_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate", "--tariff", VOICE, "--usage", "/no/such/file", "--lang", "en"]) == 1
    assert "/no/such/file" in capsys.readouterr().err
