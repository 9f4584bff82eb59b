"""Carrying facts across: one lane at a time, in order, up to 200 per receiving transaction.

What can go wrong with one fact, and what becomes of it:

* trouble of the database (deadlock, away, full): nothing was applied, the whole batch is sent again;
* a refusal that says "later" (``Fault.retry``): the aggregate rests a little and is tried again;
* a gap: the earlier facts are asked for again from the outbox;
* the sender was restored: it begins a new epoch (facts/replay.py);
* anything else is poison: tried once more alone, then its aggregate is parked and everybody else goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, bindparam, delete, select
from sqlalchemy.exc import DBAPIError

from server_api.platform.database import Database
from server_api.platform.dialects import Trouble
from server_api.platform.dialects.prepared import Prepared, savepoint
from server_api.platform.facts import parking
from server_api.platform.facts.firsts import Firsts, apply_firsts, firsts_among
from server_api.platform.facts.outbox import BULK_LANES, INTERACTIVE_LANES, lane_of
from server_api.platform.facts.reading import chained, envelope_of
from server_api.platform.facts.receiver import Envelope, FactGap, Handlers, SenderRestored, apply_fact
from server_api.platform.facts.replay import ask_again, begin_epoch
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.values.faults.base import Fault
from shared_models.values.ids import derived_id

BATCH = 200
#: On a single-writer database a receiving transaction is a write turn: it must not keep a teller waiting.
_TURN_S = 0.010
_SERVER_TURN_S = 0.25
_REST_S = 0.1
_LONGEST_REST_S = 10.0
_CONTEXT = system_context("facts")
ALL_LANES = tuple(INTERACTIVE_LANES) + tuple(BULK_LANES)


@dataclass(frozen=True)
class Crossing:
    """One direction: facts of ``source`` applied to ``target`` by ``handlers``.

    ``firsts`` are the handlers that take first facts many at once, by kind. ``resting`` holds what was told "later", by
    aggregate: until when (monotonic seconds) and how often.
    """

    source: Database
    target: Database
    handlers: Handlers
    firsts: Firsts = field(default_factory=dict)
    resting: dict[str, tuple[float, int]] = field(default_factory=dict, compare=False)


@dataclass
class _Round:
    """What became of the facts of one batch."""

    done: list[Envelope] = field(default_factory=list)
    gaps: list[tuple[Envelope, FactGap]] = field(default_factory=list)
    later: list[Envelope] = field(default_factory=list)
    poison: list[tuple[Envelope, Exception]] = field(default_factory=list)
    restored: SenderRestored | None = None
    one_by_one: bool = False

    def add(self, turn: _Round) -> None:
        """Add what became of the facts of one write turn."""
        self.done += turn.done
        self.gaps += turn.gaps
        self.later += turn.later
        self.poison += turn.poison
        if turn.restored is not None and (self.restored is None or self.restored.epoch < turn.restored.epoch):
            self.restored = turn.restored


def deliver_lane(crossing: Crossing, lane_no: int) -> int:
    """Send what waits in one lane, once; returns how many facts moved. The caller holds the lane's lease."""
    return deliver_lanes(crossing, (lane_no,))


def deliver_lanes(crossing: Crossing, lanes: Sequence[int]) -> int:
    """Send what waits in several lanes, at most BATCH facts, together; the caller holds their leases.

    One reading, as few receiving turns as it takes, and one turn to forget what was done: a turn for each lane kept
    the tellers of the sending side waiting for commits that moved one fact each.
    """
    batch = _waiting(crossing, lanes)
    if not batch:
        return 0
    outcome = _Round()
    while batch:
        # As many write turns as the batch needs: reading it again for each of them took longer than applying it.
        batch = _apply(crossing, batch, outcome)
    moved = len(outcome.done)
    for envelope, _error in outcome.poison:
        moved += _once_more(crossing, envelope, outcome)
    if outcome.done:
        crossing.source.write(lambda connection: _forget(crossing.source, connection, outcome.done))
        for envelope in outcome.done:
            crossing.resting.pop(envelope.aggregate, None)
    for envelope in outcome.later:
        _rest(crossing, envelope.aggregate)
    for envelope, gap in outcome.gaps:
        again = ask_again(crossing.source, envelope, gap)
        moved += again
        if not again:
            _rest(crossing, envelope.aggregate)
    if outcome.restored is not None:
        begin_epoch(crossing.source, at_least=outcome.restored.epoch)
        moved += 1
    return moved


