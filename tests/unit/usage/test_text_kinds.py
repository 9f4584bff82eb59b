"""Text kinds from tables, Asterisk and Srun: the known lines, and what may not be taken for a call."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import resources
from server_api.billing.usage.formats import srun_details, text_decode, text_encode
from server_api.billing.usage.formats.frame import REASONS
from server_api.billing.usage.formats.text_profile import Profile, read_profile
from server_api.billing.usage.samples import sample_calls, sample_sessions
from shared_models.values.faults.usage import UsageProfileNotValid
from shared_models.values.period import Month

#: 2026-11-22 09:15:30 in the town.
START_S = 1_795_310_130
ASTERISK = (
    '"","3961234","02164851234","inside","""Zhang, San"" <3961234>","SIP/3961234-1","SIP/ims-2","Dial","SIP/ims,60",'
    '"2026-11-22 09:15:20","2026-11-22 09:15:30","2026-11-22 09:18:41",201,191,"ANSWERED","DOCUMENTATION",'
    '"1795310120.1",""'
)
SILENT = (
    '"","3961234","3962001","inside","""A"" <3961234>","SIP/3961234-3","","Dial","x","2026-11-22 09:20:00",,'
    '"2026-11-22 09:20:10",10,0,"NO ANSWER","DOCUMENTATION"'
)
FIXED = """
code = "site_fixed"
service = "voice"
kind = "fixed"
[positions]
from = { at = 0, width = 12 }
to = { at = 12, width = 18 }
day = { at = 30, width = 8 }
clock = { at = 38, width = 6 }
tenths = { at = 44, width = 8 }
way = { at = 52, width = 4 }
[fields]
caller = { column = "from" }
called = { column = "to" }
start = { columns = ["day", "clock"], format = "%Y%m%d %H%M%S" }
duration = { column = "tenths", unit = "100ms" }
call_type = { column = "way", values = { "LOC" = 3, "NAT" = 5, "IN" = 7 } }
"""
CHINESE = """
code = "site_gb"
service = "voice"
kind = "csv"
separator = ";"
encoding = "gb18030"
header = "names"
columns = ["主叫号码", "被叫号码", "开始时间", "时长", "类型"]
[fields]
caller = { column = "主叫号码" }
called = { column = "被叫号码" }
start = { column = "开始时间", format = "%Y/%m/%d %H:%M:%S" }
duration = { column = "时长", unit = "h:m:s" }
call_type = { column = "类型", values = { "本地" = 3, "长途" = 5 }, default = 3 }
"""


def asterisk() -> Profile:
    return read_profile(resources.path("usage", "asterisk_csv.toml"))


def profile(folder: Path, table: str) -> Profile:
    (folder / "site.toml").write_text(table, encoding="utf-8")
    return read_profile(folder / "site.toml")


def reasons(frame: pl.DataFrame) -> list[str]:
    return [REASONS[number] for number in frame["reason"].to_list()]


def test_asterisk_is_charged_from_the_answer() -> None:
    decoded = text_decode.decode(f"{ASTERISK}\r\n{SILENT}\r\n".encode(), (), 1, asterisk())
    call, silent = decoded.records.to_dicts()
    wanted = {
        "caller_n": 3_961_234,
        "called_n": 2_164_851_234,
        "called_len": 11,
        "start_s": START_S,
        "duration_s": 191,
        "call_type": 5,
        "seq_no": 17_953_101_201,
        "reason": 0,
        "file_pos": 1,
    }
    assert {name: call[name] for name in wanted} == wanted
    assert (silent["duration_s"], silent["reason"], silent["call_type"]) == (0, 0, 3)


def test_asterisk_with_a_header_in_another_order() -> None:
    names = ["start", "answer", "end", "src", "dst", "billsec", "duration", "disposition", "amaflags", "accountcode"]
    names += ["dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "uniqueid"]
    values = ["2026-11-22 09:15:20", "2026-11-22 09:15:30", "2026-11-22 09:18:41", "3961234", "+8521234", "191", "201"]
    values += ["ANSWERED", "3", "", "", "", "", "", "", "", "7.5"]
    head = ",".join(names).encode()
    header = text_decode.header_of(head + b"\n", asterisk())
    assert header == tuple(names)
    (call,) = text_decode.decode(",".join(values).encode(), header, 2, asterisk()).records.to_dicts()
    assert (call["caller_n"], call["called_n"], call["called_nature"], call["call_type"]) == (
        3_961_234,
        8_521_234,
        3,
        6,
    )


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b'"","3961234,"stray","x"',
        b'"","39\n61234"',
        b'"""""""""""""',
        b",,,,,,,,,,,,,,,,,,,,,,,,,,,,",
        "中文,中文".encode("gb18030"),
        b"\0\0\0\0",
        b'"' + b"x" * 100_000,
    ],
)
def test_an_odd_line_is_alone_in_its_misfortune(line: bytes) -> None:
    data = b"\n".join([ASTERISK.encode(), line, ASTERISK.encode()]) + b"\n"
    decoded = text_decode.decode(data, (), 1, asterisk())
    good = decoded.records.filter(pl.col("reason") == 0)
    assert good["file_pos"].to_list() == [1, data.count(b"\n")]
    assert len(decoded.raw) == len(decoded.records) - 2 == decoded.record_count - 2
    assert set(decoded.raw["file_pos"]) == set(decoded.records.filter(pl.col("reason") != 0)["file_pos"])


