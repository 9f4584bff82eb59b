"""``onehall usage``: files, trunk reports, settlement, sessions and tables from the command line."""

from __future__ import annotations

import csv
import json
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from server_api.cli import usage, usage_profiles, usage_radius, usage_traffic
from server_api.cli.house import House
from server_api.cli.main import main
from server_api.platform.database import Databases
from server_api.settings import load_settings
from server_api.wiring import wire_databases
from tests.scenario.usage.test_radius import detail, now_s
from tests.support import usage_town as town
from tests.unit.usage.test_detection import FILES
from tests.unit.usage.test_settlement import FILE
from tests.unit.usage.test_text_kinds import FIXED

pytestmark = pytest.mark.one_engine
HEAD = "caller,called,start,duration_s,in_trunk,out_trunk,call_type\n"


@pytest.fixture
def here(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The databases of the test as an installation."""
    town.small_town(databases.billing, ["3960001"], ["bb0001"])
    wiring = wire_databases(databases)

    @contextmanager
    def opened(_args: Namespace, label: str = "cli", **_more: Any) -> Iterator[House]:
        yield House(load_settings(tmp_path), databases, wiring)

    for module in (usage, usage_radius, usage_traffic):
        monkeypatch.setattr(module, "open_house", opened)
    monkeypatch.setattr(usage_profiles, "settings_of", lambda _args: load_settings(tmp_path))
    return tmp_path


def run(*words: object) -> int:
    return main(["usage", *[str(word) for word in words], "--lang", "en", "--json"])


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out.strip().split("\n")[-1])


def test_traffic_and_settlement(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls = here / "calls.csv"
    calls.write_text(
        HEAD
        + "3960001,02164851234,2026-02-05 09:15:30,61,0,12,5\n"
        + "02164851234,3960001,2026-02-05 09:20:00,61,12,0,7\n"
        + "02164851234,3960001,2026-02-05 10:20:00,0,12,0,7\n",
        encoding="ascii",
    )
    assert run("import", calls) == 0
    (report,) = told(capsys)["files"]
    assert (report["read_count"], report["accepted_count"], report["traffic_count"]) == (3, 3, 2)
    assert run("settlement", "--month", "2026-02") == 1
    assert told(capsys)["fault"] == "no_agreement"
    (here / "agreements.toml").write_text(FILE, encoding="utf-8")
    assert run("agreements", here / "agreements.toml") == 0
    assert told(capsys)["rate_count"] == 4
    assert run("settlement", "--month", "2026-02") == 0
    lines = {row[1]: row[-1] for row in told(capsys)["settled"]["rows"]}
    assert lines == {"in": 12, "out": -6}
    assert run("trunks", "--month", "202602") == 0
    rows = told(capsys)["rows"]
    assert [row[4:9] for row in rows] == [["in", 2, 1, 500, 61], ["out", 1, 1, 1000, 61]]
    assert run("trunks", "--month", "202602", "--by", "hour", "--csv", here / "hours.csv") == 0
    with (here / "hours.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row[3] for row in csv.reader(file)] == ["hour", "09:00", "10:00", "09:00", ""]
    (here / "agreements.toml").write_text(FILE.replace("0.06", "cheap"), encoding="utf-8")
    capsys.readouterr()
    assert run("agreements", here / "agreements.toml") == 1
    assert told(capsys)["params"]["place"] == "rate 1"


def test_messages_are_added_to_their_sessions(
    here: Path, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    path = here / "detail"
    path.write_bytes(detail(now_s(databases.billing), ("bb0001", "Start", 0, 0), ("bb0001", "Stop", 600, 1_000)))
    assert run("import", path) == 0
    assert told(capsys)["files"][0]["accepted_count"] == 2
    assert run("radius", "rate") == 0
    assert told(capsys)[0]["accepted_count"] == 1
    assert run("radius", "rate") == 0
    assert told(capsys) == []
    assert run("radius", "serve", "--port", "0") == 1
    assert told(capsys)["fault"] == "radius_clients_not_valid"


def test_tables_of_the_site(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "usage").mkdir()
    table = here / "usage" / "site.toml"
    table.write_text(FIXED, encoding="utf-8")
    assert run("profile", "list") == 0
    assert {"site_fixed", "zxj10_v302", "gb2048"} <= {one["code"] for one in told(capsys)}
    good = "3960001     02164851234       2026020509153000001901NAT\n"
    (here / "good.txt").write_text(good * 3, encoding="ascii")
    (here / "bad.txt").write_text(good * 3 + good.replace("0915", "0990"), encoding="ascii")
    assert run("profile", "check", table, here / "good.txt") == 0
    (tried,) = told(capsys)["files"]
    assert (tried["read"], tried["bad"], tried["first"][0]["start"]) == (3, 0, "2026-02-05 09:15:30")
    assert run("profile", "check", table, here / "bad.txt") == 1
    assert told(capsys)["files"][0]["reasons"] == {"bad_time": 1}
    assert run("import", here / "good.txt") == 0
    (report,) = told(capsys)["files"]
    assert (report["format_code"], report["accepted_count"], report["duplicate_count"]) == ("site_fixed", 1, 2)
    table.write_text(FIXED.replace('"100ms"', '"fortnight"'), encoding="utf-8")
    assert run("profile", "check", table) == 1
    assert told(capsys)["fault"] == "usage_profile_not_valid"


def test_made_up_calls_in_a_switchs_own_layout(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("profile", "sample", "zxj10_v302", here / "a.bin", "--calls", 50) == 0
    assert run("profile", "sample", "calls_csv", here / "b.bin") == 1
    capsys.readouterr()
    assert run("import", here / "a.bin") == 0
    (report,) = told(capsys)["files"]
    assert (report["format_code"], report["read_count"]) == ("zxj10_v302", 50)


def test_a_refused_file_does_not_keep_the_next(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "noise").write_bytes(b"\0" * 9_000)
    (here / "empty").write_bytes(b"")
    (here / "calls.bil").write_bytes(FILES["huawei_147"])
    assert run("import", here / "noise", here / "empty", here / "none", here / "calls.bil") == 1
    found = told(capsys)
    assert (found["refused"], [one["format_code"] for one in found["files"]]) == (3, ["huawei_147"])
