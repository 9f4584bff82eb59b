"""Connections that dawdle are closed: a request has so long to arrive, whole, after its first octet.

The server itself only limits the idle time between requests; a thousand half-sent requests would hold it for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: A hall's slowest line sends 256 KiB in this time; a new connection must say something within it too.
ARRIVE_WITHIN_S = 20.0


class TimedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 with a time limit on the way in."""

    arrive_within_s = ARRIVE_WITHIN_S
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_request()

    def on_message_begin(self) -> None:
        self._wait_for_request()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._done_waiting()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._done_waiting()
        super().connection_lost(exc)

    def _wait_for_request(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(self.arrive_within_s, self._give_up)

    def _done_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        self.transport.close()