def deliver_all(crossings: Sequence[Crossing], lanes: Sequence[int] = ALL_LANES) -> int:
    """Send everything until nothing moves any more. For tests, imports and tools; returns the number of facts."""
    total = 0
    while True:
        for crossing in crossings:
            crossing.resting.clear()
        moved = sum(deliver_lanes(crossing, lanes) for crossing in crossings)
        total += moved
        if not moved:
            return total


@cache
def _reading(out: Table, pending: Table, parked: Table) -> Select[Any]:
    """What waits in some lanes and does not rest, in order. Built once."""
    return (
        select(out)
        .join(pending, out.c.fact_id == pending.c.fact_id)
        .where(pending.c.lane_no.in_(bindparam("b_lanes", expanding=True)))
        .where(pending.c.aggregate.not_in(select(parked.c.aggregate)))
        .where(pending.c.aggregate.not_in(bindparam("b_resting", expanding=True)))
        .order_by(pending.c.aggregate, pending.c.epoch, pending.c.seq)
        .limit(BATCH)
    )


def _waiting(crossing: Crossing, lanes: Sequence[int]) -> list[Envelope]:
    tables = crossing.source.platform
    now = time.monotonic()
    resting = [aggregate for aggregate, (until, _times) in list(crossing.resting.items()) if until > now][:500]
    query = _reading(tables.fact_out, tables.fact_pending, tables.fact_parked)
    params = {"b_lanes": list(lanes), "b_resting": resting or ["-"]}
    with crossing.source.reading() as connection:
        return chained(crossing.source, connection, [envelope_of(row) for row in connection.execute(query, params)])


def _apply(crossing: Crossing, batch: list[Envelope], outcome: _Round) -> list[Envelope]:
    """Apply a batch in one receiving transaction, as much of it as fits a write turn; returns what is left of it.

    All of it in one savepoint, as if nothing could fail; where something does, that is undone and each fact gets a
    savepoint of its own.
    """
    target = crossing.target
    turn_s = _TURN_S if target.dialect.single_writer else _SERVER_TURN_S
    chunk = [] if outcome.one_by_one else firsts_among(batch, crossing.firsts)
    if chunk:
        if target.write(lambda connection: apply_firsts(target, connection, chunk, crossing.firsts)):
            outcome.done += chunk
            applied = {envelope.fact_id for envelope in chunk}
            return [envelope for envelope in batch if envelope.fact_id not in applied]
        outcome.one_by_one = True

    def work(connection: Connection) -> tuple[_Round, set[str], int]:
        together = _together(crossing, connection, batch, time.monotonic() + turn_s) if len(batch) > 1 else None
        if together is not None:
            return together[0], set(), together[1]
        turn = _Round()
        stopped: set[str] = set()
        until = time.monotonic() + turn_s
        for index, envelope in enumerate(batch):
            if envelope.aggregate in stopped:
                continue
            if turn.done and time.monotonic() > until:
                return turn, stopped, index
            if not _apply_one(crossing, connection, envelope, turn):
                stopped.add(envelope.aggregate)
        return turn, stopped, len(batch)

    turn, stopped, reached = target.write(work)
    outcome.add(turn)
    return [envelope for envelope in batch[reached:] if envelope.aggregate not in stopped]


