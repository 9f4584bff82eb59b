"""``onehall bench payments``: fifty tellers over HTTPS against a real server, beside the bare limits of the machine.

The installation is made fresh in a folder of its own: the API and the worker run as processes as they do in a hall,
this process is the load. Every payment is another account's, with login, permission, till, postings and receipt.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from server_api.cli.bench.hall_to_load import PASSWORD, LoadedHall, furnish_hall
from server_api.cli.bench.load import Line, Tally, drive
from server_api.cli.console import OK, REFUSED, Console, t
from server_api.settings import Settings, load_settings
from shared_models.values.ids import new_id

START_WITHIN_S = 60.0
AMOUNT_FEN = 1_000


def add_bench(subparsers: Any) -> None:
    """Add ``payments`` to ``onehall bench``."""
    parser = subparsers.add_parser("payments", help=t("bench.payments"), description=t("bench.payments"))
    parser.add_argument("--tellers", type=int, default=50, help=t("bench.tellers"))
    parser.add_argument("--accounts", type=int, default=5_000, help=t("bench.accounts"))
    parser.add_argument("--seconds", type=float, default=20.0, help=t("bench.seconds"))
    parser.add_argument("--keep", type=Path, default=None, help=t("bench.keep"))
    parser.set_defaults(run=run)


@dataclass(frozen=True)
class Figures:
    """What one run measured."""

    tellers: int
    accounts: int
    paced_p50_ms: float
    paced_p99_ms: float
    paced_worst_ms: float
    paced_per_s: float
    most_per_s: float
    most_p50_ms: float
    most_p99_ms: float
    failures: dict[str, int]
    bare_https_per_s: float
    bare_commit_per_s: float
    bare_commit_p99_ms: float
    payments: int
    lost: int


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print; refused where a payment was lost or the server failed."""
    folder = args.keep or Path(tempfile.mkdtemp(prefix="onehall-bench-"))
    try:
        figures = measure(
            folder / "data", tellers=args.tellers, accounts=args.accounts, seconds=args.seconds, say=console.say
        )
    finally:
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    console.result(asdict(figures))
    for line in _lines(figures):
        console.say(line)
    return OK if figures.lost == 0 and not figures.failures else REFUSED


def _lines(found: Figures) -> list[str]:
    return [
        t("bench.paced", tellers=found.tellers, p50=f"{found.paced_p50_ms:.1f}", p99=f"{found.paced_p99_ms:.1f}",
          worst=f"{found.paced_worst_ms:.1f}", rate=f"{found.paced_per_s:.0f}"),
        t("bench.most", rate=f"{found.most_per_s:.0f}", p50=f"{found.most_p50_ms:.1f}", p99=f"{found.most_p99_ms:.1f}"),
        t("bench.bare_https", rate=f"{found.bare_https_per_s:.0f}"),
        t("bench.bare_commit", rate=f"{found.bare_commit_per_s:.0f}", p99=f"{found.bare_commit_p99_ms:.2f}"),
        t("bench.checked", payments=found.payments, lost=found.lost, failures=sum(found.failures.values())),
    ]  # fmt: skip


