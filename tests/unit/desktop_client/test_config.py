"""Settings of a counter: who wins, what is refused; and the client's start without a server's libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop_client.config import ClientSettings, SettingsNotValid, load_settings, system_language


@pytest.fixture(autouse=True)
def _no_files_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("site_config_dir", "user_config_dir"):
        monkeypatch.setattr(f"platformdirs.{name}", lambda *_, name=name: str(tmp_path / name))


def test_the_later_place_wins(tmp_path: Path) -> None:
    for folder, counter in (("site_config_dir", "01"), ("user_config_dir", "02")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "client.toml").write_text(f'counter_no = "{counter}"\npaper_mm = 58\n', encoding="utf-8")
    assert load_settings({}, {}).counter_no == "02"
    assert load_settings({"ONEHALL_CLIENT_COUNTER_NO": "03"}, {}).counter_no == "03"
    assert load_settings({"ONEHALL_CLIENT_COUNTER_NO": "03"}, {"counter_no": "04"}).counter_no == "04"
    assert load_settings({"ONEHALL_CLIENT_COUNTER_NO": "03"}, {"counter_no": ""}).counter_no == "03"
    assert load_settings({}, {}).paper_mm == 58


def test_a_named_file_must_be_there_and_make_sense(tmp_path: Path) -> None:
    with pytest.raises(SettingsNotValid):
        load_settings({"ONEHALL_CLIENT_CONFIG": str(tmp_path / "none.toml")}, {})
    bad = tmp_path / "bad.toml"
    for text in ("colour = 'red'", "paper_mm = 'wide'", "not toml"):
        bad.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsNotValid, match="bad.toml"):
            load_settings({"ONEHALL_CLIENT_CONFIG": str(bad)}, {})


def test_yes_and_no_are_read(tmp_path: Path) -> None:
    assert not load_settings({"ONEHALL_CLIENT_KEYRING": "false"}, {}).keyring
    assert load_settings({"ONEHALL_CLIENT_KEYRING": "1"}, {}).keyring


def test_without_a_printer_receipts_become_pdfs(tmp_path: Path) -> None:
    settings = ClientSettings(data_folder=str(tmp_path))
    assert settings.printer_setting == f"pdf:{tmp_path / 'receipts'}"


@pytest.mark.parametrize(("environment", "language"), [
    ({"LANG": "zh_CN.UTF-8"}, "zh_CN"), ({"LANG": "en_US.UTF-8"}, "en"), ({"LC_ALL": "zh_CN", "LANG": "C"}, "zh_CN"),
])
def test_the_systems_language_is_followed(environment: dict[str, str], language: str) -> None:
    assert system_language(environment) == language


@pytest.mark.parametrize("arguments", [["--server", "ftp://x"], ["--server", "http://hall.example"]])
def test_a_wrong_address_ends_with_two_and_says_so(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "desktop_client.app", "--measure-start", "--data-folder", str(tmp_path)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.returncode == 2
    assert "onehall-client:" in done.stderr


CHECK = """
import sys
import desktop_client.app, desktop_client.shell.main_window, desktop_client.shell.workspace
import desktop_client.shell.assembly, desktop_client.driver
for name in desktop_client.shell.navigation.DESKS: pass
from desktop_client.desks.counter import page, presenter
from desktop_client.desks.till import page, presenter
bad = [name for name in sys.modules if name.split('.')[0] in ('sqlalchemy', 'server_api', 'fastapi', 'uvicorn')]
print(bad)
"""


def test_the_client_needs_no_sqlalchemy_and_no_server() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECK], capture_output=True, text=True, cwd=Path(__file__).parents[3], check=True
    )
    assert done.stdout.strip() == "[]"
