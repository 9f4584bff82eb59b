"""What presenters need of the background: run this, then tell me. No Qt here; server_call.py is the Qt side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


class Cancelled(Exception):
    """The job noticed that nobody waits for it any more."""


class Ticket:
    """Handed to the job in the background: reports progress and learns whether it is still wanted."""

    def __init__(self, on_progress: Callable[[Any], None] | None = None) -> None:
        self._on_progress = on_progress
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Say that the result is not wanted. What was already sent to the server is not undone by this."""
        self._cancelled.set()

    def progress(self, news: Any) -> None:
        """Tell how far the job is. Raises Cancelled where nobody waits any more."""
        if self.cancelled:
            raise Cancelled
        if self._on_progress is not None:
            self._on_progress(news)

    def sleep(self, seconds: float) -> None:
        """Wait; raises Cancelled at once when cancelled meanwhile."""
        if self._cancelled.wait(seconds):
            raise Cancelled


Job = Callable[[Ticket], T]


class CallHandle(Protocol):
    """What the caller keeps of a running call."""

    def cancel(self) -> None:
        """Drop the result: neither success nor failure will be told."""
        ...


class Runner(Protocol):
    """Runs jobs in the background and tells the outcome on the caller's own thread."""

    def run(
        self,
        job: Job[T],
        *,
        success: Callable[[T], None],
        failure: Callable[[Exception], None] | None = None,
        progress: Callable[[Any], None] | None = None,
    ) -> CallHandle:
        """Start ``job``; without ``failure`` the message bridge tells the teller what went wrong."""
        ...


class LatestOnly(Generic[T]):
    """Keeps only the newest of a series of calls: starting one drops the result of the one before.

    A search typed letter by letter must not show an old answer after a newer one.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._current: CallHandle | None = None

    def run(
        self, job: Job[T], *, success: Callable[[T], None], failure: Callable[[Exception], None] | None = None
    ) -> None:
        self.drop()
        self._current = self._runner.run(job, success=success, failure=failure)

    def drop(self) -> None:
        """Forget the running call, if there is one."""
        if self._current is not None:
            self._current.cancel()
            self._current = None
