"""Write turns on a single-writer database: who may write next, inside the process and across processes.

An act takes the process's queue and a shared file lock; a batch takes the exclusive file lock without waiting, writes
a little (``BATCH_TURN_MS``), commits and lets go. So a teller's payment waits for at most one short turn of a month
run. With SQLite's own busy handler alone the same payment waited half a second.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import portalocker

from shared_models.values.faults.common import TooBusy

BATCH_TURN_MS = 10
_TURN_TIMEOUT_S = 30.0
_PAUSE_S = 0.0005
_BREATH_S = 0.001


def _taken_at_once(handle: IO[bytes]) -> bool:
    try:
        portalocker.lock(handle, portalocker.LOCK_EX | portalocker.LOCK_NB)
    except portalocker.LockException:
        return False
    return True


class WriteTurns:
    """The write turns of one database file. Locks are on ``<file>.turn``, never on the database itself."""

    def __init__(self, database_file: Path) -> None:
        self._path = database_file.with_name(database_file.name + ".turn")
        self._mutex = threading.Lock()
        self._acts_waiting = 0
        self._batch_ended_at = 0.0
        #: When a batch last found somebody else writing or waiting (monotonic); batches are short for a while after.
        self.company_at = -math.inf

    @contextmanager
    def act(self) -> Iterator[None]:
        """Hold the turn as an act does: shared with other processes' acts, closed to batches."""
        self._acts_waiting += 1
        self.company_at = time.monotonic()
        try:
            self._mutex.acquire()
        finally:
            self._acts_waiting -= 1
        try:
            with self._file(portalocker.LOCK_SH):
                yield
        finally:
            self._mutex.release()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Hold the turn alone. Give it back within ``BATCH_TURN_MS``."""
        deadline = time.monotonic() + _TURN_TIMEOUT_S
        # A lock is not handed over: whoever asks first after it is free gets it. Without a breath between two turns a
        # busy batch would take it again and again before an act that waits has woken.
        time.sleep(max(0.0, self._batch_ended_at + _BREATH_S - time.monotonic()))
        while True:
            if not self._acts_waiting:
                with self._mutex, self._path.open("a+b") as handle:
                    if _taken_at_once(handle):
                        try:
                            yield
                            return
                        finally:
                            self._batch_ended_at = time.monotonic()
                            portalocker.unlock(handle)
            self.company_at = time.monotonic()
            if self.company_at > deadline:
                raise TooBusy(what="write turn")
            time.sleep(_PAUSE_S)

    @contextmanager
    def _file(self, kind: portalocker.LockFlags) -> Iterator[None]:
        with self._path.open("a+b") as handle:
            portalocker.lock(handle, kind)
            try:
                yield
            finally:
                portalocker.unlock(handle)


@contextmanager
def queued(database_file: Path, name: str) -> Iterator[None]:
    """Wait in the queue of processes that do the same work, so that each meets only strangers at the write turn.

    Two workers of one run that met there would take each other for tellers and keep their turns short.
    """
    with database_file.with_name(f"{database_file.name}.{name}").open("a+b") as handle:
        portalocker.lock(handle, portalocker.LOCK_EX)
        try:
            yield
        finally:
            portalocker.unlock(handle)
