"""How a transaction is written: shared durable commits on SQLite, a pooled connection each on the servers."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from server_api.platform.dialects.base import Trouble
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
    """Each transaction on a connection of its own; deadlocks and lost connections are run again while nothing was committed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, work: Callable[[Connection], Result]) -> Result:
        with self._database.faults_translated():
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    with self._database.engine.begin() as connection:
                        result = work(connection)
                    break
                except DBAPIError as error:
                    if attempt == _ATTEMPTS or self._database.dialect.classify(error) is not Trouble.RETRY:
                        raise
                    time.sleep(random.uniform(0.005, 0.02) * 2**attempt)
        self._database.poke()
        return result

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
        self.turns = WriteTurns(database.dialect.file)
        self._waiting: queue.Queue[tuple[Callable[[Connection], Any], Future[Any]] | None] = queue.Queue(_QUEUE_LIMIT)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._checkpoints: threading.Thread | None = None
        self._start = threading.Lock()

    @property
    def waiting(self) -> int:
        return self._waiting.qsize()

    def write(self, work: Callable[[Connection], Result]) -> Result:
        if self._thread is None:
            self._run()
        future: Future[Result] = Future()
        try:
            self._waiting.put_nowait((work, future))
        except queue.Full:
            raise TooBusy(what="write queue") from None
        with self._database.faults_translated():
            return future.result(timeout=_WAIT_S)

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
            except BaseException as error:  # the commit itself failed: nobody's work is stored, everybody is told
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
            try:
                with connection.begin_nested():
                    result = work(connection)
            except DBAPIError as error:
                if self._database.dialect.classify(error) in (Trouble.FULL, Trouble.AWAY, Trouble.RETRY):
                    raise  # the file itself is in trouble: no savepoint will help
                future.set_exception(error)
            except BaseException as error:
                future.set_exception(error)
            else:
                done.append((future, result))
            if index == len(group) < _GROUP_LIMIT and time.monotonic() < until:
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    return
                if following is None:
                    self._waiting.put(None)
                    return
                group.append(following)

    def _checkpoint(self) -> None:
        """Move the log into the file beside the writer, so that no act pays for it."""
        while not self._closing.wait(_CHECKPOINT_EVERY_S):
            with self._database.reader.connect() as connection:
                raw = connection.connection.dbapi_connection  # beneath SQLAlchemy: a checkpoint cannot run inside BEGIN
                if raw is not None:
                    raw.execute("PRAGMA wal_checkpoint(PASSIVE)")
