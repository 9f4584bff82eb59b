"""The installation a command works on: settings, databases and wiring, opened and closed again."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from server_api.platform import revision
from server_api.platform.database import Databases, open_databases
from server_api.platform.facts.dispatcher import Crossing
from server_api.platform.registry import Wiring
from server_api.platform.secrets import Secrets
from server_api.settings import Settings, load_settings
from server_api.wiring import connect_outside, crossings, wire_databases


@dataclass(frozen=True)
class House:
    """One installation, opened."""

    settings: Settings
    databases: Databases
    wiring: Wiring

    @property
    def crossings(self) -> tuple[Crossing, Crossing]:
        """The two directions in which facts cross."""
        return crossings(self.databases, self.wiring)


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings of the data folder the command was given."""
    return load_settings(args.data_dir)


def start_command(settings: Settings, words: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start ``onehall <words>`` on this installation in a process of its own, silent but for its errors."""
    command = [sys.executable, "-m", "server_api.cli.main", "--json", "--data-dir", str(settings.data_dir), *words]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


@contextmanager
def open_house(args: argparse.Namespace, label: str = "cli", *, any_schema: bool = False) -> Iterator[House]:
    """Open the databases of the command's data folder with everything wired; closed at the end of the block.

    Raises SchemaNotCurrent unless ``any_schema`` (for commands that look after the schema itself).
    """
    settings = settings_of(args)
    databases = open_databases(
        settings.business_url,
        settings.billing_url,
        secrets=Secrets.from_file(settings.key_file),
        label=label,
        pool_size=settings.database_pool,
    )
    databases.billing.start_command = partial(start_command, settings)
    try:
        if not any_schema:
            revision.require_current(databases.business, databases.billing)
        connect_outside(settings)
        yield House(settings, databases, wire_databases(databases))
    finally:
        databases.close()
