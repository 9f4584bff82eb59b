"""``onehall bench``: figures of this machine, each beside the machine's bare limit. One file per figure."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from server_api.cli.console import t


def add_commands(subparsers: Any) -> None:
    """``bench`` with every measurement of this package: each module that has ``add_bench``."""
    parser = subparsers.add_parser("bench", help=t("bench.help"), description=t("bench.help"))
    what = parser.add_subparsers(title=t("commands"), dest="bench", metavar=t("command"), required=True)
    for found in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        add = getattr(importlib.import_module(f"{__name__}.{found}"), "add_bench", None)
        if add is not None:
            add(what)
