"""Simulators: the other side as a real server on the real protocol, keeping real state, with a menu of faults.

They ship for training and for tests, are started by name and reached by address; nothing takes one in place of the
real system. A simulator of a stream or datagram protocol builds on ``Simulator``; one of an HTTP interface on
``simulation_http.HttpSimulator``. What it does with a request is a ``Turn``: the reply, and the effect apart from it,
so that an acknowledgement can be given without one.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from server_api.business.provisioning.contract import Scalar


class Fault(StrEnum):
    """The menu: what real systems and wires do to their clients."""

    DELAY = "delay"
    NO_REPLY = "no_reply"
    LATE_REPLY = "late_reply"
    CUT = "cut"
    DUPLICATE = "duplicate"
    ACK_WITHOUT_EFFECT = "ack_without_effect"
    WRONG_ECHO = "wrong_echo"
    GARBAGE = "garbage"
    LOGIN_REFUSED = "login_refused"
    SESSION_EXPIRED = "session_expired"
    BUSY = "busy"


class Kind(StrEnum):
    """What a request is, as far as faults go."""

    LOGIN = "login"
    READ = "read"
    WRITE = "write"


#: Which faults may befall which kind of request.
BEFALLS: Mapping[Kind, frozenset[Fault]] = {
    Kind.LOGIN: frozenset(Fault) - {Fault.ACK_WITHOUT_EFFECT, Fault.SESSION_EXPIRED, Fault.WRONG_ECHO},
    Kind.READ: frozenset(Fault) - {Fault.ACK_WITHOUT_EFFECT, Fault.LOGIN_REFUSED},
    Kind.WRITE: frozenset(Fault) - {Fault.LOGIN_REFUSED},
}


@dataclass
class Rule:
    """One line of the menu: the fault, on which requests, the next ``count`` of them or with a probability."""

    fault: Fault
    on: Kind | None = None
    count: int = 0
    probability: float = 0.0


@dataclass
class FaultMenu:
    """Decides which request meets which fault. The same seed and requests give the same faults.

    ``delay_s`` is for DELAY (shorter than the adapters' time-outs), ``late_s`` for LATE_REPLY (longer).
    """

    rules: list[Rule] = field(default_factory=list)
    seed: int = 0
    delay_s: float = 0.05
    late_s: float = 2.0
    met: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def add(
        self, fault: Fault | str, *, on: Kind | str | None = None, count: int = 0, probability: float = 0.0
    ) -> None:
        """Put a fault on the menu."""
        self.rules.append(Rule(Fault(fault), None if on is None else Kind(on), count, probability))

    def clear(self) -> None:
        """No faults any more."""
        self.rules.clear()

    def draw(self, kind: Kind) -> Fault | None:
        """The fault that this request meets, or None."""
        for rule in self.rules:
            if rule.on not in (None, kind) or rule.fault not in BEFALLS[kind]:
                continue
            if rule.count > 0:
                rule.count -= 1
            elif not rule.probability or self.chance.random() >= rule.probability:
                continue
            self.met[rule.fault] = self.met.get(rule.fault, 0) + 1
            return rule.fault
        return None


@dataclass(frozen=True)
class Turn:
    """What a simulator does with one request: the reply, and the effect where the request changes something.

    ``wrong_echo`` is the reply as if to somebody else's request, where the protocol echoes. ``effect`` must be called
    at most once; it calls ``Simulator.happened`` when, and only when, it changes state.
    """

    reply: bytes
    effect: Callable[[], None] | None = None
    wrong_echo: bytes | None = None


class Link(Protocol):
    """The client's end of a connection, as a simulator uses it."""

    async def send(self, data: bytes) -> None:
        """Send bytes to the client."""
        ...

    def cut(self) -> None:
        """Break the connection without a word (nothing, for datagrams)."""
        ...


@dataclass(frozen=True)
class Effect:
    """One change of state that took place."""

    subscriber: str
    what: str


class Simulator(ABC):
    """A simulated system. ``start`` opens its port and the control port; use ``async with``.

    ``book`` is its state: subscriber → fields, named as in the manifest's ``state`` fields.
    """

    #: The adapter's folder.
    system: ClassVar[str]

    def __init__(self, menu: FaultMenu | None = None, *, port: int = 0, control_port: int | None = None) -> None:
        self.menu = menu or FaultMenu()
        self.port = port
        self.book: dict[str, dict[str, Scalar]] = {}
        self.effects: list[Effect] = []
        self.requests = 0
        self._control_port = control_port
        self._control: Any = None

    # ---- what each simulator fills in ----
    @abstractmethod
    async def open(self, port: int) -> int:
        """Begin to listen on loopback; returns the port (``port`` 0 = any free one)."""

    @abstractmethod
    async def shut(self) -> None:
        """Stop listening and break what is connected."""

    @abstractmethod
    def settings(self) -> Mapping[str, Scalar]:
        """The manifest settings with which an adapter reaches this simulator; secrets by name among them."""

    # ---- what it has ----
    async def start(self) -> None:
        """Open the simulated system and, where one is wanted, its control port."""
        self.port = await self.open(self.port)
        if self._control_port is not None:
            from server_api.business.provisioning.simulation_http import ControlPort  # it stands on this module

            self._control = ControlPort(self)
            self._control_port = await self._control.open(self._control_port)

    async def stop(self) -> None:
        """Close both ports. The state stays, and ``start`` brings it back on the same port."""
        await self.shut()
        if self._control is not None:
            await self._control.shut()
            self._control = None

    @property
    def control_port(self) -> int | None:
        return self._control_port

    async def __aenter__(self) -> Simulator:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def happened(self, subscriber: str, what: str) -> None:
        """Keep that a request changed something; doubled effects are found by counting these."""
        self.effects.append(Effect(subscriber, what))

    async def answer(
        self, kind: Kind, link: Link, turn: Callable[[], Turn], refusals: Mapping[Fault, bytes] | None = None
    ) -> None:
        """Answer one request over the link with the fault it meets, if any.

        ``turn`` looks at the request and is not called where it is lost on its way. ``refusals`` are the replies for
        LOGIN_REFUSED, SESSION_EXPIRED and BUSY; a protocol that has no such reply leaves it out and nothing happens.
        """
        self.requests += 1
        fault = self.menu.draw(kind)
        if fault in (Fault.LOGIN_REFUSED, Fault.SESSION_EXPIRED, Fault.BUSY):
            refusal = (refusals or {}).get(fault)
            if refusal is not None:
                await link.send(refusal)
                return
            fault = None
        if fault in (Fault.NO_REPLY, Fault.CUT, Fault.GARBAGE) and self.menu.chance.random() < 0.5:
            reply = b"\xff\x00?" * 4  # lost before it was understood: no effect
        else:
            done = turn()
            if done.effect is not None and fault is not Fault.ACK_WITHOUT_EFFECT:
                done.effect()
            reply = done.wrong_echo if fault is Fault.WRONG_ECHO and done.wrong_echo is not None else done.reply
        await self._send(link, fault, reply)

    async def _send(self, link: Link, fault: Fault | None, reply: bytes) -> None:
        if fault is Fault.NO_REPLY:
            return
        if fault is Fault.CUT:
            await link.send(reply[: len(reply) // 2])
            link.cut()
            return
        if fault is Fault.GARBAGE:
            reply = self.menu.chance.randbytes(max(8, len(reply) // 3))
        elif fault is Fault.DELAY:
            await asyncio.sleep(self.menu.delay_s)
        elif fault is Fault.LATE_REPLY:
            await asyncio.sleep(self.menu.late_s)
        await link.send(reply)
        if fault is Fault.DUPLICATE:
            await link.send(reply)


class StreamLink:
    """A link over a TCP connection; a client that has gone is no error."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, data: bytes) -> None:
        if self._writer.is_closing():
            return
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            self._writer.close()

    def cut(self) -> None:
        self._writer.transport.abort()


class StreamSimulator(Simulator):
    """A simulator on TCP: ``converse`` handles one connection until the client goes."""

    def __init__(self, menu: FaultMenu | None = None, *, port: int = 0, control_port: int | None = None) -> None:
        super().__init__(menu, port=port, control_port=control_port)
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def converse(self, reader: asyncio.StreamReader, link: StreamLink) -> None:
        """Serve one connection; return when it is over. Each connection has a task of its own."""

    async def open(self, port: int) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def shut(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        try:
            await self.converse(reader, StreamLink(writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went, or the simulator is stopped: both are an end of the talk
        finally:
            self._talks.discard(talk)
            writer.close()
