"""The verbs an engine must know beyond SQLAlchemy."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum, auto
from functools import lru_cache
from typing import Any, ClassVar

from sqlalchemy import URL, Connection, Engine, Select, Table, bindparam, insert
from sqlalchemy.exc import DBAPIError

from shared_models.values.clock import UTC, Clock

_LIKE_WILD = re.compile(r"([\\%_\[])")


class Trouble(Enum):
    """What a database error means to us; found by native code, never by exception class."""

    DUPLICATE = auto()
    """A unique key is taken."""
    RETRY = auto()
    """Deadlock, serialization failure or lock timeout: the whole transaction may be run again."""
    AWAY = auto()
    """The server is gone or refuses connections."""
    FULL = auto()
    """No room on its disk."""
    TOO_LONG = auto()
    """A value does not fit its column."""
    BROKEN_RULE = auto()
    """A foreign key or check refused the row."""
    OTHER = auto()
    """A defect of ours, or something new."""


class Dialect(ABC):
    """One engine's oddities."""

    name: ClassVar[str]
    #: True where one file has one writer and acts share a commit.
    single_writer: ClassVar[bool] = False
    #: How this engine says the present instant as zone-less UTC.
    utc_now_sql: ClassVar[str] = ""

    def __init__(self, url: URL) -> None:
        self.url = url

    @abstractmethod
    def new_engine(self, label: str, pool_size: int) -> Engine:
        """An engine for short transactions; ``label`` names this process to the server."""

    def new_reader(self, label: str, pool_size: int, writer: Engine) -> Engine:
        """An engine for reading; the same as the writer's unless the engine has reason to part them."""
        return writer

    @abstractmethod
    def classify(self, error: DBAPIError) -> Trouble:
        """Say what an error means, by the native code."""

    def check(self, connection: Connection) -> list[str]:
        """Settings of the server that must be put right, in words; empty when all is well."""
        return []

    def clock_skew_s(self, connection: Connection, clock: Clock) -> float:
        """How many seconds the server's clock is ahead of ours; 0 where it is the same machine's."""
        told = connection.exec_driver_sql(self.utc_now_sql).scalar_one()
        return (told.replace(tzinfo=UTC) - clock.now()).total_seconds()

    def lock(self, query: Select[Any], table: Table) -> Select[Any]:
        """Make a select of known rows lock them until the transaction ends.

        The same on every server: SQL Server takes the hint and drops FOR UPDATE without a word, Oracle and PostgreSQL
        do the reverse.
        """
        return query.with_for_update().with_hint(table, "WITH (UPDLOCK, ROWLOCK)", "mssql")

    def like_prefix(self, text: str) -> str:
        """A LIKE pattern (escape ``\\``) for values that begin with ``text``; ``[`` is a wildcard on SQL Server."""
        return _LIKE_WILD.sub(r"\\\1", text) + "%"

    def raw_day(self, on: date) -> Any:
        """A calendar day as ``bulk_insert`` takes it."""
        return on

    def raw_instant(self, at: datetime) -> Any:
        """An aware instant as ``bulk_insert`` takes it: zone-less UTC."""
        return at.astimezone(UTC).replace(tzinfo=None)

    def bulk_insert(
        self, connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]],
    ) -> None:
        """Insert many rows by the driver's own array path. Values are raw: ints for money, naive UTC for instants."""
        if not rows:
            return
        sql, order = _bulk_statement(table, tuple(columns), connection.dialect)
        if order is None:
            values: Any = [dict(zip(columns, row, strict=True)) for row in rows]
        elif order == tuple(range(len(columns))):
            values = rows if type(rows[0]) is tuple else [tuple(row) for row in rows]
        else:
            values = [tuple(row[i] for i in order) for row in rows]
        connection.exec_driver_sql(sql, values)


@lru_cache(maxsize=256)
def _bulk_statement(table: Table, columns: tuple[str, ...], dialect: Any) -> tuple[str, tuple[int, ...] | None]:
    """The insert of a bulk and the place of each value in it (None: by name); compiled once, not once a turn."""
    compiled = insert(table).values({name: bindparam(name) for name in columns}).compile(dialect=dialect)
    if not compiled.positional:
        return str(compiled), None
    return str(compiled), tuple(columns.index(name) for name in compiled.positiontup or ())


def native_code(error: DBAPIError) -> str:
    """The driver's own error code as text, '' when it has none: sqlstate, ORA number or SQLite extended name."""
    original = error.orig
    for attribute in ("sqlstate", "sqlite_errorname"):
        value = getattr(original, attribute, None)
        if value:
            return str(value)
    arguments = getattr(original, "args", ())
    if arguments and hasattr(arguments[0], "code"):
        return str(arguments[0].code)
    return str(arguments[0]) if arguments else ""
