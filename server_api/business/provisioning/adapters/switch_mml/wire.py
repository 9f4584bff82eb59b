"""MML sessions as bytes and reports: pure, no network. The parser takes any splitting of the stream.

**Source:** the shape of reports in public operator scripts for Huawei exchanges (BTCL, Algérie Télécom and others) and
in public test logs: ``+++`` head, ``O&M #n``, ``%%command%%``, ``RETCODE = n text``, record or table, ``---    END``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_END = re.compile(rb"(?m)^---\s+END[ \t]*\r?\n?")
_SEQUENCE = re.compile(r"(?m)^O&M\s+#(\d+)")
_ECHO = re.compile(r"(?s)%%(.*?)%%")
_RESULT = re.compile(r"(?m)^RETCODE\s*=\s*(-?\d+)[ \t]*(.*?)\s*$")
_RULE = re.compile(r"^-{4,}\s*$")
_COUNT = re.compile(r"\((?:结果个数|Number of results)\s*=\s*(\d+)\)")
_PAIR = re.compile(r"^\s*(.+?)\s{2,}=\s{2,}(.*?)\s*$")
_MORE = ("To be continued", "More report continuing", "Task is started, please wait")
#: A stream that says nothing sensible for so long is cut off; a report of 100,000 lines is shorter.
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Report:
    """One report: its number, the command it answers (None: nobody's, an alarm), the result, the rows, more to come."""

    sequence: int | None
    echo: str | None
    code: int | None
    text: str
    rows: tuple[Mapping[str, str], ...] = ()
    count: int | None = None
    more: bool = False
    raw: str = field(default="", repr=False)


class Parser:
    """Takes bytes as they come and gives whole reports."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._held = b""

    def feed(self, data: bytes) -> list[Report]:
        """The reports that are whole now. Raises ValueError where the stream makes no sense any more."""
        self._held += data
        found = []
        while (end := _END.search(self._held)) and self._whole(end):
            piece, self._held = self._held[: end.start()], self._held[end.end() :]
            found.append(parse(piece.decode(self._encoding, "replace")))
        if len(self._held) > _MOST_BYTES:
            raise ValueError("no end of a report")
        return found

    def _whole(self, end: re.Match[bytes]) -> bool:
        """The end line has its line feed, or something follows it."""
        return end.group().endswith(b"\n") or end.end() < len(self._held)


def parse(text: str) -> Report:
    """Read one report without its end line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    sequence, echo, result = _SEQUENCE.search(lines), _ECHO.search(lines), _RESULT.search(lines)
    count = _COUNT.search(lines)
    body = lines[result.end() :] if result else ""
    return Report(
        None if sequence is None else int(sequence.group(1)),
        None if echo is None else normal(echo.group(1)),
        None if result is None else int(result.group(1)),
        "" if result is None else result.group(2),
        tuple(_rows(body)),
        None if count is None else int(count.group(1)),
        any(word in lines for word in _MORE),
        text,
    )


def normal(command: str) -> str:
    """A command as it is compared with its echo: exchanges add blanks and line ends."""
    return re.sub(r"\s+", " ", command).strip()


def _rows(body: str) -> list[dict[str, str]]:
    lines = [line.rstrip() for line in body.split("\n")]
    start = next((place for place, line in enumerate(lines) if _RULE.match(line)), None)
    if start is None:
        return []
    content = [line for line in lines[start + 1 :] if line and not _COUNT.search(line) and not _RULE.match(line)]
    pairs = [(match.group(1), match.group(2)) for line in content if (match := _PAIR.match(line))]
    if pairs:
        return _records(pairs)
    if not content:
        return []
    names = re.split(r"\s{2,}", content[0].strip())
    rows = (re.split(r"\s{2,}", line.strip()) for line in content[1:])
    return [dict(zip(names, cells, strict=False)) for cells in rows if len(cells) >= 2]


def _records(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Records of pairs; the first label coming again begins the next one."""
    found: list[dict[str, str]] = [{}]
    for name, value in pairs:
        if name in found[-1] and name == next(iter(found[-1])):
            found.append({})
        found[-1][name] = value
    return found
