"""``onehall bench usage``: files decoded, guided and rated, and the same stored, beside the machine's bare limits.

Everything is made fresh in a folder of its own: a billing database, products for each number and login, a month of
calls of every exchange and of sessions. Each measurement runs in a process of its own, so that its peak of memory and
its processor time are its own. The bare limits are finding the fields of the file and nothing more, and writing the
very same rows with nothing around.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from server_api.cli.bench.usage_data import BLOCKS, CSV, RECORDS, SESSIONS, write_calls, write_sessions
from server_api.cli.bench.usage_parts import Part, alone, bare_insert, bare_scan, dealing, new_bench, rating, storing
from server_api.cli.console import OK, REFUSED, Console, t
from shared_models.values.clock import SystemClock, town_day
from shared_models.values.period import Month

_SMALLEST = 100_000
#: Formats other than CSV are measured with no more records than this: their cost does not depend on the number.
_OTHERS_MOST = 1_000_000


@dataclass
class Figures:
    """What a run measured, by what was done and how many records."""

    parts: dict[str, dict[int, Part]] = field(default_factory=dict)

    def add(self, name: str, count: int, part: Part) -> None:
        self.parts.setdefault(name, {})[count] = part

    @property
    def right(self) -> bool:
        """Whether every record came through everywhere."""
        return all(part.right for sizes in self.parts.values() for part in sizes.values())

    def slope(self, name: str) -> float:
        """What a record costs at the largest size, in parts of what it costs at the size of a tenth of it."""
        sizes = sorted(self.parts.get(name, {}))
        if len(sizes) < 2:
            return 1.0
        large, small = (self.parts[name][count] for count in (sizes[-1], sizes[-2]))
        return round(small.per_s / max(large.per_s, 1), 2)


def add_bench(subparsers: Any) -> None:
    """Add ``usage`` to ``onehall bench``."""
    parser = subparsers.add_parser("usage", help=t("bench.usage"), description=t("bench.usage"))
    parser.add_argument("--calls", type=int, default=1_000_000, help=t("bench.usage_calls"))
    parser.add_argument("--products", type=int, default=10_000, help=t("bench.usage_products"))
    parser.add_argument("--keep", type=Path, default=None, help=t("bench.keep"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print; refused where records are missing."""
    folder = args.keep or Path(tempfile.mkdtemp(prefix="onehall-bench-"))
    try:
        figures = bench_usage(folder, calls=args.calls, products=args.products, console=console)
    finally:
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    table = {name: {str(n): asdict(one) for n, one in sizes.items()} for name, sizes in figures.parts.items()}
    console.result({"parts": table, "right": figures.right, "slope": figures.slope("stored")})
    console.say(t("bench.usage_slope", value=figures.slope("stored")))
    return OK if figures.right else REFUSED


def bench_usage(folder: Path, *, calls: int, products: int, console: Console) -> Figures:
    """Make a month and a database for each size up to ``calls``, and measure."""
    month = Month.of(town_day(SystemClock().now())).previous()
    figures = Figures()

    def tell(name: str, count: int, part: Part) -> None:
        figures.add(name, count, part)
        console.say(t("bench.usage_line", what=t(f"bench.usage_{name}"), count=f"{part.count:,}",
                      value=f"{part.per_s:,}", cpu=part.cpu_us, memory=part.peak_mb))  # fmt: skip

    for count in sizes_to(calls):
        here = folder / str(count)
        new_bench(here, products)
        path = write_calls(here / "calls.csv", CSV, products, month, count)
        tell("scan", count, alone(bare_scan, str(path)))
        tell("csv", count, alone(rating, str(here), str(path), month.yyyymm))
        if count == min(calls, _OTHERS_MOST):
            _other_formats(here, products, month, count, tell)
        tell("stored", count, alone(storing, str(here), str(path)))
        tell("insert", count, alone(bare_insert, str(here)))
        if count <= _OTHERS_MOST:
            tell("dealt", count, alone(dealing, str(here)))
        shutil.rmtree(here, ignore_errors=True)
    return figures


def _other_formats(folder: Path, products: int, month: Month, count: int, tell: Any) -> None:
    for kind in (BLOCKS, *RECORDS):
        path = write_calls(folder / f"calls.{kind}", kind, products, month, count)
        tell(kind, count, alone(rating, str(folder), str(path), month.yyyymm))
        path.unlink()
    path = write_sessions(folder / "sessions.csv", products, month, count // 5)
    tell(SESSIONS, count // 5, alone(rating, str(folder), str(path), month.yyyymm))


def sizes_to(most: int) -> list[int]:
    """Powers of ten from 100,000, and the size asked for."""
    sizes = [most]
    while sizes[0] // 10 >= _SMALLEST:
        sizes.insert(0, sizes[0] // 10)
    return sizes
