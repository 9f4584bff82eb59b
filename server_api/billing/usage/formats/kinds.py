"""Each kind of usage file under one shape: how sure its content makes one of it, how it is cut, how it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

import resources
from server_api.billing.usage.formats import (
    calls_csv,
    gb2048,
    records,
    sessions_csv,
    srun_details,
    text_decode,
    text_lines,
)
from server_api.billing.usage.formats.frame import REASON_NO, Decoded, empty_raw, in_shape
from server_api.billing.usage.formats.pieces import Piece, equal_pieces, line_pieces
from server_api.billing.usage.formats.record_layout import RecordLayout
from server_api.billing.usage.formats.text_profile import Profile, read_profile
from shared_models.values.faults.usage import UsageFileRefused

#: What ``likeness`` says where the content leaves no doubt; less is the number of readable records in a thousand.
SURE = 1_001
_SEEN_BYTES = 65_536
_MOST_RAW = 2_000
_PIECE_BYTES = 40 * 1_048_576


@dataclass(frozen=True)
class Sample:
    """The beginning of a file and the size of all of it."""

    head: bytes
    size: int

    @property
    def lines(self) -> bytes:
        """The whole lines of it."""
        return self.head if len(self.head) >= self.size else self.head[: self.head.rfind(b"\n") + 1]


@dataclass(frozen=True)
class Cut:
    """How a file is read: its pieces and the columns its first line names."""

    pieces: list[Piece]
    header: tuple[str, ...] = ()
    skip_lines: int = 0
    whole: bool = False


class Kind(Protocol):
    """A kind of usage file."""

    @property
    def code(self) -> str: ...

    @property
    def service(self) -> str: ...

    @property
    def is_text(self) -> bool: ...

    def likeness(self, sample: Sample) -> int:
        """How sure the content makes one of it: SURE, or readable records in a thousand; 0 is not at all."""
        ...

    def cut(self, path: Path, sample: Sample) -> Cut | None:
        """How the file is read; None where it cannot be of this kind."""
        ...

    def decode(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> Decoded:
        """Decode a piece; ``first_line`` lines lie before it."""
        ...

    def parts(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> Decoded | None:
        """Only the parts of longer calls in a piece; None where this kind has none."""
        ...

    def raw(self, data: bytes, piece: Piece, place: int, first_line: int) -> str:
        """A record as it lies in a piece: in hexadecimal, or the line."""
        ...


@dataclass(frozen=True)
class NationalBlocks:
    """The national layout of 2048-byte blocks."""

    code: str = gb2048.CODE
    service: str = gb2048.SERVICE
    is_text: bool = False

    def likeness(self, sample: Sample) -> int:
        """Its head is a signature."""
        return SURE if gb2048.looks_like(sample.head) else 0

    def cut(self, path: Path, sample: Sample) -> Cut:
        """In whole blocks."""
        return Cut(equal_pieces(0, sample.size, gb2048.PIECE_BYTES))

    def decode(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> Decoded:
        """Decode blocks."""
        return gb2048.decode(data, piece.begin)

    def parts(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> Decoded:
        """Records with a part number."""
        return gb2048.decode(data, piece.begin, only_partial=True)

    def raw(self, data: bytes, piece: Piece, place: int, first_line: int) -> str:
        """Its bytes."""
        return data[place - piece.begin : place - piece.begin + 78].hex().upper()


@dataclass(frozen=True)
class EqualRecords:
    """Records of one length after a head, from a layout table."""

    layout: RecordLayout
    service: str = "voice"
    is_text: bool = False

    @property
    def code(self) -> str:
        """The layout's code."""
        return self.layout.code

    def likeness(self, sample: Sample) -> int:
        """A signature where the head has one, else how much of the beginning reads as calls."""
        layout, head = self.layout, sample.head
        if layout.magic or layout.head_pattern is not None:
            magic = head[layout.magic_at : layout.magic_at + len(layout.magic)] == layout.magic
            pattern = layout.head_pattern is None or layout.head_pattern.match(head) is not None
            return SURE if magic and pattern and len(head) >= layout.head_bytes else 0
        return records.readable_per_mille(head[layout.head_bytes : _SEEN_BYTES], layout)

    def cut(self, path: Path, sample: Sample) -> Cut:
        """In whole records after the head."""
        width = self.layout.record_bytes
        return Cut(equal_pieces(self.layout.head_bytes, sample.size, _PIECE_BYTES // width * width))

    def decode(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> Decoded:
        """Decode records."""
        return records.decode(data, piece.begin, self.layout)

    def parts(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> Decoded:
        """Records with a part number."""
        return records.decode(data, piece.begin, self.layout, only_partial=True)

    def raw(self, data: bytes, piece: Piece, place: int, first_line: int) -> str:
        """Its bytes."""
        return data[place - piece.begin : place - piece.begin + self.layout.record_bytes].hex().upper()


@dataclass(frozen=True)
class HeadedLines:
    """Comma-separated lines whose first line names the columns: calls_csv, sessions_csv.

    With just the columns these write, lines are read by the fast readers; with fewer, more or others, by a profile.
    """

    code: str
    is_text: bool = True

    @property
    def service(self) -> str:
        """What is used."""
        return text_lines.text_profile(self.code).service

    @property
    def profile(self) -> Profile:
        """What may be missing, and how it is read then."""
        return read_profile(resources.path("usage", f"{self.code.removesuffix('_csv')}_any.toml"))

    def likeness(self, sample: Sample) -> int:
        """Its first line is a signature; one with other columns too may be of a site's own kind instead."""
        if self._exact(sample) is not None:
            return SURE
        return 1_000 if text_decode.header_of(sample.head, self.profile) is not None else 0

    def missing(self, sample: Sample) -> tuple[str, ...]:
        """The columns without which this is none, where its first line names some of them."""
        names = text_decode.first_line(sample.head[:_SEEN_BYTES], self.profile)
        known = set(self.profile.columns) & set(names)
        near = 2 * len(known) >= len(self.profile.columns) and bool(known - {"start"})
        return self.profile.missing(names) if near else ()

    def _exact(self, sample: Sample) -> tuple[str, ...] | None:
        return text_lines.header_of(sample.head[:_SEEN_BYTES], text_lines.text_profile(self.code))

    def cut(self, path: Path, sample: Sample) -> Cut | None:
        """In whole lines."""
        header = self._exact(sample) or text_decode.header_of(sample.head, self.profile)
        return None if header is None else Cut(line_pieces(path, sample.size), header, 1)

    def decode(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> Decoded:
        """Decode lines."""
        if set(cut.header) != set(text_lines.text_profile(self.code).columns):
            return text_decode.decode(data, cut.header, first_line, self.profile)
        read = calls_csv.decode if self.code == calls_csv.CODE else sessions_csv.decode
        return read(data, cut.header, first_line)

    def parts(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> None:
        """These have none."""
        return None

    def raw(self, data: bytes, piece: Piece, place: int, first_line: int) -> str:
        """These have no parts to be shown."""
        return ""


@dataclass(frozen=True)
class ProfiledLines:
    """Lines of a text profile: columns or positions as a table says."""

    profile: Profile
    is_text: bool = True

    @property
    def code(self) -> str:
        """The profile's code."""
        return self.profile.code

    @property
    def service(self) -> str:
        """What is used."""
        return self.profile.service

    def likeness(self, sample: Sample) -> int:
        """A first line with its columns is a signature; else how many lines can be read, signs and all."""
        header = text_decode.header_of(sample.head, self.profile)
        if header is not None and self.profile.header != "none":
            return SURE
        if self.profile.header == "names" and self.profile.kind == "csv":
            return 0
        lines = _after(sample.lines[:_SEEN_BYTES], self.profile.skip_lines)
        whole = lines[: lines.rfind(b"\n") + 1] or lines
        return text_decode.readable_per_mille(whole, self.profile)

    def missing(self, sample: Sample) -> tuple[str, ...]:
        """The columns without which this is none, where its first line names half of them."""
        names = text_decode.first_line(sample.head[:_SEEN_BYTES], self.profile)
        near = 2 * len(set(names) & set(self.profile.columns)) >= len(self.profile.columns)
        return self.profile.missing(names) if near and self.profile.header != "none" else ()

    def cut(self, path: Path, sample: Sample) -> Cut | None:
        """In whole lines."""
        profile = self.profile
        header = text_decode.header_of(sample.head, profile) if profile.header != "none" else None
        needed = profile.header == "names" and profile.kind == "csv"
        if header is None and (needed or self.missing(sample)):
            return None
        return Cut(line_pieces(path, sample.size), header or (), profile.skip_lines + (header is not None))

    def decode(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> Decoded:
        """Decode lines."""
        return text_decode.decode(data, cut.header, first_line, self.profile)

    def parts(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> Decoded | None:
        """Lines with a part number, where the profile has such a column."""
        if "partial" not in self.profile.fields:
            return None
        found = text_decode.decode(data, cut.header, first_line, self.profile)
        only = found.records.filter((pl.col("partial") > 0) & (pl.col("reason") == 0))
        return Decoded(only, found.raw, len(only), found.line_count)

    def raw(self, data: bytes, piece: Piece, place: int, first_line: int) -> str:
        """The line."""
        line = data.split(b"\n")[place - first_line]
        return line.decode("utf-8", errors="backslashreplace").rstrip("\r").replace("\0", "\\x00")[:_MOST_RAW]


@dataclass(frozen=True)
class SrunDetails:
    """JSON of Srun's northbound interface."""

    code: str = srun_details.CODE
    service: str = srun_details.SERVICE
    is_text: bool = True

    def likeness(self, sample: Sample) -> int:
        """Its field names are a signature."""
        return SURE if srun_details.looks_like(sample.head) else 0

    def cut(self, path: Path, sample: Sample) -> Cut:
        """In whole lines where each is a document; else as a whole, if not too large for that (UsageFileRefused)."""
        if srun_details.in_lines(sample.head):
            return Cut(line_pieces(path, sample.size))
        if sample.size > srun_details.MOST_WHOLE_BYTES:
            raise UsageFileRefused(file=path.name, kind=f"JSON, {sample.size} bytes")
        return Cut([Piece(0, 0, sample.size)], whole=True)

    def decode(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> Decoded:
        """Decode documents."""
        return srun_details.decode(data, first_line, whole=cut.whole)

    def parts(self, data: bytes, piece: Piece, cut: Cut, first_line: int) -> None:
        """These have none."""
        return None

    def raw(self, data: bytes, piece: Piece, place: int, first_line: int) -> str:
        """These have no parts to be shown."""
        return ""


def _after(data: bytes, lines: int) -> bytes:
    return data.split(b"\n", lines)[lines] if lines and data.count(b"\n") >= lines else data


def too_long_line(piece: Piece, beginning: bytes, line: int) -> Decoded:
    """A piece that is one line too long for a record: set aside with its beginning."""
    found = in_shape(pl.DataFrame({"file_pos": [line], "reason": [REASON_NO["line_too_long"]]}))
    shown = beginning.decode("utf-8", errors="backslashreplace").replace("\0", "\\x00")[:2_000]
    raw = pl.DataFrame({"file_pos": [line], "raw_record": [shown]}, schema=empty_raw().schema)
    return Decoded(found, raw, 1, 1)
