"""Ranks, ends and differences: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BULK = 1_000


def rank_of(*, bulk: bool, priority: int) -> int:
    """Lane and priority as one figure; lower goes first, and no bulk command goes before an interactive one."""
    return (_BULK if bulk else 0) + min(max(priority, 0), _BULK - 1)


def is_bulk(rank: int) -> bool:
    """True for the ranks of the bulk lane."""
    return rank >= _BULK


#: Ranks below this are interactive: what may run outside a system's night window.
BULK_FROM = _BULK


def ascii_code(code: str) -> str:
    """A system's code as it is kept: ASCII, at most 40 characters."""
    return code.encode("ascii", "replace").decode()[:40]


def differences(
    ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None
) -> list[tuple[str, str, str | None, str | None]]:
    """Where two states differ: (kind, field, ours, theirs). Only fields that some act of ours has set are compared."""
    if ours is None and theirs is None:
        return []
    if theirs is None:
        return [("missing", "", _shown(ours), None)]
    if ours is None:
        return [("extra", "", None, _shown(theirs))]
    return [
        ("differs", name, _text(value), _text(theirs.get(name)))
        for name, value in sorted(ours.items())
        if _text(value) != _text(theirs.get(name))
    ]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)


def _shown(state: Mapping[str, Any] | None) -> str:
    return " ".join(f"{name}={_text(value)}" for name, value in sorted((state or {}).items()))[:200]
