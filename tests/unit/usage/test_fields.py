"""The quick reader of lines and the careful one say the same of every line there may be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server_api.billing.usage.formats import calls_csv, fields
from server_api.billing.usage.formats.text_lines import text_profile
from server_api.billing.usage.samples import sample_calls
from shared_models.values.period import Month

NAMES = text_profile("calls_csv").columns
GOOD = "7,09373961234,3962001,2026-10-05 10:00:00,2026-10-05 10:01:00,60,0,12,3,1,0"

DIGITS = st.text("0123456789", max_size=21)
TIMES = st.one_of(
    st.just("2026-10-05 10:00:00"),
    st.datetimes().map(lambda at: at.strftime("%Y-%m-%d %H:%M:%S")),
    st.from_regex(r"20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", fullmatch=True),
    st.text("0123456789-: /T", min_size=18, max_size=20),
)
#: The 11 columns, each nearly right.
NEARLY = st.tuples(DIGITS, DIGITS, DIGITS, TIMES, TIMES, *([DIGITS] * 6)).map(",".join)
ANY = st.one_of(st.just(GOOD), NEARLY, st.text("0123456789,-: \"'+xé\t\r\0", max_size=80))
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])


def both(data: bytes) -> None:
    """The two readers agree on the records, on what is kept of bad lines, and on the counts."""
    quick = calls_csv.decode(data, NAMES, 2)
    careful = calls_csv.careful(data, NAMES, 2)
    assert quick.records.to_dicts() == careful.records.to_dicts()
    assert quick.records.schema == careful.records.schema
    assert quick.raw.sort("file_pos").rows() == careful.raw.sort("file_pos").rows()
    assert (quick.record_count, quick.line_count) == (careful.record_count, careful.line_count)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(ANY, ENDS), min_size=1, max_size=8))
def test_the_two_readers_agree(lines: list[tuple[str, str]]) -> None:
    both("".join(line + end for line, end in lines).encode())


@settings(max_examples=80, deadline=None)
@given(st.binary(min_size=1, max_size=60), st.integers(0, len(GOOD)), st.integers(0, 20))
def test_a_good_line_with_something_else_in_it(noise: bytes, at: int, less: int) -> None:
    good = GOOD.encode()
    both(good + b"\n" + good[:at] + noise + good[at + less :] + b"\n" + good)


@pytest.mark.parametrize("size", [100, 1_000, 1 << 20])
def test_wherever_a_chunk_ends(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a line is longer than a chunk, and where the file ends without an end of line."""
    monkeypatch.setattr(fields, "_CHUNK_BYTES", size)
    calls = sample_calls(["09373961234", "09373961235"], Month(202610), 300, 5)
    lines = calls_csv.encode(calls).split(b"\n")[1:-1]
    lines[7], lines[100], lines[200] = b"", b"x" * 3_000, b"\xff" * 150
    both(b"\n".join(lines))
    both(b"\r\n".join([*lines, b""]))


def test_numbers_up_to_sixteen_digits() -> None:
    for count in range(1, 20):
        text = "1234567890123456789"[:count]
        both(f"{GOOD}\n{GOOD.replace('3962001', text)}\n{GOOD.replace('7,0', text + ',0', 1)}\n".encode())
