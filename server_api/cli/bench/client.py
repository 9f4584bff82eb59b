"""``onehall bench client``: the desktop client from the start of its process to the sign-in form.

The bare limit beside it is the same interpreter showing an empty window of the same library. The client is a program
of its own and is started as one; where it is not installed the measurement is refused.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from server_api.cli.console import OK, REFUSED, Console, t

#: What the issue asks for.
LIMIT_MS = 2_000
_TIMEOUT_S = 60
_NOBODY = "https://127.0.0.1:1"
_EMPTY_WINDOW = (
    "from PySide6.QtWidgets import QApplication, QWidget\n"
    "a = QApplication([]); w = QWidget(); w.show(); a.processEvents()"
)


def add_bench(subparsers: Any) -> None:
    """Add ``client`` to ``onehall bench``."""
    parser = subparsers.add_parser("client", help=t("bench.client"), description=t("bench.client"))
    parser.add_argument("--starts", type=int, default=7, help=t("bench.client_starts"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print; refused where the start takes longer than asked for, or there is no client here."""
    if importlib.util.find_spec("desktop_client") is None or importlib.util.find_spec("PySide6") is None:
        console.complain(t("bench.client_missing"))
        return REFUSED
    with tempfile.TemporaryDirectory(prefix="onehall-bench-") as folder:
        client = ["-m", "desktop_client.app", "--measure-start", "--server", _NOBODY, "--data-folder", folder]
        started = [_one_start_ms(client) for _ in range(args.starts)]
    bare = [_one_start_ms(["-c", _EMPTY_WINDOW]) for _ in range(args.starts)]
    figures = {
        "starts": args.starts,
        "median_ms": round(statistics.median(started)),
        "worst_ms": round(max(started)),
        "bare_window_median_ms": round(statistics.median(bare)),
    }
    console.say(t("bench.client_start", median=figures["median_ms"], worst=figures["worst_ms"], starts=args.starts))
    console.say(t("bench.bare_window", median=figures["bare_window_median_ms"]))
    console.result({"client": figures})
    return OK if figures["median_ms"] <= LIMIT_MS else REFUSED


def _one_start_ms(words: list[str]) -> float:
    """Wall time of one process, start and end included."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *words],
        check=True,
        capture_output=True,
        timeout=_TIMEOUT_S,
        env={**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")},
    )
    return (time.perf_counter() - began) * 1000
