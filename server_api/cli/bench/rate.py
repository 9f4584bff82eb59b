"""``onehall bench rate``: a rate deck from its file to ready for rating, beside a bare read of the same file."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from server_api.billing.rating.decks import read_deck
from server_api.billing.rating.tariff.compile import compile_tariffs
from server_api.billing.rating.tariff.model import Quantity, Row, Tariff
from server_api.billing.rating.zones import town_zones
from server_api.cli.console import OK, Console, t

_COUNTRIES = ("1", "7", "20", "33", "44", "49", "61", "81", "86", "91", "234", "852", "971")


def add_bench(subparsers: Any) -> None:
    """Add ``rate`` to ``onehall bench``."""
    parser = subparsers.add_parser("rate", help=t("bench.rate"), description=t("bench.rate"))
    parser.add_argument("--prefixes", type=int, default=200_000, help=t("bench.rate_prefixes"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print; the better of three runs."""
    with tempfile.TemporaryDirectory(prefix="onehall-bench-") as folder:
        path = _written(Path(folder), args.prefixes)
        town_zones()
        figures = {
            "prefixes": args.prefixes,
            "load_ms": _best_ms(lambda: _ready(path)),
            "bare_ms": _best_ms(lambda: pl.read_csv(path)),
        }
    console.result(figures)
    for name, value in figures.items():
        console.say(t(f"bench.rate_line_{name}", value=f"{value:,}"))
    return OK


def _ready(path: Path) -> None:
    """Read, check for conflicts and lay out a deck under a tariff."""
    row = Row("all", (), "voice.international", 6, 60, {"all": 0}, deck="D")
    deck = read_deck(path, "D")
    tariff = Tariff("D", date(2026, 1, 1), Quantity.SECONDS, (row,), decks={"D": deck})
    compile_tariffs({1: tariff}, [("D",)], town_zones())


def _best_ms(work: Callable[[], object]) -> int:
    found = []
    for _ in range(3):
        begun = time.perf_counter_ns()
        work()
        found.append((time.perf_counter_ns() - begun) // 1_000_000)
    return min(found)


def _written(folder: Path, count: int) -> Path:
    """A deck of so many different prefixes, the same for every run."""
    rng = random.Random(1)
    prefixes: set[str] = set()
    while len(prefixes) < count:
        prefixes.add(rng.choice(_COUNTRIES) + str(rng.randrange(10 ** rng.randrange(1, 7))))
    path = folder / "deck.csv"
    with path.open("w", encoding="ascii") as file:
        file.write("prefix,name,price,first,step,effective_from\n")
        for prefix in sorted(prefixes):
            step = rng.choice((1, 6, 60))
            file.write(f"{prefix},Zone {prefix[:3]},0.{rng.randrange(10_000):04d},{step},{step},2026-01-01\n")
    return path
