"""Which kind a file is, by what it holds; and files that are none, or several, or not to be trusted."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

import resources
from server_api.billing.usage.formats import calls_csv, pieces, sessions_csv
from server_api.billing.usage.formats.frame import REASONS
from server_api.billing.usage.formats.gb2048_encode import blocks_of
from server_api.billing.usage.formats.gb2048_encode import records_of as national
from server_api.billing.usage.formats.record_layout import read_layout
from server_api.billing.usage.formats.records_encode import encode
from server_api.billing.usage.formats.registry import open_usage
from server_api.billing.usage.formats.tables import site_tables
from server_api.billing.usage.samples import sample_calls, sample_sessions
from shared_models.values.faults.usage import (
    UsageColumnsMissing,
    UsageFileChanged,
    UsageFileEmpty,
    UsageFileRefused,
    UsageFormatAmbiguous,
    UsageFormatUnknown,
    UsageIsAccounting,
    UsageIsMeterFile,
    UsageLooksWrong,
    UsageProfileNotValid,
)
from shared_models.values.period import Month
from tests.unit.usage.test_text_kinds import ASTERISK, DETAIL, FIXED, SILENT, srun

MONTH = Month(202610)
CALLS = sample_calls([f"0937{3_960_000 + index}" for index in range(50)], MONTH, 300, 1)
SESSIONS = sample_sessions([f"bb{index:05d}" for index in range(9)], MONTH, 30, 1)


def of_table(code: str) -> bytes:
    return encode(CALLS, read_layout(resources.path("usage", f"{code}.toml")))


FILES = {
    "gb2048": blocks_of(national(CALLS), 1_790_000_000),
    "calls_csv": calls_csv.encode(CALLS),
    "sessions_csv": sessions_csv.encode(SESSIONS),
    "asterisk_csv": (ASTERISK + "\n" + SILENT + "\n").encode() * 20,
    "srun_details": srun(DETAIL, DETAIL),
    **{code: of_table(code) for code in ("zxj10_v300", "zxj10_v302", "huawei_118", "huawei_147", "huawei_154")},
}


def written(folder: Path, data: bytes, name: str = "file.dat") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def read(path: Path, code: str | None = None) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    source = open_usage(path, code)
    frames, raws, count, line = [], [], 0, 0
    for piece in source.pieces:
        decoded, absorbed = source.decode(piece, line)
        line += decoded.line_count
        count += decoded.record_count - absorbed
        frames.append(decoded.records)
        raws.append(decoded.raw)
    return pl.concat(frames), pl.concat(raws), count


@pytest.mark.parametrize("code", sorted(FILES))
def test_found_by_content_whatever_the_name(code: str, tmp_path: Path) -> None:
    path = written(tmp_path, FILES[code], "calls.csv" if code != "calls_csv" else "x.bil")
    assert open_usage(path).format_code == code


@pytest.mark.parametrize("code", sorted(FILES))
def test_a_file_cut_short_keeps_its_kind_and_every_record_has_a_place(code: str, tmp_path: Path) -> None:
    data = FILES[code]
    cut = data[: len(data) * 2 // 3 + 7] if code != "srun_details" else data
    records, raw, count = read(written(tmp_path, cut))
    assert count == len(records)
    assert records["file_pos"].is_unique().all()
    assert set(raw["file_pos"]) == set(records.filter(pl.col("reason") != 0)["file_pos"])


def test_nothing_known(tmp_path: Path) -> None:
    for data in (b"\0" * 5_000, b"\xff" * 5_000, b"hello\n" * 900, os.urandom(40_000), b"PK\x03\x04" + b"a" * 3_000):
        with pytest.raises(UsageFormatUnknown) as refused:
            open_usage(written(tmp_path, data))
        assert "zxj10_v302" in str(refused.value.params["known"])
    with pytest.raises(UsageFileEmpty):
        open_usage(written(tmp_path, b""))


def test_meters_and_messages_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UsageIsMeterFile):
        open_usage(written(tmp_path, b"\xc8" + bytes(range(97)) * 20))
    detail = b'Sun Nov 22 09:15:30 2026\n\tUser-Name = "kd1"\n\tAcct-Status-Type = Stop\n\n'
    with pytest.raises(UsageIsAccounting):
        open_usage(written(tmp_path, detail))


def test_fewer_more_and_other_columns_in_any_order(tmp_path: Path) -> None:
    """What a stranger would write: caller, called, start and how long is enough."""
    rows = (
        "note,called,start,caller,duration_s\nx,02164851234,2026-10-05 09:15:30,3961234,191\n"
        "y,3962001,2026-10-05T09:15:30,3961234,60\n"
    )
    for name in (None, "calls_csv"):
        records, raw, count = read(written(tmp_path, rows.encode()), name)
        assert (count, len(raw)) == (2, 0)
        shown = [(row["caller_n"], row["start_s"], row["duration_s"], row["call_type"]) for row in records.to_dicts()]
        assert shown == [(3_961_234, 1_791_162_930, 191, 5), (3_961_234, 1_791_162_930, 60, 3)]
    with_end = "caller,called,start,end\n3961234,3962001,2026/10/05 09:15:30,2026/10/05 09:16:31\n"
    assert read(written(tmp_path, with_end.encode()))[0]["duration_s"].to_list() == [61]
    sessions = "login,start,duration_s,octets_in\nbb1,2026-10-05 09:15:30,60,5\n"
    found = read(written(tmp_path, sessions.encode()))[0].to_dicts()[0]
    assert (found["owner_text"], found["octets_in"], found["octets_out"]) == ("bb1", 5, 0)


@pytest.mark.parametrize(
    ("head", "kind", "missing"),
    [
        ("caller,start,duration_s", "calls_csv", "called"),
        ("caller,called,start", "calls_csv", "duration_s / end"),
        ("login,duration_s", "sessions_csv", "start"),
        ("src,dst,start,answer,end,billsec,disposition,amaflags", "asterisk_csv", "accountcode"),
    ],
)
def test_what_is_nearly_a_kind_says_what_it_lacks(head: str, kind: str, missing: str, tmp_path: Path) -> None:
    for name in (None, kind):
        with pytest.raises(UsageColumnsMissing) as refused:
            open_usage(written(tmp_path, f"{head}\n1,2,3\n".encode()), name)
        assert refused.value.params["format"] == kind
        assert str(refused.value.params["missing"]).startswith(missing)


def test_two_tables_that_fit_are_named(tmp_path: Path) -> None:
    line = "3961234     02164851234       2026112209153000001901LOC\n"
    path = written(tmp_path, line.encode() * 30)
    folder = tmp_path / "usage"
    folder.mkdir()
    with site_tables(folder):
        with pytest.raises(UsageFormatUnknown):
            open_usage(path)
        (folder / "one.toml").write_text(FIXED, encoding="utf-8")
        assert open_usage(path).format_code == "site_fixed"
        (folder / "two.toml").write_text(FIXED.replace("site_fixed", "other_fixed"), encoding="utf-8")
        with pytest.raises(UsageFormatAmbiguous) as refused:
            open_usage(path)
        assert set(str(refused.value.params["candidates"]).split(", ")) == {"other_fixed", "site_fixed"}
        assert open_usage(path, "site_fixed").format_code == "site_fixed"
    assert open_usage(path, str(folder / "one.toml")).format_code == "site_fixed"


def test_a_site_takes_the_place_of_a_table_that_ships(tmp_path: Path) -> None:
    """The unit of the duration is a site's own: one line, and no second kind that fits as well."""
    folder = tmp_path / "usage"
    folder.mkdir()
    (folder / "huawei_147.toml").write_text('extends = "huawei_147"\n[duration]\nper_second = 1\n', encoding="utf-8")
    path = written(tmp_path, FILES["huawei_147"])
    with site_tables(folder):
        source = open_usage(path)
        decoded, _ = source.decode(source.pieces[0])
    assert source.format_code == "huawei_147"
    assert decoded.records["duration_s"].to_list() == [one * 100 for one in CALLS["duration_s"].to_list()]
    (folder / "broken.toml").write_text("kind = 'csv'", encoding="utf-8")
    with site_tables(folder), pytest.raises(UsageProfileNotValid) as refused:
        open_usage(path)
    assert refused.value.params["file"] == "broken.toml"


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    real = written(tmp_path, FILES["gb2048"])
    link = tmp_path / "link.bil"
    link.symlink_to(real)
    os.mkfifo(tmp_path / "pipe")
    for path in (link, tmp_path / "pipe", tmp_path):
        with pytest.raises(UsageFileRefused):
            open_usage(path)


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, FILES["calls_csv"])
    source = open_usage(path)
    with path.open("ab") as file:
        file.write(b"9,3961234,3962001,2026-10-05 00:00:00,2026-10-05 00:01:00,60,0,0,3,1,0\n")
    with pytest.raises(UsageFileChanged):
        source.decode(source.pieces[0])


