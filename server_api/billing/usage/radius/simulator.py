"""An access server that sends accounting, as badly as real ones do: for training, tests and trying a network.

Sessions begin, tell their counters now and then, and stop. Messages may be lost on the way, sent twice, answered too
late (so they come again), and sent out of order. What a session used in the end is what its stop says; the simulator
knows it, so that a test can compare.

**Source:** RFC 2866; RFC 5080 section 2.2.1 (retransmission).
"""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyrad.dictionary import Dictionary  # type: ignore[import-untyped]
from pyrad.packet import AcctPacket, PacketError  # type: ignore[import-untyped]

import resources
from server_api.billing.usage.formats.accounting_files import INTERIM, START, STOP

_IDS = 256
_ROUND = 2**32


@dataclass(frozen=True)
class Faults:
    """How often, of a thousand messages, something goes wrong."""

    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    unheard_answer: int = 0


@dataclass(frozen=True)
class SimulatedSession:
    """A session and what it used in the end."""

    login: str
    session: str
    start_s: int
    duration_s: int
    octets_in: int
    octets_out: int


@dataclass
class AccessServer:
    """Sends the messages of sessions to an accounting server and repeats what was not answered."""

    to: tuple[str, int]
    secret: bytes
    faults: Faults = Faults()
    seed: int = 1
    name: str = "sim-1"
    wait_s: float = 0.3
    sent: int = 0
    answered: int = 0
    _chance: random.Random = field(init=False)
    _dictionary: Dictionary = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._dictionary = Dictionary(str(resources.path("usage", "radius_dictionary")))

    def sessions(self, logins: Sequence[str], count: int, now_s: int) -> list[SimulatedSession]:
        """Sessions that ended within the last hours, some of them of more than four gigabytes."""
        made = []
        for number in range(count):
            duration = self._chance.randrange(60, 7_200)
            made.append(
                SimulatedSession(
                    login=logins[number % len(logins)],
                    session=f"{self.name}-{self.seed:x}-{number:06x}",
                    start_s=now_s - duration - self._chance.randrange(3_600),
                    duration_s=duration,
                    octets_in=self._chance.randrange(3 * _ROUND),
                    octets_out=self._chance.randrange(_ROUND),
                )
            )
        return made

    def run(self, sessions: Sequence[SimulatedSession], interims: int = 3) -> int:
        """Send all messages of the sessions until each is answered; how many were given up (0 when all is well)."""
        steps = [(one, step) for step in range(interims + 2) for one in sessions]
        for at in range(len(steps) - 1):
            if self._happens(self.faults.out_of_order):
                other = self._chance.randrange(at, min(at + 50, len(steps)))
                steps[at], steps[other] = steps[other], steps[at]
        given_up = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.settimeout(self.wait_s)
            for number, (one, step) in enumerate(steps):
                given_up += not self._told(line, self._packet(number % _IDS, one, step, interims + 1))
        return given_up

    def _packet(self, number: int, one: SimulatedSession, step: int, last: int) -> AcctPacket:
        seconds = one.duration_s * step // last
        octets_in, octets_out = one.octets_in * step // last, one.octets_out * step // last
        packet = AcctPacket(id=number, secret=self.secret, dict=self._dictionary)
        values: dict[str, str | int] = {
            "User-Name": one.login,
            "NAS-Identifier": self.name,
            "NAS-IP-Address": "192.0.2.1",
            "Acct-Session-Id": one.session,
            "Acct-Status-Type": START if step == 0 else STOP if step == last else INTERIM,
            "Acct-Session-Time": seconds,
            "Acct-Input-Octets": octets_in % _ROUND,
            "Acct-Input-Gigawords": octets_in // _ROUND,
            "Acct-Output-Octets": octets_out % _ROUND,
            "Acct-Output-Gigawords": octets_out // _ROUND,
            "Event-Timestamp": one.start_s + seconds,
        }
        for name, value in values.items():
            packet[name] = value
        return packet

    def _told(self, line: socket.socket, packet: AcctPacket) -> bool:
        """Send a message until it is answered, ten times at most."""
        data = packet.RequestPacket()
        for _try in range(10):
            self.sent += 1
            if not self._happens(self.faults.lost):
                line.sendto(data, self.to)
            if self._happens(self.faults.doubled):
                line.sendto(data, self.to)
            if self._answered(line, packet) and not self._happens(self.faults.unheard_answer):
                self.answered += 1
                return True
        return False

    def _answered(self, line: socket.socket, packet: AcctPacket) -> bool:
        while True:
            try:
                reply = line.recv(4_096)
            except (TimeoutError, ConnectionError):
                return False
            try:
                made = packet.CreateReply(packet=reply)
                if reply[1] == packet.id and packet.VerifyReply(made, reply):
                    return True
            except (PacketError, ValueError, IndexError):
                continue

    def _happens(self, per_mille: int) -> bool:
        return self._chance.randrange(1_000) < per_mille
