"""The worker: a process of its own that carries facts, runs jobs and looks at the calendar."""

from __future__ import annotations

import logging
import threading

from server_api.platform.calendar import Calendar
from server_api.platform.database import Database, Databases
from server_api.platform.facts.dispatcher import Crossing
from server_api.platform.facts.runner import Dispatcher
from server_api.platform.jobs import run_next
from server_api.platform.registry import Wiring
from shared_models.values.faults.base import Fault

_log = logging.getLogger("onehall.worker")
_IDLE_S = 0.3
_CALENDAR_S = 5.0
_TROUBLE_S = 1.0


class Worker:
    """Everything that runs beside the API. ``start`` returns at once; ``close`` ends it cleanly."""

    def __init__(
        self, databases: Databases, wiring: Wiring, crossings: tuple[Crossing, ...], *, job_threads: int = 1,
    ) -> None:
        self._databases = databases
        self._wiring = wiring
        self._dispatcher = Dispatcher(crossings)
        self._calendar = Calendar(databases, wiring.calendar)
        self._companions = [make(databases) for make in wiring.companions]
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._run_jobs, args=(database,), name=f"{database.role}-jobs-{number}", daemon=True)
            for database in (databases.business, databases.billing) for number in range(job_threads)
        ]
        self._threads.append(threading.Thread(target=self._watch_calendar, name="calendar", daemon=True))

    def start(self) -> None:
        """Begin all of it."""
        self._dispatcher.start()
        for thread in self._threads:
            thread.start()
        for companion in self._companions:
            companion.start()

    def close(self, timeout_s: float = 20.0) -> None:
        """Stop taking work and wait for what is at hand; a job still running is resumed by the next worker."""
        self._stop.set()
        for companion in self._companions:
            companion.close()
        self._dispatcher.close()
        for thread in self._threads:
            thread.join(timeout=timeout_s)

    def _run_jobs(self, database: Database) -> None:
        functions = self._wiring.jobs[database.role]
        while not self._stop.is_set():
            try:
                ran = run_next(database, functions)
            except Fault as trouble:
                _log.warning("jobs of %s wait: %s", database.role, trouble)
                self._stop.wait(_TROUBLE_S)
                continue
            except Exception:  # noqa: BLE001 - said below why
                # A defect in the machinery must not end the thread: no job would run any more.
                _log.exception("jobs of %s stopped for a moment", database.role)
                self._stop.wait(_TROUBLE_S)
                continue
            if not ran:
                self._stop.wait(_IDLE_S)

    def _watch_calendar(self) -> None:
        while not self._stop.is_set():
            try:
                self._calendar.look()
            except Exception:  # noqa: BLE001 - said below why
                # The same: without this thread no night would bring its jobs.
                _log.exception("the calendar stopped for a moment")
            self._stop.wait(_CALENDAR_S)
