"""``onehall rerate`` from the command line: preview, run, list, resume, and refusals in words."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from server_api.billing.account.service import AccountToImport, import_accounts
from server_api.cli import rerate
from server_api.cli.house import House
from server_api.cli.main import main
from server_api.platform.database import Databases
from server_api.settings import load_settings
from server_api.wiring import wire_databases
from tests.scenario.usage.test_rerate import LOGINS, NUMBERS, _import, dearer, publish
from tests.support import usage_town as town

pytestmark = pytest.mark.one_engine


@pytest.fixture
def here(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Databases:
    town.small_town(databases.billing, NUMBERS, LOGINS)
    _import(databases.billing, tmp_path)
    accounts = [
        AccountToImport(town.account_of(key), f"{1_000_000 + index}", "c" * 32)
        for index, key in enumerate([*NUMBERS, *LOGINS])
    ]
    town.act(databases.billing, lambda uow: import_accounts(uow, accounts=accounts))
    wiring = wire_databases(databases)

    @contextmanager
    def opened(_args: Namespace, label: str = "cli", **_more: Any) -> Iterator[House]:
        yield House(load_settings(tmp_path), databases, wiring)

    monkeypatch.setattr(rerate, "open_house", opened)
    return databases


def run(capsys: pytest.CaptureFixture[str], *words: str, language: str = "en") -> tuple[int, Any]:
    code = main(["rerate", *words, "--lang", language, "--json"])
    return code, json.loads(capsys.readouterr().out.strip().split("\n")[-1])


def test_previewed_run_and_listed(here: Databases, capsys: pytest.CaptureFixture[str]) -> None:
    publish(here.billing, dearer())
    code, seen = run(capsys, "preview", "--month", "2026-02")
    assert code == 0 and seen["changed_count"] > 500
    assert sum(seen["by_account"].values()) == seen["now_micro_yuan"] - seen["was_micro_yuan"]
    main(["rerate", "preview", "--month", "2026-02", "--lang", "zh_CN"])
    words = capsys.readouterr().out
    assert "条话单" in words and "1000000" in words and "另有" in words
    code, first = run(capsys, "run", "--from", "2026-02-01", "--until", "2026-02-08", "--reason", "更正", "--account",
                      "1000001")  # fmt: skip
    assert code == 0 and first["state"] == "done" and 0 < first["changed_count"] < seen["changed_count"]
    code, done = run(capsys, "run", "--month", "2026-02", "--reason", "更正")
    assert first["changed_count"] + done["changed_count"] == seen["changed_count"]
    _code, listed = run(capsys, "list")
    assert {one["rerate_id"] for one in listed} == {done["rerate_id"], first["rerate_id"]}
    main(["rerate", "list", "--lang", "zh_CN"])
    assert "更正" in capsys.readouterr().out
    for words in (("resume", done["rerate_id"]), ("cancel", done["rerate_id"])):
        code, refusal = run(capsys, *words)
        assert (code, refusal["fault"]) == (1, "rerate_ended") and refusal["remedy"]
    assert run(capsys, "run", "--month", "2026-02", "--tariff", "NOSUCH", "--reason", "x")[1]["fault"] == "not_found"
    assert run(capsys, "preview", "--month", "2026-02", "--account", "9")[1]["fault"] == "account_not_found"
