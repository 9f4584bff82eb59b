"""Digits as each exchange packs them: nibble order, filler and the sign for nought are the layout's.

As in ``digits``, each two bytes are one look-up in a table of 65,536; here a table is made per way of packing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from server_api.billing.usage.formats.digits import MAX_DIGITS

Bytes2D = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_POWERS = np.array([1, 10, 100, 1000, 10_000], dtype=np.int64)


@dataclass(frozen=True)
class Packing:
    """How digits lie in bytes. ``low_first``: the low nibble is the earlier digit. ``fillers`` end a number.
    ``nought`` is the nibble that stands for the digit 0, where that is not 0 itself."""

    low_first: bool
    fillers: tuple[int, ...]
    nought: int = 0


@lru_cache(maxsize=16)
def _tables(packing: Packing) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int8], Flags]:
    """By two bytes (first byte high): the digits' value, their count, and whether they are none."""
    value = np.zeros(65_536, np.int16)
    count = np.zeros(65_536, np.int8)
    bad = np.zeros(65_536, np.bool_)
    ended = np.zeros(65_536, np.bool_)
    pair = np.arange(65_536)
    for shift in (8, 12, 0, 4) if packing.low_first else (12, 8, 4, 0):
        nibble = (pair >> shift) & 15
        filler = np.isin(nibble, packing.fillers)
        digit = np.where(nibble == packing.nought, 0, nibble)
        is_digit = ((nibble <= 9) | (nibble == packing.nought)) & ~filler
        if packing.nought:
            is_digit &= nibble != 0
        bad |= (is_digit & ended) | (~is_digit & ~filler)
        take = is_digit & ~ended
        value[take] = value[take] * 10 + digit[take].astype(np.int16)
        count[take] += 1
        ended |= ~is_digit
    return value, count, bad


def number(records: Bytes2D, at: int, width: int, packing: Packing) -> tuple[Ints, npt.NDArray[np.int8], Flags]:
    """A left-aligned number: its value, how many digits it has, and where it is not one. An odd last byte counts."""
    values, counts, bads = _tables(packing)
    value = np.zeros(len(records), np.int64)
    length = np.zeros(len(records), np.int8)
    bad = np.zeros(len(records), np.bool_)
    ended = np.zeros(len(records), np.bool_)
    fill = packing.fillers[0] * 17
    for index in range(at, at + width, 2):
        second = records[:, index + 1] if index + 1 < at + width else np.uint8(fill)
        pair = (records[:, index].astype(np.uint16) << 8) | second
        count = counts[pair]
        bad |= bads[pair] | (ended & (count > 0))
        fits = length + count <= MAX_DIGITS
        value = np.where(fits, value * _POWERS[count] + values[pair], value)
        length += count
        ended |= count < 4
        if ended.all() and not bad.any() and _only_filler(records, index + 2, at + width, packing):
            break
    return value, length, bad


def _only_filler(records: Bytes2D, begin: int, end: int, packing: Packing) -> bool:
    """True where nothing but filler follows in any record: the rest of a long field need not be looked up."""
    rest = records[:, begin:end]
    return any(bool((rest == filler * 17).all()) for filler in packing.fillers)


def packed(values: Ints, lengths: Ints, width: int, packing: Packing) -> Bytes2D:
    """Numbers of the given digit counts in ``width`` bytes: the other way of ``number``."""
    places = width * 2
    nibbles = np.full((len(values), places), packing.fillers[0], np.uint8)
    for place in range(min(places, MAX_DIGITS)):
        left = np.clip(lengths - 1 - place, 0, MAX_DIGITS)
        digit = (values // 10**left) % 10
        shown = np.where(digit == 0, packing.nought, digit)
        nibbles[:, place] = np.where(place < lengths, shown, packing.fillers[0])
    first, second = nibbles[:, ::2], nibbles[:, 1::2]
    joined = (second << 4) | first if packing.low_first else (first << 4) | second
    return joined.astype(np.uint8, copy=False)
