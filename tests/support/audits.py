"""What was noted in the audit trail, for tests."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from server_api.platform.database import Database


def noted(database: Database, what: str) -> Counter[str]:
    """How often each subject was noted under this name."""
    entry = database.platform.audit_entry
    with database.reading() as connection:
        return Counter(connection.execute(select(entry.c.subject).where(entry.c.what == what)).scalars())
