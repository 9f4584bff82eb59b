"""Work done ahead on a thread of its own: the next piece is decoded and rated while the last is written.

Reading, rating and writing spend their time in libraries that let other threads run meanwhile, so two of them use two
cores. How far ahead is bounded, because what waits lies in memory.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
_LOOK_S = 0.5


class Ahead(Generic[Item]):
    """Runs an iterator on a thread and hands over what it has made, all of it at once.

    At most ``most`` (by ``weight``) wait at a time; one item always may. An error of the iterator is raised where its
    next item would have come.
    """

    def __init__(self, items: Iterator[Item], most: int, weight: Callable[[Item], int]) -> None:
        self._items, self._most, self._weight = items, most, weight
        self._made: deque[Item] = deque()
        self._waiting = 0
        self._ended = False
        self._stopped = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="usage-ahead", daemon=True)

    def __enter__(self) -> Ahead[Item]:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def taken(self, beat: Callable[[], None] = lambda: None) -> Iterator[list[Item]]:
        """What was made since the last time, in order, until nothing more comes. ``beat`` is called while waiting."""
        while True:
            with self._changed:
                while not (self._made or self._ended):
                    self._changed.wait(_LOOK_S)
                    beat()
                some = list(self._made)
                self._made.clear()
                self._waiting = 0
                self._changed.notify_all()
            if not some:
                if self._error is not None:
                    raise self._error
                return
            yield some

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised where the next item would have come
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, item: Item) -> bool:
        weight = self._weight(item)
        with self._changed:
            while self._made and self._waiting + weight > self._most and not self._stopped:
                self._changed.wait(_LOOK_S)
            if self._stopped:
                return False
            self._made.append(item)
            self._waiting += weight
            self._changed.notify_all()
        return True
