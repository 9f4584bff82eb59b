"""The ``onehall`` command: both languages, JSON, exit codes, and a server that comes back when its parts are killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import resources
from server_api.cli.main import build_parser, main
from server_api.platform import schema
from server_api.platform.database import Databases, open_databases
from server_api.platform.facts import parking
from server_api.platform.secrets import Secrets
from server_api.settings import Settings, load_settings
from tests.support.facts import tell

#: Each test here works on an installation of its own in the embedded databases; the engines are tested elsewhere.


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder; nothing of the environment's settings."""
    for name in list(os.environ):
        if name.startswith("ONEHALL_") and "TEST" not in name:
            monkeypatch.delenv(name)
    return tmp_path / "data"


@pytest.fixture
def run(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
    """Runs a command with --json; returns its exit code and the document."""
    def call(*words: str) -> tuple[int, Any]:
        code = main(["--data-dir", str(data_dir), "--lang", "en", *words, "--json"])
        out = capsys.readouterr().out.strip()
        return code, json.loads(out) if out else None
    return call


@pytest.fixture
def installed(run: Callable[..., tuple[int, Any]]) -> Callable[..., tuple[int, Any]]:
    """The same on an installation whose databases are made."""
    assert run("db", "upgrade")[0] == 0
    return run


def _open(data_dir: Path) -> Databases:
    settings: Settings = load_settings(data_dir)
    return open_databases(settings.business_url, settings.billing_url, secrets=Secrets.from_file(settings.key_file))


@pytest.mark.parametrize(("language", "words"), [("zh_CN", "命令"), ("en", "commands")])
def test_help_in_both_languages(language: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--lang", language, "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert words in out
    for command in ("serve", "worker", "check-books", "doctor", "facts", "keys", "db", "config", "audit"):
        assert command in out


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_no_text_of_the_command_line_is_missing(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEHALL_LANG", language)
    from server_api.cli.console import choose_language

    choose_language([])
    shown = build_parser().format_help()
    assert not re.search(r"\bcli\.[a-z_]+", shown)
    texts = {other: {key for key in resources.texts(other) if key.startswith("cli.")} for other in resources.LANGUAGES}
    assert texts["zh_CN"] == texts["en"]


def test_wrong_use_is_2(data_dir: Path) -> None:
    for words in (["nosuch"], ["facts"], ["facts", "skip", "account:1"], ["db", "sql", "nowhere", "oracle"]):
        with pytest.raises(SystemExit) as ended:
            main(["--data-dir", str(data_dir), *words])
        assert ended.value.code == 2
    data_dir.mkdir()
    (data_dir / "onehall.toml").write_text("port = 'many'\ncolour = 'red'\n", encoding="utf-8")
    assert main(["--data-dir", str(data_dir), "config", "check"]) == 2


def test_a_database_that_is_away_is_3(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "billing.db").mkdir()
    assert main(["--data-dir", str(data_dir), "facts", "list"]) == 3


def test_without_tables_the_remedy_is_named(run: Callable[..., tuple[int, Any]], capsys: Any) -> None:
    assert run("check-books")[0] == 1
    assert main(["--data-dir", "/nonexistent/onehall", "config", "show"]) == 0


def test_a_fresh_installation_is_well(installed: Callable[..., tuple[int, Any]]) -> None:
    assert installed("db", "check") == (0, {
        role: {"revision": schema.head(role), "head": schema.head(role), "differences": []}  # type: ignore[arg-type]
        for role in ("business", "billing")})
    code, doctor = installed("doctor")
    assert [line["text"] for line in doctor["lines"] if not line["good"]] == []
    assert (code, doctor["well"]) == (0, True)
    code, books = installed("check-books")
    assert (code, books["balance"]) == (0, True)
    assert {rule["rule"] for rule in books["rules"]} >= {"audit_trail", "facts_crossed"}
    assert installed("check-books", "facts_crossed")[1]["rules"][0]["holds"] is True
    assert installed("audit", "verify")[0] == 0
    assert installed("keys", "show")[1]["data_keys"] == [1]
    assert installed("config", "check")[0] == 0
    assert installed("facts", "rebuild")[0] == 0
    assert installed("facts", "rebuild", "nosuch")[0] == 1


def test_keys_are_rotated_and_put_in_escrow(installed: Callable[..., tuple[int, Any]], tmp_path: Path) -> None:
    assert installed("keys", "rotate", "data")[1] == {"data_key": 2}
    assert installed("keys", "rotate", "file")[0] == 0
    assert installed("keys", "show")[1]["data_keys"] == [1, 2]
    assert installed("keys", "escrow", str(tmp_path / "safe.key"))[0] == 0
    assert installed("keys", "escrow", str(tmp_path / "safe.key"))[0] == 1


def test_a_parked_fact_is_listed_doctored_retried_and_skipped(
    installed: Callable[..., tuple[int, Any]], data_dir: Path,
) -> None:
    databases = _open(data_dir)
    tell(databases.billing, "account:1")
    table = databases.billing.platform.fact_out
    with databases.billing.reading() as connection:
        fact = parking.envelope_of(connection.execute(table.select()).one())
    park = lambda: databases.billing.write(  # noqa: E731
        lambda connection: parking.park(databases.billing, connection, fact, "ValueError: bad"))
    park()
    code, listed = installed("facts", "list")
    assert (code, listed["billing"]["parked"]) == (1, 1)
    assert listed["billing"]["parked_facts"][0]["error"] == "ValueError: bad"
    assert installed("doctor")[0] == 1
    assert installed("check-books")[0] == 1
    assert installed("facts", "retry", "account:1")[0] == 0
    assert installed("facts", "retry", "account:1")[0] == 1
    park()
    assert installed("facts", "skip", "account:1", "--reason", "by hand")[1]["seq"] == 1
    assert installed("facts", "list")[0] == 0
    assert installed("facts", "compare")[0] == 0
    assert installed("facts", "replay")[0] == 0
    assert installed("facts", "epoch", "billing")[1]["epoch"] == 2
    databases.close()


def _healthy(port: int, ca: Path, within_s: float = 60.0) -> bool:
    import ssl
    from urllib.error import URLError
    from urllib.request import urlopen

    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            tls = ssl.create_default_context(cafile=str(ca))
            with urlopen(f"https://127.0.0.1:{port}/health", timeout=5, context=tls) as answer:
                if json.load(answer)["status"] == "ok":
                    return True
        except (URLError, OSError):
            pass
        time.sleep(0.1)
    return False


def _children(pid: int) -> dict[str, int]:
    """The supervisor's children by the command they run (from /proc)."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if len(words) > 1 and int(stat.rpartition(")")[2].split()[1]) == pid:
                found[words[-2].decode()] = int(entry.name)
    return found


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are found through /proc")
def test_serve_brings_killed_parts_back_and_ends_cleanly(data_dir: Path) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data_dir.mkdir()
    (data_dir / "onehall.toml").write_text(f'port = {port}\nlog_level = "WARNING"\n', encoding="utf-8")
    ca = data_dir / "tls" / "ca.pem"
    serve = subprocess.Popen(
        [sys.executable, "-m", "server_api.cli.main", "--data-dir", str(data_dir), "serve"],
        cwd=Path(__file__).resolve().parents[3], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert _healthy(port, ca), "it did not come up"
        first = _children(serve.pid)
        assert set(first) == {"api", "worker"}
        for name in ("api", "worker"):
            os.kill(first[name], signal.SIGKILL)
        assert _until(lambda: set(_children(serve.pid)) == {"api", "worker"} and _children(serve.pid) != first)
        assert _healthy(port, ca), "it did not come back"
        second = _children(serve.pid)
        serve.send_signal(signal.SIGTERM)
        assert serve.wait(40) == 0
        assert _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in second.values()))
    finally:
        if serve.poll() is None:
            serve.kill()
            serve.wait()


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are found through /proc")
def test_nothing_outlives_a_killed_supervisor(data_dir: Path) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data_dir.mkdir()
    (data_dir / "onehall.toml").write_text(f'port = {port}\nlog_level = "WARNING"\n', encoding="utf-8")
    serve = subprocess.Popen(
        [sys.executable, "-m", "server_api.cli.main", "--data-dir", str(data_dir), "serve"],
        cwd=Path(__file__).resolve().parents[3], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert _healthy(port, data_dir / "tls" / "ca.pem")
    children = _children(serve.pid)
    serve.kill()
    serve.wait()
    assert _until(lambda: not any(_alive(pid) for pid in children.values()), 40.0)


def _alive(pid: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def _until(condition: Callable[[], bool], within_s: float = 60.0) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.1)
    return condition()
