"""Who is calling: tokens believed for a minute, then checked against the business database.

The check is a read (and, once a minute, a note that the session is in use), never part of an act. When the business
database does not answer, sessions already known go on for ``GRACE_S``: the hall keeps taking money.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from server_api.faces.edge.tokens import Pass, TokenMaker
from shared_models.values.clock import Clock
from shared_models.values.faults.common import DatabaseAway, NotSignedIn, TooBusy

log = logging.getLogger("onehall.faces")

#: How long a session is believed without asking.
BELIEVED_S = 50.0
#: How long work goes on while the business database does not answer.
GRACE_S = 15 * 60.0
#: A session nobody used for this long has ended.
IDLE_LIMIT = timedelta(minutes=30)
_REMEMBERED = 4_096


class Standing(Protocol):
    """How a stored session stands."""

    @property
    def ended(self) -> bool: ...
    @property
    def last_used_at(self) -> datetime: ...


class SessionBook(Protocol):
    """Where sessions are kept (the business side's staff slice)."""

    def standing(self, session_id: str) -> Standing | None: ...
    def note_used(self, session_id: str, at: datetime) -> None: ...


@dataclass(slots=True)
class _Known:
    held: Pass
    checked: float
    heard: float


class Sessions:
    """Reads tokens, remembers them for a minute, and asks the book when the minute is over."""

    def __init__(
        self,
        tokens: TokenMaker,
        book: SessionBook,
        clock: Clock,
        *,
        believed_s: float = BELIEVED_S,
        grace_s: float = GRACE_S,
        idle_limit: timedelta = IDLE_LIMIT,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._book = book
        self._clock = clock
        self._believed_s = believed_s
        self._grace_s = grace_s
        self._idle_limit = idle_limit
        self._tick = tick
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._guard = threading.Lock()

    def stamp(self, purpose: str, text: str) -> str:
        """A short proof by this server's key (see TokenMaker.stamp)."""
        return self._tokens.stamp(purpose, text)

    def begin(self, held: Pass) -> str:
        """Sign a token for a session that was just stored."""
        token = self._tokens.sign(held)
        self._remember(token, _Known(held, self._tick(), self._tick()))
        return token

    def believed(self, token: str) -> Pass | None:
        """The pass of a token checked within the last minute; None where ``check`` must be asked. Never blocks."""
        known = self._known.get(token)
        if known is None or self._tick() - known.checked > self._believed_s:
            return None
        self._refuse_expired(known.held)
        return known.held

    def check(self, token: str) -> Pass:
        """Read a token and ask the book whether its session still stands. Blocks on the database.

        Raises NotSignedIn; DatabaseAway where the session is unknown here and the book cannot be asked.
        """
        known = self._known.get(token)
        held = known.held if known is not None else self._tokens.read(token)
        self._refuse_expired(held)
        session_id = held.context.session_id
        try:
            standing = self._book.standing(session_id)
            if standing is None or standing.ended or self._clock.now() - standing.last_used_at > self._idle_limit:
                self.forget(session_id)
                raise NotSignedIn()
            self._book.note_used(session_id, self._clock.now())
        except (DatabaseAway, TooBusy):
            if known is None or self._tick() - known.heard > self._grace_s:
                raise
            log.warning("business database does not answer: session %s goes on unchecked", session_id[:8])
            self._remember(token, _Known(held, self._tick(), known.heard))
            return held
        self._remember(token, _Known(held, self._tick(), self._tick()))
        return held

    def forget(self, session_id: str) -> None:
        """Drop a session here at once (it was ended through this process)."""
        with self._guard:
            for token in [token for token, known in self._known.items() if known.held.context.session_id == session_id]:
                del self._known[token]

    def _refuse_expired(self, held: Pass) -> None:
        expires_at = held.context.expires_at
        if expires_at is None or expires_at <= self._clock.now():
            raise NotSignedIn()

    def _remember(self, token: str, known: _Known) -> None:
        with self._guard:
            self._known[token] = known
            self._known.move_to_end(token)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
