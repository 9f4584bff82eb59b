"""Ids: 32 lower-case hex digits everywhere, made by whoever acts, before sending."""

from __future__ import annotations

import hashlib
import re
import uuid

_HEX32 = re.compile(r"[0-9a-f]{32}")
_NAMESPACE = uuid.UUID("6f6e6568-616c-5c6c-8000-000000000001").bytes


def new_id() -> str:
    """A fresh random id (32 hex digits)."""
    return uuid.uuid4().hex


def derived_id(*parts: str) -> str:
    """The id that follows from its cause: the same parts always give the same id (uuid5).

    Jobs use ``derived_id(cause, handler)``, the steps of a plan ``derived_id(operation, step)``.
    """
    # uuid.uuid5 by hand: the object it makes around these bytes costs three times what they do
    name = hashlib.sha1(_NAMESPACE + "\x1f".join(parts).encode(), usedforsecurity=False).digest()
    made = bytearray(name[:16])
    made[6], made[8] = made[6] & 0x0F | 0x50, made[8] & 0x3F | 0x80
    return made.hex()


def is_id(text: str) -> bool:
    """True when the text is 32 lower-case hex digits."""
    return _HEX32.fullmatch(text) is not None
