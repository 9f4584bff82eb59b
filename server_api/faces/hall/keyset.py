"""Cursors of lists that are ordered by an instant and an id, newest first."""

from __future__ import annotations

from datetime import datetime

from server_api.faces.edge.paging import cursor_after, cursor_key
from shared_models.values.faults.common import InputNotValid


def instant_after(at: datetime, row_id: str) -> str:
    """The cursor that continues after a row."""
    return cursor_after(at.isoformat(), row_id)


def instant_key(cursor: str | None) -> tuple[datetime, str] | None:
    """The instant and id a cursor holds, None on the first page. Raises InputNotValid where it is none of ours."""
    key = cursor_key(cursor, str, str)
    if key is None:
        return None
    try:
        at = datetime.fromisoformat(key[0])
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InputNotValid(field="cursor", reason={"zh": "不是本系统的游标", "en": "not one of our cursors"})
    return at, key[1]
