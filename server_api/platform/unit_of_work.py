"""One act, one database, one transaction. Services get a UnitOfWork; only this package commits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, Select, Table, insert
from sqlalchemy.exc import DBAPIError

from server_api.platform.dialects.base import Trouble
from server_api.platform.dialects.prepared import Prepared, savepoint
from shared_models.contracts.events import Payload
from shared_models.contracts.work import WorkContext
from shared_models.tables.platform import PlatformTables
from shared_models.values.clock import town_day

if TYPE_CHECKING:
    from server_api.platform.database import Database


@dataclass(frozen=True)
class Told:
    """A fact told inside an act, before it has its number."""

    aggregate: str
    payload: Payload
    effective_at: datetime
    bulk: bool = False

    @cached_property
    def text(self) -> str:
        """The payload as it is sent; work done ahead of a write turn reads it there, outside the turn."""
        return self.payload.model_dump_json()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The payload as it is stored."""
        return self.payload.model_dump(mode="json")


@dataclass
class UnitOfWork:
    """The open transaction of one act, with who acts and when.

    ``now`` stands still during the act. ``after`` holds the tokens (aggregate@seq) of the facts told, filled when the
    act ends; the caller hands them to its next act on the other side.
    """

    database: Database
    conn: Connection
    context: WorkContext
    act_id: str
    now: datetime
    after: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The calendar day of the act in Asia/Shanghai."""
        return town_day(self.now)

    @property
    def platform(self) -> PlatformTables:
        return self.database.platform

    def tell(
        self, aggregate: str, payload: Payload, effective_at: datetime | None = None, *, bulk: bool = False,
    ) -> None:
        """Tell the other side a fact; it is numbered and stored with this act, and sent after the commit.

        ``bulk`` (imports, month runs, mass suspension) takes a lane nobody waits behind.
        """
        self.told.append(Told(aggregate, payload, effective_at or self.now, bulk or payload.BULK))

    def announce(self, news: object) -> None:
        """Tell the other slices of this side, inside this transaction: listeners run now, in the order registered."""
        for listener in self.database.listeners.get(type(news), ()):
            listener(self, news)

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of the act that is undone alone, with the facts it told, when it is refused."""
        told = len(self.told)
        try:
            with savepoint(self.conn):
                yield
        except BaseException:
            del self.told[told:]
            raise

    def lock(self, query: Select[Any] | Prepared, table: Table, params: dict[str, Any] | None = None) -> Any | None:
        """Read one known row and hold it until the act ends. Order everywhere: account, till session, number row.

        Hot paths hand in a prepared query, with ``params`` for its bind parameters.
        """
        if isinstance(query, Prepared):
            if self.database.dialect.single_writer:
                return query.one_or_none(self.conn, params or {})
            query = cast("Select[Any]", query.statement)
        return self.conn.execute(self.database.dialect.lock(query, table), params).one_or_none()

    def lock_or_insert(
        self, query: Select[Any] | Prepared, table: Table, first: dict[str, Any], params: dict[str, Any] | None = None,
    ) -> Any | None:
        """Lock a row as ``lock`` does, or insert ``first`` and return None where there is none yet.

        Two acts may find it missing at the same time: the one whose insert comes second waits and gets the row.
        """
        row = self.lock(query, table, params)
        if row is not None:
            return row
        try:
            with self.conn.begin_nested():
                self.conn.execute(insert(table).values(first))
        except DBAPIError as error:
            if self.database.dialect.classify(error) is not Trouble.DUPLICATE:
                raise
            return self.lock(query, table, params)
        return None


Listener = Callable[[UnitOfWork, Any], None]
