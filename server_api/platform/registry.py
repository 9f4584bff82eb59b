"""Who hears what: each slice says it in ``wire(wiring)`` of its jobs.py, server_api/wiring.py lists them.

Nothing here knows a slice. ``Wiring`` only collects; worker, API, ``check-books`` and ``facts rebuild`` read it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from server_api.platform.database import Database, Databases, Role
from server_api.platform.facts.firsts import Firsts, FirstsHandler
from server_api.platform.facts.receiver import Handler
from server_api.platform.jobs import JobFunction
from server_api.platform.unit_of_work import Listener
from shared_models.contracts.events import Payload
from shared_models.values.money import Fen


@dataclass(frozen=True)
class Finding:
    """What one invariant found: how many rows and how much money it looked at, and each case where it does not hold."""

    counted: int = 0
    amount: Fen | None = None
    wrong: tuple[str, ...] = ()
    wrong_count: int | None = None

    @property
    def holds(self) -> bool:
        return not self.wrong and not self.wrong_count


#: Looks at one database (or, for invariants between the sides, at both) and says what it found. Never writes.
InvariantCheck = Callable[[Database], Finding]
CrossCheck = Callable[[Databases], Finding]


@dataclass(frozen=True)
class Invariant:
    """A rule of the books, by name; its words are ``invariant.<name>`` in resources/translations."""

    name: str
    role: Role | None
    check: Callable[[Any], Finding]


@dataclass(frozen=True)
class CopyRow:
    """One row of a copy as both sides should see it: its key, and a digestible text of what matters."""

    key: str
    content: str


@dataclass(frozen=True)
class Copy:
    """What ``role`` keeps of the other side.

    ``kinds`` are the facts it is built from; ``rows`` reads what is kept; ``empty`` clears it before a rebuild inside
    the transaction it is given. Where ``empty`` is None the copy is compared and added to, never overwritten.
    """

    name: str
    role: Role
    kinds: tuple[str, ...]
    rows: Callable[[Database], Sequence[CopyRow]]
    truth: Callable[[Database], Sequence[CopyRow]] | None = None
    forget: Callable[[Any, str], None] | None = None


class Companion(Protocol):
    """Something that runs beside a worker's jobs for as long as the worker does, in threads of its own."""

    def start(self) -> None:
        """Begin; returns at once."""
        ...

    def close(self) -> None:
        """End cleanly and wait for it."""
        ...


@dataclass(frozen=True)
class CalendarEntry:
    """A job that the calendar starts: ``cron`` is minute hour day month weekday in Asia/Shanghai."""

    name: str
    role: Role
    kind: str
    cron: str
    arguments: dict[str, Any] = field(default_factory=dict)


class Wiring:
    """All that slices have said about who hears what."""

    def __init__(self) -> None:
        self.handlers: dict[Role, dict[str, tuple[Handler, ...]]] = {"business": {}, "billing": {}}
        self._firsts: dict[Role, dict[str, tuple[FirstsHandler, ...]]] = {"business": {}, "billing": {}}
        self.listeners: dict[Role, dict[type, list[Listener]]] = {"business": {}, "billing": {}}
        self.jobs: dict[Role, dict[str, JobFunction]] = {"business": {}, "billing": {}}
        self.calendar: list[CalendarEntry] = []
        self.invariants: list[Invariant] = []
        self.copies: dict[str, Copy] = {}
        self.companions: list[Callable[[Databases], Companion]] = []

    def hear_fact(
        self, role: Role, payload: type[Payload], handler: Handler, firsts: FirstsHandler | None = None
    ) -> None:
        """``role`` applies facts of this class with ``handler(uow, envelope, payload)``, in its own transaction.

        ``firsts(uow, [(envelope, payload), …])`` does the same for the first facts of many aggregates at once, as
        imports tell them; it may count on knowing none of them.
        """
        kinds = self.handlers[role]
        kinds[payload.__name__] = (*kinds.get(payload.__name__, ()), handler)
        if firsts is not None:
            many = self._firsts[role]
            many[payload.__name__] = (*many.get(payload.__name__, ()), firsts)

    def firsts(self, role: Role) -> Firsts:
        """The handlers of first facts, for the kinds where every hearer has one."""
        heard = self.handlers[role]
        return {kind: many for kind, many in self._firsts[role].items() if len(many) == len(heard[kind])}

    def listen(self, role: Role, news: type, listener: Listener) -> None:
        """``listener(uow, news)`` runs inside the transaction that announces ``news`` on that side."""
        self.listeners[role].setdefault(news, []).append(listener)

    def job(self, role: Role, kind: str, function: JobFunction) -> None:
        """The worker runs jobs of ``kind`` enqueued on that side with ``function(run: JobRun)``."""
        if kind in self.jobs[role]:
            raise ValueError(f"two functions for jobs of kind {kind} on {role}")
        self.jobs[role][kind] = function

    def beside(self, make: Callable[[Databases], Companion]) -> None:
        """Every worker makes one of these, starts it with itself and closes it before its databases."""
        self.companions.append(make)

    def at(self, cron: str, role: Role, kind: str, name: str = "", **arguments: Any) -> None:
        """Enqueue a job whenever the calendar says so (five cron fields, Asia/Shanghai), once for all workers."""
        self.calendar.append(CalendarEntry(name or kind, role, kind, cron, arguments))

    def invariant(self, role: Role, name: str, check: InvariantCheck) -> None:
        """A rule of one side's books for ``check-books`` and the nightly run."""
        self.invariants.append(Invariant(name, role, check))

    def cross_invariant(self, name: str, check: CrossCheck) -> None:
        """A rule between the two sides."""
        self.invariants.append(Invariant(name, None, check))

    def copy(self, copy: Copy) -> None:
        """A copy that ``facts rebuild`` compares and mends."""
        if copy.name in self.copies:
            raise ValueError(f"two copies are called {copy.name}")
        self.copies[copy.name] = copy

    def attach(self, databases: Databases) -> None:
        """Give each database its in-transaction listeners."""
        databases.business.listeners = self.listeners["business"]
        databases.billing.listeners = self.listeners["billing"]
