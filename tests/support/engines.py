"""The database engines the tests run on, and how each gives a fresh pair of databases quickly.

SQLite copies a template file. PostgreSQL clones a template database. SQL Server and Oracle are reached by URL
(``TEST_MSSQL_URL`` and ``TEST_MSSQL_BILLING_URL``, ``TEST_ORACLE_URL`` and ``TEST_ORACLE_BILLING_URL``: two empty
databases or schemas that the tests may wipe); there the tables are made once and emptied before each test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from uuid import uuid4

import portalocker
import psycopg
from sqlalchemy import MetaData, create_engine, delete

from server_api.platform.database import Database, Role
from server_api.platform.secrets import Secrets
from tests.support import postgres_server
from tests.support.session import once, session_folder

#: Engines every full run must have; the others are visible skips when no URL is given.
REQUIRED_VARIABLE = "ONEHALL_REQUIRE_ENGINES"
ROLES: tuple[Role, ...] = get_args(Role)
TEST_SECRETS = Secrets(bytes(range(32)))


@dataclass(frozen=True)
class Urls:
    """The URLs of a fresh pair of databases with all tables and no rows."""

    business: str
    billing: str

    def of(self, role: Role) -> str:
        return self.business if role == "business" else self.billing


def make_schema(role: Role, url: str) -> None:
    """Create all tables of a role in an empty database, as the product does it."""
    database = Database(role, url, secrets=TEST_SECRETS, label="schema")
    try:
        database.create_all()
    finally:
        database.close()


# ---- SQLite ------------------------------------------------------------------------------------------------------
@contextmanager
def sqlite_pair(folder: Path, empty: bool = False) -> Iterator[Urls]:
    """Two fresh files in ``folder``."""
    found: dict[str, str] = {}
    for role in ROLES:
        file = folder / f"{role}.db"
        if not empty:
            shutil.copyfile(once(f"sqlite-{role}", lambda role=role: _sqlite_template(role)), file)
        found[role] = f"sqlite:///{file.as_posix()}"
    yield Urls(found["business"], found["billing"])


def _sqlite_template(role: Role) -> str:
    file = session_folder() / f"{role}.template.db"
    url = f"sqlite:///{file.as_posix()}"
    make_schema(role, url)
    engine = create_engine(url)
    with engine.connect() as connection:
        # Everything into the one file that is copied, nothing left in the log beside it.
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return str(file)


# ---- PostgreSQL --------------------------------------------------------------------------------------------------
_admin: psycopg.Connection[tuple[object, ...]] | None = None


def _postgres_admin() -> psycopg.Connection[tuple[object, ...]]:
    global _admin
    if _admin is None or _admin.closed:
        _admin = psycopg.connect(postgres_server.server().url("postgres").replace("+psycopg", ""), autocommit=True)
    return _admin


def close_postgres_admin() -> None:
    """Let go of the connection that makes and drops databases."""
    if _admin is not None:
        _admin.close()


@contextmanager
def postgres_pair(folder: Path, empty: bool = False) -> Iterator[Urls]:
    """Two fresh databases cloned from the templates; dropped afterwards."""
    server = postgres_server.server()
    mark = uuid4().hex[:12]
    found: dict[str, str] = {}
    for role in ROLES:
        template = "template0" if empty else once(f"postgres-{role}", lambda role=role: _postgres_template(role))
        _postgres_admin().execute(f'CREATE DATABASE "{role}_{mark}" TEMPLATE "{template}"'.encode())
        found[role] = server.url(f"{role}_{mark}")
    try:
        yield Urls(found["business"], found["billing"])
    finally:
        for role in ROLES:
            _postgres_admin().execute(f'DROP DATABASE "{role}_{mark}" WITH (FORCE)'.encode())


def _postgres_template(role: Role) -> str:
    name = f"template_{role}"
    _postgres_admin().execute(f'CREATE DATABASE "{name}"'.encode())
    make_schema(role, postgres_server.server().url(name))
    return name


# ---- servers given by URL ----------------------------------------------------------------------------------------
def _given_pair(variable: str) -> Callable[..., object]:
    @contextmanager
    def pair(folder: Path, empty: bool = False) -> Iterator[Urls]:
        urls = Urls(os.environ[variable], os.environ[variable.replace("_URL", "_BILLING_URL")])
        # One pair for all workers: they take turns.
        with portalocker.Lock(session_folder() / f"{variable}.turn", mode="a", timeout=600):
            for role in ROLES:
                if empty:
                    _drop_all(role, urls.of(role))
                else:
                    once(f"{variable}-{role}", lambda role=role: _given_schema(role, urls.of(role)))
                    _empty(role, urls.of(role))
            yield urls
            if empty:
                for role in ROLES:
                    _given_schema(role, urls.of(role))

    return pair


def _given_schema(role: Role, url: str) -> str:
    _drop_all(role, url)
    make_schema(role, url)
    return url


def _drop_all(role: Role, url: str) -> None:
    """Remove our tables and Alembic's, whatever they looked like."""
    database = Database(role, url, secrets=TEST_SECRETS, label="schema")
    try:
        found = MetaData()
        found.reflect(database.engine)
        found.drop_all(database.engine)
    finally:
        database.close()


def _empty(role: Role, url: str) -> None:
    database = Database(role, url, secrets=TEST_SECRETS, label="schema")
    try:
        with database.engine.begin() as connection:
            for table in reversed(database.metadata.sorted_tables):
                connection.execute(delete(table))
    finally:
        database.close()


# ---- the list ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class TestEngine:
    """One engine: its pair of fresh databases, and why it is missing here ('' when it is not)."""

    __test__ = False

    name: str
    pair: Callable[..., object]
    why_missing: Callable[[], str]


def _postgres_missing() -> str:
    try:
        postgres_server.server()
    except postgres_server.NoPostgres as missing:
        return str(missing)
    return ""


def _url_missing(variable: str) -> Callable[[], str]:
    billing = variable.replace("_URL", "_BILLING_URL")
    given = os.environ.get(variable) and os.environ.get(billing)
    return lambda: "" if given else f"{variable} and {billing} are not set"


ENGINES: dict[str, TestEngine] = {
    engine.name: engine
    for engine in (
        TestEngine("sqlite", sqlite_pair, lambda: ""),
        TestEngine("postgresql", postgres_pair, _postgres_missing),
        TestEngine("mssql", _given_pair("TEST_MSSQL_URL"), _url_missing("TEST_MSSQL_URL")),
        TestEngine("oracle", _given_pair("TEST_ORACLE_URL"), _url_missing("TEST_ORACLE_URL")),
    )
}


def engines_to_run() -> list[str]:
    """SQLite and PostgreSQL always; the others where their URLs are given."""
    return [name for name in ENGINES if name in ("sqlite", "postgresql") or not ENGINES[name].why_missing()]


def is_required(name: str) -> bool:
    """True where a run without this engine must fail instead of skip."""
    return name in os.environ.get(REQUIRED_VARIABLE, "").split(",")
