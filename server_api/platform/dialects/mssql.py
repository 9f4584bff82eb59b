"""SQL Server 2016 or newer through pyodbc (Microsoft's driver, or FreeTDS with limits).

* ``fast_executemany`` makes bulk inserts arrays; without it 0.8-3.7 thousand rows/s were seen.
* ``FOR UPDATE`` compiles to nothing there, so locks are table hints.
* Errors are told by the native number in the message; the exception class differs between the two drivers.

Source: Microsoft, "Database engine errors" (1205, 2601, 2627, 547, 1105, 9002, 8152, 2628).
"""

from __future__ import annotations

import re
from typing import ClassVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError

from server_api.platform.dialects.base import Dialect, Trouble, native_code

_NUMBER = re.compile(r"\((\d{2,5})\)")
_BY_NUMBER = {
    2601: Trouble.DUPLICATE, 2627: Trouble.DUPLICATE, 547: Trouble.BROKEN_RULE, 515: Trouble.BROKEN_RULE,
    1205: Trouble.RETRY, 3960: Trouble.RETRY, 1222: Trouble.RETRY, 40197: Trouble.RETRY, 40501: Trouble.RETRY,
    40613: Trouble.RETRY, 4060: Trouble.AWAY, 18456: Trouble.AWAY, 17142: Trouble.AWAY, 1105: Trouble.FULL,
    9002: Trouble.FULL, 8152: Trouble.TOO_LONG, 2628: Trouble.TOO_LONG,
}


class SqlServer(Dialect):
    name: ClassVar[str] = "mssql"
    utc_now_sql: ClassVar[str] = "SELECT SYSUTCDATETIME()"

    def new_engine(self, label: str, pool_size: int) -> Engine:
        import pyodbc

        pyodbc.pooling = False  # SQLAlchemy's pool owns the connections; two pools hide dead ones from each other
        return create_engine(
            self.url, pool_size=pool_size, max_overflow=0, pool_timeout=10, pool_pre_ping=True, pool_recycle=1500,
            fast_executemany=True, connect_args={"timeout": 5, "APP": f"onehall {label}"},
        )

    def check(self, connection: Connection) -> list[str]:
        row = connection.exec_driver_sql(
            "SELECT is_read_committed_snapshot_on, snapshot_isolation_state FROM sys.databases "
            "WHERE database_id = DB_ID()"
        ).one()
        wrong = []
        if not row[0]:
            wrong.append("READ_COMMITTED_SNAPSHOT is off: ALTER DATABASE ... SET READ_COMMITTED_SNAPSHOT ON")
        if not row[1]:
            wrong.append("snapshot isolation is off: ALTER DATABASE ... SET ALLOW_SNAPSHOT_ISOLATION ON")
        return wrong

    def classify(self, error: DBAPIError) -> Trouble:
        text = " ".join(str(part) for part in getattr(error.orig, "args", ()))
        for number in _NUMBER.findall(text):
            if int(number) in _BY_NUMBER:
                return _BY_NUMBER[int(number)]
        code = native_code(error)
        if code == "40001":
            return Trouble.RETRY
        if error.connection_invalidated or code.startswith(("08", "HYT")):
            return Trouble.AWAY
        return Trouble.OTHER
