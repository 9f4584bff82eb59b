"""TL1 as bytes and replies: pure, no network. The parser takes any splitting of the stream.

**Source:** public scripts against FiberHome, ZTE and Huawei network managers: head with date,
``M  CTAG COMPLD|DENY|…``, ``EN= ENDESC=``, counts, a title, dashes, a tab-separated table, ``;`` (``>`` = continued).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_END = re.compile(rb"(?m)^[;>][ \t]*\r?\n")
_HEAD = re.compile(r"(?m)^M\s+(\S+)\s+(COMPLD|DENY|PRTL|DELAY)\s*$")
_WORD = re.compile(r"\b(EN|ENDESC|EADD)=(.*?)(?=\s{2,}\w+=|\s*$)", re.MULTILINE)
_RULE = re.compile(r"^-{4,}\s*$")
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Reply:
    """One reply or a part of it: whose it is, how it went, the rows, more to come. An alarm has no tag."""

    tag: str | None
    completion: str
    code: str
    text: str
    rows: tuple[Mapping[str, str], ...] = ()
    more: bool = False
    raw: str = field(default="", repr=False)

    @property
    def done(self) -> bool:
        return self.completion == "COMPLD" and self.code in ("", "0")


class Parser:
    """Takes bytes as they come and gives whole replies."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._held = b""

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are whole now. Raises ValueError where the stream makes no sense any more."""
        self._held += data
        found = []
        while end := _END.search(self._held):
            piece, self._held = self._held[: end.start()], self._held[end.end() :]
            more = end.group().startswith(b">")
            found.append(parse(piece.decode(self._encoding, "replace"), more=more))
        if len(self._held) > _MOST_BYTES:
            raise ValueError("no end of a reply")
        return found


def parse(text: str, *, more: bool = False) -> Reply:
    """Read one reply without its terminator."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    head = _HEAD.search(lines)
    words = dict(_WORD.findall(lines))
    if head is None:
        return Reply(None, "", "", "", raw=text)
    said = " ".join(word for word in (words.get("ENDESC", ""), words.get("EADD", "")) if word)
    rows = tuple(_rows(lines))
    return Reply(head.group(1), head.group(2), words.get("EN", "").strip(), said.strip(), rows, more, text)


def _rows(text: str) -> list[dict[str, str]]:
    lines = text.split("\n")
    start = next((place for place, line in enumerate(lines) if _RULE.match(line)), None)
    if start is None:
        return []
    content = [line for line in lines[start + 1 :] if line.strip() and not _RULE.match(line)]
    if not content:
        return []
    names = [name.strip() for name in content[0].split("\t")]
    return [dict(zip(names, (cell.strip() for cell in line.split("\t")), strict=False)) for line in content[1:]]
