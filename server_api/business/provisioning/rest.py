"""HTTP to an outside system, with what can go wrong told apart: never sent, sent and not answered, answered."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp.client_proto import ResponseHandler

from server_api.business.provisioning.contract import Answer, Exchange, Outcome
from shared_models.values.clock import SystemClock

_CLOCK = SystemClock()
_SHOWN = 4000
#: Before these nothing of ours had been read by anybody.
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


@dataclass(frozen=True)
class RestReply:
    """A reply that is whole and JSON: the HTTP status, the content, and the exchange for the transcript."""

    status: int
    content: Any
    exchange: Exchange
    retry_after_s: float | None = None

    @property
    def envelope(self) -> Mapping[str, Any]:
        """The content where it is an object, else an empty one."""
        return self.content if isinstance(self.content, dict) else {}


class _WholeReplies(ResponseHandler):
    """A connection on which something came that nobody asked for is not used again.

    A reply sent twice would be taken for the answer to the next request, and every later one be one behind.
    """

    def is_connected(self) -> bool:
        return super().is_connected() and not self.should_close


class RestLink:
    """Requests to one base address over kept connections. ``verify`` False takes self-signed certificates."""

    def __init__(self, base: str, *, timeout_s: float, verify: bool = True, connections: int = 16) -> None:
        self._base = base.rstrip("/") + "/"
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=timeout_s)
        self._verify = verify
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._retired: list[tuple[float, aiohttp.ClientSession]] = []

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        content: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> RestReply | Answer:
        """Ask once. An Answer is UNREACHABLE (surely not sent) or UNKNOWN (sent, no reply that can be believed).

        What is asked may be found out safely by asking again; whether it may be *written* again, the caller decides.
        """
        url = self._base + path.lstrip("/") + (f"?{urlencode(query)}" if query else "")
        body, more = _body(form, content)
        sent = f"{method} {url}\n{'' if body is None else body.decode()}".rstrip()
        at = _CLOCK.now()
        try:
            async with self._opened().request(method, url, data=body, headers={**more, **(headers or {})}) as reply:
                raw = await reply.read()
                status, after = reply.status, reply.headers.get("Retry-After", "")
        except _NOT_SENT as error:
            return _answer(Outcome.UNREACHABLE, "CONNECT", error, sent, at)
        except (TimeoutError, aiohttp.ClientError) as error:
            return _answer(Outcome.UNKNOWN, "NO_REPLY", error, sent, at)
        text = raw.decode("utf-8", "replace")
        exchange = Exchange(sent, f"{status}\n{text[:_SHOWN]}", at)
        try:
            return RestReply(status, json.loads(text), exchange, float(after) if after.isdigit() else None)
        except ValueError:
            return Answer(Outcome.UNKNOWN, "GARBAGE", f"{status}: no JSON", exchanges=(exchange,))

    async def renew(self) -> None:
        """Ask on fresh connections from now on; what is under way on the old ones ends there.

        After a refusal: on a connection that is one reply behind, the refusal and the look after it are both stale.
        """
        now = time.monotonic()
        if self._session is not None:
            self._retired.append((now, self._session))
            self._session = None
        keep_s = 2 * (self._timeout.total or 0.0)
        over = [session for since, session in self._retired if now - since > keep_s]
        self._retired = [one for one in self._retired if now - one[0] <= keep_s]
        for session in over:
            await session.close()

    async def close(self) -> None:
        """Close the kept connections."""
        session, self._session = self._session, None
        retired, self._retired = self._retired, []
        for one in [session, *(old for _since, old in retired)]:
            if one is not None:
                await one.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            context: ssl.SSLContext | bool = True
            if not self._verify:
                context = ssl.create_default_context()
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            connector = aiohttp.TCPConnector(limit=self._connections, ssl=context)
            connector._factory = partial(_WholeReplies, loop=asyncio.get_running_loop())  # type: ignore[assignment]
            self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._session


def _body(form: Mapping[str, str] | None, content: object) -> tuple[bytes | None, dict[str, str]]:
    if form is not None:
        return urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if content is not None:
        return json.dumps(content, ensure_ascii=False).encode(), {"Content-Type": "application/json"}
    return None, {}


def _answer(outcome: Outcome, code: str, error: Exception, sent: str, at: datetime) -> Answer:
    return Answer(outcome, code, str(error) or type(error).__name__, exchanges=(Exchange(sent, "", at),))
