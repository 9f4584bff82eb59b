"""Runners for tests: at once on the same thread, or when the test says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from desktop_client.work.runner import Cancelled, Ticket


class Handle:
    """What a call gives its caller."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket

    def cancel(self) -> None:
        self.ticket.cancel()


@dataclass
class AtOnce:
    """Runs every job where it stands. ``unhandled`` collects failures nobody took."""

    unhandled: list[Exception] = field(default_factory=list)

    def run(
        self, job: Callable[[Ticket], Any], *, success: Callable[[Any], None],
        failure: Callable[[Exception], None] | None = None, progress: Callable[[Any], None] | None = None,
    ) -> Handle:
        ticket = Ticket(progress)
        try:
            value = job(ticket)
        except Exception as problem:  # noqa: BLE001 - handed to the failure handler, as the real one does
            (failure or self.unhandled.append)(problem)
        else:
            success(value)
        return Handle(ticket)


@dataclass
class WhenTold:
    """Keeps jobs until ``next`` runs the oldest, or the one at a place: for answers that come out of order."""

    waiting: list[tuple[Any, ...]] = field(default_factory=list)

    def run(
        self, job: Callable[[Ticket], Any], *, success: Callable[[Any], None],
        failure: Callable[[Exception], None] | None = None, progress: Callable[[Any], None] | None = None,
    ) -> Handle:
        ticket = Ticket(progress)
        self.waiting.append((job, success, failure, ticket))
        return Handle(ticket)

    def next(self, at: int = 0) -> None:
        job, success, failure, ticket = self.waiting.pop(at)
        try:
            value = job(ticket)
        except Cancelled:
            return
        except Exception as problem:
            if ticket.cancelled:
                return
            if failure is None:
                raise
            failure(problem)
        else:
            if not ticket.cancelled:
                success(value)
