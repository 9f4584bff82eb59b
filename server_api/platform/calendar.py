"""The calendar: jobs that begin at certain times, once, however many workers look at the clock.

Every worker works the fire times out (APScheduler's cron triggers) and enqueues the job under an id that follows from
the entry and the fire time; the primary key of the job table lets one of them win. What fell due while no worker ran
is made up for at the next start, once, if it is less than a day old.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import select

from server_api.platform import jobs
from server_api.platform.database import Database, Databases
from server_api.platform.registry import CalendarEntry
from shared_models.values.clock import TOWN_ZONE
from shared_models.values.faults.base import Fault
from shared_models.values.ids import derived_id

_log = logging.getLogger("onehall.calendar")
_MAKE_UP = timedelta(days=1)


class Calendar:
    """Looks at the clock and enqueues what has fallen due since it last looked."""

    def __init__(self, databases: Databases, entries: Sequence[CalendarEntry]) -> None:
        self._databases = databases
        self._entries = [(entry, CronTrigger.from_crontab(entry.cron, timezone=TOWN_ZONE)) for entry in entries]
        self._looked: dict[str, datetime] = {}

    def look(self) -> int:
        """Enqueue what is due; returns how many jobs. A side that is away is looked at again next time."""
        count = 0
        for entry, trigger in self._entries:
            database = self._databases.of(entry.role)
            try:
                count += self._look(database, entry, trigger)
            except Fault as trouble:
                _log.warning("calendar entry %s waits: %s", entry.name, trouble)
        return count

    def _look(self, database: Database, entry: CalendarEntry, trigger: CronTrigger) -> int:
        now = database.clock.now()
        since = self._looked.get(entry.name)
        if since is None:
            since = max(now - _MAKE_UP, _installed_at(database, now))
        due = _last_fire(trigger, since, now)
        if due is not None:
            # Of several that were missed only the last is run: each of these jobs does all there is to do.
            jobs.enqueue_now(database, entry.kind, entry.arguments, derived_id("calendar", entry.name, due.isoformat()))
        self._looked[entry.name] = now
        return int(due is not None)


def _last_fire(trigger: CronTrigger, since: datetime, now: datetime) -> datetime | None:
    """The last fire time in (since, now], or None."""
    found = None
    fire = trigger.get_next_fire_time(None, since + timedelta(microseconds=1))
    while fire is not None and fire <= now:
        found = fire
        fire = trigger.get_next_fire_time(fire, fire + timedelta(microseconds=1))
    return found


def _installed_at(database: Database, now: datetime) -> datetime:
    """Since when this side exists: a fresh one has missed nothing."""
    side = database.platform.side
    with database.reading() as connection:
        row = connection.execute(select(side.c.epoch_since).where(side.c.role == database.role)).one_or_none()
    return now if row is None else row.epoch_since
