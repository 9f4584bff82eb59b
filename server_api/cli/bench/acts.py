"""``onehall bench acts``: acts a second through the one way of writing, beside bare durable commits."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from server_api.cli.bench.load import Tally
from server_api.cli.bench.payments import bare_commits
from server_api.cli.console import OK, Console, t
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.numbering import next_number
from server_api.platform.secrets import Secrets
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.base import Contract
from shared_models.contracts.work import system_context
from shared_models.values.ids import new_id


class Numbered(Contract):
    """The reply of the measured act."""

    number: int


@dataclass(frozen=True)
class Figures:
    """What one run measured: acts with a number and a stored reply, by one caller and by many at once."""

    one_per_s: float
    one_p99_ms: float
    many: int
    many_per_s: float
    many_p99_ms: float
    rows_per_s: float
    bare_commit_per_s: float
    bare_commit_p99_ms: float


def add_bench(subparsers: Any) -> None:
    """Add ``acts`` to ``onehall bench``."""
    parser = subparsers.add_parser("acts", help=t("bench.acts"), description=t("bench.acts"))
    parser.add_argument("--callers", type=int, default=50, help=t("bench.callers"))
    parser.add_argument("--seconds", type=float, default=5.0, help=t("bench.acts_seconds"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print."""
    folder = Path(tempfile.mkdtemp(prefix="onehall-bench-"))
    try:
        found = measure(folder, callers=args.callers, seconds=args.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.say(t("bench.acts_one", rate=f"{found.one_per_s:.0f}", p99=f"{found.one_p99_ms:.1f}"))
    rate = f"{found.many_per_s:.0f}"
    console.say(t("bench.acts_many", callers=found.many, rate=rate, p99=f"{found.many_p99_ms:.1f}"))
    console.say(t("bench.acts_rows", rate=f"{found.rows_per_s:.0f}"))
    console.say(t("bench.bare_commit", rate=f"{found.bare_commit_per_s:.0f}", p99=f"{found.bare_commit_p99_ms:.2f}"))
    console.result({"acts": asdict(found)})
    return OK


def measure(folder: Path, *, callers: int, seconds: float) -> Figures:
    """Acts by one caller, by many, then rows in write turns; each for ``seconds``."""
    bare = bare_commits(folder, seconds=2.0)
    database = Database("billing", f"sqlite:///{folder / 'billing.db'}", secrets=Secrets(bytes(32)), label="bench")
    try:
        database.create_all()
        one = _drive(database, 1, seconds)
        many = _drive(database, callers, seconds)
        table = database.platform.number_counter
        began, count = time.perf_counter(), 100_000
        database.write_rows(table, ["counter_name", "next_value"], ((f"row {n:08d}", n) for n in range(count)))
        rows_per_s = count / (time.perf_counter() - began)
    finally:
        database.close()
    return Figures(
        one_per_s=one.per_second,
        one_p99_ms=one.quantile_ms(0.99),
        many=callers,
        many_per_s=many.per_second,
        many_p99_ms=many.quantile_ms(0.99),
        rows_per_s=rows_per_s,
        bare_commit_per_s=bare.per_second,
        bare_commit_p99_ms=bare.quantile_ms(0.99),
    )


def _drive(database: Database, callers: int, seconds: float) -> Tally:
    tally = Tally()
    began = time.perf_counter()

    def call() -> None:
        took: list[float] = []
        while (start := time.perf_counter()) - began < seconds:
            perform(database, Act(new_id(), "bench.act", digest_of(1), system_context("bench")), _work)
            took.append(time.perf_counter() - start)
        tally.took_s.extend(took)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.span_s = time.perf_counter() - began
    return tally


def _work(uow: UnitOfWork) -> Numbered:
    return Numbered(number=next_number(uow, "bench"))
