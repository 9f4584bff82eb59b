"""Which kind a usage file is, the pieces it is read in, and the decoding of one piece.

A piece is a byte range that depends on nothing but the file, so that an import killed anywhere goes on at a piece.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from server_api.billing.usage.formats import calls_csv, gb2048, sessions_csv, text_lines
from server_api.billing.usage.formats.frame import REASON_NO, Decoded, empty_raw
from server_api.billing.usage.partials import Joined, apply_joined, join_parts
from server_api.billing.usage.policy import policy
from shared_models.values.faults.usage import UsageFileEmpty, UsageFormatUnknown, UsageLooksWrong

_HEAD_BYTES = 4_096
_PROBE_BYTES = 262_144
_HASH_BYTES = 1 << 20
#: Fewer records than this say nothing about the layout.
_FEWEST_SEEN = 8
FORMATS = (gb2048.CODE, calls_csv.CODE, sessions_csv.CODE)
_TEXT = {
    calls_csv.CODE: calls_csv.decode,
    sessions_csv.CODE: sessions_csv.decode,
}


@dataclass(frozen=True)
class Piece:
    """Bytes ``begin`` <= position < ``end`` of a file."""

    number: int
    begin: int
    end: int


@dataclass
class UsageSource:
    """A file that can be read in pieces: its kind, identity, pieces and the long calls joined out of parts."""

    path: Path
    format_code: str
    service: str
    sha256: str
    byte_count: int
    pieces: list[Piece]
    header: tuple[str, ...] = ()
    joined: Joined | None = None
    warnings: list[str] = field(default_factory=list)

    def decode(self, piece: Piece, first_line: int = 0) -> tuple[Decoded, int]:
        """Decode one piece; ``first_line`` lines lie before it. Also: how many parts were joined to others."""
        with self.path.open("rb") as file:
            file.seek(piece.begin)
            data = file.read(piece.end - piece.begin)
        if self.format_code in _TEXT:
            skip = 1 if piece.number == 0 else 0
            body = data.partition(b"\n")[2] if skip else data
            decoded = _TEXT[self.format_code](body, self.header, first_line + skip + 1)
            return Decoded(decoded.records, decoded.raw, decoded.record_count, decoded.line_count + skip), 0
        decoded = gb2048.decode(data, piece.begin)
        if self.joined is None:
            return decoded, 0
        records, absorbed = apply_joined(decoded.records, self.joined, piece.begin, piece.end)
        raw = _raw_of_open_ends(records, data, piece.begin)
        return Decoded(records, pl.concat([decoded.raw, raw]), decoded.record_count), absorbed


def open_usage(path: Path, format_code: str | None = None, tell: Callable[[int], None] | None = None) -> UsageSource:
    """Find out what a file is and how it is cut. ``tell`` hears the bytes hashed so far.

    Raises UsageFileEmpty, UsageFormatUnknown (no known head), UsageLooksWrong (most of its beginning is unreadable).
    """
    size = path.stat().st_size
    if size == 0:
        raise UsageFileEmpty(file=path.name)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    code = format_code or detect(head)
    if code is None or code not in FORMATS:
        raise UsageFormatUnknown(file=path.name, known=", ".join(FORMATS))
    header: tuple[str, ...] = ()
    if code in _TEXT:
        found = text_lines.header_of(head, text_lines.text_profile(code))
        if found is None:
            raise UsageFormatUnknown(file=path.name, known=", ".join(FORMATS))
        header = found
        pieces = _text_pieces(path, size)
        service = text_lines.text_profile(code).service
    else:
        pieces = [
            Piece(number, begin, min(begin + gb2048.PIECE_BYTES, size))
            for number, begin in enumerate(range(0, size, gb2048.PIECE_BYTES))
        ]
        service = gb2048.SERVICE
    source = UsageSource(path, code, service, _sha256(path, tell), size, pieces, header)
    _probe(source)
    if code == gb2048.CODE:
        source.joined = _join(path, pieces)
    return source


def detect(head: bytes) -> str | None:
    """The kind of file that begins like this, or None."""
    if gb2048.looks_like(head):
        return gb2048.CODE
    for code in _TEXT:
        if text_lines.header_of(head, text_lines.text_profile(code)) is not None:
            return code
    return None


def _sha256(path: Path, tell: Callable[[int], None] | None) -> str:
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while block := file.read(_HASH_BYTES):
            digest.update(block)
            done += len(block)
            if tell is not None:
                tell(done)
    return digest.hexdigest()


def _text_pieces(path: Path, size: int) -> list[Piece]:
    pieces: list[Piece] = []
    begin = 0
    with path.open("rb") as file:
        while begin < size:
            end = min(begin + text_lines.PIECE_BYTES, size)
            if end < size:
                file.seek(end)
                while (block := file.read(65_536)) and b"\n" not in block:
                    end += len(block)
                end += block.index(b"\n") + 1 if block else 0
            pieces.append(Piece(len(pieces), begin, end))
            begin = end
    return pieces


def _probe(source: UsageSource) -> None:
    """Refuse a file whose beginning is mostly unreadable: it is in another layout, not a bad one of this."""
    first = source.pieces[0]
    with source.path.open("rb") as file:
        data = file.read(min(_PROBE_BYTES, first.end))
    if source.format_code in _TEXT:
        body = data.partition(b"\n")[2]
        body = body if len(data) == first.end else body[: body.rfind(b"\n") + 1]
        decoded = _TEXT[source.format_code](body, source.header, 2)
    else:
        decoded = gb2048.decode(data[: len(data) // 2_048 * 2_048] or data, 0)
    bad = decoded.records.filter(pl.col("reason") != 0).height
    if decoded.record_count >= _FEWEST_SEEN and bad * 1000 > policy().refuse_bad_per_mille * decoded.record_count:
        raise UsageLooksWrong(file=source.path.name, format=source.format_code, bad=bad, seen=decoded.record_count)


def _join(path: Path, pieces: list[Piece]) -> Joined | None:
    """Look through the whole file for parts of longer calls, which may lie pieces apart."""
    found = []
    with path.open("rb") as file:
        for piece in pieces:
            file.seek(piece.begin)
            parts = gb2048.decode(file.read(piece.end - piece.begin), piece.begin, only_partial=True)
            if parts.record_count:
                found.append(parts.records)
    return join_parts(pl.concat(found)) if found else None


def _raw_of_open_ends(records: pl.DataFrame, data: bytes, first_pos: int) -> pl.DataFrame:
    places = records.filter(pl.col("reason") == REASON_NO["open_partial"])["file_pos"].to_list()
    texts = [data[at - first_pos : at - first_pos + 78].hex().upper() for at in places]
    return pl.DataFrame({"file_pos": places, "raw_record": texts}, schema=empty_raw().schema)
