"""How long the write turns of bulk work are."""

from __future__ import annotations

import time

from server_api.platform.database import Database

#: How long a turn may be while somebody else writes too, and while nobody does.
_SHARED_TURN_MS, _LONE_TURN_MS = 10, 60
#: Whoever was met is taken to be there for so long after.
_COMPANY_S = 2
#: A turn costs a millisecond or two whatever is in it; alone it carries enough to be worth that.
_FEWEST, _FEWEST_ALONE, _MOST = 200, 4_000, 20_000


class TurnSize:
    """How many rows a turn takes: learnt from the turns before, small as soon as others write too.

    A lone import is held up by the commits, some hundred of which a second are all the disk does; a teller's payment is
    held up by the length of a turn. So turns are long only while nobody else has been met for a while.
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
        fewest = _FEWEST_ALONE if alone else _FEWEST
        self.rows = min(max(self._rows_per_second * turn_ms // 1_000, fewest), _MOST)
