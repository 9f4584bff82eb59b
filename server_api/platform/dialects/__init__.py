"""All that differs between the four engines, one file per engine, behind one set of verbs."""

from __future__ import annotations

from sqlalchemy.engine import make_url

from server_api.platform.dialects.base import Dialect, Trouble
from server_api.platform.dialects.mssql import SqlServer
from server_api.platform.dialects.oracle import Oracle
from server_api.platform.dialects.postgresql import PostgreSQL
from server_api.platform.dialects.sqlite import SQLite

_BY_BACKEND: dict[str, type[Dialect]] = {
    "sqlite": SQLite, "postgresql": PostgreSQL, "mssql": SqlServer, "oracle": Oracle,
}

_DRIVERS = {
    "sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mssql": "mssql+pyodbc", "oracle": "oracle+oracledb",
}


def dialect_for(url: str) -> Dialect:
    """The dialect for a database URL. The driver name cx_Oracle is taken as its successor oracledb.

    Raises ValueError for a backend OneHall does not run on.
    """
    parsed = make_url(url)
    backend = parsed.drivername.partition("+")[0]
    if backend not in _BY_BACKEND:
        raise ValueError(f"no such database engine: {backend}; one of {', '.join(sorted(_BY_BACKEND))}")
    # One driver per engine: whatever was named (cx_Oracle, nothing), the one that is proven is used.
    return _BY_BACKEND[backend](parsed.set(drivername=_DRIVERS[backend]))


__all__ = ["Dialect", "Trouble", "dialect_for"]
