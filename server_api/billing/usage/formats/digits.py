"""Binary-coded decimals, numbers and times by the million: each two bytes are one look-up.

A table of 65,536 entries gives the value of four digits, how many of them come before the filler, and whether a
nibble is neither digit nor filler. A twenty-digit number is five look-ups instead of twenty nibble tests.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

Bytes2D = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: More digits than this may not fit 63 bits.
MAX_DIGITS = 18
_POWERS = np.array([1, 10, 100, 1000, 10_000], dtype=np.int64)
_EPOCH = date(1970, 1, 1)


def _four_digit_tables(filler: int) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int8], Flags]:
    value = np.zeros(65_536, np.int16)
    count = np.zeros(65_536, np.int8)
    bad = np.zeros(65_536, np.bool_)
    pair = np.arange(65_536)
    ended = np.zeros(65_536, np.bool_)
    for shift in (12, 8, 4, 0):
        nibble = (pair >> shift) & 15
        is_digit = nibble <= 9
        bad |= (is_digit & ended) | (~is_digit & (nibble != filler))
        take = is_digit & ~ended
        value[take] = value[take] * 10 + nibble[take].astype(np.int16)
        count[take] += 1
        ended |= ~is_digit
    return value, count, bad


_VALUE, _COUNT, _BAD = _four_digit_tables(0xE)


def _month_tables() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """By YYMM (of 20YY): days from 1970 to the first of the month, and its length; length 0 is no month."""
    first = np.zeros(10_000, np.int32)
    length = np.zeros(10_000, np.int8)
    for year in range(100):
        for month in range(1, 13):
            begins = date(2000 + year, month, 1)
            after = (begins + timedelta(days=31)).replace(day=1)
            first[year * 100 + month] = (begins - _EPOCH).days
            length[year * 100 + month] = (after - begins).days
    return first, length


#: By YYMM of 20YY: days from 1970 to the first of the month, and its length, 0 where there is no such month.
MONTH_FIRST, MONTH_DAYS = _month_tables()


def pairs(records: Bytes2D, at: int) -> npt.NDArray[np.uint16]:
    """Two bytes of every record as one number, big endian."""
    high = records[:, at].astype(np.uint16)
    return ((high << 8) | records[:, at + 1]).astype(np.uint16, copy=False)


def unsigned(records: Bytes2D, at: int, width: int) -> Ints:
    """A big-endian unsigned number of ``width`` bytes."""
    value = records[:, at].astype(np.int64)
    for index in range(at + 1, at + width):
        value = (value << 8) | records[:, index]
    return value


def decimals(records: Bytes2D, at: int, width: int) -> tuple[Ints, Flags]:
    """A BCD number filling an even number of bytes, and where it is not one."""
    value = np.zeros(len(records), np.int64)
    bad = np.zeros(len(records), np.bool_)
    for index in range(at, at + width, 2):
        pair = pairs(records, index)
        value = value * 10_000 + _VALUE[pair]
        bad |= _COUNT[pair] != 4
    return value, bad


def number(records: Bytes2D, at: int, width: int) -> tuple[Ints, npt.NDArray[np.int8], Flags]:
    """A telephone number, left aligned and filled with E: its value, how many digits, and where it is not one."""
    value = np.zeros(len(records), np.int64)
    length = np.zeros(len(records), np.int8)
    bad = np.zeros(len(records), np.bool_)
    ended = np.zeros(len(records), np.bool_)
    for index in range(at, at + width, 2):
        pair = pairs(records, index)
        count = _COUNT[pair]
        bad |= _BAD[pair] | (ended & (count > 0))
        fits = length + count <= MAX_DIGITS
        value = np.where(fits, value * _POWERS[count] + _VALUE[pair], value)
        length += count
        ended |= count < 4
    return value, length, bad


def instant(records: Bytes2D, at: int) -> tuple[Ints, Flags]:
    """YYMMDDhhmmss in BCD as seconds since 1970 of the town's clock, and where there is no such time."""
    year_month, day_hour, minute_second = (pairs(records, at + offset) for offset in (0, 2, 4))
    bad = (_COUNT[year_month] != 4) | (_COUNT[day_hour] != 4) | (_COUNT[minute_second] != 4)
    month, days = _VALUE[year_month], _VALUE[day_hour]
    day, hour = days // 100, days % 100
    minute, second = _VALUE[minute_second] // 100, _VALUE[minute_second] % 100
    bad |= (day < 1) | (day > MONTH_DAYS[month]) | (hour > 23) | (minute > 59) | (second > 59)
    day_number = MONTH_FIRST[month].astype(np.int64) + day - 1
    return ((day_number * 24 + hour) * 60 + minute) * 60 + second, bad


def to_bcd(values: Ints, width: int) -> Bytes2D:
    """Numbers as BCD of ``width`` bytes, high digit first: the other way of ``decimals``."""
    out = np.empty((len(values), width), np.uint8)
    rest = values.copy()
    for index in range(width - 1, -1, -1):
        two = rest % 100
        out[:, index] = (two // 10 << 4) | (two % 10)
        rest //= 100
    return out


def to_number(values: Ints, lengths: npt.NDArray[np.int64], width: int) -> Bytes2D:
    """Numbers of the given digit counts, left aligned and filled with E: the other way of ``number``."""
    places = width * 2
    nibbles = np.full((len(values), places), 0xE, np.uint8)
    powers = 10 ** np.arange(MAX_DIGITS + 1, dtype=np.int64)
    for place in range(min(places, MAX_DIGITS)):
        left = lengths - 1 - place
        has = left >= 0
        digit = (values // powers[np.clip(left, 0, MAX_DIGITS)]) % 10
        nibbles[:, place] = np.where(has, digit, 0xE)
    return ((nibbles[:, ::2] << 4) | nibbles[:, 1::2]).astype(np.uint8, copy=False)
