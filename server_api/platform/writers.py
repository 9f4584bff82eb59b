"""How a transaction is written: shared durable commits on SQLite, a pooled connection each on the servers."""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from server_api.platform.dialects.base import Trouble
from server_api.platform.dialects.prepared import savepoint
from server_api.platform.dialects.sqlite import SQLite
from server_api.platform.locks import WriteTurns
from shared_models.values.faults.common import TooBusy

if TYPE_CHECKING:
    from server_api.platform.database import Database

Result = TypeVar("Result")
_QUEUE_LIMIT = 2_000
_GROUP_LIMIT = 64
_GROUP_TURN_S = 0.02
_WAIT_S = 30.0
_ATTEMPTS = 5
_CHECKPOINT_EVERY_S = 0.5
_LOG_LIMIT_BYTES = 256 * 2**20
_log = logging.getLogger("onehall.database")


class Writer(Protocol):
    """The one way to write."""

    def write(self, work: Callable[[Connection], Result]) -> Result: ...

    @contextmanager
    def batch_turn(self) -> Iterator[None]: ...

    @property
    def waiting(self) -> int:
        """How many transactions wait for their turn."""
        ...

    def close(self) -> None: ...


class PooledWriter:
    """Each transaction on a connection of its own; deadlocks and lost connections are run again.

    A connection lost while the commit was on its way is not: what became of it is unknown, and the caller's act id
    finds out.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, work: Callable[[Connection], Result]) -> Result:
        with self._database.faults_translated():
            for attempt in range(1, _ATTEMPTS + 1):
                committing = False
                try:
                    with self._database.engine.connect() as connection:
                        with connection.begin() as transaction:
                            result = work(connection)
                            committing = True
                            transaction.commit()
                    break
                except DBAPIError as error:
                    if not self._may_run_again(error, attempt, committing):
                        raise
                    time.sleep(random.uniform(0.005, 0.02) * 2**attempt)
        self._database.poke()
        return result

    def _may_run_again(self, error: DBAPIError, attempt: int, committing: bool) -> bool:
        trouble = self._database.dialect.classify(error)
        if trouble is Trouble.RETRY:  # the server says that it undid the whole transaction, even at the commit
            return attempt < _ATTEMPTS
        return trouble is Trouble.AWAY and not committing and attempt == 1

    @contextmanager
    def batch_turn(self) -> Iterator[None]:
        yield

    @property
    def waiting(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing is held between transactions."""


class GroupWriter:
    """One thread writes; what waits together is committed together, each piece in its own savepoint.

    The caller gets its answer only after the shared commit is on the disk. A piece that fails undoes itself alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        if not isinstance(database.dialect, SQLite):
            raise TypeError("the group writer is for single-writer databases")
        self._dialect = database.dialect
        self.turns = WriteTurns(database.dialect.file)
        self._waiting: queue.Queue[tuple[Callable[[Connection], Any], Future[Any]] | None] = queue.Queue(_QUEUE_LIMIT)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._checkpoints: threading.Thread | None = None
        self._start = threading.Lock()

    @property
    def waiting(self) -> int:
        return self._waiting.qsize()

    def submit(self, work: Callable[[Connection], Result]) -> Future[Result]:
        """Queue a transaction; the future is done once it is durable. For callers that must not block a thread."""
        if self._thread is None:
            self._run()
        future: Future[Result] = Future()
        try:
            self._waiting.put_nowait((work, future))
        except queue.Full:
            raise TooBusy(what="write queue") from None
        return future

    def write(self, work: Callable[[Connection], Result]) -> Result:
        if threading.current_thread() is self._thread:
            raise RuntimeError("a transaction cannot wait for another one behind it in the same queue")
        future = self.submit(work)
        with self._database.faults_translated():
            try:
                return future.result(timeout=_WAIT_S)
            except FutureTimeout:
                if future.done():  # the work itself timed out on something
                    raise
                future.cancel()  # not begun yet: it will not be; begun: the act id tells what became of it
                raise TooBusy(what="write queue") from None

    @contextmanager
    def batch_turn(self) -> Iterator[None]:
        with self.turns.batch():
            yield
        if self._checkpoints is None:
            self._run()

    def close(self) -> None:
        self._closing.set()
        self._waiting.put(None)
        for thread in (self._thread, self._checkpoints):
            if thread is not None:
                thread.join(timeout=_WAIT_S)

    def _run(self) -> None:
        with self._start:
            if self._thread is None:
                name = f"{self._database.role}-writer"
                self._checkpoints = threading.Thread(target=self._checkpoint, name=f"{name}-checkpoints", daemon=True)
                self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
                self._checkpoints.start()
                self._thread.start()

    def _loop(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            group = [first]
            done: list[tuple[Future[Any], Any]] = []
            try:
                with self.turns.act(), self._database.engine.begin() as connection:
                    self._write_group(connection, group, done)
            except BaseException as error:  # noqa: BLE001 - the commit failed: nothing is stored, everybody is told
                for _work, future in group:
                    if not future.done():
                        future.set_exception(error)
                continue
            for future, result in done:
                future.set_result(result)
            if done:
                self._database.poke()

    def _write_group(self, connection: Connection, group: list[Any], done: list[tuple[Future[Any], Any]]) -> None:
        """Run the first piece and whatever else is waiting, up to the group's limits."""
        until = time.monotonic() + _GROUP_TURN_S
        index = 0
        while index < len(group):
            work, future = group[index]
            index += 1
            if future.set_running_or_notify_cancel():
                self._write_one(connection, work, future, done)
            if index == len(group) < _GROUP_LIMIT and time.monotonic() < until:
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    return
                if following is None:
                    self._waiting.put(None)
                    return
                group.append(following)

    def _write_one(
        self, connection: Connection, work: Callable[[Connection], Any], future: Future[Any],
        done: list[tuple[Future[Any], Any]],
    ) -> None:
        try:
            with savepoint(connection):
                result = work(connection)
        except DBAPIError as error:
            if self._database.dialect.classify(error) in (Trouble.FULL, Trouble.AWAY, Trouble.RETRY):
                raise  # the file itself is in trouble: no savepoint will help
            future.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - it belongs to the one who asked, and is raised there
            future.set_exception(error)
        else:
            done.append((future, result))

    def _checkpoint(self) -> None:
        """Move the log into the file beside the writer, so that no act pays for it."""
        while not self._closing.wait(_CHECKPOINT_EVERY_S):
            try:
                self._dialect.checkpoint(self._database.reader)
                if self._dialect.log_bytes() > _LOG_LIMIT_BYTES:
                    # Readers kept the log from starting over; alone for a moment it can.
                    with self.turns.batch():
                        self._dialect.checkpoint(self._database.reader, restart=True)
            except (DBAPIError, TooBusy) as trouble:
                _log.warning("the log of %s was not moved this time: %s", self._database.role, trouble)
