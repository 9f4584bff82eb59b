"""Simulators of HTTP interfaces, and the control port that every simulator has (HTTP on loopback).

Raw replies over a bare connection, because no web framework will cut a reply in half or send it twice. The control
port answers GET /state (``?subscriber=``), GET /effects, GET /faults and takes POST /faults
(``{"fault":"no_reply","on":"write","count":3,"probability":0.1}``), DELETE /faults, POST /state
(``{"subscriber":"…","fields":{…}}``: somebody changed it behind our back; fields null = gone).
"""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httptools

from server_api.business.provisioning.simulation import (
    Fault,
    FaultMenu,
    Kind,
    Simulator,
    StreamLink,
    StreamSimulator,
    Turn,
)

_READ = 65536
_WORDS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


@dataclass
class Request:
    """One HTTP request: path without its query, the query, headers (names in lower case), the body."""

    method: str = ""
    path: str = ""
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Any:
        """The body as JSON; raises ValueError."""
        return json.loads(self.body)


class _Assembler:
    """Collects what httptools parses into requests."""

    def __init__(self) -> None:
        self.whole: list[Request] = []
        self._request, self._url = Request(), b""
        self.parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self._request, self._url = Request(), b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._request.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._request.body += body

    def on_message_complete(self) -> None:
        url = urlsplit(self._url.decode("latin-1"))
        self._request.method = self.parser.get_method().decode()
        self._request.path, self._request.query = url.path, dict(parse_qsl(url.query, keep_blank_values=True))
        self.whole.append(self._request)


async def requests_of(reader: asyncio.StreamReader) -> AsyncIterator[Request]:
    """Every request of one connection; ends when the client goes or talks nonsense."""
    assembler = _Assembler()
    while data := await reader.read(_READ):
        try:
            assembler.parser.feed_data(data)
        except httptools.HttpParserError:
            return
        whole, assembler.whole = assembler.whole, []
        for request in whole:
            yield request


def http_reply(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole HTTP reply with a JSON body."""
    body = json.dumps(content, ensure_ascii=False).encode()
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    head = (
        f"HTTP/1.1 {status} {_WORDS.get(status, 'Status')}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{more}\r\n"
    )
    return head.encode() + body


class HttpSimulator(StreamSimulator):
    """A simulator of an HTTP interface: ``handle`` says what a request is and what it does."""

    @abstractmethod
    def handle(self, request: Request) -> tuple[Kind, Callable[[], Turn]]:
        """What kind of request it is, and the turn that answers it (called only where it is understood)."""

    @abstractmethod
    def refusals(self, request: Request) -> Mapping[Fault, bytes]:
        """The replies for LOGIN_REFUSED, SESSION_EXPIRED and BUSY."""

    async def converse(self, reader: asyncio.StreamReader, link: StreamLink) -> None:
        async for request in requests_of(reader):
            kind, turn = self.handle(request)
            await self.answer(kind, link, turn, self.refusals(request))


class ControlPort(StreamSimulator):
    """The control port of a simulator: faults set, state read and changed. On loopback only."""

    system = "control"

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(FaultMenu())
        self._of = simulator

    def settings(self) -> Mapping[str, Any]:
        return {}

    async def converse(self, reader: asyncio.StreamReader, link: StreamLink) -> None:
        async for request in requests_of(reader):
            try:
                await link.send(self._answered(request))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                await link.send(http_reply({"error": str(error)}, 400))

    def _answered(self, request: Request) -> bytes:
        of = self._of
        match request.method, request.path:
            case "GET", "/state":
                one = request.query.get("subscriber")
                return http_reply(of.book if one is None else {one: of.book.get(one)})
            case "GET", "/effects":
                return http_reply([[effect.subscriber, effect.what] for effect in of.effects])
            case "GET", "/faults":
                rules = [vars(rule) for rule in of.menu.rules]
                return http_reply({"rules": rules, "met": of.menu.met, "requests": of.requests})
            case "POST", "/faults":
                rule = request.json()
                of.menu.add(
                    rule["fault"],
                    on=rule.get("on"),
                    count=int(rule.get("count", 0)),
                    probability=float(rule.get("probability", 0)),
                )
                return http_reply({"rules": len(of.menu.rules)})
            case "DELETE", "/faults":
                of.menu.clear()
                return http_reply({"rules": 0})
            case "POST", "/state":
                change = request.json()
                if change["fields"] is None:
                    of.book.pop(change["subscriber"], None)
                else:
                    of.book.setdefault(change["subscriber"], {}).update(change["fields"])
                return http_reply({change["subscriber"]: of.book.get(change["subscriber"])})
            case _:
                return http_reply({"error": "GET /state /effects /faults, POST /faults /state, DELETE /faults"}, 404)
