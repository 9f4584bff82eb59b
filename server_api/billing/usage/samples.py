"""A month of a town's usage, made up: calls and broadband sessions with dirt and duplicates of known count.

For the demo, the bench and the tests. The same seed gives the same bytes. Nothing in it is anybody's call.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from server_api.billing.usage.formats import calls_csv, sessions_csv
from server_api.billing.usage.formats.frame import in_shape
from server_api.billing.usage.formats.gb2048_encode import blocks_of, records_of
from shared_models.values.period import Month

Ints = npt.NDArray[np.int64]

#: Area codes called most, without the trunk prefix: Beijing, Shanghai, Guangzhou, Lanzhou, Xi'an, Chengdu.
_CITIES = (10, 21, 20, 931, 29, 28)
#: International numbers as dialled: Hong Kong, Japan, United States, United Kingdom.
_ABROAD = (("00852", 8), ("0081", 10), ("001", 10), ("0044", 10))
_LOCAL, _NATIONAL, _INTERNATIONAL = 3, 5, 6


@dataclass(frozen=True)
class SampleFile:
    """A file made, and what a right import must count in it."""

    path: Path
    format_code: str
    read_count: int
    dirty_count: int
    duplicate_count: int


def sample_calls(
    numbers: list[str], month: Month, count: int, seed: int, days: tuple[int, int] | None = None
) -> pl.DataFrame:
    """Calls of these subscribers, in order of their end: 70 % local, 27 % national, 3 % international.

    ``days`` are the first day of the month (from 0) and the one after the last; all of it where none is said.
    """
    random = np.random.default_rng(seed)
    own = np.array([int(number) for number in numbers], np.int64)
    own_len = np.array([len(number) for number in numbers], np.int64)
    who = random.integers(0, len(own), count)
    kind = random.choice(np.array([_LOCAL, _NATIONAL, _INTERNATIONAL]), count, p=[0.70, 0.27, 0.03])
    called, called_len = _destinations(random, kind, own, own_len, who)
    start, end = int(month.starts_at.timestamp()), int(month.ends_at.timestamp())
    day = random.integers(*(days or (0, (end - start) // 86_400)), count)
    hour = np.clip(random.normal(14.5, 4.5, count), 0, 23.99)
    begins = start + day * 86_400 + (hour * 3_600).astype(np.int64)
    duration = np.clip(random.lognormal(4.5, 1.1, count), 1, 10_800).astype(np.int64)
    order = np.argsort(begins + duration, kind="stable")
    return in_shape(
        pl.DataFrame(
            {
                "file_pos": np.arange(count),
                "seq_no": np.arange(1, count + 1),
                "caller_n": own[who][order],
                "caller_len": own_len[who][order],
                "called_n": called[order],
                "called_len": called_len[order],
                "start_s": begins[order],
                "duration_s": duration[order],
                "in_trunk": np.zeros(count, np.int64),
                "out_trunk": np.where(kind[order] == _LOCAL, 0, 12),
                "call_type": kind[order],
                "charged_party": np.ones(count, np.int64),
                "cause": random.integers(0, 2, count),
            }
        )
    )


def _destinations(random: np.random.Generator, kind: Ints, own: Ints, own_len: Ints, who: Ints) -> tuple[Ints, Ints]:
    count = len(kind)
    other = (who + random.integers(1, max(len(own), 2), count)) % len(own)
    called, length = own[other].copy(), own_len[other].copy()
    cities = np.array(_CITIES, np.int64)[random.integers(0, len(_CITIES), count)]
    city_digits = np.where(cities < 100, 2, 3)
    subscriber = random.integers(2_000_000, 8_999_999, count) + np.where(cities < 100, 60_000_000, 0)
    long = kind == _NATIONAL
    size = np.where(cities < 100, 8, 7)
    called[long] = (cities * 10**size + subscriber)[long]
    length[long] = (1 + city_digits + size)[long]
    for index, (prefix, digits) in enumerate(_ABROAD):
        here = (kind == _INTERNATIONAL) & (random.integers(0, len(_ABROAD), count) == index)
        here |= (kind == _INTERNATIONAL) & (called == own[other]) & (index == 0)
        called[here] = (
            int(prefix) * 10**digits + random.integers(2 * 10 ** (digits - 1), 9 * 10 ** (digits - 1), count)[here]
        )
        length[here] = len(prefix) + digits
    return called, length


def sample_sessions(logins: list[str], month: Month, count: int, seed: int) -> pl.DataFrame:
    """Broadband sessions of these logins in order of their start."""
    random = np.random.default_rng(seed)
    start, end = int(month.starts_at.timestamp()), int(month.ends_at.timestamp())
    begins = np.sort(random.integers(start, end, count))
    octets = random.lognormal(19.5, 1.5, count).astype(np.int64)
    who = random.integers(0, len(logins), count)
    return pl.DataFrame(
        {
            "session": [f"{at:x}-{index:07d}" for index, at in enumerate(begins.tolist())],
            "owner_text": [logins[index] for index in who.tolist()],
            "start_s": begins,
            "duration_s": np.clip(random.lognormal(8.2, 1.0, count), 1, 86_400).astype(np.int64),
            "octets_in": octets,
            "octets_out": octets // 8,
        }
    )


def write_month(
    folder: Path,
    numbers: list[str],
    logins: list[str],
    month: Month,
    *,
    call_count: int = 1_000_000,
    session_count: int = 200_000,
    seed: int = 20_261,
) -> list[SampleFile]:
    """Write a month: six tenths of the calls in the national layout, the rest and the sessions as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    made: list[SampleFile] = []
    if numbers and call_count:
        calls = sample_calls(numbers, month, call_count, seed)
        cut = call_count * 6 // 10
        made.append(write_blocks(folder / f"calls-{month}.bil", calls[:cut], month, seed + 1))
        made.append(write_csv(folder / f"calls-{month}.csv", calls[cut:], seed + 2))
    if logins and session_count:
        path = folder / f"sessions-{month}.csv"
        path.write_bytes(sessions_csv.encode(sample_sessions(logins, month, session_count, seed + 3)))
        made.append(SampleFile(path, sessions_csv.CODE, session_count, 0, 0))
    return made


