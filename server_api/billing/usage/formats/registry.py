"""Which kind a usage file is, the pieces it is read in, and the decoding of one piece.

The kind is found by content, never by name. A file that could be of several is refused with their names, one of none
with the names of all: a wrong guess would be priced.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from server_api.billing.usage.formats import accounting_files, calls_csv, sessions_csv
from server_api.billing.usage.formats.frame import REASON_NO, Decoded, empty_raw
from server_api.billing.usage.formats.kinds import (
    SURE,
    Cut,
    EqualRecords,
    HeadedLines,
    Kind,
    NationalBlocks,
    ProfiledLines,
    Sample,
    SrunDetails,
    too_long_line,
)
from server_api.billing.usage.formats.pieces import Piece as Piece
from server_api.billing.usage.formats.record_layout import RecordLayout
from server_api.billing.usage.formats.tables import site_folder, site_tables, table_files, table_of
from server_api.billing.usage.partials import Joined, apply_joined, join_parts
from server_api.billing.usage.policy import policy
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
)

_SAMPLE_BYTES = 262_144
_HASH_BYTES = 1 << 20
_RAW_BYTES = 2_048
#: Fewer records than this say nothing about the layout.
_FEWEST_SEEN = 8
#: A file without a signature is taken for a kind when so many of a thousand records at its beginning are readable.
_PLAUSIBLE = 800
_METER_FILES = {0xC8: "ZXJ10, 9+9", 0xC9: "ZXJ10, 18+18"}
_BUILT_IN: tuple[Kind, ...] = (
    NationalBlocks(),
    HeadedLines(calls_csv.CODE),
    HeadedLines(sessions_csv.CODE),
    SrunDetails(),
)


def kinds() -> dict[str, Kind]:
    """Every kind known, by code: those built in, and a kind for each table shipped or of the site."""
    found: dict[str, Kind] = {kind.code: kind for kind in _BUILT_IN}
    for file in table_files():
        kind = kind_of(file)
        found[kind.code] = kind
    return found


def kind_of(file: Path) -> Kind:
    """The kind a table describes. Raises UsageProfileNotValid."""
    table = table_of(file)
    return EqualRecords(table) if isinstance(table, RecordLayout) else ProfiledLines(table)


#: The kinds that ship.
FORMATS = tuple(kinds())


@dataclass
class UsageSource:
    """A file that can be read in pieces: its kind, identity, pieces and the long calls joined out of parts."""

    path: Path
    kind: Kind
    sha256: str
    byte_count: int
    cut: Cut
    seen: tuple[int, int, int]
    joined: Joined | None = None
    #: Pieces are decoded on other threads too, with the tables that were known when the file was opened.
    site: Path | None = field(default_factory=site_folder)

    @property
    def format_code(self) -> str:
        """The code of its kind."""
        return self.kind.code

    @property
    def service(self) -> str:
        """voice or broadband."""
        return self.kind.service

    @property
    def pieces(self) -> list[Piece]:
        """The pieces, in order."""
        return self.cut.pieces

    @property
    def piece_count(self) -> int:
        """How many pieces there are."""
        return len(self.cut.pieces)

    @property
    def header(self) -> tuple[str, ...]:
        """The columns its first line names."""
        return self.cut.header

    def decode(self, piece: Piece, first_line: int = 0) -> tuple[Decoded, int]:
        """Decode one piece; ``first_line`` lines lie before it. Also: how many parts were joined to others.

        Raises UsageFileChanged when the file is not what it was when it was opened.
        """
        decoded, data, line = self._decoded(piece, first_line)
        if self.joined is None:
            return decoded, 0
        text = self.kind.is_text
        lowest = line if text else piece.begin
        records, absorbed = apply_joined(
            decoded.records, self.joined, lowest, lowest + decoded.line_count if text else piece.end
        )
        ends = _open_ends(records, decoded.raw, lambda place: self.kind.raw(data, piece, place, line))
        return Decoded(records, pl.concat([decoded.raw, ends]), decoded.record_count, decoded.line_count), absorbed

    def _decoded(self, piece: Piece, first_line: int) -> tuple[Decoded, bytes, int]:
        data = _read(self.path, piece, self.seen)
        if piece.long_line:
            return too_long_line(piece, data, first_line + 1), data, first_line + 1
        data, skipped = self._body(data, piece)
        line = first_line + skipped + 1
        with site_tables(self.site):
            decoded = self.kind.decode(data, piece, self.cut, line)
        if skipped:
            decoded = Decoded(decoded.records, decoded.raw, decoded.record_count, decoded.line_count + skipped)
        return decoded, data, line

    def _body(self, data: bytes, piece: Piece) -> tuple[bytes, int]:
        """The data without the lines before the first record, and how many they are."""
        skip = self.cut.skip_lines if piece.number == 0 else 0
        return (data.split(b"\n", skip) + [b""])[skip] if skip else data, skip

    def join(self) -> None:
        """Look through the whole file for parts of longer calls, which may lie pieces apart."""
        found: list[pl.DataFrame] = []
        line = 0
        for piece in self.pieces:
            if piece.long_line:
                line += 1
                continue
            data, skipped = self._body(_read(self.path, piece, self.seen), piece)
            parts = self.kind.parts(data, piece, self.cut, line + skipped + 1)
            if parts is None:
                return
            line += parts.line_count + skipped
            if parts.record_count:
                found.append(parts.records)
        self.joined = join_parts(pl.concat(found)) if found else None


def open_usage(path: Path, format_code: str | None = None, tell: Callable[[int], None] | None = None) -> UsageSource:
    """Find out what a file is and how it is cut. ``format_code`` is a code or the path of a table. ``tell`` hears the
    bytes hashed so far.

    Raises UsageFileEmpty, UsageFileRefused (no plain file), UsageFormatUnknown, UsageFormatAmbiguous, UsageIsMeterFile,
    UsageIsAccounting (RADIUS messages), UsageLooksWrong (most of its beginning is unreadable), UsageProfileNotValid.
    """
    seen = plain_file(path)
    sample = sample_of(path, seen[0])
    kind = _named(path, format_code) if format_code else detect(path.name, sample)
    cut = kind.cut(path, sample)
    if cut is None:
        _refuse_headings(path.name, kind, sample)
        raise UsageFormatUnknown(file=path.name, known=", ".join(kinds()))
    source = UsageSource(path, kind, sha256_of(path, tell), seen[0], cut, seen)
    _probe(source)
    source.join()
    return source


def sample_of(path: Path, size: int) -> Sample:
    """The beginning of a file. Raises UsageFileEmpty."""
    if size == 0:
        raise UsageFileEmpty(file=path.name)
    with path.open("rb") as file:
        return Sample(file.read(_SAMPLE_BYTES), size)


def detect(name: str, sample: Sample) -> Kind:
    """The kind of a file by what it holds.

    Raises UsageFormatUnknown, UsageFormatAmbiguous with the candidates, UsageIsMeterFile, UsageIsAccounting.
    """
    known = kinds()
    if accounting_files.looks_like(sample.head):
        raise UsageIsAccounting(file=name)
    likely = {code: kind.likeness(sample) for code, kind in known.items()}
    best = [code for code, sure in likely.items() if sure >= SURE]
    best = best or [code for code, sure in likely.items() if sure >= _PLAUSIBLE]
    if len(best) > 1:
        raise UsageFormatAmbiguous(file=name, candidates=", ".join(best))
    if best:
        return known[best[0]]
    if sample.head[:1] and sample.head[0] in _METER_FILES and sample.size >= 98:
        raise UsageIsMeterFile(file=name, kind=_METER_FILES[sample.head[0]])
    for kind in known.values():
        _refuse_headings(name, kind, sample)
    raise UsageFormatUnknown(file=name, known=", ".join(known))


def _refuse_headings(name: str, kind: Kind, sample: Sample) -> None:
    """Say what a file that is nearly of a kind lacks. Raises UsageColumnsMissing."""
    missing = kind.missing(sample) if isinstance(kind, HeadedLines | ProfiledLines) else ()
    if missing:
        raise UsageColumnsMissing(file=name, format=kind.code, missing=", ".join(missing))


def _named(path: Path, format_code: str) -> Kind:
    """The kind asked for by its code, or by a table of its own."""
    if format_code.endswith(".toml"):
        return kind_of(Path(format_code))
    known = kinds()
    if format_code not in known:
        raise UsageFormatUnknown(file=path.name, known=", ".join(known))
    return known[format_code]


def plain_file(path: Path) -> tuple[int, int, int]:
    """Size, time of change and number of a plain file. Raises UsageFileRefused for links, folders, pipes, devices."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise UsageFileRefused(file=path.name, kind=stat.filemode(found.st_mode)[0])
    return found.st_size, found.st_mtime_ns, found.st_ino


