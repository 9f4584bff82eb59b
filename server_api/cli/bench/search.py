"""``onehall bench search``: finding customers among a million, each way by itself, beside one bare read by key."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from server_api.business.party import service as party
from server_api.business.party import store
from server_api.cli.bench.many_customers import ManyCustomers, build
from server_api.cli.console import OK, REFUSED, Console, t
from server_api.platform import schema
from server_api.platform.database import Database, open_databases
from server_api.platform.secrets import Secrets
from server_api.settings import load_settings
from shared_models.contracts.party import SearchWords
from shared_models.contracts.work import DataScope, WorkContext, system_context

#: DESIGN §3: 50 ms in the server, p99, each way.
TARGET_MS = 50.0
_TURNS = 400


def add_bench(subparsers: Any) -> None:
    """Add ``search`` to ``onehall bench``."""
    parser = subparsers.add_parser("search", help=t("bench.search"), description=t("bench.search"))
    parser.add_argument("--customers", type=int, default=1_000_000, metavar="N", help=t("bench.search_customers"))
    parser.add_argument("--turns", type=int, default=_TURNS, metavar="N", help=t("bench.search_turns"))
    parser.add_argument("--folder", type=Path, default=None, metavar="DIR", help=t("bench.search_folder"))
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, console: Console) -> int:
    """Measure each way; 1 when one misses its figure."""
    folder = args.folder or load_settings(args.data_dir).data_dir / f"bench-search-{args.customers}"
    settings = load_settings(folder)
    databases = open_databases(
        settings.business_url, settings.billing_url, secrets=Secrets.from_file(settings.key_file), label="bench"
    )
    try:
        database = databases.business
        for side in (databases.business, databases.billing):  # the data keys lie in both
            if not schema.is_current(side):
                schema.upgrade(side)
        many = ManyCustomers(args.customers)
        began = time.perf_counter()
        build(database, many, console.progress)
        console.say(t("bench.search_ready", count=args.customers, seconds=f"{time.perf_counter() - began:.0f}"))
        figures = measure(database, many, args.turns)
    finally:
        databases.close()
    console.table([t("bench.search_way"), "p50 ms", "p99 ms", t("bench.search_found")], [
        [way, f"{one['p50_ms']:.2f}", f"{one['p99_ms']:.2f}", f"{one['found']:.1f}"] for way, one in figures.items()
    ])  # fmt: skip
    console.result({"customers": args.customers, "ways": figures, "target_ms": TARGET_MS})
    return OK if all(one["p99_ms"] <= TARGET_MS for one in figures.values()) else REFUSED


def measure(database: Database, many: ManyCustomers, turns: int) -> dict[str, dict[str, float]]:
    """Time every way ``turns`` times; milliseconds as a caller in the server waits for them."""
    everything = system_context("bench")
    near = WorkContext(
        staff_id="bench",
        staff_no="bench",
        staff_name="bench",
        hall_code="H03",
        district_code="D0",
        scope=DataScope.HALL,
    )
    district = near.model_copy(update={"scope": DataScope.DISTRICT})
    texts: dict[str, tuple[Callable[[int], str], WorkContext]] = {
        "number, whole": (lambda n: many.phone_of(n), everything),
        "number, local prefix of 5": (lambda n: many.phone_of(n)[4:9], everything),
        "name, whole": (lambda n: many.name_of(n), everything),
        "name, two characters": (lambda n: many.name_of(n)[:2], everything),
        "initials, two letters": (lambda n: _letters(many, n, 2), everything),
        "initials, three letters": (lambda n: _letters(many, n, 3), everything),
        "initials, own hall only": (lambda n: _letters(many, n, 2), near),
        "name, own hall only": (lambda n: many.name_of(n)[:2], near),
        "name, own district only": (lambda n: many.name_of(n)[:2], district),
        "account number": (lambda n: many.account_no_of(n), everything),
        "customer number": (lambda n: many.customer_no_of(n), everything),
        "identity number": (lambda n: many.document_of(n), everything),
        "organisation, any part": (lambda n: many.name_of(n // 200 * 200 or 200)[4:8], everything),
        "nothing found": (lambda n: f"瓒{many.name_of(n)[-1]}龘", everything),
    }
    figures = {
        "(bare read by key)": _timed(
            database, many, turns, lambda connection, n: store.exists(connection, many.id_of(n))
        )
    }
    for way, (text, context) in texts.items():
        figures[way] = _timed(database, many, turns, _searching(database, text, context))
    return figures


def _searching(database: Database, text: Callable[[int], str], context: WorkContext) -> Callable[[Any, int], Any]:
    def search(connection: Any, number: int) -> int:
        words = SearchWords(q=text(number))
        return len(party.search_customers(connection, words, context, secrets=database.secrets).items)

    return search


def _letters(many: ManyCustomers, number: int, count: int) -> str:
    from server_api.business.party.pinyin import initials

    return initials(many.name_of(number), person=True)[0][:count].ljust(2, "x")


def _timed(database: Database, many: ManyCustomers, turns: int, work: Callable[[Any, int], Any]) -> dict[str, float]:
    random = Random(7)
    taken, found = [], 0
    for turn in range(turns + 20):
        number = random.randrange(1, many.count + 1)
        began = time.perf_counter()
        with database.reading() as connection:
            answer = work(connection, number)
        if turn >= 20:  # the first few fill caches and compile statements
            taken.append((time.perf_counter() - began) * 1000)
            found += int(answer)
    taken.sort()
    return {"p50_ms": taken[len(taken) // 2], "p99_ms": taken[int(len(taken) * 0.99)], "found": found / len(taken)}
