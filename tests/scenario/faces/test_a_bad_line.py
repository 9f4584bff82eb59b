"""What happens on the wire in a real hall: replies lost, the same act sent twice, half a request, no request at all."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest

from server_api.faces.edge.protocol import TimedProtocol
from server_api.platform.database import open_databases
from server_api.wiring import new_wiring
from shared_models.values.clock import SystemClock
from shared_models.values.ids import new_id
from tests.support.engines import TEST_SECRETS, sqlite_pair
from tests.support.family import Family, move_in, sell_things
from tests.support.house import PASSWORD, House, RunningHall, _serving, furnish

TELLER = {"staff_no": "1001", "password": PASSWORD, "counter_no": "03"}


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningHall, Family, str]]:
    """A server with a time limit of one second, a family that owes, and a teller whose till is open."""
    folder = tmp_path_factory.mktemp("line")
    patience, TimedProtocol.arrive_within_s = TimedProtocol.arrive_within_s, 1.0
    with sqlite_pair(folder) as urls:
        databases = open_databases(urls.business, urls.billing, secrets=TEST_SECRETS, clock=SystemClock(), label="line")
        try:
            with _serving(databases, Path(folder)) as base_url:
                house = furnish(databases, new_wiring())
                sell_things(house)
                hall = RunningHall(base_url, house)
                token = httpx.post(f"{base_url}/api/hall/sessions", json=TELLER).json()["token"]
                headers = {"Authorization": f"Bearer {token}", "Act-Id": new_id()}
                opened = httpx.post(f"{base_url}/api/hall/till/open", json={"float_fen": 0}, headers=headers)
                assert opened.status_code == 200, opened.text
                yield hall, move_in(house), token
        finally:
            TimedProtocol.arrive_within_s = patience
            databases.close()


def _payment(family: Family, fen: int) -> dict[str, object]:
    return {"account_id": family.account_id, "amount_fen": fen, "method": "cash", "received_fen": fen}


def _paid(house: House, family: Family, fen: int) -> int:
    """How many payments of just this amount are stored."""
    from server_api.billing.payment import service as payment

    database = house.databases.billing
    with database.reading() as connection:
        rows = payment.recent_payments(
            connection, house.context("2001"), database.clock, database.secrets, account_id=family.account_id, limit=200
        )
    return sum(row.amount_fen.amount_fen == fen for row in rows)


def _raw(base_url: str) -> socket.socket:
    where = urlsplit(base_url)
    return socket.create_connection((where.hostname or "", where.port or 0), timeout=10)


def test_a_lost_reply_is_asked_for_again_and_nothing_is_doubled(wired: tuple[RunningHall, Family, str]) -> None:
    hall, family, token = wired
    act_id, body = new_id(), json.dumps(_payment(family, 1_01)).encode()
    head = (
        f"POST /api/hall/payments HTTP/1.1\r\nHost: hall\r\nAuthorization: Bearer {token}\r\nAct-Id: {act_id}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with _raw(hall.base_url) as line:
        line.sendall(head.encode() + body)  # and hang up before the reply
    until = time.monotonic() + 10
    while _paid(hall.house, family, 1_01) == 0 and time.monotonic() < until:
        time.sleep(0.02)
    headers = {"Authorization": f"Bearer {token}", "Act-Id": act_id}
    again = httpx.post(
        f"{hall.base_url}/api/hall/payments", content=body, headers={**headers, "Content-Type": "application/json"}
    )
    assert again.status_code == 200 and again.headers["act-replayed"] == "1"
    assert again.json()["receipt"]["total_fen"] == 101
    assert _paid(hall.house, family, 1_01) == 1


def test_a_double_click_pays_once(wired: tuple[RunningHall, Family, str]) -> None:
    hall, family, token = wired
    headers = {"Authorization": f"Bearer {token}", "Act-Id": new_id()}
    start = threading.Barrier(8)

    def click(_number: int) -> httpx.Response:
        start.wait()
        return httpx.post(
            f"{hall.base_url}/api/hall/payments", json=_payment(family, 1_02), headers=headers, timeout=30
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(click, range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("act-replayed" not in answer.headers for answer in answers) == 1
    assert _paid(hall.house, family, 1_02) == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /api/hall/payments HTTP/1.1\r\nHost: h",
        b"POST /api/hall/payments HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\n{",
    ],
    ids=["nothing", "half a head", "half a body"],
)
def test_who_dawdles_is_hung_up_on(wired: tuple[RunningHall, Family, str], sent: bytes) -> None:
    hall, _family, _token = wired
    with _raw(hall.base_url) as line:
        began = time.monotonic()
        line.sendall(sent)
        while line.recv(4096):
            pass
        assert 0.5 < time.monotonic() - began < 8


def test_an_idle_connection_between_requests_is_kept(wired: tuple[RunningHall, Family, str]) -> None:
    hall, _family, _token = wired
    with _raw(hall.base_url) as line:
        for _ in range(2):
            line.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
            assert line.recv(65536).startswith(b"HTTP/1.1 200")
            time.sleep(1.5)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"A" * 70_000,
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["TLS to a plain port", "a version there is not", "no HTTP", "a path without end"],
)
def test_what_is_not_http_does_no_harm(wired: tuple[RunningHall, Family, str], sent: bytes) -> None:
    hall, _family, _token = wired
    with _raw(hall.base_url) as line:
        try:
            line.sendall(sent)
            line.settimeout(8)
            answer = line.recv(4096)
        except (ConnectionError, TimeoutError):
            answer = b""
        assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200"))
    assert httpx.get(f"{hall.base_url}/health").status_code == 200
