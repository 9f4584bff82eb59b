"""One of the two databases: its engines, its way of writing, its errors translated."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Engine, MetaData, Table, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server_api.platform.dialects import Dialect, Trouble, dialect_for
from server_api.platform.locks import BATCH_TURN_MS
from server_api.platform.secrets import Secrets
from server_api.platform.unit_of_work import Listener
from server_api.platform.writers import GroupWriter, PooledWriter, Writer
from shared_models.tables.billing import billing_metadata, billing_platform
from shared_models.tables.business import business_metadata, business_platform
from shared_models.tables.platform import PlatformTables
from shared_models.values.clock import Clock, SystemClock
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import DatabaseAway, DiskFull, InputNotValid, TooBusy

Role = Literal["business", "billing"]
Result = TypeVar("Result")
#: Another process may begin an epoch; a receiver that meets the old one asks for a newer, so a delay does no harm.
_EPOCH_FRESH_S = 1.0
_FIRST_CHUNK = 500
#: Below the 5,000 row locks at which SQL Server takes the whole table.
_SERVER_CHUNK = 4_500
_CHUNK_ATTEMPTS = 4

_TABLES: dict[str, tuple[MetaData, PlatformTables]] = {
    "business": (business_metadata, business_platform),
    "billing": (billing_metadata, billing_platform),
}


class Database:
    """The business or the billing database. Made once per process; closed at its end.

    ``listeners`` are the in-transaction hearers of ``UnitOfWork.announce``, by class of news; only app.py fills them.
    """

    def __init__(
        self, role: Role, url: str, *, clock: Clock | None = None, secrets: Secrets, label: str = "api",
        pool_size: int = 10,
    ) -> None:
        self.role: Role = role
        self.url = url
        self.clock: Clock = clock or SystemClock()
        self.secrets = secrets
        self.label = label
        self.metadata, self.platform = _TABLES[role]
        self.listeners: dict[type, list[Listener]] = {}
        self.after_commit: list[Callable[[], None]] = []
        #: Starts a command of this installation in a process of its own; None where there is no installation (tests).
        self.start_command: Callable[[Sequence[str]], subprocess.Popen[bytes]] | None = None
        self._epoch = (0, 0.0)
        self.dialect: Dialect = dialect_for(url)
        self.engine: Engine = self.dialect.new_engine(label, pool_size if not self.dialect.single_writer else 4)
        self.reader: Engine = self.dialect.new_reader(label, pool_size, self.engine)
        self.writer: Writer = (GroupWriter if self.dialect.single_writer else PooledWriter)(self)
        self.worker_name = f"{socket.gethostname()}:{os.getpid()}:{label}"[:80]

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run one short transaction and return its result once it is durable. Raises the Fault the work raised.

        Use acts.perform for anything a person or job asked for; this is the ground it stands on.
        """
        return self.writer.write(work)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only transaction (a snapshot on SQLite, read committed elsewhere)."""
        with self.faults_translated(), self.reader.begin() as connection:
            yield connection

    @contextmanager
    def batch(self) -> Iterator[Connection]:
        """A turn for bulk work: at most ~10 ms of writing, committed at the end of the block.

        Never call it while holding another turn, and do no network, rendering or hashing inside.
        """
        with self.faults_translated(), self.writer.batch_turn(), self.engine.begin() as connection:
            yield connection
        self.poke()

    def bulk_insert(
        self, connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]],
    ) -> None:
        """Insert many rows by the driver's array path. Values are raw: ints for money, naive UTC for instants."""
        self.dialect.bulk_insert(connection, table, columns, rows)

    def write_rows(
        self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]],
        on_chunk: Callable[[Connection, int], None] | None = None,
    ) -> int:
        """Write many rows in turns of at most ~10 ms each (or a server's batch size); returns how many.

        ``on_chunk(connection, rows_so_far)`` runs inside each turn's transaction: the place to remember how far the
        work is, so that it can go on after a crash. Values are raw: ints for money, naive UTC for instants.
        """
        source = iter(rows)
        size, total = (_FIRST_CHUNK if self.dialect.single_writer else _SERVER_CHUNK), 0
        while chunk := list(islice(source, size)):
            total += len(chunk)
            took_s = self._write_chunk(table, columns, chunk, total, on_chunk)
            if self.dialect.single_writer:
                size = max(50, min(5_000, int(len(chunk) * BATCH_TURN_MS / 1000 / max(took_s, 0.0005))))
        return total

    def _write_chunk(
        self, table: Table, columns: Sequence[str], chunk: list[Sequence[Any]], total: int,
        on_chunk: Callable[[Connection, int], None] | None,
    ) -> float:
        """Write one chunk and return how many seconds its turn took; a deadlock on a server runs it again."""
        for attempt in range(1, _CHUNK_ATTEMPTS + 1):
            try:
                with self.batch() as connection:
                    begun = time.monotonic()
                    self.bulk_insert(connection, table, columns, chunk)
                    if on_chunk is not None:
                        on_chunk(connection, total)
                return time.monotonic() - begun
            except TooBusy:
                if attempt == _CHUNK_ATTEMPTS:
                    raise
                time.sleep(0.02 * 2**attempt)
        raise AssertionError("unreachable")

    def epoch(self, connection: Connection) -> int:
        """The epoch of this side: 1, and one more each time it was restored from a backup."""
        epoch, read_at = self._epoch
        if not epoch or time.monotonic() - read_at > _EPOCH_FRESH_S:
            side = self.platform.side
            row = connection.execute(select(side.c.epoch).where(side.c.role == self.role)).one_or_none()
            epoch = 1 if row is None else int(row.epoch)
            self._epoch = (epoch, time.monotonic())
        return epoch

    def forget_epoch(self) -> None:
        """The epoch has changed: read it again at the next act."""
        self._epoch = (0, 0.0)

    @property
    def url_shown(self) -> str:
        """The URL without its password, for people and logs."""
        return self.dialect.url.render_as_string(hide_password=True)

    def poke(self) -> None:
        """Wake those who wait for a commit (the fact dispatcher)."""
        for wake in self.after_commit:
            wake()

    @contextmanager
    def faults_translated(self) -> Iterator[None]:
        """Turn a driver's error into the fault a caller understands; unknown ones pass through as defects."""
        try:
            yield
        except DBAPIError as error:
            fault = self.fault_of(error)
            if fault is None:
                raise
            raise fault from error
        except PoolTimeout as error:
            raise TooBusy(what="database connections") from error

    def fault_of(self, error: DBAPIError) -> Fault | None:
        """The fault a database error stands for, or None where it is a defect of ours."""
        match self.dialect.classify(error):
            case Trouble.AWAY:
                return DatabaseAway(role=self.role)
            case Trouble.FULL:
                return DiskFull()
            case Trouble.RETRY:
                return TooBusy(what=f"{self.role} database")
            case Trouble.TOO_LONG:
                return InputNotValid(field="?", reason="value too long for its column")
            case _:
                return None

    def create_all(self) -> None:
        """Create every table from the models; production uses the Alembic history, proven equal."""
        self.metadata.create_all(self.engine)

    def close(self) -> None:
        """Finish what was begun, then let go of every connection."""
        self.writer.close()
        self.engine.dispose()
        self.reader.dispose()


@dataclass(frozen=True)
class Databases:
    """The two databases a process works on."""

    business: Database
    billing: Database

    def of(self, role: Role) -> Database:
        return self.business if role == "business" else self.billing

    def other(self, database: Database) -> Database:
        """The other side."""
        return self.billing if database is self.business else self.business

    def close(self) -> None:
        self.business.close()
        self.billing.close()


def open_databases(
    business_url: str, billing_url: str, *, secrets: Secrets, clock: Clock | None = None, label: str = "api",
    pool_size: int = 10,
) -> Databases:
    """Open both databases for this process."""
    pair = Databases(
        business=Database("business", business_url, clock=clock, secrets=secrets, label=label, pool_size=pool_size),
        billing=Database("billing", billing_url, clock=clock, secrets=secrets, label=label, pool_size=pool_size),
    )
    wrapping_key = secrets.wrapping_key
    if wrapping_key is not None:
        from server_api.platform.keyring import ensure_keys, load_keys  # it stands on this module

        secrets.attach(lambda: load_keys(pair, wrapping_key) or ensure_keys(pair, wrapping_key))
    return pair
