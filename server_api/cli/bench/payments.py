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

from server_api.cli.bench.busy import HeavyWork, api_cpu_s
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
    parser.add_argument("--busy", action="store_true", help=t("bench.busy"))
    parser.add_argument("--keep", type=Path, default=None, help=t("bench.keep"))
    parser.set_defaults(run=run)


@dataclass(frozen=True)
class Pace:
    """How one phase went."""

    per_s: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    server_cpu_ms: float | None = None
    server_share: float | None = None

    @classmethod
    def of(cls, tally: Tally, cpu_s: float | None = None) -> Pace:
        per_request = None if cpu_s is None or not tally.took_s else round(1000 * cpu_s / len(tally.took_s), 2)
        share = None if cpu_s is None or not tally.span_s else round(cpu_s / tally.span_s, 2)
        p50_ms, p99_ms, worst_ms = (round(tally.quantile_ms(below), 2) for below in (0.5, 0.99, 1.0))
        return cls(round(tally.per_second, 1), p50_ms, p99_ms, worst_ms, per_request, share)


@dataclass(frozen=True)
class Figures:
    """What one run measured."""

    tellers: int
    accounts: int
    paced: Pace
    busy: Pace | None
    busy_work: list[str]
    most: Pace
    bare_https: Pace
    bare_commit: Pace
    failures: dict[str, int]
    payments: int
    lost: int


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print; refused where a payment was lost or the server failed."""
    folder = args.keep or Path(tempfile.mkdtemp(prefix="onehall-bench-"))
    try:
        figures = measure(
            folder / "data",
            tellers=args.tellers,
            accounts=args.accounts,
            seconds=args.seconds,
            busy=args.busy,
            say=console.say,
        )
    finally:
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    console.result(asdict(figures))
    for line in _lines(figures):
        console.say(line)
    return OK if figures.lost == 0 and not figures.failures else REFUSED


def _lines(found: Figures) -> list[str]:
    paced, most, https, commit = found.paced, found.most, found.bare_https, found.bare_commit
    lines = [
        t(
            "bench.paced",
            tellers=found.tellers,
            p50=paced.p50_ms,
            p99=paced.p99_ms,
            worst=paced.worst_ms,
            rate=paced.per_s,
        )
    ]
    if found.busy is not None:
        busy = found.busy
        what = ", ".join(found.busy_work) or "-"
        lines.append(
            t("bench.busy_line", p50=busy.p50_ms, p99=busy.p99_ms, worst=busy.worst_ms, rate=busy.per_s, what=what)
        )
    lines.append(t("bench.most", rate=most.per_s, p50=most.p50_ms, p99=most.p99_ms))
    if most.server_cpu_ms is not None:
        lines.append(t("bench.cpu", cpu=most.server_cpu_ms, share=most.server_share))
    lines.append(t("bench.bare_https", rate=https.per_s))
    lines.append(t("bench.bare_commit", rate=commit.per_s, p99=commit.p99_ms))
    lines.append(t("bench.checked", payments=found.payments, lost=found.lost, failures=sum(found.failures.values())))
    return lines


def measure(data_dir: Path, *, tellers: int, accounts: int, seconds: float, busy: bool, say: Any) -> Figures:
    """Furnish an installation, serve it, load it, and count what was stored."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "onehall.toml").write_text(f'port = {free_port()}\nlog_level = "WARNING"\n', "utf-8")
    settings = load_settings(data_dir, {})
    say(t("bench.furnishing", tellers=tellers, accounts=accounts))
    hall = furnish_hall(settings, tellers=tellers, accounts=accounts)
    heavy = HeavyWork(settings) if busy else None
    if heavy is not None:
        heavy.prepare()
    commits = bare_commits(data_dir, seconds=min(3.0, seconds))
    with serving(settings, "serve"):
        say(t("bench.serving", url=settings.base_url))
        load = asyncio.run(_load(settings, hall, seconds, heavy))
    with serving(settings, "bare"):
        https = asyncio.run(bare_https(settings, tellers, min(5.0, seconds)))
    stored = hall.count_payments(settings)
    return Figures(
        tellers=tellers,
        accounts=accounts,
        paced=load.paced,
        busy=load.busy,
        busy_work=heavy.begun if heavy is not None else [],
        most=load.most,
        bare_https=Pace.of(https),
        bare_commit=Pace.of(commits),
        failures=load.failures,
        payments=stored,
        lost=load.taken - stored,
    )


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


@dataclass
class _Loaded:
    """What the tellers saw."""

    paced: Pace
    busy: Pace | None
    most: Pace
    failures: dict[str, int]
    taken: int


async def _load(settings: Settings, hall: LoadedHall, seconds: float, heavy: HeavyWork | None) -> _Loaded:
    tls = client_tls(settings)
    share = len(hall.account_ids) // len(hall.staff)
    tellers = [
        _Teller(settings, tls, staff_no, counter_no, hall.account_ids[number * share : (number + 1) * share])
        for number, (staff_no, counter_no) in enumerate(hall.staff)
    ]
    for teller in tellers:
        await teller.begin()
        await teller.pay()
    failures: dict[str, int] = {}

    async def phase(lasting_s: float, each_per_second: float | None) -> Pace:
        before = api_cpu_s(settings.data_dir)
        tally = await drive(
            lambda number: tellers[number].pay(),
            workers=len(tellers),
            seconds=lasting_s,
            each_per_second=each_per_second,
        )
        after = api_cpu_s(settings.data_dir)
        for wrong, count in tally.failures.items():
            failures[wrong] = failures.get(wrong, 0) + count
        return Pace.of(tally, None if before is None or after is None else after - before)

    paced = await phase(seconds, 1.0)
    busy = None
    if heavy is not None:
        heavy.start()
        busy = await phase(seconds, 1.0)
        await asyncio.to_thread(heavy.finish)
    most = await phase(seconds / 2, None)
    for teller in tellers:
        await teller.line.close()
    return _Loaded(paced, busy, most, failures, sum(teller.taken for teller in tellers))


def client_tls(settings: Settings) -> ssl.SSLContext | None:
    """What trusts the installation's own certificate; none without TLS."""
    return ssl.create_default_context(cafile=str(settings.tls_dir / "ca.pem")) if settings.tls else None


# ---- the bare limits ---------------------------------------------------------------------------------------------
async def bare_https(settings: Settings, workers: int, seconds: float) -> Tally:
    """Requests a second where the same server does nothing but answer."""
    lines = [Line("127.0.0.1", settings.port, client_tls(settings)) for _ in range(workers)]

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve_bare(data_dir: Path) -> None:
    import uvicorn

    from server_api.app import server_config

    uvicorn.Server(server_config(load_settings(data_dir, {}), _bare_app)).run()


if __name__ == "__main__":
    _serve_bare(Path(sys.argv[1]))
