"""The national layout: the known record, a round trip, and everything that can be wrong with a file."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from server_api.billing.usage.formats import gb2048
from server_api.billing.usage.formats.frame import REASON_NO, REASONS
from server_api.billing.usage.formats.gb2048_encode import blocks_of, records_of
from server_api.billing.usage.samples import sample_calls
from shared_models.values.period import Month

#: A synthetic block over the documented layout: two calls, then filler.
FIRST = (
    "10000004D20209373961234EEEEEEEEE0202164851234EEEEEEEEE2611220915302526112209184150000001910A00000000120000000000000001"
    "00EEEEEEEEEEEEEEEEEEEE0000000000000000"
)
SECOND = (
    "10000004D3023961235EEEEEEEEEEEEE023962001EEEEEEEEEEEEE2611220915302326112209184150000001910A000000000000000000000000"
    "0100EEEEEEEEEEEEEEEEEEEE0000000000000000"
)
HEAD = "000107EA0B160914441022330100B0010000004D"
BLOCK = bytes.fromhex(HEAD + FIRST + SECOND).ljust(2048, b"\xee")
MONTH = Month(202610)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(50)]


def calls(count: int, seed: int = 1) -> pl.DataFrame:
    return sample_calls(NUMBERS, MONTH, count, seed)


def reasons(frame: pl.DataFrame) -> list[str]:
    return [REASONS[number] for number in frame["reason"].to_list()]


def test_the_known_block() -> None:
    decoded = gb2048.decode(BLOCK, 0)
    first, second = decoded.records.to_dicts()
    # 2026-11-22 09:15:30 in the town is 01:15:30 UTC
    assert first["start_s"] == 1_795_310_130
    wanted = {
        "seq_no": 1234,
        "caller_n": 9_373_961_234,
        "caller_len": 11,
        "called_n": 2_164_851_234,
        "called_len": 11,
        "duration_s": 191,
        "in_trunk": 0,
        "out_trunk": 12,
        "call_type": 5,
        "cause": 0,
        "charged_party": 1,
        "free": 0,
        "partial": 0,
        "reason": 0,
        "file_pos": 20,
    }
    assert {name: first[name] for name in wanted} == wanted
    assert (second["seq_no"], second["caller_n"], second["called_n"], second["call_type"]) == (
        1235,
        3_961_235,
        3_962_001,
        3,
    )
    assert gb2048.looks_like(BLOCK)


@pytest.mark.parametrize("count", [0, 1, 25, 26, 27, 5_000, 14_000])
def test_what_is_written_is_read(count: int) -> None:
    """Also across the chunks decoding works in (13,312 records)."""
    written = calls(count)
    data = blocks_of(records_of(written), 1_790_000_000)
    assert len(data) % 2048 == 0
    read = gb2048.decode(data, 0)
    assert read.record_count == count
    same = [
        "seq_no",
        "caller_n",
        "caller_len",
        "called_n",
        "called_len",
        "start_s",
        "duration_s",
        "out_trunk",
        "call_type",
        "charged_party",
        "cause",
        "reason",
    ]
    assert read.records.select(same).equals(written.select(same))


@pytest.mark.parametrize("cut", [1, 19, 20, 21, 97, 98, 99, 2047, 2048, 2049, 4095])
def test_a_file_cut_anywhere_loses_nothing_silently(cut: int) -> None:
    data = blocks_of(records_of(calls(60)), 1_790_000_000)[:cut]
    decoded = gb2048.decode(data, 0)
    whole = sum(max(0, (min(2048, cut - at) - 20) // 78) for at in range(0, cut, 2048))
    good = decoded.records.filter(pl.col("reason") == 0)
    assert len(good) == whole
    bad = set(reasons(decoded.records.filter(pl.col("reason") != 0)))
    assert bad <= {"cut_short", "bad_block_head"}
    if cut % 2048:
        assert bad, "the cut itself must show"
    assert decoded.raw["file_pos"].to_list() == decoded.records.filter(pl.col("reason") != 0)["file_pos"].to_list()


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (27, "261322091530", "bad_time"),
        (27, "261131091530", "bad_time"),
        (27, "260229091530", "bad_time"),
        (27, "261122249999", "bad_time"),
        (27, "FFFFFFFFFFFF", "bad_time"),
        (41, "0000019A", "bad_time"),
        (6, "09A73961234EEEEEEEEE"[:20], "not_a_number"),
        (6, "09EE73961234EEEEEEEE", "not_a_number"),
        (17, "02164851234B" + "E" * 8, "not_a_number"),
        (17, "1234567890123456789E", "number_too_long"),
        (34, "261122101841", "times_disagree"),
        (34, "261122091400", "times_disagree"),
        (46, "01", "marked_invalid"),
        (0, "30", "cut_short"),
        (0, "50", "unknown_record_type"),
    ],
)
def test_absurd_fields(at: int, value: str, reason: str) -> None:
    data = bytearray(BLOCK)
    part = bytes.fromhex(value)
    data[98 + at : 98 + at + len(part)] = part
    decoded = gb2048.decode(bytes(data), 0)
    assert reasons(decoded.records) == ["", reason]
    assert decoded.raw["file_pos"].to_list() == [98]
    assert decoded.raw["raw_record"][0].startswith(bytes(data[98:108]).hex().upper())


def test_a_number_of_eighteen_digits_is_kept_whole() -> None:
    data = bytearray(BLOCK)
    data[20 + 17 : 20 + 27] = bytes.fromhex("123456789012345678EE")
    assert gb2048.decode(bytes(data), 0).records["called_n"][0] == 123_456_789_012_345_678


def test_meter_readings_are_set_aside_and_what_follows_is_read() -> None:
    body = bytes.fromhex("00" * 60) + bytes.fromhex(FIRST)
    used = (20 + len(body)).to_bytes(2, "big")
    block = (bytes.fromhex(HEAD)[:13] + used + bytes.fromhex(HEAD)[15:] + body).ljust(2048, b"\xee")
    decoded = gb2048.decode(block, 0)
    assert reasons(decoded.records) == ["not_a_call", ""]


@pytest.mark.parametrize("used", [0, 19, 2049, 65535])
def test_a_block_that_lies_about_its_length(used: int) -> None:
    lying = bytearray(BLOCK)
    lying[13:15] = used.to_bytes(2, "big")
    decoded = gb2048.decode(bytes(lying) + BLOCK, 0)
    assert reasons(decoded.records) == ["bad_block_head", "", ""]


def test_blocks_of_filler_are_skipped() -> None:
    decoded = gb2048.decode(b"\xee" * 2048 + BLOCK, 0)
    assert decoded.record_count == 2
    assert decoded.records["file_pos"].to_list() == [2068, 2146]


def test_random_bytes_never_break_the_decoder() -> None:
    random = np.random.default_rng(3)
    for size in (1, 100, 2048, 10_000, 300_000):
        data = random.integers(0, 256, size, dtype=np.uint8).tobytes()
        decoded = gb2048.decode(data, 0)
        assert len(decoded.records) == decoded.record_count
        assert decoded.records["reason"].is_between(0, len(REASONS) - 1).all()


def test_flags_say_what_is_free() -> None:
    data = bytearray(BLOCK)
    data[20 + 46] = 0x04
    assert gb2048.decode(bytes(data), 0).records["free"].to_list() == [1, 0]
    assert REASON_NO[""] == 0


def test_a_record_beginning_with_one_byte_of_filler_is_not_nothing() -> None:
    data = bytearray(BLOCK)
    data[98] = 0xEE
    assert reasons(gb2048.decode(bytes(data), 0).records) == ["", "unknown_record_type"]
    data[98:176] = b"\xee" * 78
    assert reasons(gb2048.decode(bytes(data), 0).records) == [""]