def write_blocks(path: Path, calls: pl.DataFrame, month: Month, seed: int) -> SampleFile:
    """Calls in the national layout; 1 % are spoilt, 0.5 % come again."""
    random = np.random.default_rng(seed)
    rows = np.concatenate([np.arange(len(calls)), again := _again(random, len(calls))])
    records = records_of(calls)[rows]
    spoilt = _spoilt(random, len(calls), again)
    for index, at in enumerate(spoilt.tolist()):
        match index % 4:
            case 0:
                records[at, 27:33] = (0x26, 0x13, 0x40, 0x25, 0x61, 0x61)  # month 13, hour 25
            case 1:
                records[at, 6:16] = 0xCC  # no digits
            case 2:
                records[at, 41:45] = 0  # an attempt
                records[at, 34:40] = records[at, 27:33]
            case _:
                records[at, 46] |= 1  # the exchange marks it invalid
    path.write_bytes(blocks_of(records, int(month.starts_at.timestamp())))
    return SampleFile(path, "gb2048", len(records), len(spoilt), len(again))


def write_csv(path: Path, calls: pl.DataFrame, seed: int) -> SampleFile:
    """Calls as CSV; 1 % are spoilt, 0.5 % come again."""
    random = np.random.default_rng(seed)
    again = _again(random, len(calls))
    rows = np.concatenate([np.arange(len(calls)), again])
    lines = calls_csv.encode(calls[rows]).split(b"\n")
    spoilt = _spoilt(random, len(calls), again)
    bad = (
        b"garbage",
        b"1,2,3",
        b"\xd6\xd0\xce\xc4,,,,,,,,,,",
        b"9,3961234,abc,2099-01-01 00:00:00,2099-01-01 00:01:00,60,0,0,3,1,0",
    )
    for index, at in enumerate(spoilt.tolist()):
        lines[at + 1] = bad[index % len(bad)]
    path.write_bytes(b"\n".join(lines))
    return SampleFile(path, calls_csv.CODE, len(rows), len(spoilt), len(again))


def _again(random: np.random.Generator, count: int) -> Ints:
    return np.sort(random.choice(count, count // 200, replace=False)) if count >= 200 else np.zeros(0, np.int64)


def _spoilt(random: np.random.Generator, count: int, again: Ints) -> Ints:
    """Which of the first ``count`` to spoil: never one that comes again, whose other copy would then not be one."""
    free = np.setdiff1d(np.arange(count), again)
    return np.sort(random.choice(free, count // 100, replace=False)) if count >= 100 else np.zeros(0, np.int64)