def test_fixed_width(tmp_path: Path) -> None:
    site = profile(tmp_path, FIXED)
    lines = [
        "3961234     02164851234       202611220915300000190{}LOC",
        "3961234     02164851234       2026112209153000001901IN",
        "3961234     02164851234       2026112299153000001901NAT",
        "3961234     0216",
        "39X1234     02164851234       2026112209153000001901NAT",
        "",
        "3961234     02164851234       2026112209153000001901WHAT",
    ]
    decoded = text_decode.decode("\n".join(lines).replace("{}", "1").encode(), (), 1, site)
    rows = decoded.records.to_dicts()
    # 190.1 seconds: what is begun counts whole
    assert [(row["start_s"], row["duration_s"], row["call_type"]) for row in rows[:2]] == [
        (START_S, 191, 3),
        (START_S, 191, 7),
    ]
    assert reasons(decoded.records) == ["", "", "bad_time", "wrong_field_count", "not_a_number", "not_a_number"]
    assert decoded.records["file_pos"].to_list() == [1, 2, 3, 4, 5, 7]


def test_chinese_columns_and_words(tmp_path: Path) -> None:
    site = profile(tmp_path, CHINESE)
    text = (
        "被叫号码;主叫号码;开始时间;时长;类型\n"
        "02164851234;3961234;2026/11/22 09:15:30;0:03:11;长途\n"
        "3962001;3961234;2026/11/22 09:15:30;0:00:05;国际\n"
    )
    data = text.encode("gb18030")
    header = text_decode.header_of(data, site)
    assert header is not None
    decoded = text_decode.decode(data.partition(b"\n")[2], header, 2, site)
    first, _second = decoded.records.to_dicts()
    assert (first["start_s"], first["duration_s"], first["call_type"], first["caller_n"]) == (
        START_S,
        191,
        5,
        3_961_234,
    )
    assert reasons(decoded.records) == ["", ""]  # an unknown word is the default where the table names one


def test_quantities_with_units(tmp_path: Path) -> None:
    site = profile(
        tmp_path,
        """
code = "site_sessions"
service = "broadband"
kind = "csv"
header = "none"
columns = ["id", "user", "from", "to", "mb_in", "kb_out"]
[fields]
session = { column = "id" }
login = { column = "user" }
start = { column = "from", format = "epoch" }
end = { column = "to", format = "epoch_ms" }
octets_in = { column = "mb_in", unit = "MB" }
octets_out = { column = "kb_out", unit = "KiB" }
""",
    )
    lines = (
        b"s1,BB1@x,1795310130,1795310321000,1.5,2\ns2,bb2,1795310130,1795310321000,0.0000015,1e3\ns3,bb3,5,4000,1,1\n"
    )
    decoded = text_decode.decode(lines, (), 1, site)
    first = decoded.records.to_dicts()[0]
    assert (first["owner_text"], first["duration_s"], first["octets_in"], first["octets_out"]) == (
        "bb1@x",
        191,
        1_500_000,
        2_048,
    )
    assert reasons(decoded.records) == ["", "not_a_number", "times_disagree"]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ('kind = "cvs"', "kind"),
        ('separator = "::"', "separator"),
        ('service = "gas"', "service"),
        ('[fields]\ncaller = { column = "nobody" }', "nobody"),
        ('[fields]\nstart = { column = "start" }', "fields.start.format"),
        ('[fields]\nduration = { column = "billsec", unit = "fortnights" }', "fields.duration.unit"),
        ("[fields]\nout_trunk = { column = 'channel', pattern = '(a)(b)' }", "pattern"),
        ("[fields]\nwho = { column = 'src' }", "fields.who"),
        ("code = 'Bad Code'", "code"),
        ("[signs]\nnothing = ['x']", "signs.nothing"),
    ],
)
def test_a_mistake_in_a_table_is_named(tmp_path: Path, change: str, names: str) -> None:
    table = resources.path("usage", "asterisk_csv.toml").read_text(encoding="utf-8")
    if change.startswith("["):
        section, _, line = change.partition("\n")
        key = line.split(" ", 1)[0]
        kept = [row for row in table.split("\n") if not row.startswith(f"{key} =")]
        table = "\n".join(kept).replace(section, change, 1)
    else:
        key = change.split(" ", 1)[0]
        table = "\n".join([change, *[row for row in table.split("\n") if not row.startswith(f"{key} =")]])
    with pytest.raises(UsageProfileNotValid) as refused:
        profile(tmp_path, table)
    assert names in str(refused.value.params["problem"])


