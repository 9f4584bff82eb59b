"""``onehall bench bill``: the month run, stored, at growing numbers of accounts, beside the machine's bare insert.

Everything is made fresh in a folder of its own. The bare limit is writing the very rows the run stored, in their order,
with nothing around: the same durability, long transactions, one process.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from server_api.billing.bill import service
from server_api.billing.bill.checks import bill_is_sum_of_lines, line_is_sum_of_parts
from server_api.billing.ledger.checks import trial_balance_zero
from server_api.cli.bench.bill_data import Town, furnish
from server_api.cli.bench.processes import fresh_settings
from server_api.cli.console import OK, REFUSED, Console, t
from server_api.cli.house import start_command
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database, Databases, open_databases
from server_api.platform.schema import stamp
from server_api.platform.secrets import Secrets
from server_api.wiring import wire_databases
from shared_models.contracts.work import system_context
from shared_models.tables.billing import billing_platform
from shared_models.tables.billing.bill import bill, bill_charge, bill_line
from shared_models.tables.billing.ledger import posting
from shared_models.values.clock import SystemClock, town_day
from shared_models.values.ids import new_id
from shared_models.values.period import Month

_SIZES = (10_000, 100_000)
_LARGE = 1_000_000
_PRODUCTS_OF_LARGE_ACCOUNT = 1_000
_BARE_TURN = 20_000
#: What a run stores: its rows, and the news of accounts that now owe.
_STORED: tuple[Table, ...] = (bill, bill_line, bill_charge, posting, billing_platform.fact_out)


@dataclass(frozen=True)
class RunFigures:
    """One size: bills a second stored, what a bill costs, and what the machine does with the bare rows."""

    accounts: int
    bills_per_s: int
    cost_us: int
    cpu_us: int
    rss_mb: int
    preview_per_s: int
    rows: int
    bare_bills_per_s: int
    adds_up: bool


@dataclass(frozen=True)
class LargeAccount:
    """One account with very many products."""

    products: int
    stored_ms: int
    draft_ms: int


@dataclass(frozen=True)
class OneBill:
    """One account's bill after another, as a counter asks: read, drafted, every charge in words; nothing stored."""

    previews_per_s: int
    median_us: int
    p99_us: int
    bare_reads_per_s: int


