"""Equal binary records from layout tables: the known records, round trips, and everything that can be wrong."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import resources
from server_api.billing.usage.formats import records
from server_api.billing.usage.formats.frame import REASONS
from server_api.billing.usage.formats.record_layout import RecordLayout, read_layout
from server_api.billing.usage.formats.records_encode import encode, records_of
from server_api.billing.usage.samples import sample_calls
from shared_models.values.faults.usage import UsageProfileNotValid
from shared_models.values.period import Month

MONTH = Month(202610)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(50)]
ALL = ("zxj10_v300", "zxj10_v302", "huawei_118", "huawei_147", "huawei_154")
#: Synthetic records over the documented layouts.
ZXJ10_V302 = (
    "0100029A73931632F4FFFFFFFFFFFFFFFFFFFFFFFFFFFF022A61841532F4FFFFFFFFFFFFFFFFFFFFFFFFFFFFB2F5DD3D190971F6DD3D3200"
    "0A0000000C00000000000000000100FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF0000000000000000FFFFFFFFFFFFFFFFFFFF000002"
    "9A73931632F4FFFFFFFFFF"
)
HUAWEI_147 = (
    "A1BB0D00010000101A0B160912299C4A00000000000000000000002220003961234FFFFFFFFFFFFF003961234FFFFFFFFFFFFF00FFFFFFFFFF"
    "FFFFFFFFFF0002164851234FFFFFFFFF02164851234FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF0101FFFF0C00FFFF03000001110021000AFF03"
    "000100010003000000000000000000000002000000000000000000000000000000"
)
#: 2026-11-22 09:15:30 in the town.
START_S = 1_795_310_130


def layout(code: str) -> RecordLayout:
    return read_layout(resources.path("usage", f"{code}.toml"))


def reasons(frame: pl.DataFrame) -> list[str]:
    return [REASONS[number] for number in frame["reason"].to_list()]


def test_the_known_zxj10_record() -> None:
    (call,) = records.decode(bytes.fromhex(ZXJ10_V302), 123, layout("zxj10_v302")).records.to_dicts()
    wanted = {
        "caller_n": 9_373_961_234,
        "caller_len": 11,
        "called_n": 2_164_851_234,
        "called_len": 11,
        "start_s": START_S,
        "duration_s": 191,
        "in_trunk": 0,
        "out_trunk": 12,
        "call_type": 5,
        "charged_party": 1,
        "free": 0,
        "partial": 0,
        "reason": 0,
        "seq_no": 25,
        "file_pos": 123,
    }
    assert {name: call[name] for name in wanted} == wanted


def test_the_known_huawei_record() -> None:
    (call,) = records.decode(bytes.fromhex(HUAWEI_147), 0, layout("huawei_147")).records.to_dicts()
    wanted = {
        "seq_no": 900_001,
        "caller_n": 3_961_234,
        "caller_len": 7,
        "called_n": 2_164_851_234,
        "called_len": 11,
        "start_s": START_S,
        "duration_s": 191,
        "in_trunk": 0,  # FFFF is none
        "out_trunk": 12,
        "call_type": 5,  # outgoing; the number says how far
        "charged_party": 1,
        "free": 0,
        "reason": 0,
    }
    assert {name: call[name] for name in wanted} == wanted


def test_the_unit_of_the_duration_and_the_order_of_bits_are_the_sites(tmp_path: Path) -> None:
    """Two public readers disagree about both; a site's own table changes them in two lines."""
    for code in ("huawei_147",):
        (tmp_path / f"{code}.toml").write_bytes(resources.path("usage", f"{code}.toml").read_bytes())
    (tmp_path / "site.toml").write_text(
        'extends = "huawei_147"\ncode = "site"\nbit_order = "high"\n[duration]\nper_second = 1\n', encoding="utf-8"
    )
    site = read_layout(tmp_path / "site.toml")
    record = bytearray.fromhex(HUAWEI_147)
    record[14:18] = (191).to_bytes(4, "little")
    record[6] = 0x10  # the fourth bit from above: free
    record[7] = 0x08  # so the payer is the last four from above
    (call,) = records.decode(bytes(record), 0, site).records.to_dicts()
    assert (call["duration_s"], call["start_s"], call["free"], call["charged_party"]) == (191, START_S, 1, 8)


