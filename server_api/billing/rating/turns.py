"""How long the write turns of bulk work are."""

from __future__ import annotations

import time

from server_api.platform.database import Database

#: A turn aims at less than the ten milliseconds a teller may have to wait for one; while nobody else writes it may be
#: longer, because on a disk that is slow to commit half of a short turn is the commit.
_SHARED_TURN_MS, _LONE_TURN_MS = 8, 25
#: Whoever was met is taken to be there for so long after.
_COMPANY_S = 2
_FEWEST, _MOST = 200, 20_000


class TurnSize:
    """How many rows a turn takes: learnt from the turns before, small as soon as others write too.

    What the next turn needs is made while nobody holds the turn, so on a quick disk short turns cost an import nothing.
    """

    def __init__(self, database: Database, rows: int = 1_000) -> None:
        self.rows = rows
        self._rows_per_second = 50_000
        self._turns = getattr(database.writer, "turns", None)

    def learn(self, count: int, worked_ns: int) -> None:
        """A turn of ``count`` rows took so long."""
        if worked_ns > 0 and count >= _FEWEST:
            self._rows_per_second = (7 * self._rows_per_second + 3 * count * 1_000_000_000 // worked_ns) // 10
        alone = self._turns is None or time.monotonic() - self._turns.company_at > _COMPANY_S
        turn_ms = _LONE_TURN_MS if alone else _SHARED_TURN_MS
        self.rows = min(max(self._rows_per_second * turn_ms // 1_000, _FEWEST), _MOST)