def _together(
    crossing: Crossing, connection: Connection, batch: list[Envelope], until: float
) -> tuple[_Round, int] | None:
    """Apply facts until the turn is over, all or none; None where one failed. Raises trouble of the database."""
    turn = _Round()
    try:
        with savepoint(connection):
            for envelope in batch:
                if turn.done and time.monotonic() > until:
                    break
                apply_fact(_unit_of_work(crossing, connection, envelope), envelope, crossing.handlers)
                turn.done.append(envelope)
    except DBAPIError as error:
        if crossing.target.dialect.classify(error) in (Trouble.RETRY, Trouble.AWAY, Trouble.FULL):
            raise
        return None
    except Exception:  # noqa: BLE001 - which fact it was, and what becomes of it, is found out one by one
        return None
    return turn, len(turn.done)


def _unit_of_work(crossing: Crossing, connection: Connection, envelope: Envelope) -> UnitOfWork:
    act_id = derived_id(envelope.fact_id, "apply")
    return UnitOfWork(crossing.target, connection, _CONTEXT, act_id, crossing.target.clock.now())


def _apply_one(crossing: Crossing, connection: Connection, envelope: Envelope, outcome: _Round) -> bool:
    """Apply one fact in its own savepoint; False when its aggregate must not go on. Raises trouble of the database."""
    target = crossing.target
    try:
        with savepoint(connection):
            apply_fact(_unit_of_work(crossing, connection, envelope), envelope, crossing.handlers)
    except FactGap as gap:
        outcome.gaps.append((envelope, gap))
    except SenderRestored as restored:
        if outcome.restored is None or outcome.restored.epoch < restored.epoch:
            outcome.restored = restored
    except DBAPIError as error:
        # A deadlock has undone the whole transaction, and a full disk is not this fact's fault: all is sent again.
        if target.dialect.classify(error) in (Trouble.RETRY, Trouble.AWAY, Trouble.FULL):
            raise
        outcome.poison.append((envelope, error))
    except Fault as fault:
        if fault.retry:
            outcome.later.append(envelope)
        else:
            outcome.poison.append((envelope, fault))
    except Exception as error:  # noqa: BLE001 - a poison fact must not stop the others: it is parked, with its reason
        outcome.poison.append((envelope, error))
    else:
        outcome.done.append(envelope)
        return True
    return False


def _once_more(crossing: Crossing, envelope: Envelope, outcome: _Round) -> int:
    """Try a failing fact alone: another worker may have applied it meanwhile. Park its aggregate if it fails again."""
    again = _Round()
    _apply(crossing, [envelope], again)
    if again.done:
        outcome.done.append(envelope)
    elif again.later:
        outcome.later.append(envelope)
    elif again.poison:
        reason = again.poison[0][1]
        crossing.source.write(_parked(crossing.source, envelope, reason))
    return len(again.done)


def _parked(source: Database, envelope: Envelope, reason: Exception) -> Callable[[Connection], None]:
    return lambda connection: parking.park(source, connection, envelope, f"{type(reason).__name__}: {reason}")


def _rest(crossing: Crossing, aggregate: str) -> None:
    _until, times = crossing.resting.get(aggregate, (0.0, 0))
    pause_s = min(_REST_S * 2**times, _LONGEST_REST_S)
    crossing.resting[aggregate] = (time.monotonic() + pause_s, min(times + 1, 10))


@cache
def _forgetting(pending: Table) -> Prepared:
    return Prepared(delete(pending).where(and_(
        pending.c.lane_no == bindparam("b_lane_no"), pending.c.aggregate == bindparam("b_aggregate"),
        pending.c.epoch == bindparam("b_epoch"), pending.c.seq <= bindparam("b_seq"),
    )))


def _forget(source: Database, connection: Connection, done: list[Envelope]) -> None:
    """Take what the receiver has committed out of the small table of waiting facts; the log keeps it.

    What lies before a fact that was applied was applied too, in whichever lane it waits.
    """
    last: dict[tuple[str, int], int] = {}
    for envelope in done:
        key = (envelope.aggregate, envelope.epoch)
        last[key] = max(last.get(key, 0), envelope.seq)
    _forgetting(source.platform.fact_pending).many(connection, [
        {"b_lane_no": lane_of(aggregate, bulk), "b_aggregate": aggregate, "b_epoch": epoch, "b_seq": seq}
        for (aggregate, epoch), seq in last.items() for bulk in (False, True)
    ])
