"""``onehall bench rerate``: a month of calls rated again, unchanged and all changed, beside bare reads and updates.

The month is imported first (see ``bench usage``). Rated again under the same tariffs every call is read, guided and
priced and nothing is written; under dearer ones every call is written too. The bare limits are fetching the same
columns of the same rows, and updating one column of each by its key in durable turns, with nothing around.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from server_api.billing.rating import service
from server_api.billing.rating.rerate import rerate
from server_api.billing.rating.rerate_read import Asked
from server_api.billing.rating.store.changes import RERATE_COLUMNS
from server_api.cli.bench.usage_data import CSV, write_calls
from server_api.cli.bench.usage_parts import Part, alone, dealing, measured, new_bench, open_bench, storing
from server_api.cli.console import OK, REFUSED, Console, t
from server_api.platform.acts import Act, digest_of, perform
from shared_models.contracts.work import system_context
from shared_models.values.clock import SystemClock, town_day
from shared_models.values.ids import new_id
from shared_models.values.period import Month

_BARE_TURN = 10_000


def add_bench(subparsers: Any) -> None:
    """Add ``rerate`` to ``onehall bench``."""
    parser = subparsers.add_parser("rerate", help=t("bench.rerate"), description=t("bench.rerate"))
    parser.add_argument("--calls", type=int, default=1_000_000, help=t("bench.usage_calls"))
    parser.add_argument("--products", type=int, default=10_000, help=t("bench.usage_products"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print; refused where a call is not as it should be."""
    month = Month.of(town_day(SystemClock().now())).previous()
    folder = Path(tempfile.mkdtemp(prefix="onehall-bench-"))
    found: dict[str, Part] = {}
    try:
        new_bench(folder, args.products)
        calls = write_calls(folder / "calls.csv", CSV, args.products, month, args.calls)
        alone(storing, str(folder), str(calls))
        alone(dealing, str(folder))
        for name, work in (
            ("read", bare_read), ("same", same), ("dearer", dearer), ("again", same), ("update", bare_update),
        ):  # fmt: skip
            found[name] = part = alone(work, str(folder), month.yyyymm)
            console.say(t("bench.usage_line", what=t(f"bench.rerate_{name}"), count=f"{part.count:,}",
                          value=f"{part.per_s:,}", cpu=part.cpu_us, memory=part.peak_mb))  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    right = all(part.right for part in found.values())
    console.result({"parts": {name: {**asdict(part), "per_s": part.per_s} for name, part in found.items()},
                    "right": right})  # fmt: skip
    return OK if right else REFUSED


def same(folder: str, yyyymm: int) -> Part:
    """A month rated again under the tariffs it was rated by."""
    return _rated_again(folder, yyyymm, lambda changed, _calls: changed == 0)


def dearer(folder: str, yyyymm: int) -> Part:
    """A month rated again after every price of voice was doubled."""
    database = open_bench(Path(folder))
    doubled = []
    for tariff in service.sample_tariffs():
        rows = tuple(
            replace(row, prices_micro_yuan=_twice(row.prices_micro_yuan),
                    first_prices_micro_yuan=_twice(row.first_prices_micro_yuan))
            for row in tariff.rows
        )  # fmt: skip
        doubled.append(replace(tariff, rows=rows))
    act = Act(new_id(), "bench_tariffs", digest_of({}), system_context("bench"))
    perform(database, act, lambda uow: service.import_tariffs(uow, tariffs=doubled))
    database.close()
    return _rated_again(folder, yyyymm, lambda changed, calls: changed > calls * 9 // 10)


def _twice(prices: dict[str, int]) -> dict[str, int]:
    return {window: 2 * price for window, price in prices.items()}


def _rated_again(folder: str, yyyymm: int, as_it_should: Any) -> Part:
    database = open_bench(Path(folder))
    month = Month(yyyymm)

    def work() -> tuple[int, bool]:
        outcome = rerate(database, Asked(month.first_on, month.until_on), rerate_id="be" * 16)
        return outcome.call_count, as_it_should(outcome.changed_count, outcome.call_count)

    try:
        return measured(work)
    finally:
        database.close()


def bare_read(folder: str, yyyymm: int) -> Part:
    """The bare limit of reading: the columns re-rating needs, fetched."""
    bare = sqlite3.connect(Path(folder) / "billing.db")
    sql = f"SELECT {','.join(RERATE_COLUMNS)} FROM rated_usage WHERE period = ?"
    try:
        return measured(lambda: (sum(len(some) for some in _pages(bare.execute(sql, (yyyymm,)))), True))
    finally:
        bare.close()


def _pages(cursor: sqlite3.Cursor) -> Any:
    while some := cursor.fetchmany(_BARE_TURN):
        yield some


def bare_update(folder: str, yyyymm: int) -> Part:
    """The bare limit of writing: a charge updated by its key, durable every turn."""
    path = Path(folder) / "billing.db"
    bare = sqlite3.connect(path, isolation_level=None)
    for setting in ("synchronous=FULL", "cache_size=-65536"):
        bare.execute(f"PRAGMA {setting}")
    keys = bare.execute(
        "SELECT charge_micro_yuan + 1, period, account_id, usage_id FROM rated_usage WHERE period = ?"
        " ORDER BY account_id, usage_id", (yyyymm,),
    ).fetchall()  # fmt: skip
    sql = "UPDATE rated_usage SET charge_micro_yuan = ? WHERE period = ? AND account_id = ? AND usage_id = ?"

    def work() -> tuple[int, bool]:
        for at in range(0, len(keys), _BARE_TURN):
            bare.execute("BEGIN IMMEDIATE")
            bare.executemany(sql, keys[at : at + _BARE_TURN])
            bare.execute("COMMIT")
        return len(keys), True

    try:
        return measured(work)
    finally:
        bare.close()
