"""What provisioning is asked and what it tells the slices above it, in their transactions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from server_api.business.provisioning.contract import Scalar


class Lane(StrEnum):
    """Interactive work never waits behind bulk work; bulk work keeps to the night where a system says so."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class Priority(IntEnum):
    """Lower goes first: who paid is waiting for his dial tone, who owes is not waiting to lose it."""

    RESUME = 10
    NORMAL = 50
    SUSPEND = 90


class End(StrEnum):
    """How a command ends."""

    DONE = "done"
    REFUSED = "refused"
    MANUAL = "manual"
    """It waits for a person; another end follows."""
    CANCELLED = "cancelled"
    """Withdrawn by the one who asked, before it was begun. Nobody is told."""


@dataclass(frozen=True)
class NewTask:
    """One thing wanted of a system. ``system`` is the name under which this installation knows it."""

    system: str
    subscriber: str
    act: str
    wanted: Mapping[str, Scalar] = field(default_factory=dict)
    lane: Lane = Lane.INTERACTIVE
    priority: Priority = Priority.NORMAL
    not_before_at: datetime | None = None


@dataclass(frozen=True)
class TaskEnded:
    """News: a command ended (done, refused) or waits for a person (manual); in the transaction that stores it."""

    task_id: str
    order_id: str
    item_id: str
    outcome: End
    code: str
    text: str
