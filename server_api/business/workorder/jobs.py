"""The rule of the books that promised windows must keep."""

from __future__ import annotations

from server_api.business.workorder import store
from server_api.platform.database import Database
from server_api.platform.registry import Finding, Wiring

_NAMED = 20


def wire(wiring: Wiring) -> None:
    """One invariant for check-books."""
    wiring.invariant("business", "work_windows_counted", _windows_counted)


def _windows_counted(database: Database) -> Finding:
    with database.reading() as connection:
        counted, wrong = store.miscounted_windows(connection, _NAMED)
    return Finding(counted=counted, wrong=tuple(wrong))
