"""Calls as a file of equal binary records, from the same layout table: for samples, tests and training."""

from __future__ import annotations

import numpy as np
import polars as pl

from server_api.billing.usage.formats import bcd, digits
from server_api.billing.usage.formats.frame import TOWN_OFFSET_S
from server_api.billing.usage.formats.record_layout import BY_NUMBER, NUMBERS, RecordField, RecordLayout
from server_api.billing.usage.formats.records import Bytes2D, Ints

_DIALLED = (3, 5, 6)


def encode(calls: pl.DataFrame, layout: RecordLayout) -> bytes:
    """Canonical calls as a whole file of the layout, head included. Columns the layout has no field for are lost."""
    return head_of(layout) + records_of(calls, layout).tobytes()


def head_of(layout: RecordLayout) -> bytes:
    """A head as this layout's files begin with; empty where they have none."""
    head = bytearray(layout.head_bytes)
    head[layout.magic_at : layout.magic_at + len(layout.magic)] = layout.magic
    if layout.head_pattern is not None:
        written = b"2026\x0011.22\x0009:20:00\x00"
        head[2 : 2 + len(written)] = written
    return bytes(head)


def records_of(calls: pl.DataFrame, layout: RecordLayout) -> Bytes2D:
    """Canonical calls as records, one row each."""
    out = np.zeros((len(calls), layout.record_bytes), np.uint8)
    numbers = {name: calls[name].fill_null(0).to_numpy().astype(np.int64) for name in calls.columns if _whole(name)}
    for name in NUMBERS:
        if name in layout.fields:
            spot = layout.fields[name]
            value, length = numbers[f"{name}_n"], numbers[f"{name}_len"]
            out[:, spot.at : spot.at + spot.width] = bcd.packed(value, length, spot.width, layout.packing)
    start = numbers["start_s"] + TOWN_OFFSET_S
    plain = {name: numbers[name] for name in ("partial", "caller_nature", "called_nature", "free", "cause")}
    plain |= {name: numbers[name] for name in ("in_trunk", "out_trunk", "call_type", "charged_party")}
    plain |= {"seq": numbers["seq_no"], "duration": numbers["duration_s"] * layout.per_second}
    plain["type"] = np.full(len(calls), layout.call_records[0] if layout.call_records else 0)
    for name, values in plain.items():
        if name in layout.fields:
            _put(out, layout.fields[name], _untranslated(name, values, layout))
    for name, moment in (("start", start), ("end", start + numbers["duration_s"])):
        if name in layout.fields:
            _put_moment(out, layout.fields[name], moment, layout.epoch_day)
    return out


def _whole(name: str) -> bool:
    return name not in ("owner_text", "session")


def _untranslated(name: str, values: Ints, layout: RecordLayout) -> Ints:
    """The other way of the layout's translation; where several mean the same, the last of them."""
    back = {new: old for old, new in layout.values.get(name, {}).items()}
    if BY_NUMBER in back:
        back |= {kind: back[BY_NUMBER] for kind in _DIALLED if kind not in back}
    found = values.copy()
    for new, old in back.items():
        found[values == new] = old
    return found


def _put(out: Bytes2D, spot: RecordField, values: Ints) -> None:
    if spot.kind in ("u8", "u16", "u32", "seconds"):
        places = range(spot.at, spot.at + spot.width)
        for shift, index in enumerate(reversed(places) if spot.big_endian else places):
            out[:, index] = (values >> (8 * shift)) & 255
    elif spot.kind == "bcd":
        out[:, spot.at : spot.at + spot.width] = digits.to_bcd(values, spot.width)
    else:
        low = {"high": 4, "low": 0}.get(spot.kind, spot.low_bit)
        count = 4 if spot.kind in ("high", "low") else spot.bit_count
        out[:, spot.at] |= ((values & ((1 << count) - 1)) << low).astype(np.uint8)


def _put_moment(out: Bytes2D, spot: RecordField, seconds: Ints, epoch_day: int) -> None:
    if spot.kind == "seconds":
        _put(out, spot, seconds - epoch_day * 86_400)
        return
    moments = seconds.astype("datetime64[s]")
    months, days = moments.astype("datetime64[M]"), moments.astype("datetime64[D]")
    of_day = (moments - days).astype(np.int64)
    parts = (
        (moments.astype("datetime64[Y]").astype(np.int64) + 1970) % 100,
        months.astype(np.int64) % 12 + 1,
        (days - months.astype("datetime64[D]")).astype(np.int64) + 1,
        of_day // 3_600,
        of_day // 60 % 60,
        of_day % 60,
    )
    for place, part in enumerate(parts):
        out[:, spot.at + place] = part if spot.kind == "binary_time" else part // 10 * 16 + part % 10
