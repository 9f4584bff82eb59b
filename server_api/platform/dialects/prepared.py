"""Statements built once, for the paths a person waits on.

On SQLite they run on the driver's own cursor: values are bound and rows read by the same type rules, but without the
forty function calls SQLAlchemy makes around each execution, which were half of a payment. On the servers, where the
network costs more than the calls, and whenever somebody listens to executions (the tests do), they run as any other.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Select, Update
from sqlalchemy.exc import DBAPIError

Params = Mapping[str, Any]
_Convert = Callable[[Any], Any] | None


class Prepared:
    """A statement whose parameters are named binds; an insert's are the columns it is given, always the same ones."""

    def __init__(self, statement: Select[Any] | Insert | Update | Delete) -> None:
        self.statement = statement
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def run(self, conn: Connection, params: Params) -> int:
        """Execute once; returns how many rows were touched."""
        if _through_sqlalchemy(conn):
            return conn.execute(self.statement, params).rowcount
        return int(self._plan(conn, params).execute(conn, params).rowcount)

    def many(self, conn: Connection, rows: Sequence[Params]) -> None:
        """Execute for each of the rows, which have the same keys; nothing for none."""
        if not rows:
            return
        if _through_sqlalchemy(conn):
            conn.execute(self.statement, rows)
        else:
            self._plan(conn, rows[0]).execute_many(conn, rows)

    def many_raw(self, conn: Connection, names: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
        """``many`` for bulk work: each row has the values of ``names`` in their order, raw as ``bulk_insert`` takes
        them (ints for money, naive UTC for instants)."""
        if not rows:
            return
        if _through_sqlalchemy(conn):
            conn.execute(self.statement, [dict(zip(names, row, strict=True)) for row in rows])
        else:
            self._plan(conn, dict.fromkeys(names)).execute_raw(conn, names, rows)

    def all(self, conn: Connection, params: Params) -> Sequence[Any]:
        """The rows of a select, or those an update returns; columns are attributes."""
        if _through_sqlalchemy(conn):
            return conn.execute(self.statement, params).all()
        return self._plan(conn, params).rows(conn, params)

    def one_or_none(self, conn: Connection, params: Params) -> Any | None:
        """The only row of a select by a unique key, or None."""
        rows = self.all(conn, params)
        if len(rows) > 1:
            raise ValueError(f"{len(rows)} rows for a unique key")
        return rows[0] if rows else None

    def _plan(self, conn: Connection, params: Params) -> _Plan:
        names = tuple(params)
        plan = self._plans.get(names)
        if plan is None:
            plan = self._plans[names] = _Plan(self.statement, conn, names)
        return plan


@contextmanager
def savepoint(conn: Connection) -> Iterator[None]:
    """A part of a transaction: kept when the block ends well, undone alone when it does not."""
    if conn.dialect.name != "sqlite":
        with conn.begin_nested():
            yield
        return
    driver = _driver(conn)
    driver.execute("SAVEPOINT act_part")
    try:
        yield
    except BaseException:
        if driver.in_transaction:  # a full disk ends the whole transaction by itself
            driver.execute("ROLLBACK TO act_part")
            driver.execute("RELEASE act_part")
        raise
    driver.execute("RELEASE act_part")


class _Plan:
    """A statement compiled for SQLite with the conversions of its values."""

    def __init__(self, statement: Any, conn: Connection, names: tuple[str, ...]) -> None:
        dialect = conn.dialect
        compiled = statement.compile(dialect=dialect, column_keys=list(names))
        if compiled.post_compile_params or compiled.literal_execute_params or compiled.insert_prefetch:
            raise ValueError(f"not to be prepared: {compiled}")
        self._sql = str(compiled)
        fixed = compiled.params
        bind: Mapping[str, Callable[[Any], Any]] = compiled._bind_processors
        self._values: list[tuple[str, Any, _Convert]] = [
            (name, fixed.get(name), bind.get(name)) for name in compiled.positiontup or ()
        ]
        self._convert: list[_Convert] = []
        self._row: Callable[[Any], Any] = tuple
        columns = compiled._result_columns
        if columns:
            self._convert = [column.type._cached_result_processor(dialect, None) for column in columns]
            self._row = namedtuple("Row", [column.keyname for column in columns], rename=True)._make  # type: ignore[attr-defined]

    def execute(self, conn: Connection, params: Params) -> Any:
        """Run on the driver's cursor; its errors come out as SQLAlchemy's, so that they are classified alike."""
        try:
            return _driver(conn).execute(self._sql, self._bound(params))
        except sqlite3.Error as error:
            raise self._wrapped(error, conn) from error

    def execute_many(self, conn: Connection, rows: Sequence[Params]) -> None:
        """The same for many rows."""
        try:
            _driver(conn).executemany(self._sql, [self._bound(row) for row in rows])
        except sqlite3.Error as error:
            raise self._wrapped(error, conn) from error

    def execute_raw(self, conn: Connection, names: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
        """The same for rows of raw values; no name stands twice in the statement or is left out."""
        order = [names.index(name) for name, _fixed, _to in self._values]
        ordered = rows if order == list(range(len(names))) else map(itemgetter(*order), rows)
        try:
            _driver(conn).executemany(self._sql, ordered)
        except sqlite3.Error as error:
            raise self._wrapped(error, conn) from error

    def rows(self, conn: Connection, params: Params) -> list[Any]:
        """The rows found, converted."""
        make, convert = self._row, self._convert
        return [
            make([value if to is None or value is None else to(value) for value, to in zip(raw, convert, strict=True)])
            for raw in self.execute(conn, params).fetchall()
        ]

    def _bound(self, params: Params) -> list[Any]:
        get = params.get
        return [
            value if to is None else to(value)
            for value, to in [(get(name, fixed), to) for name, fixed, to in self._values]
        ]

    def _wrapped(self, error: sqlite3.Error, conn: Connection) -> BaseException:
        return DBAPIError.instance(self._sql, None, error, sqlite3.Error, hide_parameters=True, dialect=conn.dialect)


def _through_sqlalchemy(conn: Connection) -> bool:
    heard = conn.dispatch
    return conn.dialect.name != "sqlite" or bool(heard.before_execute) or bool(heard.before_cursor_execute)


def _driver(conn: Connection) -> Any:
    return conn.connection.dbapi_connection
