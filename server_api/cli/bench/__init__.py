"""``onehall bench``: figures of this machine, each beside the machine's bare limit. One file per figure."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from typing import Any

from server_api.cli.console import OK, REFUSED, Console, t


def add_commands(subparsers: Any) -> None:
    """``bench`` with every measurement of this package: each module that has ``add_bench``; ``bench all`` runs them."""
    parser = subparsers.add_parser("bench", help=t("bench.help"), description=t("bench.help"))
    what = parser.add_subparsers(title=t("commands"), dest="bench", metavar=t("command"), required=True)
    for found in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        add = getattr(importlib.import_module(f"{__name__}.{found}"), "add_bench", None)
        if add is not None:
            add(what)
    measurements = dict(what.choices)
    everything = what.add_parser("all", help=t("bench.all"), description=t("bench.all"))
    everything.set_defaults(run=lambda args, console: _run_all(measurements, args, console))


def _run_all(measurements: dict[str, argparse.ArgumentParser], args: argparse.Namespace, console: Console) -> int:
    """Every measurement with its own defaults, one after the other; refused where one was."""
    refused = []
    for name, parser in measurements.items():
        console.say(f"== {name}")
        # The common options were given to `all`; the rest are the measurement's defaults.
        namespace = parser.parse_args([], argparse.Namespace(**{**vars(args), "run": None}))
        if namespace.run(namespace, console) != OK:
            refused.append(name)
    if refused:
        console.complain(t("bench.refused", names=", ".join(refused)))
    return REFUSED if refused else OK
