"""The measurements of ``onehall bench usage``, each in a process of its own: its memory and processor time are its own.

Functions here take and give plain values, because they cross to another process and back.
"""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from server_api.billing.rating import service, store
from server_api.billing.rating.guide import load_guide
from server_api.billing.rating.importer import import_file
from server_api.billing.rating.piece import Order
from server_api.billing.rating.stream import rate_stream
from server_api.billing.usage.formats.registry import open_usage
from server_api.billing.usage.policy import policy
from server_api.cli.bench.usage_data import furnish
from server_api.platform.database import Database
from server_api.platform.secrets import Secrets

_BARE_TURN = 10_000
_BARE_ROWS = 500_000


@dataclass(frozen=True)
class Part:
    """What one measurement came to: records (or rows), seconds of the clock and of the processor, memory at most."""

    count: int
    elapsed_s: float
    cpu_s: float
    peak_mb: int
    right: bool = True

    @property
    def per_s(self) -> int:
        """How many a second."""
        return int(self.count / max(self.elapsed_s, 1e-9))

    @property
    def cpu_us(self) -> float:
        """Microseconds of processor for each."""
        return round(self.cpu_s * 1_000_000 / max(self.count, 1), 2)


def alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function run in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def measured(work: Callable[[], tuple[int, bool]]) -> Part:
    """What a piece of work cost; it returns how much it did and whether that was right."""
    times, begun = os.times(), time.perf_counter()
    count, right = work()
    elapsed, after = time.perf_counter() - begun, os.times()
    return Part(count, elapsed, after.user - times.user + after.system - times.system, _peak_mb(), right)


def _peak_mb() -> int:
    """The most memory this process ever held; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0]) // 1024 if found else 0


def rating(folder: str, path: str, month: int) -> Part:
    """A file opened, decoded, checked, made unique, guided and rated, included units dealt out; nothing stored."""
    database = open_bench(Path(folder))

    def work() -> tuple[int, bool]:
        source = open_usage(Path(path))
        order = Order(source, load_guide(database, source.service), 1, policy().switch_code, 0, 2**40, month)
        totals = rate_stream(order)
        return totals.read_count, totals.refused_count == 0 and totals.charge_micro_yuan > 0

    try:
        return measured(work)
    finally:
        database.close()


def storing(folder: str, path: str) -> Part:
    """The same stored, durably, included units not yet dealt out."""
    database = open_bench(Path(folder))

    def work() -> tuple[int, bool]:
        report = import_file(database, Path(path), deal=False)
        return report.read_count, report.accepted_count == report.read_count

    try:
        return measured(work)
    finally:
        database.close()


def dealing(folder: str) -> Part:
    """Included units dealt out over what is stored: calls changed."""
    database = open_bench(Path(folder))
    try:
        return measured(lambda: (service.deal_included_units(database), True))
    finally:
        database.close()


def bare_scan(path: str) -> Part:
    """The bare limit of reading text: all its columns found and the lines counted by the library, nothing else."""

    def work() -> tuple[int, bool]:
        lines = pl.scan_csv(path, infer_schema=False).select(pl.all().null_count(), lines=pl.len())
        return int(lines.collect(engine="streaming")["lines"][0]), True

    return measured(work)


def bare_insert(folder: str) -> Part:
    """The bare limit of storing: rows just stored, again in key order to an empty table, durable every turn."""
    database = open_bench(Path(folder))
    with database.reading() as conn:
        rows = sorted(tuple(row) for row in store.sample_calls(conn, _BARE_ROWS))
    database.close()
    bare = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
    for setting in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=0"):
        bare.execute(f"PRAGMA {setting}")
    columns = ",".join(store.RATED_COLUMNS)
    bare.execute(f"CREATE TABLE rated ({columns}, PRIMARY KEY (period, account_id, usage_id)) WITHOUT ROWID")
    sql = f"INSERT INTO rated VALUES ({','.join('?' * len(store.RATED_COLUMNS))})"

    def work() -> tuple[int, bool]:
        for at in range(0, len(rows), _BARE_TURN):
            bare.execute("BEGIN IMMEDIATE")
            bare.executemany(sql, rows[at : at + _BARE_TURN])
            bare.execute("COMMIT")
        return len(rows), True

    part = measured(work)
    bare.close()
    return part


def open_bench(folder: Path) -> Database:
    """The billing database of a bench."""
    return Database("billing", f"sqlite:///{folder / 'billing.db'}", secrets=Secrets(bytes(32)), label="bench")


def new_bench(folder: Path, products: int) -> None:
    """Make the billing database of a bench."""
    folder.mkdir(parents=True, exist_ok=True)
    database = open_bench(folder)
    try:
        database.create_all()
        furnish(database, products)
    finally:
        database.close()