def test_another_layout_under_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageLooksWrong):
        open_usage(written(tmp_path, FILES["huawei_154"]), "huawei_147")


def test_a_line_of_a_gigabyte_is_one_bad_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never read as a whole: only its beginning is, for the error pool."""
    monkeypatch.setattr(pieces, "LONGEST_LINE", 20_000)
    lines = FILES["calls_csv"].split(b"\n")
    head, rows = lines[0], lines[1:-1]
    monkeypatch.setattr(pieces.line_pieces, "__defaults__", (4_000,))
    long = b"1" * 70_000
    data = b"\n".join([head, *rows[:100], long, *rows[100:200], long, *rows[200:], long])
    records, raw, count = read(written(tmp_path, data))
    assert count == len(records) == len(rows) + 3
    good = records.filter(pl.col("reason") == 0)
    assert good["seq_no"].to_list() == CALLS["seq_no"].to_list()
    assert good["file_pos"].to_list() == [*range(2, 102), *range(103, 203), *range(204, len(rows) + 4)]
    assert {REASONS[one] for one in records.filter(pl.col("reason") != 0)["reason"]} <= {
        "line_too_long",
        "wrong_field_count",
    }
    assert raw["raw_record"].str.len_chars().max() <= 2_048


def test_pieces_do_not_change_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, FILES["calls_csv"])
    whole = read(path)
    monkeypatch.setattr(pieces.line_pieces, "__defaults__", (900,))
    assert len(open_usage(path).pieces) > 10
    assert read(path)[0].equals(whole[0])


def test_the_national_layout_of_a_site(tmp_path: Path) -> None:
    """Which half of a split byte is first differs between exchanges: a line of the site's own table."""
    folder = tmp_path / "usage"
    folder.mkdir()
    shipped = resources.path("usage", "gb2048.toml").read_text(encoding="utf-8")
    own = shipped.replace(
        'call_type      = { at = 33, bytes = 1,  type = "low" }', 'call_type = { at = 33, bytes = 1, type = "high" }'
    )
    assert own != shipped
    (folder / "gb2048.toml").write_text(own, encoding="utf-8")
    path = written(tmp_path, FILES["gb2048"])
    with site_tables(folder):
        assert set(read(path)[0]["call_type"]) == {0}
        source = open_usage(path)
        (folder / "gb2048.toml").write_text(own.replace("head_bytes = 20", ""), encoding="utf-8")
        with pytest.raises(UsageProfileNotValid):
            open_usage(path)
    assert set(read(path)[0]["call_type"]) == {3, 5, 6}
    # what was opened with the site's table is read with it, on whatever thread
    (folder / "gb2048.toml").write_text(own, encoding="utf-8")
    with ThreadPoolExecutor(1) as other:
        decoded, _ = other.submit(source.decode, source.pieces[0]).result()
    assert set(decoded.records["call_type"]) == {0}


