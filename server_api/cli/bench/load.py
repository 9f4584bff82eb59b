"""A load client that costs little: keep-alive TLS connections on one event loop, each asking one thing at a time.

The usual HTTP clients cost more per request than the server under test and would measure themselves.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

CONNECT_TIMEOUT_S = 10.0
REPLY_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Reply:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """One keep-alive connection to the server."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply:
        """Send one request and read its whole reply. Raises OSError or TimeoutError where the server is gone."""
        reader, writer = self._reader, self._writer
        if reader is None or writer is None:
            opening = asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=1 << 20)
            opened = await asyncio.wait_for(opening, CONNECT_TIMEOUT_S)
            reader, writer = opened
            self._reader, self._writer = reader, writer
        head = [f"{method} {path} HTTP/1.1", f"Host: {self._host}:{self._port}", f"Content-Length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        return await asyncio.wait_for(self._read(reader), REPLY_TIMEOUT_S)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    @staticmethod
    async def _read(reader: asyncio.StreamReader) -> Reply:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            if name:
                headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Reply(int(head[0].split(" ", 2)[1]), headers, body)


@dataclass
class Tally:
    """What a load run saw. ``took_s`` are the times of the requests that succeeded."""

    took_s: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)
    span_s: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.took_s) / self.span_s if self.span_s else 0.0

    def quantile_ms(self, share: float) -> float:
        """The time below which this share of the requests stayed, in milliseconds."""
        ordered = sorted(self.took_s)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


#: Asks one thing on behalf of worker ``number``; returns an empty text, or what went wrong.
Ask = Callable[[int], Awaitable[str]]


async def drive(ask: Ask, *, workers: int, seconds: float, each_per_second: float | None) -> Tally:
    """Let workers ask for a while: each as fast as it is answered, or at a fixed pace (late starts are not forgiven).

    At a pace, the time of a request counts from when it was due, so a stall shows in every request it delayed.
    """
    tally = Tally()
    began = time.perf_counter()
    until = began + seconds

    async def worker(number: int) -> None:
        due = began + (number / workers / each_per_second if each_per_second else 0.0)
        while due < until:
            if each_per_second:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            start = due if each_per_second else time.perf_counter()
            if start >= until:
                return
            wrong = await ask(number)
            if wrong:
                tally.failures[wrong] = tally.failures.get(wrong, 0) + 1
            else:
                tally.took_s.append(time.perf_counter() - start)
            due = due + 1 / each_per_second if each_per_second else time.perf_counter()

    await asyncio.gather(*(worker(number) for number in range(workers)))
    tally.span_s = time.perf_counter() - began
    return tally
