"""ServerCall: runs a function in a thread pool and brings its outcome back to the GUI thread by one signal.

A job never touches a widget. The shape is that of Anki's QueryOp: a function for the background, a success, a failure,
progress, cancel; where no failure is given, the message bridge speaks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from desktop_client.work.runner import Cancelled, Job, Ticket

T = TypeVar("T")
log = logging.getLogger(__name__)
#: Enough for a search, a preview, the resuming courier and a print job at once; each keeps one warm connection.
WORKERS = 4


class ServerCall:
    """One running call. ``cancel`` drops its outcome; a callback runs at most once and only on the GUI thread."""

    def __init__(
        self,
        success: Callable[[Any], None],
        failure: Callable[[Exception], None],
        progress: Callable[[Any], None] | None,
    ) -> None:
        self.ticket = Ticket()
        self._success = success
        self._failure = failure
        self._progress = progress

    def cancel(self) -> None:
        self.ticket.cancel()

    def deliver(self, kind: str, value: Any) -> None:
        """Called on the GUI thread with what the job brought."""
        if self.ticket.cancelled:
            return
        if kind == "progress":
            if self._progress is not None:
                self._progress(value)
        elif kind == "done":
            self._success(value)
        else:
            self._failure(value)


class ServerCalls(QObject):
    """The pool. Signals: ``busy_changed(bool)`` when the first call starts and the last one ends."""

    busy_changed = Signal(bool)
    _news = Signal(object)

    def __init__(self, unhandled: Callable[[Exception], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="server-call")
        self._unhandled = unhandled
        self._running: set[ServerCall] = set()
        self._closed = False
        self._news.connect(self._on_news, Qt.ConnectionType.QueuedConnection)

    @property
    def running(self) -> int:
        """How many calls have not told their outcome yet."""
        return len(self._running)

    def is_running(self, call: ServerCall) -> bool:
        """True until the call's outcome was told or dropped."""
        return call in self._running

    def run(
        self,
        job: Job[T],
        *,
        success: Callable[[T], None],
        failure: Callable[[Exception], None] | None = None,
        progress: Callable[[Any], None] | None = None,
    ) -> ServerCall:
        """Start a job; must be called on the GUI thread, returns at once."""
        call = ServerCall(success, failure or self._unhandled, progress)
        call.ticket = Ticket(lambda news: self._tell((call, "progress", news)))
        self._running.add(call)
        if len(self._running) == 1:
            self.busy_changed.emit(True)
        self._pool.submit(self._work, call, job)
        return call

    def _work(self, call: ServerCall, job: Job[Any]) -> None:
        """Runs in the pool. Every end, also a programming error, comes back as one piece of news."""
        try:
            outcome = (call, "done", job(call.ticket))
        except Cancelled:
            outcome = (call, "dropped", None)
        except Exception as problem:  # noqa: BLE001 - told to the caller on the GUI thread, never swallowed
            outcome = (call, "failed", problem)
        self._tell(outcome)

    def _tell(self, news: tuple[ServerCall, str, Any]) -> None:
        if not self._closed:
            self._news.emit(news)

    @Slot(object)
    def _on_news(self, news: tuple[ServerCall, str, Any]) -> None:
        call, kind, value = news
        if kind != "progress":
            self._running.discard(call)
        if kind == "failed" and call.ticket.cancelled:
            log.info("a dropped call failed: %r", value)
        if kind != "dropped":
            call.deliver(kind, value)
        if not self._running and kind != "progress":
            self.busy_changed.emit(False)

    def close(self, wait: bool = False) -> None:
        """Take no more jobs and tell no more news; running requests end by their own timeouts."""
        self._closed = True
        for call in self._running:
            call.cancel()
        self._pool.shutdown(wait=wait, cancel_futures=True)


class CallGroup:
    """The calls of one workspace: when it goes, none of its callbacks may touch widgets that went with it.

    What a job does on the server or in the journal goes on; only its news has nobody to be told to.
    """

    def __init__(self, calls: ServerCalls) -> None:
        self._calls = calls
        self._mine: set[ServerCall] = set()
        self._closed = False

    def run(
        self,
        job: Job[T],
        *,
        success: Callable[[T], None],
        failure: Callable[[Exception], None] | None = None,
        progress: Callable[[Any], None] | None = None,
    ) -> ServerCall:
        """As ServerCalls.run; the call ends with the group."""
        self._mine = {call for call in self._mine if self._calls.is_running(call)}
        call = self._calls.run(job, success=success, failure=failure, progress=progress)
        self._mine.add(call)
        if self._closed:
            call.cancel()
        return call

    def close(self) -> None:
        """Tell no more news."""
        self._closed = True
        for call in self._mine:
            call.cancel()
