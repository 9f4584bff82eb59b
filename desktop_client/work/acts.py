"""Acts as this machine knows them: what a step is, how far it got, how it may end. Plain data, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

REPLY = "$reply"
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class ActState(StrEnum):
    """How far an act is, as far as this machine knows."""

    WAITING = "waiting"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One act of a plan: where it is posted and what it says.

    ``body`` and ``path`` may refer to replies of earlier steps of the same plan: see :mod:`desktop_client.work.plans`.
    ``title_key`` and ``title_params`` tell the teller what this act is, in any language.
    """

    name: str
    path: str
    body: dict[str, Any]
    title_key: str = ""
    title_params: dict[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An act in the journal."""

    act_id: str
    operation_id: str
    step_no: int
    step: Step
    state: ActState
    owner: str
    made_at: datetime
    tries: int = 0
    reply: dict[str, Any] | None = None


class JournalNotUsable(Exception):
    """The journal cannot be opened, read or written; nothing is sent that is not written down.

    ``reason`` is one of: key_missing, newer_client, cannot_write.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason} {detail}".strip())


def reply_of(step: str, field: str) -> dict[str, str]:
    """A place in a later step's body that an earlier step's reply will fill."""
    return {REPLY: f"{step}.{field}"}


class ActKept(Exception):
    """The outcome is not known yet; the act stays in the journal and will be sent again under the same id."""

    def __init__(self, entry: Entry, cause: Exception) -> None:
        self.entry = entry
        self.cause = cause
        super().__init__(entry.act_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an operation: the replies of its steps by name, in order."""

    operation_id: str
    replies: dict[str, dict[str, Any]]

    @property
    def last(self) -> dict[str, Any]:
        """The reply of the last step."""
        return self.replies[list(self.replies)[-1]]


def segment(text: str) -> str:
    """A text as one part of a path: whatever it holds, it names nothing else (RFC 3986 percent-encoding).

    Raises ValueError for an empty text and for dots, which every HTTP library takes for "here" and "above".
    """
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} names no part of a path")
    return "".join(
        character if character in _PLAIN else "".join(f"%{octet:02X}" for octet in character.encode("utf-8"))
        for character in text
    )
