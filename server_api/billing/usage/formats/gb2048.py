"""The national exchange layout: 2048-byte blocks of call records, decoded by the thousand blocks.

**Source:** the national billing-file standard as published exchange documents quote it; the table itself is
``resources/usage/gb2048.toml``. Blocks and records of filler are skipped; a block that lies about its length, a record
of unknown type and what the end of the file cuts off are set aside with their bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from server_api.billing.usage.formats import digits
from server_api.billing.usage.formats.frame import (
    COLUMNS,
    REASON_NO,
    TOWN_OFFSET_S,
    Decoded,
    empty_raw,
    empty_records,
    in_shape,
)
from server_api.billing.usage.formats.layout import BlockLayout, block_layout
from server_api.billing.usage.policy import policy

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

CODE = "gb2048"
SERVICE = "voice"
#: A piece is this many blocks: some 200,000 calls.
PIECE_BYTES = 8_192 * 2_048
_CHUNK_BLOCKS = 512
_MOST_RAW_BYTES = 2_048
_FILLER_SHOWS = 8


@dataclass
class _Found:
    """Where records lie in a chunk: offsets within it, and what is wrong there, if anything."""

    at: Ints
    reason: npt.NDArray[np.int8]
    length: Ints


def looks_like(head: bytes) -> bool:
    """True when the first block has the head of this layout."""
    layout = block_layout(CODE)
    if len(head) < layout.head_bytes:
        return False
    year, month, day = int.from_bytes(head[2:4], "big"), head[4], head[5]
    used = int.from_bytes(head[layout.used_length_at : layout.used_length_at + 2], "big")
    return (
        head[8:9] == b"D"
        and 1990 <= year <= 2100
        and 1 <= month <= 12
        and 1 <= day <= 31
        and used <= layout.block_bytes
    )


def decode(data: bytes | memoryview, first_pos: int, *, only_partial: bool = False) -> Decoded:
    """Decode whole blocks (the last may be cut short); ``first_pos`` is the offset of the data in its file.

    With ``only_partial`` nothing but parts of longer calls is returned: the look through a file before it is imported.
    """
    layout = block_layout(CODE)
    raw = np.frombuffer(data, np.uint8)
    step = _CHUNK_BLOCKS * layout.block_bytes
    frames: list[pl.DataFrame] = []
    raws: list[pl.DataFrame] = []
    count = 0
    for begin in range(0, len(raw), step):
        part = raw[begin : begin + step]
        found, records = _find(part, layout)
        if only_partial:
            keep = (found.reason == 0) & ((records[:, 0] & 15) > 0) if len(records) else np.zeros(0, np.bool_)
            found, records = _Found(found.at[keep], found.reason[keep], found.length[keep]), records[keep]
        count += len(found.at)
        if len(found.at):
            frame = _fields(records, found, first_pos + begin, layout)
            frames.append(frame)
            raws.append(_raw(part, found, frame))
    if not frames:
        return Decoded(empty_records(), empty_raw(), 0)
    return Decoded(pl.concat(frames), pl.concat(raws), count)


def _find(part: Bytes, layout: BlockLayout) -> tuple[_Found, Bytes]:
    """Find the records of a chunk; the regular case (full blocks of PSTN calls) needs no walk."""
    size, head = layout.block_bytes, layout.head_bytes
    width = layout.priced_head
    per_block = (size - head) // width
    if len(part) % size == 0 and head + per_block * width == size:
        blocks = part.reshape(-1, size)
        used = digits.pairs(blocks, layout.used_length_at)
        grid = blocks[:, head:].reshape(-1, per_block, width)
        if bool((used == size).all()) and bool((grid[:, :, 0] >> 4 == layout.priced_types[0]).all()):
            at = (np.arange(len(blocks), dtype=np.int64)[:, None] * size + head + np.arange(per_block) * width).ravel()
            regular = _Found(at, np.zeros(len(at), np.int8), np.full(len(at), width, np.int64))
            return regular, grid.reshape(-1, width)
    found = _walk(part, layout)
    padded = np.concatenate([part, np.full(width, layout.filler, np.uint8)])
    return found, padded[np.minimum(found.at, len(part))[:, None] + np.arange(width)]


def _walk(part: Bytes, layout: BlockLayout) -> _Found:
    """Step through all blocks at once, a record of each at a time."""
    size = layout.block_bytes
    blocks = -(-len(part) // size)
    padded = np.full(blocks * size, layout.filler, np.uint8)
    padded[: len(part)] = part
    starts = np.arange(blocks, dtype=np.int64) * size
    there = np.minimum(size, len(part) - starts)
    used = digits.pairs(padded.reshape(-1, size), layout.used_length_at).astype(np.int64)
    empty = (used == layout.filler * 257) & (there >= layout.head_bytes)
    bad_head = ~empty & ((used < layout.head_bytes) | (used > size) | (there < layout.head_bytes))
    walking = ~empty & ~bad_head
    lengths = np.zeros(16, np.int64)
    for kind, width in layout.record_bytes.items():
        lengths[kind] = width
    ats: list[Ints] = [starts[bad_head]]
    reasons: list[npt.NDArray[np.int8]] = [_no("bad_block_head", int(bad_head.sum()))]
    widths: list[Ints] = [there[bad_head]]
    where = np.full(blocks, layout.head_bytes, np.int64)
    end = np.minimum(used, there)
    while True:
        walking &= where < end
        index = np.flatnonzero(walking)
        if not len(index):
            break
        at = starts[index] + where[index]
        first = padded[at]
        width = lengths[first >> 4]
        # a record of filler is filler to its end, or at least so far; one such byte alone is garbage, not nothing
        filler = (padded[np.minimum(at[:, None] + np.arange(_FILLER_SHOWS), len(padded) - 1)] == layout.filler).all(1)
        width[filler] = layout.priced_head
        unknown = (width == 0) & ~filler
        over = ~unknown & ~filler & (where[index] + width > end[index])
        good = ~(filler | unknown | over)
        rest = end[index] - where[index]
        keep = ~filler
        ats.append(at[keep])
        reason = np.where(unknown, REASON_NO["unknown_record_type"], np.where(over, REASON_NO["cut_short"], 0))
        not_call = good & ~np.isin(first >> 4, layout.priced_types)
        reasons.append(np.where(not_call, REASON_NO["not_a_call"], reason)[keep].astype(np.int8))
        widths.append(np.where(unknown | over, rest, width)[keep])
        where[index] += np.where(unknown | over, size, width)
    # the head promises more than the file holds, and the cut fell exactly between two records
    lost = ~(bad_head | empty) & (used > there) & (where == there)
    ats.append((starts + there)[lost])
    reasons.append(_no("cut_short", int(lost.sum())))
    widths.append(np.zeros(int(lost.sum()), np.int64))
    order = np.argsort(np.concatenate(ats), kind="stable")
    return _Found(np.concatenate(ats)[order], np.concatenate(reasons)[order], np.concatenate(widths)[order])


def _no(reason: str, count: int) -> npt.NDArray[np.int8]:
    return np.full(count, REASON_NO[reason], np.int8)


def _fields(records: Bytes, found: _Found, first_pos: int, layout: BlockLayout) -> pl.DataFrame:
    """The canonical columns of records, with the reason where a field cannot be read."""
    field = layout.fields
    columns: dict[str, npt.NDArray[np.generic]] = {"file_pos": found.at + first_pos}
    columns["seq_no"] = digits.unsigned(records, field["seq"].at, field["seq"].width)
    bad_digits = np.zeros(len(records), np.bool_)
    too_long = np.zeros(len(records), np.bool_)
    for name in ("caller", "called", "link"):
        value, length, bad = digits.number(records, field[name].at, field[name].width)
        columns[f"{name}_n"], columns[f"{name}_len"] = value, length
        if name != "link":
            bad_digits |= bad
            too_long |= length > digits.MAX_DIGITS
            columns[f"{name}_nature"] = records[:, field[f"{name}_nature"].at]
    start, bad_start = digits.instant(records, field["start"].at)
    end, bad_end = digits.instant(records, field["end"].at)
    duration, bad_duration = digits.decimals(records, field["duration_s"].at, field["duration_s"].width)
    for name in ("in_trunk", "out_trunk"):
        value, bad = digits.decimals(records, field[name].at, field[name].width)
        columns[name] = np.where(bad, 0, value)
    for name in ("call_type", "cause", "partial"):
        columns[name] = _nibble(records, field[name].at, field[name].kind)
    flags = _nibble(records, field["flags"].at, field["flags"].kind)
    columns["free"] = (flags & layout.flags["free"] > 0).astype(np.int8)
    columns["charged_party"] = records[:, field["charged_party"].at]
    columns["start_s"] = start - TOWN_OFFSET_S
    columns["duration_s"] = duration
    reason = found.reason.copy()
    tests = (
        ("not_a_number", bad_digits),
        ("number_too_long", too_long),
        ("bad_time", bad_start | bad_end | bad_duration),
        ("marked_invalid", (flags & layout.flags["invalid"]) > 0),
    )
    for name, failed in tests:
        reason[(reason == 0) & failed] = REASON_NO[name]
    columns["reason"] = reason
    columns["end_gap_s"] = np.where(columns["partial"] == 0, end - start - duration, 0)
    frame = pl.DataFrame(columns)
    return in_shape(frame).with_columns(_with_gap(frame))


def _with_gap(frame: pl.DataFrame) -> pl.Series:
    """``reason`` with records set aside whose end is far from start + duration."""
    late = frame["end_gap_s"].abs() > policy().end_tolerance_s
    fresh = frame["reason"] == 0
    chosen = pl.select(
        pl.when(late & fresh).then(REASON_NO["times_disagree"]).otherwise(frame["reason"]).cast(pl.Int8).alias("reason")
    )
    return chosen["reason"]


def _nibble(records: Bytes, at: int, kind: str) -> Bytes:
    half = records[:, at] >> 4 if kind == "high" else records[:, at] & 15
    return half.astype(np.uint8)


def _raw(part: Bytes, found: _Found, frame: pl.DataFrame) -> pl.DataFrame:
    """The bytes of the records with a reason, in hexadecimal."""
    index = np.flatnonzero(frame["reason"].to_numpy() != 0)
    texts = []
    for at, width in zip(found.at[index].tolist(), found.length[index].tolist(), strict=True):
        texts.append(part[at : at + min(width, _MOST_RAW_BYTES)].tobytes().hex().upper())
    return pl.DataFrame(
        {"file_pos": frame["file_pos"].to_numpy()[index], "raw_record": texts},
        schema={"file_pos": COLUMNS["file_pos"], "raw_record": pl.String()},
    )
