"""``onehall pay``: a payment from the command line, once per act id, and refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server_api.cli.main import main
from server_api.platform.database import open_databases
from server_api.platform.secrets import Secrets
from server_api.settings import load_settings
from server_api.wiring import wire_databases
from shared_models.values.ids import new_id
from tests.support.house import PASSWORD, furnish
from tests.support.money import Counter

pytestmark = pytest.mark.one_engine


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with staff and one account that owes 55 yuan."""
    monkeypatch.setenv("ONEHALL_PASSWORD", PASSWORD)
    assert main(["db", "upgrade", "--data-dir", str(tmp_path)]) == 0
    settings = load_settings(tmp_path)
    databases = open_databases(
        settings.business_url, settings.billing_url, secrets=Secrets.from_file(settings.key_file)
    )
    wiring = wire_databases(databases)
    furnish(databases, wiring)
    counter = Counter(databases, wiring)
    counter.owe(counter.open_account("A10086"), 202602, [5_500])
    databases.close()
    return tmp_path


def pay(data_dir: Path, *words: str) -> int:
    return main(["pay", "--data-dir", str(data_dir), "--json", "--lang", "en", "--counter", "03", *words])


def test_a_payment_is_taken_once_per_act_id(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pay(data_dir, "A10086", "60.00", "--staff", "1001", "--preview") == 0
    assert json.loads(capsys.readouterr().out)["advance_fen"] == 500
    act_id = new_id()
    command = ("A10086", "60.00", "--staff", "1001", "--received", "100", "--act-id", act_id, "--open-till", "200")
    assert pay(data_dir, *command) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["change_fen"] == 4_000 and first["owed_after_fen"] == 0 and not first["replayed"]
    assert first["receipt"]["receipt_no"] == "H01-03-0000001"
    assert pay(data_dir, *command) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["replayed"] and again["receipt"] == first["receipt"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("A10086", "1.00", "--staff", "1001"), "till_not_open"),
        (("NOBODY", "1.00", "--staff", "1001"), "account_not_found"),
        (("A10086", "1.005", "--staff", "1001"), "amount_not_understood"),
        (("A10086", "1.00", "--staff", "3001"), "not_permitted"),
        (("A10086", "1.00", "--staff", "7777"), "sign_in_refused"),
    ],
)
def test_refusals_end_with_one_and_say_why(
    data_dir: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str
) -> None:
    assert pay(data_dir, *words) == 1
    said = capsys.readouterr()
    assert code in said.out + said.err
