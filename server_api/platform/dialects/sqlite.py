"""SQLite: the embedded default, one file per database, one writer at a time.

WAL with synchronous=FULL: a commit is on the disk before its reply leaves. The writer begins IMMEDIATE, so that a
transaction never fails half-way for want of the write lock. Checkpoints are run by a thread of their own
(platform.checkpoints), because an automatic one makes some teller wait.
"""

from __future__ import annotations

import sqlite3
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, Select, Table, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from server_api.platform.dialects.base import Dialect, Trouble, native_code
from shared_models.values.clock import UTC, Clock

BUSY_TIMEOUT_MS = 5_000


class SQLite(Dialect):
    name: ClassVar[str] = "sqlite"
    single_writer: ClassVar[bool] = True

    @property
    def file(self) -> Path:
        """The database file; an in-memory database cannot be shared between processes and is refused."""
        if not self.url.database or self.url.database == ":memory:":
            raise ValueError("OneHall needs a file: sqlite:///path/to/file.db")
        return Path(self.url.database)

    def new_engine(self, label: str, pool_size: int) -> Engine:
        return self._engine("BEGIN IMMEDIATE", pool_size)

    def new_reader(self, label: str, pool_size: int, writer: Engine) -> Engine:
        return self._engine("BEGIN", pool_size)

    def _engine(self, begin: str, pool_size: int) -> Engine:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            self.url, poolclass=QueuePool, pool_size=pool_size, max_overflow=0, pool_timeout=10,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        )

        @event.listens_for(engine, "connect")
        def on_connect(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # we say BEGIN ourselves, below
            for pragma in (
                "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536", "temp_store=MEMORY",
                "mmap_size=268435456", "wal_autocheckpoint=0", f"busy_timeout={BUSY_TIMEOUT_MS}",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def on_begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    def lock(self, query: Select[Any], table: Table) -> Select[Any]:
        return query  # BEGIN IMMEDIATE already holds the whole file

    def raw_day(self, on: date) -> Any:
        return on.isoformat()

    def raw_instant(self, at: datetime) -> Any:
        # As SQLAlchemy stores it; sqlite3's own conversion is deprecated and writes other text.
        return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")

    def clock_skew_s(self, connection: Connection, clock: Clock) -> float:
        return 0.0

    def checkpoint(self, engine: Engine, *, restart: bool = False) -> None:
        """Move the log into the file; with ``restart`` the log starts over (waits for readers a moment, no longer)."""
        with engine.connect() as connection:
            raw = connection.connection.dbapi_connection  # beneath SQLAlchemy: a checkpoint cannot run inside BEGIN
            if raw is None:
                return
            cursor = raw.cursor()
            try:
                if restart:
                    cursor.execute("PRAGMA busy_timeout=50")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)" if restart else "PRAGMA wal_checkpoint(PASSIVE)")
                cursor.fetchall()
            except sqlite3.Error as error:
                raise DBAPIError.instance("PRAGMA wal_checkpoint", None, error, sqlite3.Error) from error
            finally:
                if restart:
                    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
                cursor.close()

    def log_bytes(self) -> int:
        """How long the log beside the file is."""
        log = self.file.with_name(self.file.name + "-wal")
        try:
            return log.stat().st_size
        except FileNotFoundError:
            return 0

    def classify(self, error: DBAPIError) -> Trouble:
        code = native_code(error)
        if code in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"):
            return Trouble.DUPLICATE
        if code.startswith("SQLITE_CONSTRAINT"):
            return Trouble.BROKEN_RULE
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return Trouble.RETRY
        if code.startswith("SQLITE_FULL"):
            return Trouble.FULL
        if code.startswith(("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_READONLY")):
            return Trouble.AWAY
        if code.startswith("SQLITE_TOOBIG"):
            return Trouble.TOO_LONG
        return Trouble.OTHER
