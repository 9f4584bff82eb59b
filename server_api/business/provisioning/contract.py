"""What an outside system is to us: an adapter that plans, executes and reads back. An acknowledgement is not a state.

An adapter is a folder of ``adapters/``: manifest.toml (see manifest.py), ``adapter.py`` with ``connect(site)``,
``wire.py`` (the pure codec), ``simulator.py`` with ``build(...)`` and ``story(n)`` (see simulation.py). The engine
calls ``plan``, ``execute`` and ``read_back`` of one subscriber one after the other, and of different subscribers at
the same time: an adapter with one session takes its own turns.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

#: What a field of a task or of a system's state may be.
Scalar = str | int | bool | None


class Outcome(StrEnum):
    """What came of asking a system."""

    DONE = "done"
    ALREADY = "already"
    """The system said what was wanted before anything was written."""
    REFUSED = "refused"
    """The system understood and will not, however often it is asked."""
    BUSY = "busy"
    """Not now: ask again, after ``retry_after_s`` where it is given. Nothing was changed."""
    UNREACHABLE = "unreachable"
    """Nothing was sent, or we were not let in (``code`` AUTH): surely nothing was changed."""
    UNKNOWN = "unknown"
    """Sent, and no answer that can be believed. Read back before anything else."""


#: ``Answer.code`` of an UNREACHABLE that a password, not a wire, is the cause of.
AUTH = "AUTH"


@dataclass(frozen=True)
class Task:
    """One thing wanted of one system for one subscriber.

    ``subscriber`` is the system's own key (number, login, card, ONU id); ``act`` one of the manifest's acts;
    ``wanted`` that act's fields, checked against the manifest before the adapter sees them.
    """

    task_id: str
    subscriber: str
    act: str
    wanted: Mapping[str, Scalar] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field as text; empty where it is not given."""
        value = self.wanted.get(name)
        return "" if value is None else str(value)


@dataclass(frozen=True)
class Step:
    """One request as it will go out, readable; the engine masks secrets before it is stored or shown."""

    name: str
    request: str


@dataclass(frozen=True)
class Exchange:
    """One request and what came back ("" = nothing), as text; the engine masks secrets before it is stored."""

    sent: str
    received: str
    at: datetime


@dataclass(frozen=True)
class Plan:
    """What will be written. ``read_back`` must need nothing but ``task``: after a crash the steps are gone.

    ``exchanges`` is what ``plan`` asked to find out.
    """

    task: Task
    steps: tuple[Step, ...]
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came of it, with the system's own code and words."""

    outcome: Outcome
    code: str = ""
    text: str = ""
    retry_after_s: float | None = None
    exchanges: tuple[Exchange, ...] = ()


class Adapter(Protocol):
    """One connected system. Methods never raise for what a system or a wire does: that is an Answer."""

    async def plan(self, task: Task) -> Plan | Answer:
        """Read the state and decide what to write; change nothing.

        An Answer ends the attempt: ALREADY and REFUSED end the task, BUSY and UNREACHABLE are tried again. A read that
        got no answer is UNREACHABLE: nothing was changed.
        """
        ...

    async def execute(self, plan: Plan) -> Answer:
        """Write the steps. A time-out or a cut after sending is UNKNOWN, never REFUSED."""
        ...

    async def read_back(self, plan: Plan) -> Answer:
        """DONE where the system now says what was wanted, else BUSY (``code`` NOT_YET) where it says something else.

        No answer is UNREACHABLE. Acts the manifest calls ``readable = false`` answer UNKNOWN: nobody can tell.
        """
        ...

    def states(self) -> AsyncIterator[tuple[str, Mapping[str, Scalar]]]:
        """Every subscriber the system knows with its state, for the nightly comparison; named as in the manifest."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


#: ``Answer.code`` of a read-back that found another state than the one wanted.
NOT_YET = "NOT_YET"
