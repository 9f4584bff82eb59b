"""PostgreSQL: read committed, row locks; errors by SQLSTATE.

Source: PostgreSQL documentation, appendix A (error codes).
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

from server_api.platform.dialects.base import Dialect, Trouble, native_code


class PostgreSQL(Dialect):
    name: ClassVar[str] = "postgresql"
    utc_now_sql: ClassVar[str] = "SELECT clock_timestamp() AT TIME ZONE 'UTC'"

    def new_engine(self, label: str, pool_size: int) -> Engine:
        return create_engine(
            self.url, pool_size=pool_size, max_overflow=0, pool_timeout=10,
            pool_pre_ping=True, pool_recycle=1500,
            connect_args={"application_name": f"onehall {label}", "connect_timeout": 5},
        )

    def classify(self, error: DBAPIError) -> Trouble:
        code = native_code(error)
        if code == "23505":
            return Trouble.DUPLICATE
        if code in ("40001", "40P01", "55P03"):
            return Trouble.RETRY
        if code == "53100":
            return Trouble.FULL
        if code in ("22001", "22003"):
            return Trouble.TOO_LONG
        if code.startswith("23"):
            return Trouble.BROKEN_RULE
        if error.connection_invalidated or code.startswith(("08", "57P", "53")) or not code or "connect" in code:
            return Trouble.AWAY
        return Trouble.OTHER
