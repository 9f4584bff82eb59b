"""The dispatcher: threads of the worker that carry facts both ways as soon as they are committed.

Per direction one thread for what somebody waits for and one for bulk, so the second never delays the first. A thread
wakes when its process commits (``poke``) and otherwise looks every ``poll_s``. Lanes are leased by a conditional
UPDATE: with several workers each lane has one sender, and a dead one's lanes are free when its lease runs out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from server_api.platform.database import Database
from server_api.platform.dialects import Trouble
from server_api.platform.facts.dispatcher import BATCH, Crossing, deliver_lanes
from server_api.platform.facts.outbox import BULK_LANES, INTERACTIVE_LANES
from shared_models.values.faults.base import Fault

_log = logging.getLogger("onehall.facts")
POLL_S = 0.03
LEASE_S = 10.0
_AWAY_PAUSE_S = 1.0
#: After a small round a short rest, so that the next one carries more: a round costs a commit on either side.
_GATHER_S = 0.01


class Lanes:
    """The lanes of one sending database that this thread holds."""

    def __init__(self, source: Database, lanes: Sequence[int], lease_s: float = LEASE_S) -> None:
        self._source = source
        self._lanes = tuple(lanes)
        self._lease_s = lease_s
        self._held: set[int] = set()
        self._renew_at = 0.0

    def held(self) -> set[int]:
        """The lanes that are mine now; claims free ones and prolongs mine when half the lease is over."""
        if time.monotonic() >= self._renew_at:
            self._held = self._source.write(self._claim)
            self._renew_at = time.monotonic() + self._lease_s / 2
        return self._held

    def _claim(self, connection: Connection) -> set[int]:
        table = self._source.platform.lane
        now = self._source.clock.now()
        me, until = self._source.worker_name, now + timedelta(seconds=self._lease_s)
        there = set(connection.execute(select(table.c.lane_no).where(table.c.lane_no.in_(self._lanes))).scalars())
        for lane_no in sorted(set(self._lanes) - there):
            _insert_lane(self._source, connection, lane_no)
        mine = set()
        for lane_no in self._lanes:
            free = or_(table.c.worker == me, table.c.worker.is_(None), table.c.lease_until < now)
            claimed = update(table).where(table.c.lane_no == lane_no, free).values(worker=me, lease_until=until)
            if connection.execute(claimed).rowcount == 1:
                mine.add(lane_no)
        return mine

    def release(self) -> None:
        """Give every lane back, so that another worker need not wait for the lease."""
        table = self._source.platform.lane
        self._held = set()
        self._source.write(lambda connection: connection.execute(
            update(table).where(table.c.lane_no.in_(self._lanes), table.c.worker == self._source.worker_name)
            .values(worker=None, lease_until=None)))


def _insert_lane(source: Database, connection: Connection, lane_no: int) -> None:
    try:
        with connection.begin_nested():
            connection.execute(insert(source.platform.lane).values(lane_no=lane_no))
    except DBAPIError as error:
        if source.dialect.classify(error) is not Trouble.DUPLICATE:
            raise


class Dispatcher:
    """Carries facts over every crossing until it is closed."""

    def __init__(self, crossings: Sequence[Crossing], poll_s: float = POLL_S, lease_s: float = LEASE_S) -> None:
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._wakes: list[tuple[Database, threading.Event]] = []
        for crossing in crossings:
            for name, lanes in (("facts", INTERACTIVE_LANES), ("bulk-facts", BULK_LANES)):
                wake = threading.Event()
                crossing.source.after_commit.append(wake.set)
                self._wakes.append((crossing.source, wake))
                own = Crossing(crossing.source, crossing.target, crossing.handlers, crossing.firsts)
                self._threads.append(threading.Thread(
                    target=self._run, args=(own, Lanes(crossing.source, lanes, lease_s), wake),
                    name=f"{name}-from-{crossing.source.role}", daemon=True))

    def start(self) -> None:
        """Begin to carry."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish the batch at hand, give the lanes back and end."""
        self._stop.set()
        for source, wake in self._wakes:
            wake.set()
            if wake.set in source.after_commit:
                source.after_commit.remove(wake.set)
        for thread in self._threads:
            thread.join(timeout=30)

    def _run(self, crossing: Crossing, lanes: Lanes, wake: threading.Event) -> None:
        while not self._stop.is_set():
            try:
                moved = self._deliver(crossing, lanes, wake)
            except Fault as trouble:
                self._pause(crossing, trouble)
                continue
            except Exception:  # noqa: BLE001 - said below why
                # A defect here must not end the thread: nothing would cross any more and nobody would see why.
                _log.exception("facts from %s stopped for a moment", crossing.source.role)
                self._stop.wait(_AWAY_PAUSE_S)
                continue
            if not moved:
                wake.wait(self._poll_s)
            elif moved < BATCH:
                self._stop.wait(_GATHER_S)
        self._give_back(crossing, lanes)

    def _deliver(self, crossing: Crossing, lanes: Lanes, wake: threading.Event) -> int:
        wake.clear()
        held = lanes.held()
        if not held:
            return 0
        return deliver_lanes(crossing, sorted(held))

    def _pause(self, crossing: Crossing, trouble: Fault) -> None:
        _log.warning("facts from %s wait: %s", crossing.source.role, trouble)
        self._stop.wait(_AWAY_PAUSE_S)

    @staticmethod
    def _give_back(crossing: Crossing, lanes: Lanes) -> None:
        try:
            lanes.release()
        except Fault as trouble:
            _log.warning("lanes of %s were not given back: %s", crossing.source.role, trouble)
