"""A draft tariff tried on a month's real usage: the same figures a re-rating comes to, and nothing written."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server_api.billing.rating.preview import preview_tariffs
from server_api.billing.rating.preview_plot import plot
from server_api.billing.rating.service import sample_tariffs, tariff_codes
from server_api.cli import tariff_preview
from server_api.cli.main import main
from server_api.platform.database import Database, Databases
from shared_models.tables.billing.rating import rated_usage
from shared_models.values.faults.common import NotFound
from tests.scenario.usage.test_rerate import LOGINS, MONTH, NUMBERS, _import, again, dearer, publish, rated
from tests.support import usage_town as town


@pytest.fixture
def billing(databases: Databases, tmp_path: Path) -> Database:
    town.small_town(databases.billing, NUMBERS, LOGINS)
    _import(databases.billing, tmp_path)
    return databases.billing


def test_it_foresees_what_re_rating_does(billing: Database) -> None:
    before = rated(billing)
    seen = preview_tariffs(billing, MONTH, [one for one in dearer(3) if one.code.startswith("VOICE")])
    with billing.reading() as conn:
        codes = tariff_codes(conn)
    assert rated(billing) == before
    publish(billing, dearer(3))
    with billing.reading() as conn:
        assert len(tariff_codes(conn)) > len(codes), "the draft had not been kept"
    again(billing)
    c = rated_usage.c
    with billing.reading() as conn:
        after = {row[0]: int(row[1]) for row in conn.execute(
            select(c.account_id, func.sum(c.charge_micro_yuan)).group_by(c.account_id)
        )}  # fmt: skip
    assert {row[0]: row[3] for row in seen.accounts.rows()} == after
    assert sum(seen.accounts["calls"]) == len(before["rated_usage"])
    assert seen.items["then"].sum() == seen.then_micro_yuan > seen.now_micro_yuan == seen.items["now"].sum()
    assert len(seen.losers) > 10 and len(seen.winners) == 0
    assert sum(count for _low, _high, count in seen.classes()) == len(seen.losers)


def test_a_draft_as_it_is_changes_nothing(billing: Database) -> None:
    seen = preview_tariffs(billing, MONTH, sample_tariffs())
    assert len(seen.losers) == len(seen.winners) == 0 and seen.now_micro_yuan == seen.then_micro_yuan > 0
    with pytest.raises(NotFound):
        preview_tariffs(billing, MONTH, [replace(sample_tariffs()[0], code="NOSUCH")])


@pytest.mark.one_engine
def test_a_picture_and_a_file(
    billing: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = preview_tariffs(billing, MONTH, dearer(3))
    for language in ("zh_CN", "en"):
        file = tmp_path / f"{language}.png"
        plot(seen, file, language)
        assert file.read_bytes()[:4] == b"\x89PNG" and file.stat().st_size > 20_000
    tariff_preview._write(seen, tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == len(seen.accounts) and rows[0]["change_yuan"][0] != "-"
    assert main(["tariff", "preview", str(tmp_path / "nosuch.yaml"), "--lang", "en"]) != 0
