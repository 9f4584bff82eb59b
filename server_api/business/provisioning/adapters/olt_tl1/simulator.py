"""A network manager to train and test against: TL1 over TCP, ONUs with their VLANs; alarms come in between.

Failure codes and the listing of VLANs are invented where they are not public (see the profile).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence

from server_api.business.provisioning.contract import Scalar, Task
from server_api.business.provisioning.simulation import Fault, FaultMenu, Kind, StreamLink, StreamSimulator, Turn

_USER, _PASSWORD = "onehall", "simulator"
_ENCODING = "gb18030"
_PIECE = 40
_ALARM_EVERY = 6
_HEAD = "\r\n   SIMULATED 2026-11-23 08:20:01\r\n"
_COMMAND = re.compile(r"^([A-Z\-]+)::([^:]*):([^:]*)::(.*);$", re.DOTALL)


def build(menu: FaultMenu | None = None, *, port: int = 0, control_port: int | None = None) -> OltSimulator:
    """A simulated network manager, not started."""
    return OltSimulator(menu, port=port, control_port=control_port)


def story(number: int) -> Sequence[Task]:
    """An ONU from its first day to its last."""
    onu = f"FHTT{number:08d}"
    where: dict[str, Scalar] = {"olt": "10.1.1.1", "pon": f"NA-NA-1-{number % 16 + 1}"}
    acts: list[tuple[str, dict[str, Scalar]]] = [
        ("open", {**where, "onu_type": "AN5506-04", "onu_name": f"kd{3_961_000 + number}"}),
        ("set_vlan", {**where, "vlan": 101}),
        ("set_vlan", {**where, "vlan": 205}),
        ("close", where),
    ]
    return [Task(f"{number}-{place}", onu, act, wanted) for place, (act, wanted) in enumerate(acts)]


class OltSimulator(StreamSimulator):
    """Keeps ONUs in ``book``; ``vlans`` by ONU and port."""

    system = "olt_tl1"

    def __init__(self, menu: FaultMenu | None = None, *, port: int = 0, control_port: int | None = None) -> None:
        super().__init__(menu, port=port, control_port=control_port)
        self.vlans: dict[str, dict[str, str]] = {}

    def settings(self) -> Mapping[str, Scalar]:
        """How an adapter reaches it."""
        return {"host": "127.0.0.1", "port": self.port, "user": _USER, "password": _PASSWORD}

    async def converse(self, reader: asyncio.StreamReader, link: StreamLink) -> None:
        signed_in = False
        while True:
            said = (await reader.readuntil(b";")).decode(_ENCODING).strip()
            found = _COMMAND.match(said)
            if found is None:
                return
            verb, where, tag, what = found.groups()
            if verb == "LOGOUT":
                return
            if self.requests % _ALARM_EVERY == _ALARM_EVERY - 1:
                await link.send(f"{_HEAD}*C 12 REPT ALM ONU\r\n   LOS\r\n;\r\n".encode(_ENCODING))
            kind = Kind.LOGIN if verb == "LOGIN" else Kind.READ if verb.startswith("LST") else Kind.WRITE
            if not signed_in and kind is not Kind.LOGIN:
                await link.send(_reply(tag, "DENY", "IIAC", "illegal session"))
                continue
            fields = {**_fields(where), **_fields(what)}
            if kind is Kind.LOGIN:
                signed_in = (fields.get("UN"), fields.get("PWD")) == (_USER, _PASSWORD)
                turn = Turn(_reply(tag) if signed_in else _reply(tag, "DENY", "PICC", "wrong password"))
                await self.answer(kind, link, _always(turn), _refusals(tag))
                continue
            await self.answer(kind, link, self._turn(verb, tag, fields), _refusals(tag))

    def _turn(self, verb: str, tag: str, fields: Mapping[str, str]) -> Callable[[], Turn]:
        return lambda: self._done(verb, tag, fields)

    def _done(self, verb: str, tag: str, fields: Mapping[str, str]) -> Turn:
        onu = fields.get("ONUID", "")
        if verb == "LST-ONU" and not onu:
            return Turn(self._all(tag))
        if verb == "ADD-ONU":
            if onu in self.book:
                return Turn(_reply(tag, "DENY", "IDNV", "ONU already exists"))
            return _taken(tag, lambda: self._add(onu, fields))
        if onu not in self.book:
            return Turn(_reply(tag, "DENY", "IRNE", "resource does not exist"))
        match verb:
            case "LST-ONU":
                return _listed(tag, ("OLTID", "PONID", "ONUNO", "NAME", "AUTHTYPE", "MAC"), [self._row(onu)])
            case "LST-PORTVLAN":
                return _listed(tag, ("ONUPORT", "CVLAN"), list(self.vlans.get(onu, {}).items()))
            case "LST-ONUSTATE":
                return _listed(tag, ("ONUID", "ADMINSTATE", "OPERSTATE"), [(onu, "Up", "Up")])
            case "LST-OMDDM":
                return _listed(tag, ("ONUID", "RXPOWER", "TXPOWER"), [(onu, "-18.62", "2.31")])
            case "DEL-ONU":
                return _taken(tag, lambda: self._delete(onu))
            case "CFG-LANPORTVLAN":
                return _taken(tag, lambda: self._tag_port(onu, fields["ONUPORT"], fields["CVLAN"]))
            case _:
                return Turn(_reply(tag, "DENY", "ICNV", "command not supported"))

    def _add(self, onu: str, fields: Mapping[str, str]) -> None:
        if onu not in self.book:
            self.book[onu] = {"olt": fields["OLTID"], "pon": fields["PONID"], "onu_name": fields["NAME"]}
            self.happened(onu, "added")

    def _delete(self, onu: str) -> None:
        if self.book.pop(onu, None) is not None:
            self.vlans.pop(onu, None)
            self.happened(onu, "deleted")

    def _tag_port(self, onu: str, port: str, vlan: str) -> None:
        ports = self.vlans.setdefault(onu, {})
        if ports.get(port) != vlan:
            ports[port] = vlan
            self.happened(onu, f"{port}={vlan}")

    def _row(self, onu: str) -> tuple[str, ...]:
        row = self.book[onu]
        return str(row["olt"]), str(row["pon"]), "1", str(row["onu_name"]), "MAC", onu

    def _all(self, tag: str) -> bytes:
        names, pieces = sorted(self.book), b""
        for start in range(0, max(1, len(names)), _PIECE):
            rows = [self._row(name) for name in names[start : start + _PIECE]]
            last = start + _PIECE >= len(names)
            pieces += _table(tag, ("OLTID", "PONID", "ONUNO", "NAME", "AUTHTYPE", "MAC"), rows, ";" if last else ">")
        return pieces


def _reply(tag: str, completion: str = "COMPLD", code: str = "0", text: str = "No error") -> bytes:
    said = f"{_HEAD}M  {tag} {completion}\r\n   EN={code}   ENDESC={text}\r\n;\r\n"
    return said.encode(_ENCODING)


def _table(tag: str, names: Sequence[str], rows: Sequence[Sequence[str]], end: str = ";") -> bytes:
    body = "".join("\t".join(row) + "\r\n" for row in (names, *rows))
    said = (
        f"{_HEAD}M  {tag} COMPLD\r\n   EN=0   ENDESC=No error\r\ntotal_blocks=1\r\nblock_number=1\r\n"
        f"block_records={len(rows)}\r\n\r\nList\r\n------------------------------\r\n{body}{end}\r\n"
    )
    return said.encode(_ENCODING)


def _listed(tag: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Turn:
    return Turn(_table(tag, names, rows), wrong_echo=_table(tag + "9", names, rows))


def _taken(tag: str, effect: Callable[[], None]) -> Turn:
    return Turn(_reply(tag), effect, _reply(tag + "9"))


def _refusals(tag: str) -> Mapping[Fault, bytes]:
    return {
        Fault.LOGIN_REFUSED: _reply(tag, "DENY", "PICC", "wrong password"),
        Fault.SESSION_EXPIRED: _reply(tag, "DENY", "IIAC", "illegal session"),
        Fault.BUSY: _reply(tag, "DENY", "SABT", "system busy"),
    }


def _fields(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


def _always(turn: Turn) -> Callable[[], Turn]:
    return lambda: turn
