"""Files of equal binary records, decoded by the ten thousand from a layout table (ZTE ZXJ10, Huawei C&C08/SoftX3000).

Records of nothing but filler are skipped; what the end of the file cuts off, records of other kinds and fields that
hold no number or no time are set aside with their bytes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from server_api.billing.usage.formats import bcd, digits
from server_api.billing.usage.formats.frame import (
    COLUMNS,
    REASON_NO,
    TOWN_OFFSET_S,
    Decoded,
    empty_raw,
    empty_records,
    in_shape,
)
from server_api.billing.usage.formats.record_layout import BY_NUMBER, NUMBERS, RecordField, RecordLayout
from server_api.billing.usage.policy import policy

Bytes2D = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: About so many bytes are decoded at a time, so that what is worked on stays in the processor's cache.
_CHUNK_BYTES = 2 * 1_048_576
_FILLERS = (0x00, 0xFF)
_LOCAL, _NATIONAL, _INTERNATIONAL, _INCOMING, _TRANSIT = 3, 5, 6, 7, 9
_SHORT = 32_767
_LARGEST = {
    "partial": 3,
    "caller_nature": _SHORT,
    "called_nature": _SHORT,
    "in_trunk": 2**31 - 1,
    "out_trunk": 2**31 - 1,
    "call_type": _SHORT,
    "charged_party": _SHORT,
    "cause": _SHORT,
    "free": 1,
}


def decode(data: bytes, first_pos: int, layout: RecordLayout, *, only_partial: bool = False) -> Decoded:
    """Decode records one after the other; ``first_pos`` is the offset of the first in its file.

    With ``only_partial`` nothing but parts of longer calls is returned.
    """
    width = layout.record_bytes
    raw = np.frombuffer(data, np.uint8)
    whole = len(raw) // width
    grid = raw[: whole * width].reshape(-1, width)
    step = max(_CHUNK_BYTES // width, 1)
    frames: list[pl.DataFrame] = []
    raws: list[pl.DataFrame] = []
    count = 0
    for begin in range(0, whole, step):
        records = grid[begin : begin + step]
        at = first_pos + (begin + np.arange(len(records), dtype=np.int64)) * width
        used = ~_filler(records)
        if only_partial:
            used &= _plain(records, layout, "partial") > 0
        if not used.all():
            records, at = records[used], at[used]
        if len(records):
            frame = _fields(records, at, layout)
            frames.append(frame)
            raws.append(_raw(records, frame))
            count += len(records)
    rest = raw[whole * width :]
    if len(rest) and not only_partial and not _filler(rest.reshape(1, -1))[0]:
        frames.append(_cut_short(first_pos + whole * width))
        raws.append(_raw(rest.reshape(1, -1), frames[-1]))
        count += 1
    if not frames:
        return Decoded(empty_records(), empty_raw(), 0)
    return Decoded(pl.concat(frames), pl.concat(raws), count)


def readable_per_mille(data: bytes, layout: RecordLayout) -> int:
    """How many of a thousand records at the beginning of the data (after the head) look like ones of this layout."""
    end = len(data) // layout.record_bytes * layout.record_bytes
    decoded = decode(data[:end] if end else data, 0, layout)
    if not decoded.record_count:
        return 0
    sensible = pl.col("reason").is_in([0, REASON_NO["marked_invalid"]]) & (pl.col("caller_len") > 0)
    return decoded.records.filter(sensible).height * 1000 // decoded.record_count


def _filler(records: Bytes2D) -> Flags:
    """Records of one and the same filling byte from end to end."""
    found = np.zeros(len(records), np.bool_)
    for filler in _FILLERS:
        maybe = np.flatnonzero((records[:, 0] == filler) & (records[:, -1] == filler))
        if len(maybe):
            found[maybe] |= (records[maybe] == filler).all(axis=1)
    return found


def _fields(records: Bytes2D, at: Ints, layout: RecordLayout) -> pl.DataFrame:
    """The canonical columns of records, with the reason where a field cannot be read."""
    count = len(records)
    columns: dict[str, npt.NDArray[np.generic]] = {"file_pos": at}
    bad_digits, too_long = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    for name in NUMBERS:
        if name not in layout.fields:
            continue
        spot = layout.fields[name]
        value, length, bad = bcd.number(records, spot.at, spot.width, layout.packing)
        columns[f"{name}_n"], columns[f"{name}_len"] = value, length
        if name != "link":
            bad_digits |= bad
            too_long |= length > digits.MAX_DIGITS
    for name in ("seq", "partial", "caller_nature", "called_nature", "in_trunk", "out_trunk", "call_type"):
        columns["seq_no" if name == "seq" else name] = _plain(records, layout, name)
    for name in ("charged_party", "cause", "free"):
        columns[name] = _plain(records, layout, name)
    columns["call_type"] = _call_type(columns, layout)
    start, end, duration, bad_time, odd = _times(records, layout)
    columns["start_s"], columns["duration_s"] = start - TOWN_OFFSET_S, duration
    gap = np.abs(end - start - duration) > policy().end_tolerance_s
    partial = columns["partial"].astype(np.int64)
    kind = _plain(records, layout, "type")
    other = ~np.isin(kind, layout.call_records) if layout.call_records else np.zeros(count, np.bool_)
    reason = np.zeros(count, np.int8)
    beyond = _within(columns)
    tests = (
        ("unknown_record_type", (partial < 0) | (partial > 3)),
        ("not_a_call", other),
        ("not_a_number", bad_digits | beyond),
        ("number_too_long", too_long),
        ("bad_time", bad_time),
        ("marked_invalid", _plain(records, layout, "invalid") > 0),
        ("times_disagree", odd | (gap & (partial == 0))),
    )
    for name, failed in tests:
        reason[(reason == 0) & failed] = REASON_NO[name]
    columns["reason"] = reason
    return in_shape(pl.DataFrame(columns))


def _within(columns: dict[str, npt.NDArray[np.generic]]) -> Flags:
    """Bring plain numbers into what their columns hold; where one was beyond it."""
    beyond = np.zeros(len(columns["file_pos"]), np.bool_)
    for name, most in _LARGEST.items():
        value = columns[name].astype(np.int64)
        wrong = (value < 0) | (value > most)
        if wrong.any():
            columns[name] = np.where(wrong, 0, value)
            beyond |= wrong
    return beyond


def _call_type(columns: dict[str, npt.NDArray[np.generic]], layout: RecordLayout) -> Ints:
    """The type of call; one settled by the number dialled is abroad (00), far (0) or here; a call that came in over
    somebody else's trunk group is incoming, or transit where it went out again."""
    kind = columns["call_type"].astype(np.int64)
    value, length = columns["called_n"].astype(np.int64), columns["called_len"].astype(np.int64)
    power = 10 ** np.clip(length - 1, 0, digits.MAX_DIGITS)
    zeros = (length > 1) & (value < power)
    abroad = zeros & (length > 2) & (value < power // 10)
    dialled = np.where(abroad, _INTERNATIONAL, np.where(zeros, _NATIONAL, _LOCAL))
    kind = np.where(kind == BY_NUMBER, dialled, kind)
    if layout.incoming_by_trunk:
        came_in = columns["in_trunk"].astype(np.int64)
        strange = (came_in != 0) & ~np.isin(came_in, layout.own_trunks)
        kind = np.where(strange, np.where(columns["out_trunk"].astype(np.int64) != 0, _TRANSIT, _INCOMING), kind)
    return kind


def _plain(records: Bytes2D, layout: RecordLayout, name: str) -> Ints:
    """A whole number, translated where the layout says so; the layout's constant, or 0, where it has no such field."""
    spot = layout.fields.get(name)
    if spot is None:
        return np.full(len(records), layout.constants.get(name, 0), np.int64)
    written = value = _READ[spot.kind](records, spot)
    for old, new in layout.values.get(name, {}).items():
        value = np.where(written == old, new, value)
    return value


def _word(records: Bytes2D, spot: RecordField) -> Ints:
    order = range(spot.at, spot.at + spot.width)
    value = np.zeros(len(records), np.int64)
    for index in order if spot.big_endian else reversed(order):
        value = (value << 8) | records[:, index]
    return value


def _high(records: Bytes2D, spot: RecordField) -> Ints:
    return (records[:, spot.at] >> 4).astype(np.int64)


def _low(records: Bytes2D, spot: RecordField) -> Ints:
    return (records[:, spot.at] & 15).astype(np.int64)


def _bits(records: Bytes2D, spot: RecordField) -> Ints:
    return ((records[:, spot.at] >> spot.low_bit) & ((1 << spot.bit_count) - 1)).astype(np.int64)


def _decimals(records: Bytes2D, spot: RecordField) -> Ints:
    """A number of decimal digits; -1 where it is none."""
    value, bad = np.zeros(len(records), np.int64), np.zeros(len(records), np.bool_)
    for index in range(spot.at, spot.at + spot.width):
        high, low = records[:, index] >> 4, records[:, index] & 15
        bad |= (high > 9) | (low > 9)
        value = value * 100 + high * 10 + low
    return np.where(bad, -1, value)


_READ: dict[str, Callable[[Bytes2D, RecordField], Ints]] = {
    "u8": _word,
    "u16": _word,
    "u32": _word,
    "seconds": _word,
    "high": _high,
    "low": _low,
    "bit": _bits,
    "bits": _bits,
    "bcd": _decimals,
}


def _times(records: Bytes2D, layout: RecordLayout) -> tuple[Ints, Ints, Ints, Flags, Flags]:
    """Start and end in seconds of the town's clock, the duration in seconds; where a time is none; where the end lies
    before the start."""
    field = layout.fields
    bad = np.zeros(len(records), np.bool_)
    moments: dict[str, Ints] = {}
    for name in ("start", "end"):
        if name in field:
            moments[name], wrong = _moment(records, field[name], layout.epoch_day)
            bad |= wrong
    if "duration" in field:
        units = _READ[field["duration"].kind](records, field["duration"])
        bad |= units < 0
        # begun units of less than a second count as the second they began
        duration = -(-np.maximum(units, 0) // layout.per_second)
    else:
        duration = moments["end"] - moments["start"]
    start = moments["start"] if "start" in moments else moments["end"] - duration
    end = moments["end"] if "end" in moments else start + duration
    backwards = (end < start) & ~bad
    return start, end, np.maximum(duration, 0), bad, backwards


def _moment(records: Bytes2D, spot: RecordField, epoch_day: int) -> tuple[Ints, Flags]:
    if spot.kind == "bcd_time":
        return digits.instant(records, spot.at)
    if spot.kind == "seconds":
        seconds = _word(records, spot)
        return seconds + epoch_day * 86_400, (seconds == 0) | (seconds == 0xFFFFFFFF)
    year, month, day, hour, minute, second = (records[:, spot.at + place].astype(np.int64) for place in range(6))
    bad = (year > 99) | (month < 1) | (month > 12) | (hour > 23) | (minute > 59) | (second > 59)
    year_month = np.where(bad, 101, year * 100 + month)
    bad |= (day < 1) | (day > digits.MONTH_DAYS[year_month])
    day_number = digits.MONTH_FIRST[year_month].astype(np.int64) + day - 1
    return ((day_number * 24 + hour) * 60 + minute) * 60 + second, bad


def _raw(records: Bytes2D, frame: pl.DataFrame) -> pl.DataFrame:
    """The bytes of the records with a reason, in hexadecimal."""
    index = np.flatnonzero(frame["reason"].to_numpy() != 0)
    return pl.DataFrame(
        {
            "file_pos": frame["file_pos"].to_numpy()[index],
            "raw_record": [records[at].tobytes().hex().upper() for at in index.tolist()],
        },
        schema={"file_pos": COLUMNS["file_pos"], "raw_record": pl.String()},
    )


def _cut_short(at: int) -> pl.DataFrame:
    return in_shape(pl.DataFrame({"file_pos": [at], "reason": [REASON_NO["cut_short"]]}))