def _read(path: Path, piece: Piece, seen: tuple[int, int, int]) -> bytes:
    """The bytes of a piece; of a line too long to be a record only its beginning. Raises UsageFileChanged."""
    wanted = min(piece.end - piece.begin, _RAW_BYTES) if piece.long_line else piece.end - piece.begin
    with path.open("rb") as file:
        file.seek(piece.begin)
        data = file.read(wanted)
        now = os.fstat(file.fileno())
    if len(data) != wanted or (now.st_size, now.st_mtime_ns, now.st_ino) != seen:
        raise UsageFileChanged(file=path.name)
    return data


def sha256_of(path: Path, tell: Callable[[int], None] | None) -> str:
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while block := file.read(_HASH_BYTES):
            digest.update(block)
            done += len(block)
            if tell is not None:
                tell(done)
    return digest.hexdigest()


def _probe(source: UsageSource) -> None:
    """Refuse a file whose beginning is mostly unreadable: it is in another layout, not a bad one of this."""
    first = source.pieces[0]
    short = first
    if first.end - first.begin > _SAMPLE_BYTES and not first.long_line and not source.cut.whole:
        with source.path.open("rb") as file:
            file.seek(first.begin)
            data = file.read(_SAMPLE_BYTES)
        whole = data.rfind(b"\n") + 1 if source.kind.is_text else _SAMPLE_BYTES // 2_048 * 2_048
        if not source.kind.is_text and isinstance(source.kind, EqualRecords):
            width = source.kind.layout.record_bytes
            whole = _SAMPLE_BYTES // width * width
        short = Piece(0, first.begin, first.begin + (whole or _SAMPLE_BYTES))
    decoded, _data, _line = source._decoded(short, 0)
    bad = decoded.records.filter(pl.col("reason") != 0).height
    if decoded.record_count >= _FEWEST_SEEN and bad * 1000 > policy().refuse_bad_per_mille * decoded.record_count:
        raise UsageLooksWrong(file=source.path.name, format=source.format_code, bad=bad, seen=decoded.record_count)


def _open_ends(records: pl.DataFrame, kept: pl.DataFrame, raw: Callable[[int], str]) -> pl.DataFrame:
    """The bytes of parts whose call is not whole."""
    waiting = records.filter(pl.col("reason") == REASON_NO["awaiting_parts"])["file_pos"].to_list()
    known = set(kept["file_pos"].to_list()) if waiting else set()
    places = [place for place in waiting if place not in known]
    texts = [raw(place) for place in places]
    return pl.DataFrame({"file_pos": places, "raw_record": texts}, schema=empty_raw().schema)
