"""Slows down who guesses passwords: failures are counted per place and per staff number for a short while."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from shared_models.values.faults.edge import TooManySignIns

WINDOW_S = 60.0
#: Failures of one staff number from one place, and of one place altogether, within the window.
PER_NUMBER = 5
PER_PLACE = 30
_REMEMBERED = 10_000


class Doorkeeper:
    """Counts failed sign-ins. The lasting lock-out is the staff slice's; this protects the hashing."""

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._failures: dict[str, deque[float]] = {}
        self._guard = threading.Lock()

    def admit(self, place: str, staff_no: str) -> None:
        """Raise TooManySignIns where this place or number has failed too often lately."""
        with self._guard:
            for key, limit in self._keys(place, staff_no):
                times = self._recent(key)
                if len(times) >= limit:
                    raise TooManySignIns(retry_after_s=max(1, int(WINDOW_S - (self._tick() - times[0])) + 1))

    def failed(self, place: str, staff_no: str) -> None:
        """Note one failure."""
        with self._guard:
            if len(self._failures) > _REMEMBERED:
                self._failures = {key: times for key in list(self._failures) if (times := self._recent(key))}
            for key, _limit in self._keys(place, staff_no):
                self._failures.setdefault(key, deque(maxlen=PER_PLACE)).append(self._tick())

    def _keys(self, place: str, staff_no: str) -> tuple[tuple[str, int], ...]:
        return (f"{place}|{staff_no}", PER_NUMBER), (place, PER_PLACE)

    def _recent(self, key: str) -> deque[float]:
        times = self._failures.get(key, deque())
        while times and self._tick() - times[0] > WINDOW_S:
            times.popleft()
        return times
