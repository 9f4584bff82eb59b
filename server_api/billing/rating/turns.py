"""How long the write turns of bulk work are."""

from __future__ import annotations

from server_api.platform.database import Database

#: A turn aims at less than the ten milliseconds a teller may have to wait for one.
_TURN_MS = 8
_FEWEST, _MOST = 200, 20_000


class TurnSize:
    """How many rows a turn takes, learnt from the turns before it.

    A commit costs a millisecond whatever is in it, but what the next turn needs is made while nobody holds the turn; so
    an import is no slower for short turns, and a payment waits for none that is longer.
    """

    def __init__(self, database: Database, rows: int = 1_000) -> None:
        self.rows = rows
        self._rows_per_second = 50_000 if database.dialect.single_writer else 100_000

    def learn(self, count: int, worked_ns: int) -> None:
        """A turn of ``count`` rows took so long."""
        if worked_ns > 0 and count >= _FEWEST:
            self._rows_per_second = (7 * self._rows_per_second + 3 * count * 1_000_000_000 // worked_ns) // 10
        self.rows = min(max(self._rows_per_second * _TURN_MS // 1_000, _FEWEST), _MOST)
