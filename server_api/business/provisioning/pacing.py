"""How fast a system is asked: rate, sessions handed out by rank, pauses between tries, and a system that is down."""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count

from server_api.business.provisioning.contract import AUTH

_LONGEST_PAUSE_S = 60.0
#: So many tries in a row that never reached the system mean that it is down, not that these commands are unlucky.
_DOWN_AFTER = 8
#: Of these codes that is so at once. Silence comes late and all together, so it counts only where nothing was heard
#: for so many time-outs.
_AT_ONCE = (AUTH, "CONNECT")
_SILENT_TIMEOUTS = 3
_LONGEST_KNOCK_S = 10.0


def pause_s(first_s: float, tries: int) -> float:
    """The pause after so many tries: doubled each time, at most a minute, spread so that not all come back at once."""
    return float(min(_LONGEST_PAUSE_S, first_s * 2 ** max(0, tries - 1)) * random.uniform(0.75, 1.25))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed (it halves what a request costs), else the standard loop."""
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


class Rate:
    """At most so many commands a second, a tenth of a second's worth at once."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._most = max(1.0, per_s / 10)
        self._left = self._most
        self._at = time.monotonic()

    def take(self) -> bool:
        """True where one more may go now."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    @property
    def wait_s(self) -> float:
        """How long until the next may go."""
        return max(0.0, (1.0 - self._left) / self._per_s)


class Gate:
    """So many at once; who waits is let in by rank, then by arrival."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrivals = count()

    @asynccontextmanager
    async def place(self, rank: int) -> AsyncIterator[None]:
        """Hold one place."""
        if self._free > 0:
            self._free -= 1
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (rank, next(self._arrivals), turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._leave()  # it was let in and went away in the same breath
                raise
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Health:
    """Whether the system can be reached at all. While it is down one command at a time knocks."""

    def __init__(self, timeout_s: float) -> None:
        self._silent_s = _SILENT_TIMEOUTS * timeout_s
        self._heard_at = time.monotonic()
        self._failed = 0
        self._shut = 0
        self._pauses = 0
        self._knock_at = 0.0
        self.code = ""

    @property
    def down(self) -> bool:
        silent = self._failed >= _DOWN_AFTER and time.monotonic() - self._heard_at > self._silent_s
        return self._shut >= _DOWN_AFTER or silent

    def may_knock(self) -> bool:
        """True where the next command may be tried: always while it is up, else once a pause."""
        return not self.down or time.monotonic() >= self._knock_at

    def met(self, *, unreachable: bool, code: str) -> bool:
        """Keep what the last try met; True where it has just gone down or come up."""
        before = self.down
        self._failed = self._failed + 1 if unreachable else 0
        self._shut = self._shut + 1 if unreachable and code in _AT_ONCE else 0
        if not unreachable:
            self._heard_at = time.monotonic()
        self.code = code if unreachable else ""
        if not self.down:
            self._pauses = 0
        elif time.monotonic() >= self._knock_at:  # those that were under way when it fell are one knock together
            self._pauses += 1
            self._knock_at = time.monotonic() + min(_LONGEST_KNOCK_S, pause_s(0.25, self._pauses))
        return before != self.down
