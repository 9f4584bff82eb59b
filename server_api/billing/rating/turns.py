"""How long the write turns of bulk work are."""

from __future__ import annotations

import time

#: How long a turn may be while somebody else writes too, and while nobody does.
_SHARED_TURN_S, _LONE_TURN_S = 0.010, 0.060
#: A turn not had within this time was held by others; they are taken to be there for so long after.
_WAITED_S, _COMPANY_S = 0.005, 2.0
_FEWEST, _MOST = 200, 20_000


class TurnSize:
    """How many rows a turn takes: learnt from the turns before, small as soon as others write too.

    A lone import is held up by the commits, 150 of which a second are all the disk does; a teller's payment is held up
    by the length of a turn. So turns are long only while nobody else has been met for a while.
    """

    def __init__(self, rows: int = 1_000) -> None:
        self.rows = rows
        self._rate = 50_000.0
        self._company_until = 0.0

    def learn(self, count: int, waited_s: float, worked_s: float) -> None:
        """A turn of ``count`` rows was waited for so long, and took so long."""
        now = time.monotonic()
        if waited_s > _WAITED_S:
            self._company_until = now + _COMPANY_S
        if worked_s > 0 and count >= _FEWEST:
            self._rate = 0.7 * self._rate + 0.3 * count / worked_s
        length = _SHARED_TURN_S if now < self._company_until else _LONE_TURN_S
        self.rows = int(min(max(self._rate * length, _FEWEST), _MOST))
