"""``dev.py bench``: the product's own measurements."""

from __future__ import annotations

import argparse

from installers.bootstrap import virtual_env
from installers.bootstrap.console import run
from installers.bootstrap.system_packages import child_environment


def command(options: argparse.Namespace) -> int:
    """Run ``onehall bench``; returns its exit code."""
    virtual_env.ensure("run")
    return run([virtual_env.program("onehall"), "bench", *options.arguments], extra=child_environment())
