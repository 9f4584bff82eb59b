"""``onehall bench usage``: files decoded, guided and rated, and the same stored, beside the machine's bare limits.

Everything is made fresh in a folder of its own: a billing database, products for each number and login, a month of
calls and sessions. The bare limits are reading the file, and writing the very same rows with nothing around it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from server_api.billing.rating import service, store
from server_api.billing.rating.guide import Guide, load_guide
from server_api.billing.rating.importer import import_file
from server_api.billing.rating.rater import rate
from server_api.billing.usage.formats.registry import open_usage
from server_api.billing.usage.policy import policy
from server_api.billing.usage.ready import made_ready
from server_api.billing.usage.samples import SampleFile, write_month
from server_api.cli.console import OK, REFUSED, Console, t
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.secrets import Secrets
from shared_models.contracts.rating import PriceRow, price_book_digest
from shared_models.contracts.work import system_context
from shared_models.tables.billing.bill import pay_relation
from shared_models.tables.billing.rating import (
    rating_price_book,
    rating_price_part,
    rating_product,
)
from shared_models.tables.billing.usage import usage_access
from shared_models.values.clock import SystemClock, town_day
from shared_models.values.ids import derived_id, new_id
from shared_models.values.period import Month

_LONG_AGO = date(2020, 1, 1)
_OFFERINGS = {
    "FIX": ("voice", ("VOICE-STD",)), "FIX300": ("voice", ("VOICE-PKG300", "VOICE-STD")),
    "BB": ("broadband", ("BB-FLAT",)),
}  # fmt: skip
_BARE_TURN = 10_000


@dataclass(frozen=True)
class Figures:
    """What one run measured: records a second, and the bare limits beside them."""

    records: int
    binary_rated_per_s: int
    csv_rated_per_s: int
    sessions_rated_per_s: int
    bare_read_mb_per_s: int
    stored_per_s: int
    bare_insert_per_s: int
    dealt_calls: int
    dealt_per_s: int
    counts_add_up: bool


def add_bench(subparsers: Any) -> None:
    """Add ``usage`` to ``onehall bench``."""
    parser = subparsers.add_parser("usage", help=t("bench.usage"), description=t("bench.usage"))
    parser.add_argument("--calls", type=int, default=1_000_000, help=t("bench.usage_calls"))
    parser.add_argument("--products", type=int, default=10_000, help=t("bench.usage_products"))
    parser.add_argument("--keep", type=Path, default=None, help=t("bench.keep"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print; refused where the counts do not add up."""
    folder = args.keep or Path(tempfile.mkdtemp(prefix="onehall-bench-"))
    try:
        figures = bench_usage(folder, calls=args.calls, products=args.products)
    finally:
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    console.result(asdict(figures))
    for name, value in asdict(figures).items():
        if name != "counts_add_up":
            console.say(t(f"bench.usage_{name}", value=f"{value:,}"))
    return OK if figures.counts_add_up else REFUSED


