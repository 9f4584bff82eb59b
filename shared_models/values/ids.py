"""Ids: 32 lower-case hex digits everywhere, made by whoever acts, before sending."""

from __future__ import annotations

import re
import uuid

_HEX32 = re.compile(r"[0-9a-f]{32}")
_ONEHALL = uuid.UUID("6f6e6568-616c-5c6c-8000-000000000001")


def new_id() -> str:
    """A fresh random id (32 hex digits)."""
    return uuid.uuid4().hex


def derived_id(*parts: str) -> str:
    """The id that follows from its cause: the same parts always give the same id (uuid5).

    Jobs use ``derived_id(cause, handler)``, the steps of a plan ``derived_id(operation, step)``.
    """
    return uuid.uuid5(_ONEHALL, "\x1f".join(parts)).hex


def is_id(text: str) -> bool:
    """True when the text is 32 lower-case hex digits."""
    return _HEX32.fullmatch(text) is not None
