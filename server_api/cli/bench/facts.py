"""``onehall bench facts``: how long news takes from one database into the other, beside a bare durable commit.

A fresh installation, its worker as a process of its own, this process the teller's side: it commits acts that tell a
fact and watches the other database for the receiver's cursor, which commits together with the effect.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from server_api.cli.bench.load import Tally
from server_api.cli.bench.payments import bare_commits
from server_api.cli.bench.processes import fresh_settings, running
from server_api.cli.console import OK, REFUSED, Console, t
from server_api.platform import schema
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Databases, open_databases
from server_api.platform.facts.after import wait_for_news
from server_api.platform.facts.standing import facts_standing
from server_api.platform.secrets import Secrets
from server_api.platform.unit_of_work import UnitOfWork
from server_api.settings import Settings
from shared_models.contracts.events import CustomerRecorded
from shared_models.contracts.work import system_context
from shared_models.values.faults.common import CopyBehind
from shared_models.values.ids import derived_id, new_id

#: What the issue asks for.
LIMIT_P99_MS = 100.0


@dataclass(frozen=True)
class Figures:
    """What one run measured."""

    facts: int
    alone_p50_ms: float
    alone_p99_ms: float
    alone_worst_ms: float
    busy_p50_ms: float
    busy_p99_ms: float
    busy_worst_ms: float
    bulk_per_s: float
    late: int
    bare_commit_p99_ms: float
    bare_commit_per_s: float


def add_bench(subparsers: Any) -> None:
    """Add ``facts`` to ``onehall bench``."""
    parser = subparsers.add_parser("facts", help=t("bench.facts"), description=t("bench.facts"))
    parser.add_argument("--seconds", type=float, default=10.0, help=t("bench.facts_seconds"))
    parser.add_argument("--bulk", type=int, default=5_000, help=t("bench.facts_bulk"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print; refused where news took longer than asked for."""
    folder = Path(tempfile.mkdtemp(prefix="onehall-bench-"))
    try:
        found = measure(folder / "data", seconds=args.seconds, bulk=args.bulk)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.say(
        t(
            "bench.facts_alone",
            p50=f"{found.alone_p50_ms:.1f}",
            p99=f"{found.alone_p99_ms:.1f}",
            worst=f"{found.alone_worst_ms:.1f}",
        )
    )
    console.say(
        t(
            "bench.facts_busy",
            p50=f"{found.busy_p50_ms:.1f}",
            p99=f"{found.busy_p99_ms:.1f}",
            worst=f"{found.busy_worst_ms:.1f}",
            count=args.bulk,
        )
    )
    console.say(t("bench.facts_rate", rate=f"{found.bulk_per_s:.0f}"))
    console.say(t("bench.bare_commit", rate=f"{found.bare_commit_per_s:.0f}", p99=f"{found.bare_commit_p99_ms:.2f}"))
    console.result({"facts": asdict(found)})
    return OK if not found.late and found.alone_p99_ms <= LIMIT_P99_MS else REFUSED


def measure(data_dir: Path, *, seconds: float, bulk: int) -> Figures:
    """Run the worker, tell facts at a pace, then the same while it carries ``bulk`` facts of an import."""
    settings = fresh_settings(data_dir)
    databases = _installed(settings)
    try:
        bare = bare_commits(data_dir, seconds=2.0)
        with running(settings, "worker"):
            _tell(databases, 0)
            _wait(databases, [_token(0)], 60.0)
            alone, late_alone = _paced(databases, seconds, first=1)
            feeder = threading.Thread(target=_tell_bulk, args=(databases, 2_000_000, bulk, 0.02))
            feeder.start()
            busy, late_busy = _paced(databases, seconds, first=1_000_000)
            feeder.join()
            _until(lambda: facts_standing(databases.business).pending == 0, 120.0)
            told_at = time.monotonic()
            _tell_bulk(databases, 3_000_000, bulk, 0.0)
            _until(lambda: facts_standing(databases.business).pending == 0, 120.0)
            span_s = time.monotonic() - told_at
    finally:
        databases.close()
    return Figures(
        facts=len(alone.took_s) + len(busy.took_s) + 2 * bulk,
        alone_p50_ms=alone.quantile_ms(0.5),
        alone_p99_ms=alone.quantile_ms(0.99),
        alone_worst_ms=alone.quantile_ms(1.0),
        busy_p50_ms=busy.quantile_ms(0.5),
        busy_p99_ms=busy.quantile_ms(0.99),
        busy_worst_ms=busy.quantile_ms(1.0),
        bulk_per_s=bulk / span_s,
        late=late_alone + late_busy,
        bare_commit_p99_ms=bare.quantile_ms(0.99),
        bare_commit_per_s=bare.per_second,
    )


def _installed(settings: Settings) -> Databases:
    secrets = Secrets.from_file(settings.key_file)
    databases = open_databases(settings.business_url, settings.billing_url, secrets=secrets, label="bench")
    for database in (databases.business, databases.billing):
        schema.upgrade(database)
    secrets.open_ring(databases)
    return databases


def _customer(number: int) -> str:
    return derived_id("bench customer", str(number))


def _token(number: int) -> str:
    return f"customer:{_customer(number)}@1"


def _tell(databases: Databases, number: int) -> None:
    """One act of business that tells billing of a customer."""

    def work(uow: UnitOfWork) -> None:
        uow.tell(f"customer:{_customer(number)}", _news(uow, number))

    perform(databases.business, Act(new_id(), "bench.tell", digest_of(number), system_context("bench")), work)


def _news(uow: UnitOfWork, number: int) -> CustomerRecorded:
    return CustomerRecorded(customer_id=_customer(number), customer_no=f"B{number:09d}", customer_class="person",
                            sealed_name=uow.database.secrets.seal("张三"))


def _tell_bulk(databases: Databases, begin: int, count: int, pause_s: float) -> None:
    """What an import does: acts of a hundred facts each, in lanes nobody waits behind."""
    for first in range(begin, begin + count, 100):

        def work(uow: UnitOfWork, first: int = first) -> None:
            for number in range(first, first + 100):
                uow.tell(f"customer:{_customer(number)}", _news(uow, number), bulk=True)

        perform(databases.business, Act(new_id(), "bench.bulk", digest_of(first), system_context("bench")), work)
        time.sleep(pause_s)


def _paced(databases: Databases, seconds: float, first: int) -> tuple[Tally, int]:
    """Tell twenty facts a second and take the time of each from its commit to its effect on the other side."""
    tally, late = Tally(), 0
    began = time.perf_counter()
    number = first
    while time.perf_counter() - began < seconds:
        due = began + (number - first) / 20
        time.sleep(max(0.0, due - time.perf_counter()))
        _tell(databases, number)
        committed = time.perf_counter()
        try:
            _wait(databases, [_token(number)], 5.0)
            tally.took_s.append(time.perf_counter() - committed)
        except CopyBehind:
            late += 1
        number += 1
    tally.span_s = time.perf_counter() - began
    return tally, late


def _wait(databases: Databases, tokens: list[str], timeout_s: float) -> None:
    wait_for_news(databases.billing, tokens, timeout_s=timeout_s)


def _until(condition: Callable[[], bool], within_s: float) -> None:
    until = time.monotonic() + within_s
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
