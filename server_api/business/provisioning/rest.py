"""HTTP to an outside system, with what can go wrong told apart: never sent, sent and not answered, answered."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp

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


class RestLink:
    """Requests to one base address over kept connections. ``verify`` False takes self-signed certificates."""

    def __init__(self, base: str, *, timeout_s: float, verify: bool = True, connections: int = 16) -> None:
        self._base = base.rstrip("/") + "/"
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=timeout_s)
        self._verify = verify
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

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

    async def close(self) -> None:
        """Close the kept connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            context: ssl.SSLContext | bool = True
            if not self._verify:
                context = ssl.create_default_context()
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            connector = aiohttp.TCPConnector(limit=self._connections, ssl=context)
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
