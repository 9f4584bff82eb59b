"""Oracle 12.2 or newer through oracledb, the successor of cx_Oracle; thick mode for older servers.

Thick mode is asked for in the URL: ``oracle+oracledb://…?thick=/opt/instantclient``. One process has one mode.
Errors are told by the ORA number: most of them are plain DatabaseError.

Source: python-oracledb documentation (exception classes, thick mode); Oracle Database Error Messages.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

from server_api.platform.dialects.base import Dialect, Trouble, native_code

_BY_NUMBER = {
    1: Trouble.DUPLICATE, 1400: Trouble.BROKEN_RULE, 2290: Trouble.BROKEN_RULE, 2291: Trouble.BROKEN_RULE,
    2292: Trouble.BROKEN_RULE, 60: Trouble.RETRY, 8177: Trouble.RETRY, 54: Trouble.RETRY, 30006: Trouble.RETRY,
    1653: Trouble.FULL, 1654: Trouble.FULL, 1536: Trouble.FULL, 257: Trouble.FULL, 12899: Trouble.TOO_LONG,
    1438: Trouble.TOO_LONG, 28: Trouble.AWAY, 1012: Trouble.AWAY, 1033: Trouble.AWAY, 1034: Trouble.AWAY,
    1089: Trouble.AWAY, 3113: Trouble.AWAY, 3114: Trouble.AWAY, 3135: Trouble.AWAY, 12541: Trouble.AWAY,
    12170: Trouble.AWAY, 12514: Trouble.AWAY,
}


class Oracle(Dialect):
    name: ClassVar[str] = "oracle"
    utc_now_sql: ClassVar[str] = "SELECT SYS_EXTRACT_UTC(SYSTIMESTAMP) FROM dual"

    def new_engine(self, label: str, pool_size: int) -> Engine:
        query = dict(self.url.query)
        thick = query.pop("thick", None)
        options: dict[str, Any] = {}
        if thick:
            options["thick_mode"] = {"lib_dir": thick}
        return create_engine(
            self.url.set(query=query), pool_size=pool_size, max_overflow=0, pool_timeout=10, pool_pre_ping=True,
            pool_recycle=1500, use_nchar_for_unicode=True,
            connect_args={"expire_time": 5, "tcp_connect_timeout": 5.0, "program": f"onehall {label}"}, **options,
        )

    def classify(self, error: DBAPIError) -> Trouble:
        code = native_code(error)
        if code.isdigit() and int(code) in _BY_NUMBER:
            return _BY_NUMBER[int(code)]
        full = str(getattr(getattr(error.orig, "args", [None])[0], "full_code", ""))
        if error.connection_invalidated or full.startswith(("DPY-1001", "DPY-4011", "DPY-6005", "DPI-10")):
            return Trouble.AWAY
        return Trouble.OTHER
