"""Fields of regular text lines read by the million: digits eight at a time, lines a few ten thousand at a time.

A line is regular when it has the right number of separators and every field asked for is plain digits (or a plain time)
of no surprising length. Nearly all lines are; the few others are for the careful reader (text_lines), which is slower
by far and takes anything. So this one may refuse whatever it likes, but what it accepts must be what the other reads.

Source: eight digits in three multiplications as described by D. Lemire, "Quickly parsing eight digits" (2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from server_api.billing.usage.formats.digits import MONTH_DAYS, MONTH_FIRST

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
#: The one way of writing times that is read here: 2026-11-24 08:30:00.
PLAIN_TIME = "%Y-%m-%d %H:%M:%S"
#: Longer numbers are left to the careful reader.
MOST_DIGITS = 16
#: About this many bytes at a time, so that what is worked on stays in the processor's cache.
_CHUNK_BYTES = 1 << 20
#: Room before the first byte, so that eight bytes may be read that end at any field's end.
_ROOM = 16
_NEWLINE, _RETURN = 10, 13


def _word(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(text.encode("ascii"), "little"))


_ZEROS, _TENTHS, _HIGH_BITS = _word("00000000"), np.uint64(0x7676767676767676), np.uint64(0x8080808080808080)
_TEN, _8, _16, _24, _32, _40, _48 = (np.uint64(number) for number in (10, 8, 16, 24, 32, 40, 48))
_PAIRS, _BYTE = np.uint64(0x000000FF000000FF), np.uint64(0xFF)
_MILLIONS, _UNITS = np.uint64(0x000F424000000064), np.uint64(0x0000271000000001)
#: The bytes that belong to a number of so many digits, when its last digit is the last of the eight.
_KEEP = np.array([0, *(2**64 - (1 << 8 * (8 - count)) for count in range(1, 9))], np.uint64)
_YEAR_MONTH, _DAY_HOUR, _CLOCK = _word("0000-00-"), _word("00 00:00"), _word("00:00:00")
_NOT_DIGITS_OF = {"date": np.uint64(0xFF0000FF00000000), "day": np.uint64(0x0000FF0000FF0000),
                  "clock": np.uint64(0x0000FF0000FF0000)}  # fmt: skip
_CENTURY = np.uint64(20)


@dataclass(frozen=True)
class Chunk:
    """Some whole lines. ``begin`` and ``end`` of line k's field f are ``begin[f, k]`` and ``end[f, k]``, for the lines
    ``regular`` (their places among the chunk's lines); ``line_begin`` and ``line_end`` are of all lines."""

    regular: Ints
    begin: Ints
    end: Ints
    line_begin: Ints
    line_end: Ints
    windows: Words

    def word_at(self, at: Ints) -> Words:
        """Eight bytes from each place, the first byte lowest."""
        return self.windows[at]


def chunks(data: bytes, separator: str, fields: int) -> Iterator[Chunk]:
    """The lines of a text, a megabyte at a time; a last line without an end is one as well."""
    at, size = 0, len(data)
    while at < size:
        end = size if size - at <= _CHUNK_BYTES else data.rfind(b"\n", at, at + _CHUNK_BYTES) + 1
        if end <= at:  # a line longer than a chunk
            end = data.find(b"\n", at) + 1 or size
        yield _chunk(data, at, end, ord(separator), fields)
        at = end


def _chunk(data: bytes, at: int, end: int, separator: int, fields: int) -> Chunk:
    text = np.zeros(_ROOM + (end - at) + 1 + 8, np.uint8)
    text[_ROOM : _ROOM + end - at] = np.frombuffer(data, np.uint8, end - at, at)
    stop = _ROOM + end - at
    if text[stop - 1] != _NEWLINE:
        text[stop] = _NEWLINE
        stop += 1
    body = text[:stop]
    marks = np.flatnonzero((body == separator) | (body == _NEWLINE))
    last_marks = np.flatnonzero(body[marks] == _NEWLINE)
    line_end = marks[last_marks]
    line_begin = np.concatenate([np.array([_ROOM]), line_end[:-1] + 1])
    regular = np.flatnonzero(np.diff(last_marks, prepend=-1) == fields)
    if len(regular) == len(line_end):
        ends = np.ascontiguousarray(marks.reshape(-1, fields).T)
    else:
        ends = marks[last_marks[regular] + np.arange(1 - fields, 1)[:, None]]
    begins = np.empty_like(ends)
    begins[0] = line_begin[regular]
    begins[1:] = ends[:-1] + 1
    ends[-1] -= text[ends[-1] - 1] == _RETURN
    windows: Words = np.ndarray((len(text) - 7,), "<u8", text.data, 0, (1,))
    return Chunk(regular, begins, ends, line_begin - _ROOM + at, line_end - _ROOM + at, windows)


def numbers(chunk: Chunk, fields: list[int]) -> tuple[list[Ints], Flags]:
    """Columns of 1 to 16 digits as whole numbers, and where all of them are such."""
    ends = chunk.end[fields]
    lengths = ends - chunk.begin[fields]
    good: Flags = np.asarray(((lengths > 0) & (lengths <= MOST_DIGITS)).all(axis=0))
    values, bad = _eight_digits(chunk.word_at(ends - 8), np.clip(lengths, 0, 8))
    wrong: Flags = np.asarray(bad.any(axis=0))
    found = list(values)
    for place in np.flatnonzero(lengths.max(axis=1, initial=0) > 8).tolist():
        high, bad = _eight_digits(chunk.word_at(ends[place] - 16), np.clip(lengths[place] - 8, 0, 8))
        found[place] = found[place] + high * 100_000_000
        wrong |= bad
    return found, good & ~wrong


def _eight_digits(words: Words, count: Ints) -> tuple[Ints, Flags]:
    """The number that the last ``count`` of eight bytes write, and where one of them is no digit."""
    digits = (words ^ _ZEROS) & _KEEP[count]
    bad = ((digits + _TENTHS) | digits) & _HIGH_BITS
    pairs = digits * _TEN + (digits >> _8)
    value = ((pairs & _PAIRS) * _MILLIONS + ((pairs >> _16) & _PAIRS) * _UNITS) >> _32
    return value.view(np.int64), bad != 0


def instants(chunk: Chunk, field: int) -> tuple[Ints, Flags]:
    """A column of plain times as seconds since 1970 of the town's clock, and where there is such a time."""
    begin, end = chunk.begin[field], chunk.end[field]
    good = end - begin == 19
    date, bad_date = _two_digits(chunk.word_at(begin), _YEAR_MONTH, "date")
    day, bad_day = _two_digits(chunk.word_at(np.minimum(begin + 8, len(chunk.windows) - 1)), _DAY_HOUR, "day")
    clock, bad_clock = _two_digits(chunk.word_at(end - 8), _CLOCK, "clock")
    good &= ~(bad_date | bad_day | bad_clock) & (date & _BYTE == _CENTURY)
    month = np.where(good, ((date >> _16) & _BYTE) * np.uint64(100) + ((date >> _40) & _BYTE), np.uint64(0))
    day = day & _BYTE
    hour, minute, second = clock & _BYTE, (clock >> _24) & _BYTE, (clock >> _48) & _BYTE
    good &= (day >= 1) & (day <= MONTH_DAYS[month]) & (hour < 24) & (minute < 60) & (second < 60)
    into_day = hour * np.uint64(3_600) + minute * np.uint64(60) + second
    return (MONTH_FIRST[month] + day.view(np.int64) - 1) * 86_400 + into_day.view(np.int64), good


def _two_digits(words: Words, written: np.uint64, part: str) -> tuple[Words, Flags]:
    """Each two neighbouring digits as a number in the byte of the first, and where anything but digits and the signs
    ``written`` between them stands."""
    digits = words ^ written
    bad = (((digits + _TENTHS) | digits) & _HIGH_BITS) | (digits & _NOT_DIGITS_OF[part])
    return digits * _TEN + (digits >> _8), bad != 0
