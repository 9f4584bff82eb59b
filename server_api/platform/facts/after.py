"""Waiting for news: an act that builds on what its caller did on the other side waits until the copy has it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import Connection, select

from server_api.platform.database import Database
from shared_models.values.faults.common import CopyBehind, InputNotValid

WAIT_S = 2.0
_PAUSE_S = 0.005
_MOST_TOKENS = 20


def wait_for_news(database: Database, tokens: Sequence[str], timeout_s: float = WAIT_S) -> None:
    """Return once this side has applied every fact named (``aggregate@seq``); facts it told itself count as known.

    Raises CopyBehind after ``timeout_s``, InputNotValid for a token that is none.
    """
    wanted = _parsed(tokens)
    deadline = time.monotonic() + timeout_s
    while True:
        with database.reading() as connection:
            wanted = _still_missing(database, connection, wanted)
        if not wanted:
            return
        if time.monotonic() > deadline:
            raise CopyBehind(aggregate=next(iter(wanted)))
        time.sleep(_PAUSE_S)


def _parsed(tokens: Sequence[str]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for token in tokens:
        aggregate, _, seq = token.rpartition("@")
        if not aggregate or len(aggregate) > 80 or not (seq.isascii() and seq.isdigit() and len(seq) < 16):
            raise InputNotValid(field="After", reason="aggregate@seq")
        wanted[aggregate] = max(wanted.get(aggregate, 0), int(seq))
    if len(wanted) > _MOST_TOKENS:
        raise InputNotValid(field="After", reason=f"at most {_MOST_TOKENS} tokens")
    return wanted


def _still_missing(database: Database, connection: Connection, wanted: dict[str, int]) -> dict[str, int]:
    cursor, own = database.platform.fact_cursor, database.platform.fact_aggregate
    names = list(wanted)
    reached = {
        str(row.aggregate): int(row.seq)
        for row in connection.execute(select(cursor.c.aggregate, cursor.c.seq).where(cursor.c.aggregate.in_(names)))
    }
    told_here = set(connection.execute(select(own.c.aggregate).where(own.c.aggregate.in_(names))).scalars())
    return {name: seq for name, seq in wanted.items() if name not in told_here and reached.get(name, 0) < seq}