def srun(*records: object, **envelope: object) -> bytes:
    return json.dumps(
        {"code": 0, "message": "ok", "data": list(records), "_meta": {"totalCount": 1}, **envelope}
    ).encode()


DETAIL = {
    "user_name": "KD3961234",
    "add_time": "1795310130",
    "drop_time": 1_795_313_730,
    "bytes_in": "123456789",
    "bytes_out": 5_000_000_000,
    "bytes_in6": 11,
    "nas_ip": "10.0.0.1",
    "session_id": "0000A1",
    "something_new": {"x": [1]},
}


def test_srun_pages_lists_and_lines() -> None:
    for text, whole in (
        (srun(DETAIL), True),
        (json.dumps([DETAIL], indent=1).encode(), True),
        (b"\xef\xbb\xbf" + srun(DETAIL) + b"\n", False),
        (json.dumps({"code": 0, "data": {"list": [DETAIL]}}).encode(), True),
    ):
        assert srun_details.looks_like(text)
        decoded = srun_details.decode(text, 1, whole=whole)
        (row,) = decoded.records.to_dicts()
        assert (row["owner_text"], row["start_s"], row["duration_s"]) == ("kd3961234", START_S, 3_600)
        assert (row["octets_in"], row["octets_out"], row["session"]) == (123_456_800, 5_000_000_000, "10.0.0.1:0000A1")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"add_time": "yesterday"}, "bad_time"),
        ({"drop_time": 5}, "times_disagree"),
        ({"bytes_in": "-5"}, "not_a_number"),
        ({"bytes_in": 1.5}, "not_a_number"),
        ({"bytes_in": True}, "not_a_number"),
        ({"bytes_out": 2**60}, "not_a_number"),
        ({"user_name": "a b"}, "not_a_number"),
        ({"user_name": "x" * 65}, "not_a_number"),
        ({"add_time": "2026-11-22 09:15:30", "drop_time": "2026-11-22 10:15:30"}, ""),
    ],
)
def test_srun_records_that_cannot_be(change: dict[str, object], reason: str) -> None:
    decoded = srun_details.decode(srun({**DETAIL, **change}), 1, whole=True)
    assert reasons(decoded.records) == [reason]
    assert len(decoded.raw) == bool(reason)


@pytest.mark.parametrize(
    "text",
    [
        b'{"code": 401, "message": "not allowed", "data": null}',
        b"[" * 100_000,
        b'{"user_name": ' + b"9" * 10_000 + b', "add_time": 1}',
        b'{"user_name": "a", "add_time": 1',
        b"[1, 2, null]",
        b'"text"',
    ],
)
def test_srun_that_is_no_list_of_records(text: bytes) -> None:
    decoded = srun_details.decode(text, 1, whole=True)
    assert decoded.record_count >= 1
    assert set(reasons(decoded.records)) == {"wrong_field_count"}


@pytest.mark.parametrize("table", ["asterisk_csv", FIXED, CHINESE])
def test_what_is_written_is_read(table: str, tmp_path: Path) -> None:
    site = read_profile(resources.path("usage", f"{table}.toml")) if "\n" not in table else profile(tmp_path, table)
    calls = sample_calls([f"0937{3_960_000 + index}" for index in range(9)], Month(202610), 300, 1)
    calls = calls.with_columns(call_type=pl.when(pl.col("call_type") == 6).then(5).otherwise("call_type"))
    data = text_encode.encode(calls, site)
    header = text_decode.header_of(data, site) if site.header == "names" and site.kind == "csv" else None
    body = data.partition(b"\n")[2] if header else data
    read = text_decode.decode(body, header or (), 1, site)
    same = ["caller_n", "caller_len", "called_n", "called_len", "start_s", "duration_s"]
    assert set(reasons(read.records)) == {""}
    assert read.records.select(same).equals(calls.select(same))


def test_srun_pages_written_are_read() -> None:
    sessions = sample_sessions(["bb1", "bb2"], Month(202610), 250, 1)
    data = srun_details.encode(sessions)
    assert srun_details.in_lines(data)
    read = srun_details.decode(data, 1, whole=False)
    same = ["owner_text", "start_s", "duration_s", "octets_in", "octets_out"]
    assert read.record_count == 250
    assert read.records.select(same).equals(sessions.select(same))
