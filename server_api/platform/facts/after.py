"""Waiting until this side has heard the news an act builds on."""

from __future__ import annotations

import time
from collections.abc import Iterable

from sqlalchemy import select

from server_api.platform.database import Database
from shared_models.values.faults.common import CopyBehind, InputNotValid

WAIT_S = 2.0
_MAX_TOKENS = 50
_PAUSE_S = 0.004


def wait_for_news(database: Database, tokens: Iterable[str], timeout_s: float = WAIT_S) -> None:
    """Wait until every fact named by a token (``aggregate@seq``) was applied here.

    Raises CopyBehind when it takes longer. Tokens of facts this side told itself are met already. Not to be called
    inside a transaction.
    """
    wanted = dict(_parsed(tokens))
    if not wanted:
        return
    until = time.monotonic() + timeout_s
    own = _own(database, list(wanted))
    wanted = {aggregate: seq for aggregate, seq in wanted.items() if aggregate not in own}
    pause_s = _PAUSE_S
    while wanted:
        heard = _heard(database, list(wanted))
        wanted = {aggregate: seq for aggregate, seq in wanted.items() if heard.get(aggregate, 0) < seq}
        if not wanted:
            return
        if time.monotonic() > until:
            raise CopyBehind(waiting_for=", ".join(f"{aggregate}@{seq}" for aggregate, seq in sorted(wanted.items())))
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.05)


def _parsed(tokens: Iterable[str]) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for token in tokens:
        aggregate, _at, seq = token.strip().rpartition("@")
        if not aggregate or len(aggregate) > 80 or not (seq.isascii() and seq.isdigit()) or len(seq) > 15:
            raise InputNotValid(field="After", reason="aggregate@seq")
        found[aggregate] = max(found.get(aggregate, 0), int(seq))
    if len(found) > _MAX_TOKENS:
        raise InputNotValid(field="After", reason=f"at most {_MAX_TOKENS}")
    return sorted(found.items())


def _own(database: Database, aggregates: list[str]) -> set[str]:
    table = database.platform.fact_aggregate
    with database.reading() as connection:
        return set(connection.execute(select(table.c.aggregate).where(table.c.aggregate.in_(aggregates))).scalars())


def _heard(database: Database, aggregates: list[str]) -> dict[str, int]:
    table = database.platform.fact_cursor
    with database.reading() as connection:
        return {row.aggregate: int(row.seq) for row in connection.execute(
            select(table.c.aggregate, table.c.seq).where(table.c.aggregate.in_(aggregates)))}
