"""A hall at work: tellers pay over HTTPS while the API, the worker or the whole server is killed at random.

Each teller does what the client's journal does: a payment without an answer is sent again under its act id. After it
every confirmed payment is stored once, nothing else is, and the books balance. ``ONEHALL_HALL_KILLS=200`` for long.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from http.client import HTTPException
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from server_api.cli.bench.hall_to_load import PASSWORD, furnish_hall
from server_api.cli.books import check_books
from server_api.cli.house import open_house
from server_api.platform.facts.dispatcher import deliver_all
from server_api.settings import Settings, load_settings
from shared_models.values.ids import new_id

pytestmark = [
    pytest.mark.faults, pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the server's processes are found through /proc"),
]
KILLS = int(os.environ.get("ONEHALL_HALL_KILLS", "4"))
TELLERS = 4
AMOUNT_FEN = 1_000
_LIFE_S = (0.5, 2.5)
_RETRY = (408, 425, 429, 502, 503, 504)


class Teller(threading.Thread):
    """Signs in, opens the till, and pays account after account until told to stop."""

    def __init__(self, settings: Settings, staff_no: str, counter_no: str, accounts: list[str]) -> None:
        super().__init__(daemon=True)
        self._settings, self._accounts = settings, accounts
        self._login = {"staff_no": staff_no, "password": PASSWORD, "counter_no": counter_no}
        self._tls: ssl.SSLContext | None = None
        self._token = ""
        self.stop = threading.Event()
        self.receipts: list[str] = []
        self.repeated = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        self._sign_in()
        self._until_answered("/api/hall/till/open", {"float_fen": 20_000})
        number = 0
        while not self.stop.is_set():
            account_id = self._accounts[number % len(self._accounts)]
            number += 1
            answer = self._until_answered("/api/hall/payments", {
                "account_id": account_id, "amount_fen": AMOUNT_FEN, "method": "cash", "received_fen": AMOUNT_FEN})
            if answer is not None:
                self.receipts.append(str(answer["receipt"]["receipt_no"]))

    def _sign_in(self) -> None:
        while not self._token:
            status, answer, _replayed = self._ask("/api/hall/sessions", self._login, {})
            if status == 201:
                self._token = str(answer["token"])
            else:
                time.sleep(0.1)

    def _until_answered(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """One act: the same id until there is an answer."""
        act_id = new_id()
        while True:
            status, answer, replayed = self._ask(
                path, body, {"Authorization": f"Bearer {self._token}", "Act-Id": act_id})
            if status == 200:
                self.repeated += replayed
                return dict(answer)
            if status and status not in _RETRY:
                self.wrong.append(f"{path}: {status} {answer}")
                return None
            time.sleep(0.05)

    def _ask(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any, bool]:
        """Status (0: no answer), document, and whether it had been done before."""
        request = Request(self._settings.base_url + path, json.dumps(body).encode(),
                          {"Content-Type": "application/json", **headers})
        try:
            if self._tls is None:
                self._tls = ssl.create_default_context(cafile=str(self._settings.tls_dir / "ca.pem"))
            with urlopen(request, timeout=20, context=self._tls) as answer:
                return answer.status, json.load(answer), "Act-Replayed" in answer.headers
        except HTTPError as error:
            with error:
                return error.code, error.read()[:300], False
        except (URLError, HTTPException, OSError, ValueError):
            return 0, None, False


def _serve(settings: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "server_api.cli.main", "--data-dir", str(settings.data_dir), "serve"],
        cwd=Path(__file__).resolve().parents[3], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _children(pid: int) -> list[int]:
    task = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in task.read_text().split()] if task.exists() else []


def _installation(tmp_path: Path) -> Settings:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "onehall.toml").write_text(f'port = {port}\nlog_level = "ERROR"\n', encoding="utf-8")
    return load_settings(tmp_path / "data", {})


def test_tellers_pay_while_the_server_is_killed(tmp_path: Path) -> None:
    settings = _installation(tmp_path)
    hall = furnish_hall(settings, tellers=TELLERS, accounts=TELLERS * 10)
    tellers = [Teller(settings, staff_no, counter_no, hall.account_ids[number::TELLERS])
               for number, (staff_no, counter_no) in enumerate(hall.staff)]
    chance = random.Random(1949)
    serve = _serve(settings)
    try:
        for teller in tellers:
            teller.start()
        _until_paid(tellers, 1)
        for kill in range(KILLS):
            before = sum(len(teller.receipts) for teller in tellers)
            time.sleep(chance.uniform(*_LIFE_S))
            victims = _children(serve.pid)
            if kill % 3 == 2 or not victims:
                serve.kill()  # the whole server: its parts end with it
                serve.wait()
                serve = _serve(settings)
            else:
                os.kill(chance.choice(victims), signal.SIGKILL)
            _until_paid(tellers, before + TELLERS)
        until = time.monotonic() + 60
        while len(_children(serve.pid)) < 2 and time.monotonic() < until:  # what paid last may have been an orphan
            time.sleep(0.1)
        for teller in tellers:
            teller.stop.set()
        for teller in tellers:
            teller.join(60)
            assert not teller.is_alive()
        serve.send_signal(signal.SIGTERM)
        assert serve.wait(40) == 0
    finally:
        for pid in _children(serve.pid):
            os.kill(pid, signal.SIGKILL)
        serve.kill()
        serve.wait()
    assert [line for teller in tellers for line in teller.wrong] == []
    _all_there_once(settings, hall, tellers)


def _until_paid(tellers: list[Teller], count: int) -> None:
    until = time.monotonic() + 90
    while sum(len(teller.receipts) for teller in tellers) < count:
        assert time.monotonic() < until, "the server did not come back"
        time.sleep(0.05)


def _all_there_once(settings: Settings, hall: Any, tellers: list[Teller]) -> None:
    confirmed = [receipt for teller in tellers for receipt in teller.receipts]
    assert len(set(confirmed)) == len(confirmed)
    assert hall.count_payments(settings) == len(confirmed)
    with open_house(SimpleNamespace(data_dir=settings.data_dir)) as house:  # type: ignore[arg-type]
        deliver_all(house.crossings)
        broken = [(one.invariant.name, one.finding.wrong) for one in check_books(house) if not one.finding.holds]
    assert broken == []
