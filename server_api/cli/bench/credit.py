"""``onehall bench credit``: fifty prepaid calls at once over HTTPS, beside the bare limits of the machine.

A real server with its pricing process answers; this process is the switch. Each line holds one call after another:
reserve at the beginning, report and reserve more, settle at the end; every answer is durable before it is given. Then
the same lines only ask how long a call may last, which reserves nothing, and what calls would cost, many in a question.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from server_api.billing.account.service import AccountToImport, OpeningBalance, import_accounts, import_opening_balances
from server_api.billing.rating.credit import checks
from server_api.cli.bench.hall_to_load import PASSWORD, know_customers, move_in, open_installation
from server_api.cli.bench.load import Line, Tally, drive
from server_api.cli.bench.payments import Pace, bare_commits, bare_https, client_tls, free_port, serving
from server_api.cli.bench.usage_data import furnish, numbers_of
from server_api.cli.console import OK, REFUSED, Console, t
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Databases
from server_api.platform.facts.dispatcher import deliver_all
from server_api.platform.unit_of_work import UnitOfWork
from server_api.settings import Settings, load_settings
from server_api.wiring import crossings, wire_databases
from shared_models.contracts.work import system_context
from shared_models.values.clock import SystemClock
from shared_models.values.ids import derived_id, new_id
from shared_models.values.money import Fen
from shared_models.values.money_states import PaymentType

_CALLED = "02164851234"
_BALANCE = Fen(1_000_000)
_STAFF_NO, _COUNTER = "B001", "01"
_ASKED_S = 60
_BATCH = 500
#: What a hall of this size must answer; then each line asks as fast as it is answered.
_PACE_PER_S = 600


@dataclass(frozen=True)
class Figures:
    """What one run measured: answers of live calls, of questions that reserve nothing, prices asked for in batches."""

    lines: int
    paced: Pace
    sessions: Pace
    questions: Pace
    prices_per_s: float
    bare_https: Pace
    bare_commit: Pace
    calls: int
    wrong: int
    failures: dict[str, int]


def add_bench(subparsers: Any) -> None:
    """Add ``credit`` to ``onehall bench``."""
    parser = subparsers.add_parser("credit", help=t("bench.credit"), description=t("bench.credit"))
    parser.add_argument("--lines", type=int, default=50, help=t("bench.credit_lines"))
    parser.add_argument("--products", type=int, default=5_000, help=t("bench.usage_products"))
    parser.add_argument("--seconds", type=float, default=10.0, help=t("bench.seconds"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print; refused where an answer failed or the books do not agree afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="onehall-bench-"))
    try:
        found = measure(folder / "data", lines=args.lines, products=args.products, seconds=args.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.result(asdict(found))
    for name, pace in (("paced", found.paced), ("sessions", found.sessions), ("questions", found.questions)):
        console.say(t(f"bench.credit_{name}", lines=found.lines, rate=pace.per_s, p50=pace.p50_ms, p99=pace.p99_ms))
    console.say(t("bench.credit_prices", rate=f"{found.prices_per_s:,.0f}"))
    console.say(t("bench.bare_https", rate=found.bare_https.per_s))
    console.say(t("bench.bare_commit", rate=found.bare_commit.per_s, p99=found.bare_commit.p99_ms))
    failed = sum(found.failures.values())
    console.say(t("bench.credit_checked", calls=f"{found.calls:,}", wrong=found.wrong, failures=failed))
    for words in found.failures:
        console.complain(words)
    return OK if not (found.wrong or found.failures) else REFUSED


def measure(data_dir: Path, *, lines: int, products: int, seconds: float) -> Figures:
    """Furnish an installation, serve it, load it, and check the books."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "onehall.toml").write_text(f'port = {free_port()}\nlog_level = "WARNING"\n', "utf-8")
    settings = load_settings(data_dir, {})
    _furnish(settings, max(products, lines))
    commits = bare_commits(data_dir, seconds=min(3.0, seconds))
    switch = _Switch(settings, lines, products)
    with serving(settings, "serve"):
        tallies = asyncio.run(switch.load(seconds))
    with serving(settings, "bare"):
        https = asyncio.run(bare_https(settings, lines, min(5.0, seconds)))
    failures: dict[str, int] = {}
    for tally in tallies.values():
        for wrong, count in tally.failures.items():
            failures[wrong] = failures.get(wrong, 0) + count
    return Figures(
        lines=lines,
        paced=Pace.of(tallies["paced"]),
        sessions=Pace.of(tallies["sessions"]),
        questions=Pace.of(tallies["questions"]),
        prices_per_s=round(_BATCH * tallies["prices"].per_second, 1),
        bare_https=Pace.of(https),
        bare_commit=Pace.of(commits),
        calls=switch.calls,
        wrong=_wrong(settings),
        failures=failures,
    )