def bench_usage(folder: Path, *, calls: int, products: int) -> Figures:
    """Make a month and a database in a folder, and measure."""
    month = Month.of(town_day(SystemClock().now())).previous()
    numbers = [f"0937{3_000_000 + index}" for index in range(products)]
    logins = [f"bb{index:06d}" for index in range(products)]
    made = write_month(folder / "files", numbers, logins, month, call_count=calls, session_count=calls // 5)
    database = Database("billing", f"sqlite:///{folder / 'billing.db'}", secrets=Secrets(bytes(32)), label="bench")
    try:
        database.create_all()
        _furnish(database, numbers, logins)
        rated = [_rated_per_second(database, file) for file in made]
        begun = time.perf_counter()
        reports = [import_file(database, file.path, deal=False) for file in made]
        stored_s = time.perf_counter() - begun
        begun = time.perf_counter()
        dealt = service.deal_included_units(database)
        dealt_s = time.perf_counter() - begun
        bare = _bare_insert(database, folder / "bare.db")
    finally:
        database.close()
    right = all(
        (report.read_count, report.duplicate_count, report.rejected_count)
        == (file.read_count, file.duplicate_count, file.dirty_count)
        for report, file in zip(reports, made, strict=True)
    )
    return Figures(
        records=sum(file.read_count for file in made), binary_rated_per_s=rated[0], csv_rated_per_s=rated[1],
        sessions_rated_per_s=rated[2], bare_read_mb_per_s=_bare_read([file.path for file in made]),
        stored_per_s=_per_second(sum(file.read_count for file in made), stored_s), bare_insert_per_s=bare,
        dealt_calls=dealt, dealt_per_s=_per_second(dealt, dealt_s), counts_add_up=right,
    )  # fmt: skip


def _per_second(count: int, elapsed_s: float) -> int:
    return int(count / max(elapsed_s, 1e-9))


def _rated_per_second(database: Database, file: SampleFile) -> int:
    """The file decoded, checked, guided and rated, with windows; the better of two runs, nothing stored."""
    best = 0
    for _ in range(2):
        begun = time.perf_counter()
        source = open_usage(file.path)
        guide = load_guide(database, source.service)
        lines = count = 0
        for piece in source.pieces:
            decoded, _joined = source.decode(piece, lines)
            lines += decoded.line_count
            count += decoded.record_count
            _charges(made_ready(decoded.records, source.service, policy().switch_code, 0, 2**40), guide)
        best = max(best, _per_second(count, time.perf_counter() - begun))
    return best


def _charges(ready: pl.DataFrame, guide: Guide) -> int:
    good = ready.lazy().filter(pl.col("reason") == 0).drop("reason")
    rated = rate(good, guide.tariffs, guide.owners, included=False, longest_s=policy().max_call_s)
    return int(
        rated.select("usage_id", "account_id", "price_no", "units", "charge_micro_yuan").collect()["units"].sum()
    )


def _bare_read(paths: list[Path]) -> int:
    begun = time.perf_counter()
    size = sum(len(path.read_bytes()) for path in paths)
    return _per_second(size, time.perf_counter() - begun) // 1_000_000


def _bare_insert(database: Database, path: Path) -> int:
    """The rows just stored, written again in key order to an empty table by the driver alone, durable every turn."""
    with database.reading() as conn:
        rows = [tuple(row) for row in store.sample_calls(conn, 2**31)]
    bare = sqlite3.connect(path, isolation_level=None)
    for setting in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=0"):
        bare.execute(f"PRAGMA {setting}")
    columns = ",".join(store.RATED_COLUMNS)
    bare.execute(f"CREATE TABLE rated ({columns}, PRIMARY KEY (period, account_id, usage_id)) WITHOUT ROWID")
    sql = f"INSERT INTO rated VALUES ({','.join('?' * len(store.RATED_COLUMNS))})"
    begun = time.perf_counter()
    for at in range(0, len(rows), _BARE_TURN):
        bare.execute("BEGIN IMMEDIATE")
        bare.executemany(sql, rows[at : at + _BARE_TURN])
        bare.execute("COMMIT")
    speed = _per_second(len(rows), time.perf_counter() - begun)
    bare.close()
    return speed


def _furnish(database: Database, numbers: list[str], logins: list[str]) -> None:
    """Tariffs, one price book, and a product with payer for each number and login."""
    tariffs = service.sample_tariffs()
    act = Act(new_id(), "tariff.import", digest_of([one.version for one in tariffs]), system_context("bench"))
    perform(database, act, lambda uow: service.import_tariffs(uow, tariffs=tariffs))
    rows = [
        PriceRow(offering_code=code, price_code=f"{code}.{rank}", kind="usage", service=sold, tariff_code=tariff,
                 rank=rank, valid_from=_LONG_AGO).model_dump(mode="json")
        for code, (sold, named) in _OFFERINGS.items() for rank, tariff in enumerate(named)
    ]  # fmt: skip
    keys = [
        ("number", f"86{number[1:]}", "voice", "FIX300" if index % 4 == 0 else "FIX")
        for index, number in enumerate(numbers)
    ]
    keys += [("login", login, "broadband", "BB") for login in logins]
    product = [derived_id("product", key) for _kind, key, _sold, _offer in keys]
    at, on = "2020-01-01 00:00:00.000000", _LONG_AGO.isoformat()  # as SQLite keeps them
    book = (1, len(rows), price_book_digest(rows), on, 1, at)
    access = [(kind, key, product[i], at, None, 1) for i, (kind, key, _sold, _offer) in enumerate(keys)]
    priced = [(product[i], on, None, sold, offer, None, 1, 1) for i, (_kind, _key, sold, offer) in enumerate(keys)]
    payers = [(product[i], "*", derived_id("account", str(i % len(numbers))), on, None, 0, 1) for i in range(len(keys))]
    with database.batch() as conn:
        for table, some in (
            (rating_price_book, [book]), (rating_price_part, [(1, 1, json.dumps(rows))]), (usage_access, access),
            (rating_product, priced), (pay_relation, payers),
        ):  # fmt: skip
            database.bulk_insert(conn, table, _FURNISHED[table.name], some)


#: The columns written above, in this order.
_FURNISHED = {
    "rating_price_book": ("book_version", "row_count", "digest", "effective_on", "live", "heard_at"),
    "rating_price_part": ("book_version", "part_no", "document"),
    "usage_access": ("kind", "access_key", "product_id", "from_at", "until_at", "source_seq"),
    "rating_product": ("product_id", "from_on", "until_on", "service", "offering_code", "bundle_code", "book_version",
                       "source_seq"),
    "pay_relation": ("product_id", "item_group", "account_id", "from_on", "until_on", "priority", "source_seq"),
}  # fmt: skip
