"""RADIUS accounting as it happens: UDP messages in, stored durably, then answered.

What is waiting is taken together, stored in one transaction and answered after it: the answer is the promise that the
message will be rated, and a server keeps and repeats what was not answered. So a database that is away loses nothing.
Strangers, wrong signatures and more than a server may send are not answered; they are counted.

**Source:** RFC 2866 section 3 (authenticators); RFC 5080 section 2.2.2 (a repeated request gets the reply it had).
"""

from __future__ import annotations

import hashlib
import logging
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyrad.dictionary import Dictionary  # type: ignore[import-untyped]
from pyrad.packet import AcctPacket, PacketError  # type: ignore[import-untyped]

import resources
from server_api.billing.usage import store as usage_store
from server_api.billing.usage.formats.accounting_files import Note, believed, note_of, rules
from server_api.billing.usage.radius.clients import Client, client_of
from server_api.billing.usage.radius.files import pool_row
from server_api.billing.usage.radius.take import HeardMeanwhile, take_batch
from server_api.platform.database import Database
from shared_models.tables.billing.usage import usage_pool
from shared_models.values.clock import town_day
from shared_models.values.faults.base import Fault
from shared_models.values.period import Month

_log = logging.getLogger(__name__)
_MOST_BYTES = 4_096
#: So many are stored in one turn: a teller's payment waits for no more than some milliseconds of them.
_AT_ONCE = 100
_WAIT_S = 0.2
_REMEMBERED = 20_000
_ACCOUNTING_REQUEST = 4
_Address = tuple[Any, ...]


@dataclass
class Counts:
    """What came and what became of it."""

    received: int = 0
    answered: int = 0
    repeated: int = 0
    strangers: int = 0
    bad_signature: int = 0
    too_many: int = 0
    set_aside: int = 0
    not_stored: int = 0


@dataclass
class _Allowance:
    """What a server may still send; refilled with time."""

    left: int
    at_ns: int


@dataclass
class Listener:
    """A bound socket and what it needs to answer."""

    database: Database
    clients: list[Client]
    socket: socket.socket
    counts: Counts = field(default_factory=Counts)
    _dictionary: Dictionary = field(init=False)
    _replies: OrderedDict[bytes, bytes] = field(default_factory=OrderedDict)
    _allowances: dict[str, _Allowance] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._dictionary = Dictionary(str(resources.path("usage", "radius_dictionary")))
        self.socket.settimeout(_WAIT_S)

    def serve(self, stopped: Callable[[], bool]) -> None:
        """Take and answer messages until asked to stop; what was taken is answered first."""
        while not stopped():
            self.turn()

    def turn(self) -> int:
        """Wait a moment for messages, store those that came, answer them; how many came."""
        arrived = self._arrived()
        wanted: list[tuple[AcctPacket, _Address, bytes, Note]] = []
        for data, address in arrived:
            self.counts.received += 1
            taken = self._taken(data, address)
            if taken is not None:
                wanted.append(taken)
        if wanted and self._stored([note for _packet, _address, _key, note in wanted]):
            for packet, address, key, _note in wanted:
                self._answer(packet, address, key)
        return len(arrived)

    def _arrived(self) -> list[tuple[bytes, _Address]]:
        found: list[tuple[bytes, _Address]] = []
        try:
            found.append(self.socket.recvfrom(_MOST_BYTES))
            self.socket.setblocking(False)
            while len(found) < _AT_ONCE:
                found.append(self.socket.recvfrom(_MOST_BYTES))
        except (TimeoutError, BlockingIOError):
            return found
        except ConnectionError:  # the last one we answered is no more; its message will come again
            return found
        finally:
            self.socket.settimeout(_WAIT_S)
        return found

    def _taken(self, data: bytes, address: _Address) -> tuple[AcctPacket, _Address, bytes, Note] | None:
        """The message of a datagram that may be stored; None for what is not to be, or is answered already."""
        client = client_of(self.clients, str(address[0]))
        if client is None:
            self.counts.strangers += 1
            return None
        if not self._allowed(client):
            self.counts.too_many += 1
            return None
        key = hashlib.sha256(repr(address).encode() + data).digest()
        if key in self._replies:
            self.counts.repeated += 1
            self.socket.sendto(self._replies[key], address)
            return None
        try:
            packet = AcctPacket(packet=data, secret=client.secret, dict=self._dictionary)
            signed = packet.code == _ACCOUNTING_REQUEST and packet.VerifyAcctRequest()
        except (PacketError, ValueError, IndexError, KeyError, UnicodeError):
            signed = False
        if not signed:
            self.counts.bad_signature += 1
            return None
        now_s = int(self.database.clock.now().timestamp())
        return packet, address, key, believed(_note(packet, str(address[0]), now_s, data), now_s)

    def _allowed(self, client: Client) -> bool:
        most, now = rules()["messages_per_second"], time.monotonic_ns()
        allowance = self._allowances.setdefault(client.name, _Allowance(most, now))
        refill = (now - allowance.at_ns) * most // 1_000_000_000
        if refill:
            allowance.left, allowance.at_ns = min(most, allowance.left + refill), now
        if allowance.left <= 0:
            return False
        allowance.left -= 1
        return True

    def _stored(self, notes: list[Note]) -> bool:
        """Store the messages, and those that are none in the error pool; False where that failed."""
        try:
            take_batch(self.database, [note.message for note in notes if note.message is not None], live=True)
            self._set_aside([note for note in notes if note.message is None])
        except (Fault, HeardMeanwhile, OSError):
            self.counts.not_stored += len(notes)
            _log.exception("accounting messages could not be stored; they are not answered and will come again")
            return False
        return True

    def _set_aside(self, notes: list[Note]) -> None:
        if not notes:
            return
        month = Month.of(town_day(self.database.clock.now())).yyyymm
        rows = {note.place: pool_row(month, 0, note.place, note) for note in notes}
        with self.database.batch() as conn:
            known = usage_store.pooled_in_piece(conn, 0, [month], min(rows), max(rows) + 1)
            fresh = [row for place, row in sorted(rows.items()) if place not in known]
            self.database.bulk_insert(conn, usage_pool, usage_store.POOL_COLUMNS, fresh)
        self.counts.set_aside += len(fresh)

    def _answer(self, packet: AcctPacket, address: _Address, key: bytes) -> None:
        reply = packet.CreateReply()
        for state in packet.get(33, []):  # what a proxy wrote goes back as it came
            reply.setdefault(33, []).append(state)
        data = reply.ReplyPacket()
        self._replies[key] = data
        while len(self._replies) > _REMEMBERED:
            self._replies.popitem(last=False)
        self.socket.sendto(data, address)
        self.counts.answered += 1


def _note(packet: AcctPacket, address: str, now_s: int, data: bytes) -> Note:
    """A packet as a message, or the reason why it is none; its place is a number of its bytes."""
    found = {"nasipaddress": address, "timestamp": str(now_s)}
    place = int.from_bytes(hashlib.sha256(data).digest()[:8], "big") >> 2
    raw = data.hex().upper()[:2_000]
    try:
        for name in packet.keys():
            if isinstance(name, str):
                found[name.replace("-", "").lower()] = str(packet[name][0])
    except (ValueError, IndexError, KeyError, UnicodeError):
        return Note(place, None, "not_a_number", raw)
    return note_of(place, found, raw)


def bound(host: str, port: int) -> socket.socket:
    """A UDP socket on that address, with room for a burst."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1_048_576)
    made.bind((host, port))
    return made
