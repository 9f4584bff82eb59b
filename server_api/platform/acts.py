"""Acts: every write has an id made by whoever asked, and happens once.

Same id and same digest: the stored reply comes back. Same id, other digest: ActReused. A refusal stores nothing and
leaves the id free. The act row is the first insert of its transaction, so two copies of one act can never both run.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, Table, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError

from server_api.platform.database import Database
from server_api.platform.dialects import Trouble
from server_api.platform.dialects.prepared import Prepared
from server_api.platform.facts.outbox import store_told
from server_api.platform.unit_of_work import UnitOfWork
from server_api.platform.writers import GroupWriter
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.common import ActReused, InputNotValid
from shared_models.values.ids import is_id


@dataclass(frozen=True)
class Act:
    """What is asked for: its id, kind, the digest of its business content, who asks and why."""

    act_id: str
    kind: str
    digest: str
    context: WorkContext
    reason: str = ""


@dataclass(frozen=True)
class Outcome:
    """What the act answered: the reply as JSON text, the tokens for the next act, whether it had been done before."""

    reply: str
    after: tuple[str, ...]
    replayed: bool


@dataclass(frozen=True)
class _Statements:
    """The act's statements, built once: building them for each act cost a fifth of a payment."""

    find: Prepared
    insert: Prepared
    answer: Prepared


@cache
def _statements(table: Table) -> _Statements:
    mine = table.c.act_id == bindparam("b_act_id")
    return _Statements(
        find=Prepared(select(table.c.digest, table.c.reply, table.c.after_tokens).where(mine)),
        insert=Prepared(insert(table)),
        answer=Prepared(
            update(table).where(mine).values(reply=bindparam("b_reply"), after_tokens=bindparam("b_after"))
        ),
    )


def digest_of(content: Any) -> str:
    """The digest of an act's business content: canonical JSON, no token, no time."""
    if isinstance(content, BaseModel):
        content = content.model_dump(mode="json")
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def perform(database: Database, act: Act, work: Callable[[UnitOfWork], BaseModel | None]) -> Outcome:
    """Do an act once, in one transaction on one database, and return its stored reply.

    Raises ActReused, and whatever refusal ``work`` raises (then nothing is stored).
    """
    if not is_id(act.act_id):
        raise InputNotValid(field="Act-Id", reason="32 hex digits")
    try:
        return database.write(lambda connection: _run(database, connection, act, work))
    except DBAPIError as error:
        # The only unique key two copies of an act race for is the act row itself; anything else is a defect.
        if database.dialect.classify(error) is not Trouble.DUPLICATE:
            raise
        with database.reading() as connection:
            done = _done_before(database, connection, act)
        if done is None:
            raise
        return done


async def perform_soon(database: Database, act: Act, work: Callable[[UnitOfWork], BaseModel | None]) -> Outcome:
    """Do what ``perform`` does without holding a thread while the act waits for its turn and its commit.

    On a single-writer database fifty waiting tellers would be fifty threads handing the interpreter to each other.
    """
    writer = database.writer
    if not isinstance(writer, GroupWriter):
        return await asyncio.to_thread(perform, database, act, work)
    if not is_id(act.act_id):
        raise InputNotValid(field="Act-Id", reason="32 hex digits")
    with database.faults_translated():
        return await asyncio.wrap_future(writer.submit(lambda connection: _run(database, connection, act, work)))


def _run(
    database: Database, connection: Connection, act: Act, work: Callable[[UnitOfWork], BaseModel | None],
) -> Outcome:
    statements = _statements(database.platform.act)
    uow = UnitOfWork(database, connection, act.context, act.act_id, database.clock.now())
    done = _done_or_begun(uow, act, statements)
    if done is not None:
        return done
    reply = work(uow)
    store_told(uow)
    text = "" if reply is None else reply.model_dump_json()
    statements.answer.run(connection, {
        "b_act_id": act.act_id, "b_reply": database.secrets.seal(text), "b_after": ",".join(uow.after),
    })
    return Outcome(text, tuple(uow.after), replayed=False)


def _done_or_begun(uow: UnitOfWork, act: Act, statements: _Statements) -> Outcome | None:
    """The outcome of an act that was done before; else None, and its row stands as the first insert.

    Where a failed insert does not spoil the transaction (SQLite) the insert itself asks; elsewhere we look first.
    """
    database, connection, context = uow.database, uow.conn, act.context
    asks = database.dialect.single_writer
    done = None if asks else _done_before(database, connection, act)
    if done is not None:
        return done
    try:
        statements.insert.run(connection, {
            "act_id": act.act_id, "kind": act.kind, "digest": act.digest, "staff_id": context.staff_id,
            "staff_no": context.staff_no, "hall_code": context.hall_code, "counter_no": context.counter_no,
            "channel": context.channel, "reason": act.reason, "occurred_at": uow.now,
        })
    except DBAPIError as error:
        if not asks or database.dialect.classify(error) is not Trouble.DUPLICATE:
            raise
        done = _done_before(database, connection, act)
        if done is None:
            raise
    return done


def _done_before(database: Database, connection: Connection, act: Act) -> Outcome | None:
    row = _statements(database.platform.act).find.one_or_none(connection, {"b_act_id": act.act_id})
    if row is None:
        return None
    if row.digest != act.digest:
        raise ActReused(act_id=act.act_id)
    after = tuple(row.after_tokens.split(",")) if row.after_tokens else ()
    return Outcome(database.secrets.unseal(row.reply), after, replayed=True)
