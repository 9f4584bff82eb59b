"""``dev.py serve``: the product's own server on the demo's databases."""

from __future__ import annotations

import argparse

from installers.bootstrap import demo_folder, virtual_env
from installers.bootstrap.console import run


def command(options: argparse.Namespace) -> int:
    """Run ``onehall serve`` until it is stopped; returns its exit code."""
    virtual_env.ensure("run")
    return run([virtual_env.program("onehall"), "serve", *options.arguments], extra=demo_folder.environment())
