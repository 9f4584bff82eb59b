"""Files that are broken on purpose: refused by name or set aside record by record, with counts that add up.

ONEHALL_FUZZ=5000 tries that many damaged files of each kind instead of a few.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import polars as pl
import pytest

from server_api.billing.rating.writing import pool_rows
from server_api.billing.usage.formats import accounting_files
from server_api.billing.usage.formats.registry import open_usage
from server_api.billing.usage.ready import made_ready
from server_api.billing.usage.traffic.rules import traffic_of
from shared_models.values.faults.base import Fault
from tests.unit.usage.test_detection import CALLS, FILES, written
from tests.unit.usage.test_radius_rules import DETAIL_FILE

TRIES = int(os.environ.get("ONEHALL_FUZZ", "12"))
#: What a damaged file is damaged with: counters of length, dates of nowhere, separators, other alphabets, ends.
POISON = (
    b"\0", b"\xff", b"\xee" * 8, b"\0" * 64, b"\xff" * 64, b"\n", b"\r", b'"', b",", b",,,,", b'""', b"\x01", b"\x1a",
    b"0000-00-00 00:00:00", b"9999-99-99 99:99:99", b"-1", b"99999999999999999999999", b"1e9", b"NaN", b"\xef\xbb\xbf",
    "中".encode("gb18030"), "中".encode("utf-16"), b"\xc8\x00", b"PK\x03\x04", b"{" * 300, b"\x80" * 20,
)  # fmt: skip


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The data with some of it overwritten, cut out, doubled, added or cut off."""
    found = bytearray(data)
    for _time in range(chance.randrange(1, 6)):
        at = chance.randrange(len(found) + 1)
        poison = chance.choice(POISON)
        match chance.randrange(6):
            case 0:
                found[at : at + len(poison)] = poison
            case 1:
                found[at:at] = poison
            case 2:
                del found[at : at + chance.randrange(1, 3_000)]
            case 3:
                found[at:at] = found[max(at - 500, 0) : at]
            case 4:
                for _bit in range(20):
                    if found:
                        found[chance.randrange(len(found))] = chance.randrange(256)
            case _:
                del found[max(at, 1) :]
    return bytes(found)


@pytest.mark.parametrize("code", sorted(FILES))
def test_every_record_is_accounted_for(code: str, tmp_path: Path) -> None:
    taken = refused = 0
    for seed in range(TRIES):
        path = written(tmp_path, damaged(FILES[code], random.Random(f"{code}{seed}")))
        # by content, and as what it was
        for name in (None, code):
            try:
                source = open_usage(path, name)
            except Fault:
                refused += 1
                continue
            taken += 1
            read = 0
            for piece in source.pieces:
                decoded, absorbed = source.decode(piece, 0)
                records, raw = decoded.records, decoded.raw
                read += len(records)
                assert len(records) == decoded.record_count - absorbed
                assert records["file_pos"].is_unique().all()
                bad = records.filter(pl.col("reason") != 0)["file_pos"]
                assert set(bad) == set(raw["file_pos"])
                # what follows must bear whatever was read
                ready = made_ready(records, source.service, "MAIN", 0, 2**40)
                aside = ready.filter(pl.col("reason") != 0)
                pooled = pool_rows(aside, raw, 1, source.service, 202610)
                assert len(pooled) == len(aside)
                # what every engine can store: codes in ASCII, no text with a nought in it
                for row in pooled.select("caller", "called", "owner_key", "raw_record").rows():
                    assert all(text is None or text.isascii() for text in row[:3])
                    assert all(text is None or "\0" not in text for text in row)
                if source.service == "voice":
                    traffic_of(ready.filter(pl.col("reason") == 0))
    assert taken + refused == 2 * TRIES


def test_a_message_file_never_ends_the_reader() -> None:
    for seed in range(TRIES * 4):
        data = damaged(DETAIL_FILE * 4, random.Random(seed))
        for kind in (accounting_files.DETAIL, accounting_files.CSV):
            found = list(accounting_files.notes(kind, iter(data.split(b"\n"))))
            assert all((note.message is None) == bool(note.reason) for note in found)
            assert [note.place for note in found] == sorted({note.place for note in found})
            for note in found:
                assert "\0" not in note.raw
                if note.message is not None:
                    texts = (note.message.nas, note.message.login, note.message.address)
                    assert all(text.isascii() and "\0" not in text for text in texts)
                    assert note.message.session.strip() and "\0" not in note.message.session


def test_a_block_that_promises_more_than_there_is(tmp_path: Path) -> None:
    """Lengths are believed only as far as the file goes."""
    data = bytearray(FILES["gb2048"])
    data[13:15] = b"\xff\xff"
    source = open_usage(written(tmp_path, bytes(data)), "gb2048")
    decoded, _ = source.decode(source.pieces[0])
    assert decoded.record_count <= len(CALLS)
    assert decoded.record_count == len(decoded.records)


@pytest.mark.parametrize("code", sorted(FILES))
def test_nothing_but_a_head(code: str, tmp_path: Path) -> None:
    """A day without calls: a file of no records, or a refusal that says what it is not."""
    for size in (1, 2, 19, 93, 123):
        try:
            source = open_usage(written(tmp_path, FILES[code][:size]), code)
        except Fault:
            continue
        decoded, _ = source.decode(source.pieces[0])
        assert len(decoded.records) == decoded.record_count
