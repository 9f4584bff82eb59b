"""Rebuilding a copy from the other side's log, and saying what was different."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

from sqlalchemy import Connection, select

from server_api.platform.database import Database
from server_api.platform.facts.dispatcher import Crossing
from server_api.platform.facts.reading import envelope_of
from server_api.platform.facts.receiver import Envelope
from server_api.platform.registry import Copy
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.values.ids import derived_id

_PAGE = 500
_TURN_S = 0.01


@dataclass
class Rebuilt:
    """How many facts were replayed, and each difference found: ``- row`` was kept wrongly, ``+ row`` was lacking."""

    facts: int = 0
    differences: list[str] = field(default_factory=list)


def rebuild(crossing: Crossing, copy: Copy, told: Callable[[int], None] = lambda facts: None) -> Rebuilt:
    """Replay every fact a copy is made of, in order, and report what changed by it.

    A copy with ``forget`` is emptied aggregate by aggregate as it is replayed; one without is only compared with the
    truth its slice can compute (``truth``), never overwritten. Only facts the receiver has already applied are used.
    """
    before = {row.key: row.content for row in copy.rows(crossing.target)}
    done = Rebuilt()
    if copy.forget is None:
        after = {row.key: row.content for row in (copy.truth or copy.rows)(crossing.target)}
    else:
        waiting: list[list[Envelope]] = []
        for envelopes in _aggregates(crossing, copy):
            waiting.append(envelopes)
            if sum(map(len, waiting)) >= 50:
                done.facts += _replay_all(crossing, copy, waiting)
                waiting = []
                told(done.facts)
        done.facts += _replay_all(crossing, copy, waiting)
        after = {row.key: row.content for row in copy.rows(crossing.target)}
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            done.differences += [f"- {key} {before[key]}"] if key in before else []
            done.differences += [f"+ {key} {after[key]}"] if key in after else []
    return done


def _aggregates(crossing: Crossing, copy: Copy) -> Iterator[list[Envelope]]:
    """The facts of each aggregate, in order, up to where the receiver stands."""
    for _aggregate, group in groupby(_facts(crossing.source, copy.kinds), key=lambda fact: fact.aggregate):
        facts = list(group)
        cursor = crossing.target.platform.fact_cursor
        with crossing.target.reading() as connection:
            row = connection.execute(
                select(cursor.c.epoch, cursor.c.seq).where(cursor.c.aggregate == facts[0].aggregate)).one_or_none()
        if row is not None:
            heard = [fact for fact in facts if (fact.epoch, fact.seq) <= (row.epoch, row.seq)]
            if heard:
                yield heard


def _facts(source: Database, kinds: tuple[str, ...]) -> Iterator[Envelope]:
    out = source.platform.fact_out
    after: tuple[str, int, int] = (" ", 0, 0)
    while True:
        name, epoch, seq = after
        later = (out.c.aggregate > name) | ((out.c.aggregate == name) & (
            (out.c.epoch > epoch) | ((out.c.epoch == epoch) & (out.c.seq > seq))))
        with source.reading() as connection:
            page = [envelope_of(row) for row in connection.execute(
                select(out).where(later, out.c.kind.in_(kinds))
                .order_by(out.c.aggregate, out.c.epoch, out.c.seq).limit(_PAGE))]
        yield from page
        if len(page) < _PAGE:
            return
        after = (page[-1].aggregate, page[-1].epoch, page[-1].seq)


def _replay_all(crossing: Crossing, copy: Copy, aggregates: list[list[Envelope]]) -> int:
    """Replay aggregates, as many in one transaction as fit a write turn."""
    left = list(aggregates)
    count = 0
    while left:
        taken = crossing.target.write(partial(_replay_some, crossing, copy, left))
        count += sum(len(facts) for facts in left[:taken])
        left = left[taken:]
    return count


def _replay_some(crossing: Crossing, copy: Copy, aggregates: list[list[Envelope]], connection: Connection) -> int:
    until = time.monotonic() + _TURN_S
    for index, facts in enumerate(aggregates):
        for position, fact in enumerate(facts):
            uow = UnitOfWork(crossing.target, connection, system_context("facts rebuild"),
                             derived_id(fact.fact_id, "apply"), crossing.target.clock.now())
            if position == 0 and copy.forget is not None:
                copy.forget(uow, fact.aggregate)
            for handler in crossing.handlers.get(fact.kind, ()):
                handler(uow, fact, fact.opened)
        if time.monotonic() > until:
            return index + 1
    return len(aggregates)
