"""Comma-separated usage: no line is lost, merged or misplaced, whatever is in it."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server_api.billing.usage.formats import calls_csv, sessions_csv
from server_api.billing.usage.formats.frame import REASONS
from server_api.billing.usage.formats.text_lines import text_profile
from server_api.billing.usage.samples import sample_calls, sample_sessions
from shared_models.values.period import Month

CALLS = text_profile("calls_csv").columns
SESSIONS = text_profile("sessions_csv").columns
GOOD = "7,09373961234,3962001,2026-10-05 10:00:00,2026-10-05 10:01:00,60,0,12,3,1,0"


def decoded(text: str | bytes) -> tuple[list[tuple[int, str]], dict[int, str]]:
    data = text.encode() if isinstance(text, str) else text
    result = calls_csv.decode(data, CALLS, 2)
    rows = [(pos, REASONS[reason]) for pos, reason in result.records.select("file_pos", "reason").rows()]
    assert result.record_count == len(rows)
    return rows, dict(result.raw.rows())


def test_a_good_line() -> None:
    result = calls_csv.decode(GOOD.encode(), CALLS, 2)
    (row,) = result.records.to_dicts()
    wanted = {
        "file_pos": 2,
        "seq_no": 7,
        "caller_n": 9_373_961_234,
        "caller_len": 11,
        "called_n": 3_962_001,
        "called_len": 7,
        "duration_s": 60,
        "in_trunk": 0,
        "out_trunk": 12,
        "call_type": 3,
        "charged_party": 1,
        "free": 0,
        "reason": 0,
    }
    assert {name: row[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("garbage", "wrong_field_count"),
        (GOOD + ",extra", "wrong_field_count"),
        (GOOD[:-2], "wrong_field_count"),
        (GOOD.replace("3962001", "396x001"), "not_a_number"),
        (GOOD.replace("3962001", "+3962001"), "not_a_number"),
        (GOOD.replace(",60,", ",-60,"), "not_a_number"),
        (GOOD.replace(",60,", ",1e9,"), "not_a_number"),
        (GOOD.replace(",60,", ",99999999999999999999,"), "not_a_number"),
        (GOOD.replace(",12,", ",4294967296,"), "not_a_number"),
        (GOOD.replace("3962001", "1234567890123456789"), "number_too_long"),
        (GOOD.replace("3962001", "1" * 200), "number_too_long"),
        (GOOD.replace("10-05 10:00:00", "13-05 10:00:00"), "bad_time"),
        (GOOD.replace("10-05 10:01:00", "10-05 25:01:00"), "bad_time"),
        (GOOD.replace("10:01:00", "10:11:00"), "times_disagree"),
        (GOOD.replace(",60,", ",61000,"), "times_disagree"),
        ("'; DROP TABLE usage_file; --,,,,,,,,,,", "not_a_number"),
        ("<script>alert(1)</script>,,,,,,,,,,", "bad_time"),
    ],
)
def test_bad_lines_keep_their_place_and_text(line: str, reason: str) -> None:
    rows, raw = decoded(f"{GOOD}\n{line}\n{GOOD}\n")
    assert rows[0] == (2, "") and rows[2] == (4, "")
    assert rows[1][0] == 3
    assert rows[1][1] == reason or (line.startswith("<") and rows[1][1] in ("not_a_number", "bad_time"))
    assert raw == {3: line}


def test_mixed_encodings() -> None:
    rows, raw = decoded(
        GOOD.encode() + b"\n" + "主叫".encode("gbk") + b",1,2\n" + "市话".encode() + b"\n" + GOOD.encode()
    )
    assert [reason for _pos, reason in rows] == ["", "wrong_field_count", "wrong_field_count", ""]
    assert raw[3] == "\\xd6\\xf7\\xbd\\xd0,1,2"
    assert raw[4] == "市话"


def test_nul_bytes_quotes_and_windows_line_ends() -> None:
    rows, raw = decoded(b'"7",' + GOOD[2:].encode() + b'\r\n\0\0\0\r\n"open quote\r\n' + GOOD.encode() + b"\r\n")
    assert [reason for _pos, reason in rows] == ["", "wrong_field_count", "wrong_field_count", ""]
    assert raw[4] == '"open quote'
    assert raw[3] == "\\x00\\x00\\x00"


def test_blank_lines_are_no_records_but_count_as_lines() -> None:
    rows, _raw = decoded(f"\n{GOOD}\n\n   \n{GOOD}\n")
    assert [pos for pos, _reason in rows] == [3, 6]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.just(GOOD.encode()), st.binary(max_size=60)), max_size=12))
def test_any_bytes_at_all(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    result = calls_csv.decode(data, CALLS, 2)
    pieces = data.split(b"\n")
    records = [at for at, piece in enumerate(pieces) if piece.strip(b" \t\r\n\x0b\x0c\x1c\x1d\x1e\x1f\x85")]
    assert set(result.records["file_pos"].to_list()) <= {at + 2 for at in range(len(pieces))}
    good = [at + 2 for at, piece in enumerate(pieces) if piece.rstrip(b"\r") == GOOD.encode()]
    assert result.records.filter(pl.col("reason") == 0)["file_pos"].to_list() == good
    assert result.record_count <= len(pieces)
    assert len(good) <= len(records)


def test_files_written_are_read() -> None:
    month = Month(202610)
    calls = sample_calls(["09373961234", "09373961235"], month, 3_000, 5)
    data = calls_csv.encode(calls).partition(b"\n")[2]
    read = calls_csv.decode(data, CALLS, 2)
    same = [
        "seq_no",
        "caller_n",
        "caller_len",
        "called_n",
        "called_len",
        "start_s",
        "duration_s",
        "call_type",
        "reason",
    ]
    assert read.records.select(same).equals(calls.select(same))
    sessions = sample_sessions(["bb1", "bb2"], month, 500, 6)
    read = sessions_csv.decode(sessions_csv.encode(sessions).partition(b"\n")[2], SESSIONS, 2)
    same = ["session", "owner_text", "start_s", "duration_s", "octets_in", "octets_out"]
    assert read.records.select(same).equals(sessions.select(same))
    assert read.records["reason"].sum() == 0


@pytest.mark.parametrize(
    "change",
    [
        ("3600", "x"),
        ("3600", ""),
        ("1000", "99999999999999999999"),
        ("1000", str(2**60)),
        ("bb1", "bb 1; drop"),
        ("bb1", "b" * 65),
        ("s1", "s" * 65),
    ],
)
def test_bad_sessions(change: tuple[str, str]) -> None:
    line = "s1,bb1,2026-10-05 10:00:00,3600,1000,10,10.0.0.1".replace(*change, 1)
    read = sessions_csv.decode(line.encode(), SESSIONS, 2)
    assert [REASONS[number] for number in read.records["reason"]] == ["not_a_number"]
    assert read.raw["raw_record"].to_list() == [line]
