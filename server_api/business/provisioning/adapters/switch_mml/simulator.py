"""A switch to train and test against: MML over TCP, lines with status, barring, features; alarms come in between.

What the labels of a line say and the numbers of failures are invented where they are not public (see the profile).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count

from server_api.business.provisioning.contract import Scalar, Task
from server_api.business.provisioning.simulation import Fault, FaultMenu, Kind, StreamLink, StreamSimulator, Turn

_OPERATOR, _PASSWORD = "onehall", "simulator"
_ENCODING = "gb18030"
_NUMBER = re.compile(r"\bS?D=K'(\d+)")
_HEAD = "+++    SIMULATED/*MEID:0 MENAME:simulated*/        2026-11-23 08:15:00\r\n"
_TAIL = "\r\n---    END\r\n"
_ALARM_EVERY = 5
_PIECE = 40
_RIGHTS = {"none": "NTT-1&ITT-1", "international": "NTT-1&ITT-0", "toll": "NTT-0&ITT-0"}


def build(menu: FaultMenu | None = None, *, port: int = 0, control_port: int | None = None) -> SwitchSimulator:
    """A simulated switch, not started."""
    return SwitchSimulator(menu, port=port, control_port=control_port)


def story(number: int) -> Sequence[Task]:
    """A line from its first day to its last."""
    name = str(3_960_000 + number)
    acts: list[tuple[str, dict[str, Scalar]]] = [
        ("open", {"equipment": "10.20.0.7:2944", "terminal": f"A{number}"}),
        ("set_feature", {"feature": "CLIP", "on": True}),
        ("set_feature", {"feature": "CW", "on": True}),
        ("set_feature", {"feature": "CLIP", "on": False}),
        ("bar", {"level": "international"}),
        ("suspend", {"level": "out"}),
        ("suspend", {"level": "all"}),
        ("resume", {}),
        ("suspend", {"level": "kept"}),
        ("resume", {}),
        ("bar", {"level": "none"}),
        ("move", {"equipment": "10.20.0.8:2944", "terminal": f"B{number}"}),
        ("close", {}),
    ]
    return [Task(f"{number}-{place}", name, act, wanted) for place, (act, wanted) in enumerate(acts)]


class SwitchSimulator(StreamSimulator):
    """Keeps lines in ``book``."""

    system = "switch_mml"

    def __init__(self, menu: FaultMenu | None = None, *, port: int = 0, control_port: int | None = None) -> None:
        super().__init__(menu, port=port, control_port=control_port)
        self._numbers = count(75)

    def settings(self) -> Mapping[str, Scalar]:
        """How an adapter reaches it."""
        return {"host": "127.0.0.1", "port": self.port, "operator": _OPERATOR, "password": _PASSWORD}

    async def converse(self, reader: asyncio.StreamReader, link: StreamLink) -> None:
        signed_in = False
        while True:
            command = (await reader.readuntil(b";")).decode(_ENCODING).strip()
            verb = command.partition(":")[0]
            if verb == "LGO":
                return
            if self.requests % _ALARM_EVERY == _ALARM_EVERY - 1:
                await link.send(self._alarm())
            kind = Kind.LOGIN if verb == "LGI" else Kind.READ if verb.startswith("LST") else Kind.WRITE
            if not signed_in and kind is not Kind.LOGIN:
                await link.send(self._report(command, 1, "User is not logged in"))
                continue
            if kind is Kind.LOGIN:
                right = f'OP="{_OPERATOR}"' in command and f'PWD="{_PASSWORD}"' in command
                said = 'LGI:OP="' + _OPERATOR + '",PWD="*****";'
                reply = self._report(said, 0, "操作成功") if right else self._report(said, 4, "密码错误")
                signed_in = right  # a session whose answer is lost is a session all the same
                await self.answer(kind, link, _always(Turn(reply)), self._refusals(said))
                continue
            await self.answer(kind, link, self._turn(command), self._refusals(command))

    def _refusals(self, command: str) -> Mapping[Fault, bytes]:
        return {
            Fault.LOGIN_REFUSED: self._report(command, 4, "密码错误"),
            Fault.SESSION_EXPIRED: self._report(command, 1, "User is not logged in"),
            Fault.BUSY: self._report(command, 9, "系统忙，请稍后再试"),
        }

    def _turn(self, command: str) -> Callable[[], Turn]:
        return lambda: self._done(command)

    def _done(self, command: str) -> Turn:
        found = _NUMBER.search(command)
        if found is None:
            return Turn(self._all(command))
        number, verb = found.group(1), command.partition(":")[0]
        line = self.book.get(number)
        if verb == "ADD VSBR":
            if line is not None:
                return Turn(self._report(command, 30016, "Subscriber already exists"))
            return self._taken(command, number, lambda: self._open(number, command))
        if line is None:
            return Turn(self._report(command, 30017, "Subscriber does not exist"))
        if verb == "LST VSBR":
            body = _record(number, line)
            wrong = self._report(command.replace(number, number[::-1]), 0, "操作成功", body)
            return Turn(self._report(command, 0, "操作成功", body), wrong_echo=wrong)
        change = self._change(verb, command, number, line)
        if change is None:
            return Turn(self._report(command, 2, "Command not found"))
        return self._taken(command, number, change)

    def _change(
        self, verb: str, command: str, number: str, line: Mapping[str, Scalar]
    ) -> Callable[[], None] | None:  # fmt: skip
        match verb:
            case "RMV VSBR":
                return lambda: self._close(number)
            case "PRK SBR":
                return lambda: self._set(number, "status", "kept")
            case "RES SBR":
                return lambda: self._set(number, "status", "normal")
            case "SET OWSBR":
                status = {"IOOF": "all", "BARO": "out", "NRM": "normal"}[_value(command, "OS")]
                return lambda: self._set(number, "status", status)
            case "MOD SBRDEV":
                return lambda: self._move(number, command)
            case "MOD VSBR" if "OCR=" in command:
                level = next(name for name, bits in _RIGHTS.items() if bits in command)
                return lambda: self._set(number, "barring", level)
            case "MOD VSBR":
                feature, _dash, on = _value(command, "NS").rpartition("-")
                had = set(str(line["features"]).split())
                features = " ".join(sorted(had | {feature} if on == "1" else had - {feature}))
                return lambda: self._set(number, "features", features)
            case _:
                return None

    # ---- effects ----
    def _open(self, number: str, command: str) -> None:
        if number not in self.book:
            self.book[number] = {
                "status": "normal", "barring": "none", "equipment": _value(command, "EID"),
                "terminal": _value(command, "TID"), "features": "",
            }  # fmt: skip
            self.happened(number, "opened")

    def _close(self, number: str) -> None:
        if self.book.pop(number, None) is not None:
            self.happened(number, "closed")

    def _set(self, number: str, field: str, value: str) -> None:
        if self.book[number][field] != value:
            self.book[number][field] = value
            self.happened(number, f"{field}={value}")

    def _move(self, number: str, command: str) -> None:
        there = (_value(command, "EID"), _value(command, "STID"))
        line = self.book[number]
        if (line["equipment"], line["terminal"]) != there:
            line["equipment"], line["terminal"] = there
            self.happened(number, f"moved to {there[1]}")

    # ---- reports ----
    def _taken(self, command: str, number: str, effect: Callable[[], None]) -> Turn:
        wrong = self._report(command.replace(number, number[::-1]), 0, "操作成功")
        return Turn(self._report(command, 0, "操作成功"), effect, wrong)

    def _all(self, command: str) -> bytes:
        if not self.book:
            return self._report(command, 0, "No matching result is found")
        names, pieces = sorted(self.book), b""
        for start in range(0, len(names), _PIECE):
            body = "".join(_record(name, self.book[name]) + "\r\n" for name in names[start : start + _PIECE])
            if start + _PIECE < len(names):
                body += "\r\nTo be continued\r\n"
            pieces += self._report(command, 0, "操作成功", body)
        return pieces

    def _report(self, command: str, code: int, text: str, body: str = "") -> bytes:
        shown = (
            f"\r\n操作结果如下\r\n------------\r\n{body}(结果个数 = {body.count('Subscriber number')})\r\n"
            if body
            else ""
        )
        head = f"{_HEAD}O&M    #{next(self._numbers)}\r\n%%{command}%%\r\nRETCODE = {code}  {text}\r\n"
        return f"{head}{shown}{_TAIL}".encode(_ENCODING)

    def _alarm(self) -> bytes:
        return f"{_HEAD}ALARM    #{next(self._numbers)}\r\n告警 中继拥塞\r\n{_TAIL}".encode(_ENCODING)


def _record(number: str, line: Mapping[str, Scalar]) -> str:
    status = line["status"]
    owing = {"all": "IOOF", "out": "BARO"}.get(str(status), "NRM")
    features = str(line["features"]).replace(" ", "&")
    rows = (
        ("Subscriber number", number), ("Number state", "Parked" if status == "kept" else "Normal"),
        ("Subscriber status", owing), ("Equipment ID", line["equipment"]), ("Termination ID", line["terminal"]),
        ("Supplementary service", features), ("Call-out rights", f"LCO-1&LC-1&LCT-1&{_RIGHTS[str(line['barring'])]}"),
    )  # fmt: skip
    return "".join(f" {name}  =  {value}\r\n" for name, value in rows)


def _value(command: str, name: str) -> str:
    found = re.search(rf"\b{name}=\"?([^\",;]*)", command)
    return "" if found is None else found.group(1)


def _always(turn: Turn) -> Callable[[], Turn]:
    return lambda: turn