@pytest.mark.parametrize("code", ALL)
@pytest.mark.parametrize("count", [0, 1, 30_000])
def test_what_is_written_is_read(code: str, count: int) -> None:
    written = sample_calls(NUMBERS, MONTH, count, 1)
    if code.startswith("zxj"):
        written = written.with_columns(seq_no=pl.col("seq_no") % 100)
    data = encode(written, layout(code))
    head = layout(code).head_bytes
    read = records.decode(data[head:], head, layout(code))
    same = ["seq_no", "caller_n", "caller_len", "called_n", "called_len", "start_s", "duration_s", "call_type"]
    same += ["in_trunk", "out_trunk", "charged_party", "free", "partial"]
    assert read.record_count == count
    assert set(reasons(read.records)) <= {""}
    assert read.records.select(same).equals(written.select(same))
    assert read.records["file_pos"].to_list()[:2] == [head, head + layout(code).record_bytes][:count]


def test_incoming_and_transit_by_trunk_group() -> None:
    calls = sample_calls(NUMBERS, MONTH, 3, 1).with_columns(
        in_trunk=pl.Series([0, 5, 5], dtype=pl.Int32), out_trunk=pl.Series([7, 0, 7], dtype=pl.Int32)
    )
    read = records.decode(records_of(calls, layout("zxj10_v302")).tobytes(), 0, layout("zxj10_v302"))
    assert read.records["call_type"].to_list()[1:] == [7, 9]


@pytest.mark.parametrize("code", ALL)
def test_spoilt_records_are_set_aside_alone(code: str) -> None:
    table = layout(code)
    calls = sample_calls(NUMBERS, MONTH, 6, 1)
    grid = records_of(calls, table)
    caller, called = table.fields["caller"], table.fields["called"]
    grid[1, caller.at : caller.at + caller.width] = 0xCC
    grid[2, called.at : called.at + called.width] = 0x12 if not table.packing.nought else 0x21
    moment = table.fields.get("start", table.fields["end"])
    grid[3, moment.at : moment.at + moment.width] = 0xFF
    grid[4] = 0xFF
    data = grid.tobytes() + grid[5].tobytes()[:40]
    read = records.decode(data, 0, table)
    expected = ["", "not_a_number", "number_too_long", "bad_time", "", "cut_short"]
    assert reasons(read.records) == expected
    assert read.record_count == 6
    assert len(read.raw) == 4
    assert read.raw["raw_record"][-1] == grid[5].tobytes()[:40].hex().upper()


def test_other_tickets_are_no_calls_and_invalid_ones_are_marked() -> None:
    table = layout("huawei_147")
    grid = records_of(sample_calls(NUMBERS, MONTH, 3, 1), table)
    grid[1, 4] = 0x55
    grid[2, 6] |= 0x10
    assert reasons(records.decode(grid.tobytes(), 0, table).records) == ["", "not_a_call", "marked_invalid"]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ("record_bytes = 4", "record_bytes"),
        ('byte_order = "middle"', "byte_order"),
        ("[fields]\ncaller = { at = 400, bytes = 10, type = 'digits' }", "fields.caller.at"),
        ("[fields]\ncaller = { at = 4, bytes = 10, type = 'runes' }", "fields.caller.type"),
        ("[fields]\nwho = { at = 4, type = 'u8' }", "fields.who"),
        ("[digits]\nfillers = [16]", "digits.fillers"),
        ("[duration]\nper_second = 0", "duration.per_second"),
        ("not toml at all", "line"),
        ('extends = "../../etc/passwd"', "extends"),
    ],
)
def test_a_mistake_in_a_table_is_named(tmp_path: Path, change: str, names: str) -> None:
    (tmp_path / "huawei_147.toml").write_bytes(resources.path("usage", "huawei_147.toml").read_bytes())
    base = "" if change.startswith("extends") else 'extends = "huawei_147"\n'
    (tmp_path / "site.toml").write_text(f"{base}{change}\n", encoding="utf-8")
    with pytest.raises(UsageProfileNotValid) as refused:
        read_layout(tmp_path / "site.toml")
    assert names in str(refused.value.params["problem"])


def test_only_the_right_table_reads_it() -> None:
    """Detection rests on this: a file looks like one of its own layout and like no other."""
    calls = sample_calls(NUMBERS, MONTH, 200, 1)
    for code in ALL:
        data = records_of(calls, layout(code)).tobytes()
        looks = {other: records.readable_per_mille(data, layout(other)) for other in ALL}
        assert looks.pop(code) == 1000
        assert max(looks.values()) < 300, (code, looks)
