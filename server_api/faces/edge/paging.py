"""Lists in pages: the cursor is the key of the last row, encoded so that nobody builds on its form."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any

from fastapi import Query

from shared_models.values.faults.common import InputNotValid

#: ``limit`` of every list.
Limit = Annotated[int, Query(ge=1, le=200, description="rows at most")]
#: ``cursor`` of every list.
Cursor = Annotated[str | None, Query(max_length=400, description="next_cursor of the page before")]
DEFAULT_LIMIT = 50


def cursor_after(*key: str | int) -> str:
    """The cursor that continues after the row with this key."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).rstrip(b"=").decode()


def cursor_key(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The key a cursor holds, None on the first page. Raises InputNotValid where it is none of ours."""
    if not cursor:
        return None
    try:
        key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise InputNotValid(field="cursor", reason={"zh": "不是本系统的游标", "en": "not one of our cursors"}) from None
    if (
        not isinstance(key, list)
        or len(key) != len(kinds)
        or any(type(k) is not t for k, t in zip(key, kinds, strict=True))
    ):
        raise InputNotValid(field="cursor", reason={"zh": "不是本系统的游标", "en": "not one of our cursors"})
    return tuple(key)
