"""How a file is cut: byte ranges that depend on nothing but the file, so that an import killed anywhere goes on at one.

Lines are never cut in two. A line longer than any record has becomes a piece of its own, of which only the beginning
is read: a file that is one line of a gigabyte costs no more than any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from server_api.billing.usage.formats.text_lines import PIECE_BYTES

#: No record of any kind has so many bytes.
LONGEST_LINE = 1_048_576
#: No piece has more lines, whatever is in them: a file of nothing but ends of lines would be decoded to a hundred times
#: its size. No piece of records comes near.
MOST_LINES = 500_000
_BLOCK = 65_536


@dataclass(frozen=True)
class Piece:
    """Bytes ``begin`` <= position < ``end`` of a file. ``long_line``: it is one line, too long to be a record."""

    number: int
    begin: int
    end: int
    long_line: bool = False


def equal_pieces(begin: int, size: int, piece_bytes: int) -> list[Piece]:
    """Pieces of ``piece_bytes`` from ``begin`` to the end; one empty piece where there is nothing."""
    starts = range(begin, size, piece_bytes) or [min(begin, size)]
    return [Piece(number, at, min(at + piece_bytes, size)) for number, at in enumerate(starts)]


def line_pieces(path: Path, size: int, piece_bytes: int = PIECE_BYTES) -> list[Piece]:
    """Pieces of about ``piece_bytes``, each to the end of a line."""
    pieces: list[Piece] = []
    begin = 0
    with path.open("rb") as file:
        while begin < size:
            end = min(begin + piece_bytes, size)
            if end < size:
                after = _next_line(file, end, min(end + LONGEST_LINE, size))
                end = after if after is not None else _before_long_line(file, begin, end)
            long_line = end == begin
            if long_line:
                end = _next_line(file, begin + piece_bytes, size) or size
            else:
                end = _after_lines(file, begin, end)
            pieces.append(Piece(len(pieces), begin, end, long_line))
            begin = end
    return pieces


def _after_lines(file: BinaryIO, begin: int, end: int) -> int:
    """Where the first ``MOST_LINES`` lines of these bytes end, or ``end`` where there are no more."""
    if end - begin <= MOST_LINES:
        return end
    file.seek(begin)
    block = file.read(end - begin)
    if block.count(b"\n") <= MOST_LINES:
        return end
    return begin + int(np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))[MOST_LINES - 1]) + 1


def _next_line(file: BinaryIO, at: int, limit: int) -> int | None:
    """Where the line after position ``at`` begins, or None where none begins before ``limit``."""
    file.seek(at)
    while at < limit and (block := file.read(min(_BLOCK, limit - at))):
        found = block.find(b"\n")
        if found >= 0:
            return at + found + 1
        at += len(block)
    return None


def _before_long_line(file: BinaryIO, begin: int, end: int) -> int:
    """Where the line that lasts until ``end`` begins; ``begin`` where it is the first of the piece."""
    at = end
    while at > begin:
        step = min(_BLOCK, at - begin)
        file.seek(at - step)
        found = file.read(step).rfind(b"\n")
        if found >= 0:
            return at - step + found + 1
        at -= step
    return begin