def add_bench(subparsers: Any) -> None:
    """Add ``bill`` to ``onehall bench``."""
    parser = subparsers.add_parser("bill", help=t("bench.bill"), description=t("bench.bill"))
    parser.add_argument("--accounts", type=int, action="append", default=None, help=t("bench.bill_accounts"))
    parser.add_argument("--large", action="store_true", help=t("bench.bill_large"))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help=t("bench.bill_workers"))
    parser.add_argument("--keep", type=Path, default=None, help=t("bench.keep"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure each size and print; refused where something does not add up."""
    sizes = sorted({*(args.accounts or _SIZES), *((_LARGE,) if args.large else ())})
    folder = args.keep or Path(tempfile.mkdtemp(prefix="onehall-bench-"))
    figures: list[RunFigures] = []
    try:
        for size in sizes:
            console.say(t("bench.bill_furnishing", accounts=f"{size:,}"))
            one = bench_run(folder / f"bill-{size}", size, args.workers, keep=args.keep is not None)
            figures.append(one)
            _tell(console, one)
        large = bench_large_account(folder / "large-account")
        single = bench_one_bill(folder / "one-bill")
    finally:
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    least, most = figures[0], figures[-1]
    slope = f"{most.cost_us / max(1, least.cost_us):.2f}"
    if most is not least:
        console.say(t("bench.bill_slope", most=f"{most.accounts:,}", least=f"{least.accounts:,}", slope=slope))
    console.say(t("bench.bill_large_account", **asdict(large)))
    console.say(t("bench.bill_one", **{name: f"{value:,}" for name, value in asdict(single).items()}))
    console.result(
        {
            "runs": [asdict(one) for one in figures],
            "slope": slope,
            "large_account": asdict(large),
            "one_bill": asdict(single),
        }
    )
    return OK if all(one.adds_up for one in figures) else REFUSED


def _tell(console: Console, one: RunFigures) -> None:
    shown = {name: f"{value:,}" for name, value in asdict(one).items()}
    for line in ("line", "bare", "preview"):
        console.say(t(f"bench.bill_{line}", **shown))
    if not one.adds_up:
        console.complain(t("bench.bill_wrong", accounts=shown["accounts"]))


def bench_run(folder: Path, accounts: int, workers: int, *, keep: bool = False) -> RunFigures:
    """Furnish so many accounts, preview their month, bill it with so many processes, and check it."""
    month = Month.of(town_day(SystemClock().now())).previous()
    databases, settings_command = _installation(folder)
    billing = databases.billing
    try:
        furnish(billing, Town(accounts, month))
        billing.start_command = settings_command
        begun = time.perf_counter()
        service.preview_run(billing, month)
        preview_s = time.perf_counter() - begun
        cpu = _cpu_s()
        begun = time.perf_counter()
        done = _bill(billing, month, workers)
        took_s = time.perf_counter() - begun
        cpu_s = _cpu_s() - cpu
        adds_up = done == accounts and all(
            not check(billing).wrong for check in (bill_is_sum_of_lines, line_is_sum_of_parts, trial_balance_zero)
        )
        rows, bare_s = _bare_insert(billing, folder / "bare.db")
    finally:
        databases.close()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return RunFigures(
        accounts=accounts, bills_per_s=_per_s(accounts, took_s), cost_us=int(took_s * 1e6 / accounts),
        cpu_us=int(cpu_s * 1e6 / accounts), rss_mb=_peak_mb(), preview_per_s=_per_s(accounts, preview_s), rows=rows,
        bare_bills_per_s=_per_s(accounts, bare_s), adds_up=adds_up,
    )  # fmt: skip


def bench_large_account(folder: Path) -> LargeAccount:
    """One account with a thousand products among others: its bill drafted, and the whole run of it stored."""
    month = Month.of(town_day(SystemClock().now())).previous()
    databases, _command = _installation(folder)
    billing = databases.billing
    town = Town(1, month, _PRODUCTS_OF_LARGE_ACCOUNT)
    try:
        furnish(billing, town)
        begun = time.perf_counter()
        service.preview_run(billing, month)
        draft_s = time.perf_counter() - begun
        begun = time.perf_counter()
        _bill(billing, month, 1)
        stored_s = time.perf_counter() - begun
    finally:
        databases.close()
        shutil.rmtree(folder, ignore_errors=True)
    return LargeAccount(town.products_each, int(stored_s * 1000), int(draft_s * 1000))


def bench_one_bill(folder: Path, accounts: int = 2_000) -> OneBill:
    """Preview the bill of one account after another; the bare limit reads one row of the account by its key."""
    month = Month.of(town_day(SystemClock().now())).previous()
    databases, _command = _installation(folder)
    billing = databases.billing
    try:
        town = Town(accounts, month, sealed=billing.secrets.seal("王小明"))
        furnish(billing, town)
        ids = [town.account_id(number) for number in range(accounts)]
        took: list[float] = []
        for account_id in ids:
            begun = time.perf_counter()
            with billing.reading() as conn:
                service.preview_account(conn, account_id, month, "zh_CN", billing.secrets, billing.clock.now())
            took.append(time.perf_counter() - begun)
        bare = sqlite3.connect(str(billing.url).partition("///")[2])
        begun = time.perf_counter()
        for account_id in ids:
            bare.execute("SELECT * FROM billing_account WHERE account_id = ?", (account_id,)).fetchone()
        bare_s = time.perf_counter() - begun
        bare.close()
    finally:
        databases.close()
        shutil.rmtree(folder, ignore_errors=True)
    took.sort()
    return OneBill(
        _per_s(len(took), sum(took)), int(took[len(took) // 2] * 1e6), int(took[len(took) * 99 // 100] * 1e6),
        _per_s(len(ids), bare_s),
    )  # fmt: skip


def _installation(folder: Path) -> tuple[Databases, Callable[..., Any]]:
    settings = fresh_settings(folder)
    databases = open_databases(
        settings.business_url, settings.billing_url, secrets=Secrets.from_file(settings.key_file), label="bench"
    )
    for database in (databases.business, databases.billing):
        stamp(database)
    databases.billing.secrets.open_ring(databases)
    wire_databases(databases)
    return databases, partial(start_command, settings)


def _bill(billing: Database, month: Month, workers: int) -> int:
    act = Act(new_id(), "begin_bill_run", digest_of({"yyyymm": month.yyyymm}), system_context("bench"))
    perform(billing, act, lambda uow: service.begin_run(uow, month=month))
    return service.run_month(billing, service.run_id_of(month), workers=workers).bill_count


def _bare_insert(database: Database, path: Path) -> tuple[int, float]:
    """The rows just stored, written again in their order to an empty file by the driver alone, durable every turn."""
    bare = sqlite3.connect(path, isolation_level=None)
    for setting in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
        bare.execute(f"PRAGMA {setting}")
    count, took_s = 0, 0.0
    source = sqlite3.connect(str(database.url).partition("///")[2])
    for table in _STORED:
        keys = [column.name for column in table.primary_key.columns]
        names = [column.name for column in table.columns]
        bare.execute(f"CREATE TABLE {table.name} ({','.join(names)}, PRIMARY KEY ({','.join(keys)})) WITHOUT ROWID")
        sql = f"INSERT INTO {table.name} VALUES ({','.join('?' * len(names))})"
        rows = source.execute(f"SELECT {','.join(names)} FROM {table.name} ORDER BY {','.join(keys)}")
        while chunk := rows.fetchmany(_BARE_TURN):
            begun = time.perf_counter()
            bare.execute("BEGIN IMMEDIATE")
            bare.executemany(sql, chunk)
            bare.execute("COMMIT")
            took_s += time.perf_counter() - begun
            count += len(chunk)
    source.close()
    bare.close()
    return count, took_s


def _per_s(count: int, elapsed_s: float) -> int:
    return int(count / max(elapsed_s, 1e-9))


def _cpu_s() -> float:
    """Processor time of this process and of those it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _peak_mb() -> int:
    """The largest of this process and its children so far."""
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most // 1024
