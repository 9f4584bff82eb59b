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

from sqlalchemy import Connection, and_, delete, select
from sqlalchemy.exc import DBAPIError

from server_api.platform.database import Database
from server_api.platform.dialects import Trouble
from server_api.platform.facts import parking
from server_api.platform.facts.outbox import BULK_LANES, INTERACTIVE_LANES
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
ALL_LANES = tuple(INTERACTIVE_LANES) + tuple(BULK_LANES)


@dataclass(frozen=True)
class Crossing:
    """One direction: facts of ``source`` applied to ``target`` by ``handlers``.

    ``resting`` holds what was told "later", by lane and aggregate: until when (monotonic seconds) and how often.
    """

    source: Database
    target: Database
    handlers: Handlers
    resting: dict[tuple[int, str], tuple[float, int]] = field(default_factory=dict, compare=False)


@dataclass
class _Round:
    """What became of the facts of one batch."""

    done: list[Envelope] = field(default_factory=list)
    gaps: list[tuple[Envelope, FactGap]] = field(default_factory=list)
    later: list[Envelope] = field(default_factory=list)
    poison: list[tuple[Envelope, Exception]] = field(default_factory=list)
    restored: SenderRestored | None = None

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
    batch = _waiting(crossing, lane_no)
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
        crossing.source.write(lambda connection: _forget(crossing.source, connection, lane_no, outcome.done))
        for envelope in outcome.done:
            crossing.resting.pop((lane_no, envelope.aggregate), None)
    for envelope in outcome.later:
        _rest(crossing, lane_no, envelope.aggregate)
    for envelope, gap in outcome.gaps:
        again = ask_again(crossing.source, envelope, gap)
        moved += again
        if not again:
            _rest(crossing, lane_no, envelope.aggregate)
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
        moved = sum(deliver_lane(crossing, lane_no) for crossing in crossings for lane_no in lanes)
        total += moved
        if not moved:
            return total


def lanes_with_work(source: Database, lanes: Sequence[int]) -> list[int]:
    """The lanes in which something waits."""
    pending = source.platform.fact_pending
    with source.reading() as connection:
        return [int(row.lane_no) for row in connection.execute(
            select(pending.c.lane_no).where(pending.c.lane_no.in_(lanes)).group_by(pending.c.lane_no))]


def _waiting(crossing: Crossing, lane_no: int) -> list[Envelope]:
    tables = crossing.source.platform
    pending, out, parked = tables.fact_pending, tables.fact_out, tables.fact_parked
    now = time.monotonic()
    resting = [aggregate for (lane, aggregate), (until, _times) in list(crossing.resting.items())
               if lane == lane_no and until > now][:500]
    query = (
        select(out)
        .join(pending, out.c.fact_id == pending.c.fact_id)
        .where(pending.c.lane_no == lane_no)
        .where(pending.c.aggregate.not_in(select(parked.c.aggregate)))
        .order_by(pending.c.aggregate, pending.c.epoch, pending.c.seq)
        .limit(BATCH)
    )
    if resting:
        query = query.where(pending.c.aggregate.not_in(resting))
    with crossing.source.reading() as connection:
        return chained(crossing.source, connection, [envelope_of(row) for row in connection.execute(query)])


def _apply(crossing: Crossing, batch: list[Envelope], outcome: _Round) -> list[Envelope]:
    """Apply a batch in one receiving transaction, as much of it as fits a write turn; returns what is left of it."""
    target = crossing.target
    turn_s = _TURN_S if target.dialect.single_writer else _SERVER_TURN_S

    def work(connection: Connection) -> tuple[_Round, set[str], int]:
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


def _apply_one(crossing: Crossing, connection: Connection, envelope: Envelope, outcome: _Round) -> bool:
    """Apply one fact in its own savepoint; False when its aggregate must not go on. Raises trouble of the database."""
    target = crossing.target
    act_id = derived_id(envelope.fact_id, "apply")
    uow = UnitOfWork(target, connection, system_context("facts"), act_id, target.clock.now())
    try:
        with connection.begin_nested():
            apply_fact(uow, envelope, crossing.handlers)
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


def _rest(crossing: Crossing, lane_no: int, aggregate: str) -> None:
    _until, times = crossing.resting.get((lane_no, aggregate), (0.0, 0))
    pause_s = min(_REST_S * 2**times, _LONGEST_REST_S)
    crossing.resting[lane_no, aggregate] = (time.monotonic() + pause_s, min(times + 1, 10))


def _forget(source: Database, connection: Connection, lane_no: int, done: list[Envelope]) -> None:
    """Take what the receiver has committed out of the small table of waiting facts; the log keeps it."""
    table = source.platform.fact_pending
    last: dict[tuple[str, int], int] = {}
    for envelope in done:
        key = (envelope.aggregate, envelope.epoch)
        last[key] = max(last.get(key, 0), envelope.seq)
    for (aggregate, epoch), seq in last.items():
        connection.execute(delete(table).where(and_(
            table.c.lane_no == lane_no, table.c.aggregate == aggregate, table.c.epoch == epoch, table.c.seq <= seq,
        )))