def test_parts_in_lines_are_joined_across_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text kind may have parts too: found by their lines, wherever pieces are cut."""
    table = tmp_path / "parts.toml"
    table.write_text(
        """
code = "site_parts"
service = "voice"
kind = "csv"
columns = ["from", "to", "begin", "secs", "part"]
[fields]
caller = { column = "from" }
called = { column = "to" }
start = { column = "begin", format = "%Y-%m-%d %H:%M:%S" }
duration = { column = "secs" }
partial = { column = "part", values = { "S" = 0, "F" = 1, "M" = 2, "L" = 3 } }
""",
        encoding="utf-8",
    )
    rows = ["from,to,begin,secs,part", "3961234,3962001,2026-10-05 01:00:00,3600,F"]
    rows += [f"396{index:04d},3962001,2026-10-05 09:15:30,60,S" for index in range(40)]
    rows += ["3961234,3962001,2026-10-05 02:00:00,3600,M", "3969999,3962001,2026-10-05 02:00:00,3600,L"]
    rows += [f"397{index:04d},3962001,2026-10-05 09:15:30,60,S" for index in range(40)]
    rows += ["3961234,3962001,2026-10-05 03:00:00,30,L", "3961234,3962001,2026-10-05 03:00:00,30,X"]
    path = written(tmp_path, ("\n".join(rows) + "\n").encode())
    for piece_bytes in (10_000, 300):
        monkeypatch.setattr(pieces.line_pieces, "__defaults__", (piece_bytes,))
        records, raw, count = read(path, str(table))
        assert count == len(records) == 83
        whole = records.filter(pl.col("caller_n") == 3_961_234, pl.col("reason") == 0).to_dicts()
        assert [(row["file_pos"], row["duration_s"], row["partial"]) for row in whole] == [(2, 7_230, 0)]
        aside = records.filter(pl.col("reason") != 0).sort("file_pos")
        assert [REASONS[one] for one in aside["reason"]] == ["awaiting_parts", "not_a_number"]
        assert raw.sort("file_pos")["file_pos"].to_list() == aside["file_pos"].to_list()
        assert raw.sort("file_pos")["raw_record"][0].startswith("3969999")
