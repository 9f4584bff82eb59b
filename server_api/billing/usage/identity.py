"""The identity of a usage record: 63 bits of (switch, sequence, start, caller, called). Pure.

It names the same call the same way in every file, whatever the file is called and wherever in it the call lies; so a
call counts once. The mixing is written out here, because a library's hash may change with its version and would then
take last month's calls for new ones. Two different calls of ten million share an identity with a chance of 9 in 10^6;
the second would show as a duplicate in its file's counts.

Source: the finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Words64 = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S1 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(1)
#: 4,096 steps of 1,024 seconds are 48 days: more than a month has, so a month's calls are in order but for one seam.
_TIME_BITS, _STEP_BITS = 12, 10


def switch_seed(switch_code: str) -> int:
    """The number an exchange's code contributes to the identities of its calls."""
    return int.from_bytes(hashlib.sha256(switch_code.encode()).digest()[:8], "little")


def identities(seed: int, *columns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """One identity (0 .. 2^63-1) per row of the columns, taken in this order.

    >>> a, b, c = identities(1, np.array([5, 5, 6]), np.array([7, 8, 7])).tolist()
    >>> len({a, b, c}), min(a, b, c) >= 0, [a] == identities(1, np.array([5]), np.array([7])).tolist()
    (3, True, True)
    """
    state: Words64 = np.full(len(columns[0]), seed, dtype=np.uint64)
    for column in columns:
        state = _mixed(state ^ column.astype(np.int64, copy=False).view(np.uint64))
    return (state >> _S1).view(np.int64)


def in_time_order(identity: npt.NDArray[np.int64], start_s: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The identities with the start in their uppermost 12 bits (in steps of 17 minutes) and 51 bits of the mix below.

    Rated calls lie in the order (account, identity). So what a file brings for an account lies side by side, at the end
    of what is there; of identities without order each new call would change a page of its own, and the more calls a
    month has the slower it would take another.

    >>> early, late = in_time_order(np.array([7, 2**62]), np.array([1_800_000_000, 1_800_100_000])).tolist()
    >>> early < late < 2**63
    True
    """
    step = (start_s >> _STEP_BITS) & ((1 << _TIME_BITS) - 1)
    return (step << (63 - _TIME_BITS)) | (identity >> _TIME_BITS)


def text_words(texts: list[bytes], longest: int) -> list[npt.NDArray[np.int64]]:
    """Texts of at most ``longest`` bytes as columns of 64-bit words, to be mixed into an identity."""
    width = -(-max(longest, 1) // 8) * 8
    packed = np.array(texts, dtype=f"S{width}")
    words = packed.view(np.uint64).reshape(len(texts), width // 8) if texts else np.empty((0, width // 8), np.uint64)
    return [np.ascontiguousarray(words[:, i]).view(np.int64) for i in range(words.shape[1])]


def _mixed(state: Words64) -> Words64:
    state = state + _GOLDEN  # wraps, as it should
    state = (state ^ (state >> _S30)) * _MIX_1
    state = (state ^ (state >> _S27)) * _MIX_2
    return state ^ (state >> _S31)
