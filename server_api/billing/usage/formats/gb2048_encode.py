"""Calls as a file in the national layout: for samples, tests and training. The decoder's other half."""

from __future__ import annotations

import numpy as np
import polars as pl

from server_api.billing.usage.formats import digits
from server_api.billing.usage.formats.frame import TOWN_OFFSET_S
from server_api.billing.usage.formats.gb2048 import CODE, Bytes
from server_api.billing.usage.formats.layout import block_layout

_PSTN = 78
_PER_BLOCK = (2_048 - 20) // _PSTN


def records_of(calls: pl.DataFrame) -> Bytes:
    """Canonical calls as PSTN records, one row of 78 bytes each."""
    layout = block_layout(CODE)
    field = layout.fields
    count = len(calls)
    out = np.zeros((count, _PSTN), np.uint8)
    column = {name: calls[name].to_numpy() for name in calls.columns if name not in ("owner_text", "session")}
    out[:, 0] = (1 << 4) | column["partial"].astype(np.uint8)
    seq = column["seq_no"].astype(">u4").view(np.uint8).reshape(count, 4)
    out[:, field["seq"].at : field["seq"].at + 4] = seq
    for name in ("caller", "called", "link"):
        at, width = field[name].at, field[name].width
        lengths = column[f"{name}_len"].astype(np.int64)
        out[:, at : at + width] = digits.to_number(column[f"{name}_n"], lengths, width)
    for name in ("caller_nature", "called_nature", "charged_party"):
        out[:, field[name].at] = column[name].astype(np.uint8)
    start = column["start_s"] + TOWN_OFFSET_S
    for name, seconds in (("start", start), ("end", start + column["duration_s"])):
        out[:, field[name].at : field[name].at + 6] = _times(seconds)
    out[:, field["call_type"].at] = column["call_type"].astype(np.uint8) & 15
    out[:, field["cause"].at] = column["cause"].astype(np.uint8) & 15
    out[:, 45] = 0x0A  # an ordinary subscriber
    out[:, field["flags"].at] = column["free"].astype(np.uint8) * layout.flags["free"]
    out[:, field["duration_s"].at : field["duration_s"].at + 4] = digits.to_bcd(column["duration_s"], 4)
    for name in ("in_trunk", "out_trunk"):
        out[:, field[name].at : field[name].at + 2] = digits.to_bcd(column[name].astype(np.int64), 2)
    return out


def _times(seconds: digits.Ints) -> Bytes:
    moments = seconds.astype("datetime64[s]")
    months = moments.astype("datetime64[M]")
    years = moments.astype("datetime64[Y]")
    of_day = (moments - moments.astype("datetime64[D]")).astype(np.int64)
    parts = (
        (years.astype(np.int64) + 1970) % 100,
        (months - years).astype(np.int64) + 1,
        (moments.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64) + 1,
        of_day // 3600,
        of_day // 60 % 60,
        of_day % 60,
    )
    return np.stack([(part // 10 << 4 | part % 10).astype(np.uint8) for part in parts], axis=1)


def blocks_of(records: Bytes, first_at_s: int, file_serial: int = 1) -> bytes:
    """Records packed into blocks; the last block is filled up. ``first_at_s`` is the time in the block heads."""
    blocks = -(-len(records) // _PER_BLOCK)
    out = np.full((blocks, 2_048), 0xEE, np.uint8)
    padded = np.full((blocks * _PER_BLOCK, _PSTN), 0xEE, np.uint8)
    padded[: len(records)] = records
    out[:, 20:] = padded.reshape(blocks, _PER_BLOCK * _PSTN)
    moment = np.datetime64(first_at_s + TOWN_OFFSET_S, "s").item()
    serial = (np.arange(1, blocks + 1) & 0xFFFF).astype(">u2").view(np.uint8).reshape(blocks, 2)
    out[:, 0:2] = serial
    out[:, 2:4] = np.array([moment.year >> 8, moment.year & 255], np.uint8)
    out[:, 4:9] = np.array([moment.month, moment.day, moment.hour, moment.minute, ord("D")], np.uint8)
    out[:, 9:12] = np.array([0x10, 0x22, 0x33], np.uint8)
    out[:, 12] = 1
    used = np.full(blocks, 20 + _PER_BLOCK * _PSTN, np.int64)
    if blocks:
        used[-1] = 20 + (len(records) - (blocks - 1) * _PER_BLOCK) * _PSTN
    out[:, 13:15] = used.astype(">u2").view(np.uint8).reshape(blocks, 2)
    out[:, 15] = 1
    out[:, 16:20] = np.frombuffer(file_serial.to_bytes(4, "big"), np.uint8)
    return out.tobytes()