# ---- the switch ------------------------------------------------------------------------------------------------------
class _Switch:
    """Fifty lines of a switch, each with one call at a time of a subscriber of its own."""

    def __init__(self, settings: Settings, lines: int, products: int) -> None:
        self._settings = settings
        self._lines: list[Line] = []
        self._numbers = numbers_of(products)
        self._share = products // lines
        self._headers: dict[str, str] = {}
        self._calls: list[tuple[str, int]] = [("", 0)] * lines
        self._turn = [0] * lines
        self.calls = 0

    async def load(self, seconds: float) -> dict[str, Tally]:
        """Every kind of question for a while; the first of each is not counted, for it starts what answers."""
        tls = client_tls(self._settings)
        self._lines = [Line("127.0.0.1", self._settings.port, tls) for _ in self._turn]
        json_type = {"Content-Type": "application/json"}
        login = {"staff_no": _STAFF_NO, "password": PASSWORD, "counter_no": _COUNTER}
        answer = await self._lines[0].ask("POST", "/api/hall/sessions", json_type, json.dumps(login).encode())
        if answer.status != 201:
            raise RuntimeError(f"sign-in: {answer.status} {answer.body[:300]!r}")
        self._headers = {**json_type, "Authorization": f"Bearer {json.loads(answer.body)['token']}"}
        found = {}
        asks: dict[str, Callable[[int], Awaitable[str]]] = {
            "paced": self._message, "sessions": self._message, "questions": self._question, "prices": self._prices,
        }  # fmt: skip
        for name, ask in asks.items():
            for number in range(len(self._lines)):
                wrong = await ask(number)
                if wrong:
                    raise RuntimeError(wrong)
            workers = 4 if name == "prices" else len(self._lines)
            pace = _PACE_PER_S / workers if name == "paced" else None
            found[name] = await drive(ask, workers=workers, seconds=seconds, each_per_second=pace)
        for line in self._lines:
            await line.close()
        return found

    async def _message(self, number: int) -> str:
        """The next message of a line's call: begin, update, end."""
        session_id, step = self._calls[number]
        if step == 0:
            session_id = new_id()
            body = {"session_id": session_id, "service": "voice", "access": self._next(number), "called": _CALLED,
                    "ask": _ASKED_S}  # fmt: skip
            wrong = await self._post(number, "/api/hall/credit/sessions", body)
        elif step == 1:
            body = {"request_no": 1, "used": _ASKED_S, "ask": _ASKED_S}
            wrong = await self._post(number, f"/api/hall/credit/sessions/{session_id}/update", body)
        else:
            body = {"request_no": 2, "used": _ASKED_S * 3 // 2}
            wrong = await self._post(number, f"/api/hall/credit/sessions/{session_id}/end", body)
            self.calls += 1
        self._calls[number] = (session_id, (step + 1) % 3)
        return wrong

    async def _question(self, number: int) -> str:
        body = {"service": "voice", "access": self._next(number), "called": _CALLED}
        return await self._post(number, "/api/hall/credit/how-long", body)

    async def _prices(self, number: int) -> str:
        at = int(SystemClock().now().timestamp())
        body = {"service": "voice", "access": [self._next(number) for _ in range(_BATCH)], "called": [_CALLED] * _BATCH,
                "start_s": [at] * _BATCH, "quantity": [61] * _BATCH}  # fmt: skip
        return await self._post(number, "/api/hall/prices/batch", body)

    def _next(self, number: int) -> str:
        self._turn[number] += 1
        return self._numbers[number * self._share + self._turn[number] % self._share]

    async def _post(self, number: int, path: str, body: dict[str, Any]) -> str:
        headers = {**self._headers, "Act-Id": new_id()}
        answer = await self._lines[number].ask("POST", path, headers, json.dumps(body).encode())
        return "" if answer.status == 200 else f"{path}: {answer.status} {answer.body[:160]!r}"


# ---- the installation ------------------------------------------------------------------------------------------------
def _furnish(settings: Settings, products: int) -> None:
    databases = open_installation(settings)
    wiring = wire_databases(databases)
    ids = [derived_id("account", str(number)) for number in range(products)]
    try:
        _act(databases, "business", lambda uow: move_in(uow, ((_STAFF_NO, _COUNTER),), "switch"))
        furnish(databases.billing, products)
        for first in range(0, products, 500):
            some = ids[first : first + 500]
            _act(databases, "business", partial(know_customers, first=first, ids=some))
            _act(databases, "billing", partial(_prepaid, first=first, ids=some))
        deliver_all(crossings(databases, wiring))
    finally:
        databases.close()


def _prepaid(uow: UnitOfWork, *, first: int, ids: list[str]) -> None:
    import_accounts(uow, accounts=[
        AccountToImport(account_id=one, account_no=f"B{first + number:09d}", customer_id=one,
                        payment_type=PaymentType.PREPAID)
        for number, one in enumerate(ids)
    ])  # fmt: skip
    import_opening_balances(uow, balances=[OpeningBalance(one, _BALANCE, "bench") for one in ids])


def _act(databases: Databases, side: Any, work: Callable[[UnitOfWork], None]) -> None:
    perform(databases.of(side), Act(new_id(), "bench", digest_of(None), system_context("bench")), work)


def _wrong(settings: Settings) -> int:
    """How many accounts, months and debits of calls do not agree. The server must have ended."""
    databases = open_installation(settings)
    try:
        rules = (checks.account_is_its_sessions, checks.month_is_its_sessions, checks.cut_is_one_rounding)
        return sum(len(rule(databases.billing).wrong) for rule in rules)
    finally:
        databases.close()