def measure(data_dir: Path, *, tellers: int, accounts: int, seconds: float, say: Any) -> Figures:
    """Furnish an installation, serve it, load it, and count what was stored."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "onehall.toml").write_text(
        f'port = {_free_port()}\naccess_log = true\nlog_level = "WARNING"\n', "utf-8"
    )
    settings = load_settings(data_dir, {})
    say(t("bench.furnishing", tellers=tellers, accounts=accounts))
    hall = furnish_hall(settings, tellers=tellers, accounts=accounts)
    commits = bare_commits(data_dir, seconds=3.0)
    with serving(settings, "serve"):
        say(t("bench.serving", url=settings.base_url))
        paced, most, taken = asyncio.run(_load(settings, hall, seconds))
    with serving(settings, "bare"):
        https = asyncio.run(_bare_https(settings, tellers, min(5.0, seconds)))
    failures: dict[str, int] = {}
    for tally in (paced, most):
        for wrong, count in tally.failures.items():
            failures[wrong] = failures.get(wrong, 0) + count
    stored = hall.count_payments(settings)
    return Figures(
        tellers=tellers, accounts=accounts, paced_p50_ms=paced.quantile_ms(0.5), paced_p99_ms=paced.quantile_ms(0.99),
        paced_worst_ms=paced.quantile_ms(1.0), paced_per_s=paced.per_second, most_per_s=most.per_second,
        most_p50_ms=most.quantile_ms(0.5), most_p99_ms=most.quantile_ms(0.99), failures=failures,
        bare_https_per_s=https.per_second, bare_commit_per_s=commits.per_second,
        bare_commit_p99_ms=commits.quantile_ms(0.99), payments=stored, lost=taken - stored,
    )  # fmt: skip


# ---- the tellers -------------------------------------------------------------------------------------------------
class _Teller:
    """One counter: a connection, a session, an open till, and a queue of accounts of its own."""

    def __init__(
        self, settings: Settings, tls: ssl.SSLContext | None, staff_no: str, counter_no: str, accounts: list[str]
    ) -> None:
        self.line = Line("127.0.0.1", settings.port, tls)
        self._staff_no, self._counter_no, self._accounts = staff_no, counter_no, accounts
        self._headers: dict[str, str] = {}
        self._next = 0
        self.taken = 0

    async def begin(self) -> None:
        """Sign in and open the till. Raises RuntimeError where the server refuses."""
        login = {"staff_no": self._staff_no, "password": PASSWORD, "counter_no": self._counter_no}
        json_type = {"Content-Type": "application/json"}
        answer = await self.line.ask("POST", "/api/hall/sessions", json_type, json.dumps(login).encode())
        if answer.status != 201:
            raise RuntimeError(f"sign-in: {answer.status} {answer.body[:300]!r}")
        self._headers = {**json_type, "Authorization": f"Bearer {json.loads(answer.body)['token']}"}
        opened = await self._act("/api/hall/till/open", {"float_fen": 20_000})
        if opened.status != 200:
            raise RuntimeError(f"till: {opened.status} {opened.body[:300]!r}")

    async def pay(self) -> str:
        """Take one payment; returns what went wrong, or nothing."""
        account_id = self._accounts[self._next % len(self._accounts)]
        self._next += 1
        body = {"account_id": account_id, "amount_fen": AMOUNT_FEN, "method": "cash", "received_fen": AMOUNT_FEN}
        answer = await self._act("/api/hall/payments", body)
        if answer.status != 200:
            return f"{answer.status} {answer.body[:120]!r}"
        self.taken += 1
        return ""

    async def _act(self, path: str, body: dict[str, Any]) -> Any:
        headers = {**self._headers, "Act-Id": new_id()}
        return await self.line.ask("POST", path, headers, json.dumps(body).encode())


async def _load(settings: Settings, hall: LoadedHall, seconds: float) -> tuple[Tally, Tally, int]:
    tls = _client_tls(settings)
    share = len(hall.account_ids) // len(hall.staff)
    tellers = [
        _Teller(settings, tls, staff_no, counter_no, hall.account_ids[number * share : (number + 1) * share])
        for number, (staff_no, counter_no) in enumerate(hall.staff)
    ]
    for teller in tellers:
        await teller.begin()
    for teller in tellers:
        await teller.pay()
    workers = len(tellers)
    paced = await drive(lambda number: tellers[number].pay(), workers=workers, seconds=seconds, each_per_second=1.0)
    most = await drive(lambda number: tellers[number].pay(), workers=workers, seconds=seconds / 2, each_per_second=None)
    for teller in tellers:
        await teller.line.close()
    return paced, most, sum(teller.taken for teller in tellers)


def _client_tls(settings: Settings) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=str(settings.tls_dir / "ca.pem")) if settings.tls else None


# ---- the bare limits ---------------------------------------------------------------------------------------------
async def _bare_https(settings: Settings, workers: int, seconds: float) -> Tally:
    """Requests a second where the same server does nothing but answer."""
    lines = [Line("127.0.0.1", settings.port, _client_tls(settings)) for _ in range(workers)]

    async def ask(number: int) -> str:
        answer = await lines[number].ask("POST", "/", {}, b'{"account_id":"","amount_fen":1000}')
        return "" if answer.status == 200 else str(answer.status)

    for number in range(workers):
        await ask(number)
    found = await drive(ask, workers=workers, seconds=seconds, each_per_second=None)
    for line in lines:
        await line.close()
    return found


def bare_commits(folder: Path, seconds: float) -> Tally:
    """One row a transaction, durable: what the disk gives a single writer without group commit."""
    tally = Tally()
    file = folder / "bare-commit.db"
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, text TEXT)")
        began = time.perf_counter()
        while (start := time.perf_counter()) - began < seconds:
            connection.execute("INSERT INTO bare (text) VALUES (?)", ("x" * 1_000,))
            tally.took_s.append(time.perf_counter() - start)
        tally.span_s = time.perf_counter() - began
    finally:
        connection.close()
        for suffix in ("", "-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
    return tally


async def _bare_app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The least an application can do."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


# ---- processes ---------------------------------------------------------------------------------------------------
@contextmanager
def serving(settings: Settings, what: str) -> Iterator[None]:
    """Run the installation (``serve``) or the bare application (``bare``) as a process while the block lasts."""
    if what == "bare":
        command = [sys.executable, "-m", "server_api.cli.bench.payments", str(settings.data_dir)]
    else:
        command = [sys.executable, "-m", "server_api.cli.main", "--data-dir", str(settings.data_dir), what]
    log = settings.data_dir / f"{what}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ})
        try:
            _wait_until_open(settings.port, process, log)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once:\n{log.read_text(errors='replace')[-2000:]}")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not open port {port}:\n{log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve_bare(data_dir: Path) -> None:
    import uvicorn

    from server_api.app import server_config

    uvicorn.Server(server_config(load_settings(data_dir, {}), _bare_app)).run()


if __name__ == "__main__":
    _serve_bare(Path(sys.argv[1]))
