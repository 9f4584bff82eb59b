"""``onehall doctor``: looks an installation over and says what to do."""

from __future__ import annotations

import argparse
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from server_api.cli.console import OK, REFUSED, Console, t
from server_api.cli.house import House, open_house, settings_of
from server_api.platform import keyring, revision
from server_api.platform.database import Database
from server_api.platform.facts.standing import facts_standing
from server_api.platform.secrets import KeyFileWrong
from server_api.settings import Settings
from shared_models.values.clock import SystemClock
from shared_models.values.faults.base import Fault

_FREE_MIB = 1024
_LAG_S = 5.0
_CERTIFICATE_DAYS = 30
_DRIVERS = {"postgresql": "psycopg", "mssql": "pyodbc", "oracle": "oracledb", "sqlite": "sqlite3"}


@dataclass(frozen=True)
class Line:
    """One thing looked at: good or not, in words, with what to do where it is not."""

    name: str
    good: bool
    text: str


def add_commands(subparsers: Any) -> None:
    """``doctor``."""
    parser = subparsers.add_parser("doctor", help=t("doctor.help"), description=t("doctor.help"))
    parser.set_defaults(run=_doctor)


def _doctor(args: argparse.Namespace, console: Console) -> int:
    """Look at everything; 1 when something needs a hand."""
    settings = settings_of(args)
    lines = [*_machine(settings), *_key_file(settings), *_certificate(settings)]
    lines += _drivers(settings)
    if all(line.good for line in lines if line.name.startswith("driver")):
        with open_house(args, any_schema=True) as house:
            for database in (house.databases.business, house.databases.billing):
                lines += _database(database)
            lines += _keys(house)
    for line in lines:
        console.say(f"{'✓' if line.good else '✗'} {line.text}")
    bad = sum(1 for line in lines if not line.good)
    console.say(t("doctor.well") if not bad else t("doctor.unwell", count=bad))
    console.result({"well": not bad, "lines": [line.__dict__ for line in lines]})
    return REFUSED if bad else OK


def _machine(settings: Settings) -> Iterator[Line]:
    yield Line("python", sys.version_info >= (3, 11), t("doctor.python", version=sys.version.split()[0]))
    folder = _nearest(settings.data_dir)
    free_mib = shutil.disk_usage(folder).free // 2**20
    yield Line("disk", free_mib >= _FREE_MIB, t("doctor.disk" if free_mib >= _FREE_MIB else "doctor.disk_low",
                                                folder=settings.data_dir, free=free_mib))
    writable = os.access(folder, os.W_OK)
    key = "doctor.writable" if writable else "doctor.not_writable"
    yield Line("data_dir", writable, t(key, folder=settings.data_dir))


def _nearest(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _key_file(settings: Settings) -> Iterator[Line]:
    file = settings.key_file
    if not file.exists():
        yield Line("key_file", True, t("doctor.key_file_none", file=file))
        return
    open_to_others = os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077
    key = "doctor.key_file_open" if open_to_others else "doctor.key_file"
    yield Line("key_file", not open_to_others, t(key, file=file))


def _certificate(settings: Settings) -> Iterator[Line]:
    if not settings.tls:
        yield Line("certificate", True, t("doctor.no_tls"))
        return
    file = settings.tls_cert or settings.tls_dir / "server.pem"
    if not file.exists():
        yield Line("certificate", True, t("doctor.certificate_none", file=file))
        return
    from cryptography import x509

    left = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc - SystemClock().now()
    good = left > timedelta(days=_CERTIFICATE_DAYS)
    key = "doctor.certificate" if good else "doctor.certificate_ends"
    yield Line("certificate", good, t(key, file=file, days=left.days))


def _drivers(settings: Settings) -> Iterator[Line]:
    for backend in sorted({make_url(url).get_backend_name() for url in (settings.business_url, settings.billing_url)}):
        module = _DRIVERS.get(backend, backend)
        there = find_spec(module) is not None
        yield Line(f"driver {backend}", there, t("doctor.driver" if there else "doctor.driver_missing",
                                                 backend=backend, module=module))


def _database(database: Database) -> Iterator[Line]:
    name, role = f"{database.role} database", database.role
    begun = time.monotonic()
    try:
        with database.reading() as connection:
            version = ".".join(str(part) for part in connection.dialect.server_version_info or ("?",))
            wrong = database.dialect.check(connection)
            skew_s = database.dialect.clock_skew_s(connection, database.clock)
    except Fault as fault:
        yield Line(name, False, t("doctor.database_away", role=role, url=database.url_shown, reason=fault))
        return
    took_ms = round((time.monotonic() - begun) * 1000)
    yield Line(name, True, t("doctor.database", role=role, engine=database.dialect.name, version=version, ms=took_ms))
    for text in wrong:
        yield Line(f"{name} setting", False, t("doctor.setting", role=role, text=text))
    good = abs(skew_s) < 2.0
    key = "doctor.clock" if good else "doctor.clock_wrong"
    yield Line(f"{name} clock", good, t(key, role=role, seconds=f"{skew_s:.1f}"))
    current = revision.is_current(database)
    yield Line(f"{name} schema", current, t("doctor.schema" if current else "doctor.schema_old", role=role,
                                            at=revision.current(database) or "-", head=revision.head(role)))
    if current:
        yield from _facts(database)


def _facts(database: Database) -> Iterator[Line]:
    standing = facts_standing(database)
    key = "doctor.parked" if standing.parked else "doctor.none_parked"
    yield Line(f"{database.role} parked", not standing.parked, t(key, role=database.role, count=standing.parked))
    late = standing.lag_s > _LAG_S
    yield Line(f"{database.role} lag", not late, t("doctor.late" if late else "doctor.lag", role=database.role,
                                                   count=standing.pending, seconds=standing.lag_s))


def _keys(house: House) -> Iterator[Line]:
    wrapping = house.databases.business.secrets.wrapping_key or b""
    if not all(revision.current(database) for database in (house.databases.business, house.databases.billing)):
        return
    try:
        count = len(keyring.load_keys(house.databases, wrapping))
    except (KeyFileWrong, Fault) as wrong:
        yield Line("data keys", False, t("doctor.keys_wrong", file=house.settings.key_file, reason=wrong))
        return
    yield Line("data keys", count > 0, t("doctor.keys" if count else "doctor.keys_none", count=count))
