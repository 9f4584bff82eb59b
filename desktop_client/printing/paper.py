"""A laid-out paper: rows of styled text, rules, bar codes and commands. Knows neither printers nor documents.

Widths are counted in columns of one ASCII character; a Chinese character takes two.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: What is printed for a character the printer's GBK font does not have (〓, the mark printers themselves use).
MISSING = "\u3013"
#: "¥" U+00A5 becomes four bytes in GB18030, of which GBK printers print "0 6"; U+FFE5 is the one they know.
_INSTEAD = str.maketrans({"\u00a5": "\uffe5", "\u00a0": " ", "\u2014": "-", "\u2013": "-", "\u2022": "\u00b7"})


class Align(StrEnum):
    """Where a row stands on the paper."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class TextRow:
    """One printed line: ``left`` text, and ``right`` text at the other edge (only with left alignment)."""

    left: str
    right: str = ""
    align: Align = Align.LEFT
    bold: bool = False
    width: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A line across the paper."""

    character: str = "-"


@dataclass(frozen=True, slots=True)
class BarcodeRow:
    """A CODE128 bar code of printable ASCII, with its text under it."""

    text: str


@dataclass(frozen=True, slots=True)
class FeedRow:
    """Blank lines."""

    lines: int = 1


class Command(StrEnum):
    """What the printer does besides printing."""

    CUT = "cut"
    DRAWER = "drawer"


Row = TextRow | RuleRow | BarcodeRow | FeedRow | Command


@dataclass(frozen=True, slots=True)
class Paper:
    """A job: its name (for spoolers and files), the width in columns and millimetres, and the rows."""

    name: str
    columns: int
    paper_mm: int
    rows: tuple[Row, ...]


def printable(text: str) -> str:
    """The text as a GBK printer can print it.

    Control characters are dropped: a name holding ESC bytes must not command the printer. What GBK lacks becomes 〓.
    """
    shown = []
    for character in text.translate(_INSTEAD):
        if character.isascii():
            shown.append(character if character.isprintable() else " " if character in "\t\n\r" else "")
        else:
            shown.append(character if _in_gbk(character) else MISSING)
    return "".join(shown)


def _in_gbk(character: str) -> bool:
    try:
        return len(character.encode("gbk")) == 2
    except UnicodeEncodeError:
        return False


def columns_of(text: str) -> int:
    """How many columns a text takes."""
    return sum(1 if character.isascii() else 2 for character in text)


def fold(text: str, columns: int) -> list[str]:
    """Break a text into pieces of at most ``columns``; at least one piece, never half a character."""
    pieces, piece, width = [], "", 0
    for character in text:
        wide = columns_of(character)
        if width + wide > columns and piece:
            pieces.append(piece)
            piece, width = "", 0
        piece += character
        width += wide
    pieces.append(piece)
    return pieces


def pair(left: str, right: str, columns: int) -> list[tuple[str, str]]:
    """Lay ``left`` and ``right`` on one line; where they do not fit, left takes lines of its own, right the last."""
    room = columns - columns_of(right) - (1 if right else 0)
    if columns_of(left) <= room:
        return [(left, right)]
    if room < columns // 4:
        return [(piece, "") for piece in fold(left, columns)] + [("", piece) for piece in fold(right, columns)]
    pieces = fold(left, room)
    return [(piece, "") for piece in pieces[:-1]] + [(pieces[-1], right)]
