"""Reads ESC/POS bytes as an 80 mm GBK printer does. Pure: bytes in, printed lines and a log of commands out.

What it does not know is logged as ``?``, never guessed: a test that sees a ``?`` has found a command to look up.
Source: Epson ESC/POS command reference; FS & double-byte mode as GBK printers implement it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

DOTS = 576
_ASCII_DOTS, _CHINESE_DOTS = 12, 24


@dataclass(frozen=True, slots=True)
class Style:
    """How characters look."""

    align: int = 0
    bold: bool = False
    width: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """A printed character."""

    character: str
    style: Style

    @property
    def dots(self) -> int:
        return (_ASCII_DOTS if self.character.isascii() else _CHINESE_DOTS) * self.style.width


@dataclass(slots=True)
class Printed:
    """What came out, in order: a list of cells is a line, an int a feed in lines, a str a bar code, None a cut."""

    items: list[list[Cell] | int | str | None] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    @property
    def text(self) -> list[str]:
        """The printed lines as text."""
        return ["".join(cell.character for cell in item) for item in self.items if isinstance(item, list)]

    @property
    def unknown(self) -> list[str]:
        """Commands that were not understood."""
        return [entry for entry in self.log if entry.startswith("?")]


class Interpreter:
    """Feeds on bytes in any pieces; keeps an unfinished command for the next piece."""

    def __init__(self) -> None:
        self.printed = Printed()
        self._rest = b""
        self._line: list[Cell] = []
        self._reset()

    def _reset(self) -> None:
        self._style = {"align": 0, "bold": 0, "width": 1, "height": 1}
        self._chinese = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        stream = self._rest + data
        at = 0
        while at < len(stream):
            taken = self._one(stream, at)
            if taken == 0:
                break
            at += taken
        self._rest = stream[at:]

    def _one(self, stream: bytes, at: int) -> int:
        """Interpret what stands at ``at``; 0 means that more bytes are needed."""
        byte = stream[at]
        commands = _COMMANDS.get(byte)
        if commands is not None:
            if at + 1 >= len(stream):
                return 0
            command = commands.get(stream[at + 1])
            if command is None:
                self.printed.log.append(f"? {byte:02x} {stream[at + 1]:02x}")
                return 2
            length, action = command
            total = length(stream, at) if callable(length) else length
            if total == 0 or at + total > len(stream):
                return 0
            action(self, stream[at : at + total])
            return total
        if byte == 0x0A:
            self._end_line()
            return 1
        if byte < 0x20:
            return 1
        return self._character(stream, at)

    def _character(self, stream: bytes, at: int) -> int:
        if stream[at] < 0x80:
            self._put(chr(stream[at]))
            return 1
        if not self._chinese:
            # Without FS & a printer takes each byte of a Chinese character for one of its code page.
            self._put(bytes([stream[at]]).decode("cp437"))
            return 1
        if at + 1 >= len(stream):
            return 0
        self._put(stream[at : at + 2].decode("gbk", "replace")[0])
        return 2

    def _put(self, character: str) -> None:
        cell = Cell(character, Style(
            self._style["align"], bool(self._style["bold"]), self._style["width"], self._style["height"]
        ))
        if sum(other.dots for other in self._line) + cell.dots > DOTS:
            self.printed.log.append("WRAP")
            self._end_line()
        self._line.append(cell)

    def _end_line(self) -> None:
        self.printed.items.append(self._line)
        self._line = []

    def _flush(self) -> None:
        if self._line:
            self._end_line()

    # ---- commands ------------------------------------------------------------------------------------------------
    def _initialise(self, _: bytes) -> None:
        self._reset()

    def _align(self, command: bytes) -> None:
        self._style["align"] = command[2] % 48

    def _bold(self, command: bytes) -> None:
        self._style["bold"] = command[2] & 1

    def _size(self, command: bytes) -> None:
        self._style["width"], self._style["height"] = (command[2] >> 4) + 1, (command[2] & 7) + 1

    def _feed_lines(self, command: bytes) -> None:
        self._flush()
        self.printed.items.append(command[2])

    def _drawer(self, _: bytes) -> None:
        self.printed.log.append("DRAWER")

    def _cut(self, _: bytes) -> None:
        self._flush()
        self.printed.items.append(None)
        self.printed.log.append("CUT")

    def _barcode(self, command: bytes) -> None:
        text = command[4:].decode("ascii", "replace")
        text = text.removeprefix("{B").replace("{{", "{")
        self.printed.items.append(text)
        self.printed.log.append(f"BARCODE {command[2]} {text}")

    def _chinese_on(self, _: bytes) -> None:
        self._chinese = True

    def _chinese_off(self, _: bytes) -> None:
        self._chinese = False

    def _nothing(self, _: bytes) -> None:
        """A command that changes nothing that can be seen here."""


def _barcode_length(stream: bytes, at: int) -> int:
    return 4 + stream[at + 3] if at + 3 < len(stream) else 0


def _cut_length(stream: bytes, at: int) -> int:
    if at + 2 >= len(stream):
        return 0
    return 4 if stream[at + 2] in (65, 66) else 3


_Length = int | Callable[[bytes, int], int]
_Action = Callable[[Interpreter, bytes], None]
_COMMANDS: dict[int, dict[int, tuple[_Length, _Action]]] = {
    0x1B: {
        ord("@"): (2, Interpreter._initialise), ord("a"): (3, Interpreter._align), ord("E"): (3, Interpreter._bold),
        ord("d"): (3, Interpreter._feed_lines), ord("p"): (5, Interpreter._drawer), ord("2"): (2, Interpreter._nothing),
    },
    0x1D: {
        ord("!"): (3, Interpreter._size), ord("V"): (_cut_length, Interpreter._cut),
        ord("k"): (_barcode_length, Interpreter._barcode), ord("h"): (3, Interpreter._nothing),
        ord("w"): (3, Interpreter._nothing), ord("H"): (3, Interpreter._nothing), ord("f"): (3, Interpreter._nothing),
    },
    0x1C: {ord("&"): (2, Interpreter._chinese_on), ord("."): (2, Interpreter._chinese_off)},
    0x10: {0x04: (3, Interpreter._nothing)},
}
