"""Write turns on a single-writer database: who may write next, inside the process and across processes.

An act takes the process's queue and a shared file lock; a batch takes the exclusive file lock without waiting, writes
a little (``BATCH_TURN_MS``), commits and lets go. So a teller's payment waits for at most one short turn of a month
run. With SQLite's own busy handler alone the same payment waited half a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import portalocker

from shared_models.values.faults.common import TooBusy

BATCH_TURN_MS = 10
_TURN_TIMEOUT_S = 30.0
_PAUSE_S = 0.0005


class WriteTurns:
    """The write turns of one database file. Locks are on ``<file>.turn``, never on the database itself."""

    def __init__(self, database_file: Path) -> None:
        self._path = database_file.with_name(database_file.name + ".turn")
        self._mutex = threading.Lock()

    @contextmanager
    def act(self) -> Iterator[None]:
        """Hold the turn as an act does: shared with other processes' acts, closed to batches."""
        with self._mutex, self._file(portalocker.LOCK_SH):
            yield

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Hold the turn alone. Give it back within ``BATCH_TURN_MS``."""
        deadline = time.monotonic() + _TURN_TIMEOUT_S
        while True:
            with self._mutex:
                try:
                    handle = self._path.open("a+b")
                    portalocker.lock(handle, portalocker.LOCK_EX | portalocker.LOCK_NB)
                except portalocker.LockException:
                    handle.close()
                else:
                    try:
                        yield
                        return
                    finally:
                        portalocker.unlock(handle)
                        handle.close()
            if time.monotonic() > deadline:
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
