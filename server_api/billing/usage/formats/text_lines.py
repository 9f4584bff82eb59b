"""Comma-separated usage: reading lines whatever they hold, without losing or merging one.

A line with too few or too many fields, foreign bytes or a stray quote must end up in the error pool as it was, at its
own line number, and must not disturb its neighbours. So quotes mean nothing, every field is text first, and bytes
outside ASCII become '?' for the parser only: the pool gets the line as it came.
"""

from __future__ import annotations

import io
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl

import resources
from server_api.billing.usage.formats.frame import REASON_NO, TOWN_OFFSET_S, Decoded, empty_raw, empty_records, in_shape

#: A piece is about this many bytes, to the end of a line: some 200,000 calls. What is decoded of a piece takes ten
#: times its size in memory; the store takes several pieces at once.
PIECE_BYTES = 16 * 1_048_576
_ASCII_ONLY = bytes(code if 1 < code < 128 else ord("?") for code in range(256))
_MORE = "_more"
_MOST_RAW_CHARS = 2_000
MAX_DIGITS = 18


@dataclass(frozen=True)
class TextProfile:
    """A kind of text file: its columns and how times are written."""

    code: str
    service: str
    separator: str
    columns: tuple[str, ...]
    time_format: str


@lru_cache(maxsize=8)
def text_profile(code: str) -> TextProfile:
    """The profile of that name from ``resources/usage/<code>.toml``."""
    table: dict[str, Any] = tomllib.loads(resources.path("usage", f"{code}.toml").read_text(encoding="utf-8"))
    return TextProfile(
        table["code"], table["service"], table["separator"], tuple(table["columns"]), table["time_format"]
    )


def header_of(head: bytes, profile: TextProfile) -> tuple[str, ...] | None:
    """The columns a file names in its first line, or None where they are not those of the profile."""
    first = head.split(b"\n", 1)[0].decode("ascii", errors="replace").lstrip("\ufeff").strip()
    names = tuple(name.strip().strip('"').lower() for name in first.split(profile.separator))
    return names if set(names) == set(profile.columns) and len(names) == len(profile.columns) else None


def read_lines(data: bytes, names: tuple[str, ...], separator: str) -> pl.LazyFrame:
    """Every line as text fields, with ``line`` from 0, the line itself as ``raw_record`` and ``reason`` where the field
    count is wrong."""
    clean = data if _plain(data) else data.translate(_ASCII_ONLY)
    frame = pl.read_csv(
        io.BytesIO(clean),
        has_header=False,
        separator="\x01",
        quote_char=None,
        truncate_ragged_lines=True,
        schema={"raw_record": pl.String},
        row_index_name="line",
    )
    text = pl.col("raw_record").fill_null("")
    if b'"' in clean:
        text = text.str.replace_all('"', "", literal=True)
    split = text.str.split_exact(separator, len(names)).struct.rename_fields([*names, _MORE])
    wrong = pl.col(names[-1]).is_null() | pl.col(_MORE).is_not_null()
    return (
        frame.lazy()
        .with_columns(pl.col("line").cast(pl.Int64), parts=split)
        .unnest("parts")
        .with_columns(
            [pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in names]
            + [pl.when(wrong).then(REASON_NO["wrong_field_count"]).otherwise(0).cast(pl.Int8).alias("reason")],
        )
    )


def telephone(name: str, source: str) -> list[pl.Expr]:
    """A column of digits as ``<name>_n`` and ``<name>_len``."""
    text = pl.col(source).fill_null("")
    return [
        text.cast(pl.Int64, strict=False).fill_null(0).alias(f"{name}_n"),
        text.str.len_bytes().clip(0, 100).cast(pl.Int8).alias(f"{name}_len"),
    ]


def not_digits(source: str) -> pl.Expr:
    """Where a column that must hold a telephone number (or nothing) holds something else, length aside."""
    text = pl.col(source)
    return not_whole(source) & ~((text.str.len_bytes() > MAX_DIGITS) & text.str.contains(r"^[0-9]+$"))


def not_whole(source: str) -> pl.Expr:
    """Where a column that must hold a whole number (or nothing) holds something else, or more than 63 bits."""
    text = pl.col(source)
    value = text.cast(pl.Int64, strict=False)
    return text.is_not_null() & (value.is_null() | (value < 0) | text.str.starts_with("+"))


def _plain(data: bytes) -> bool:
    """True when the parser may have the bytes as they are."""
    return data.isascii() and b"\0" not in data and b"\x01" not in data


def whole(source: str) -> pl.Expr:
    """A column of whole numbers; nothing reads as 0."""
    return pl.col(source).cast(pl.Int64, strict=False).fill_null(0)


def town_second(source: str, time_format: str) -> pl.Expr:
    """A column of town times as seconds since 1970 UTC; null where there is no such time."""
    moment = pl.col(source).str.to_datetime(time_format, strict=False, time_unit="ms")
    return moment.dt.epoch("s") - TOWN_OFFSET_S


def finish(lazy: pl.LazyFrame, data: bytes, first_line: int) -> Decoded:
    """Number the lines, take the bad ones as they came, and let blank lines go."""
    frame = lazy.with_columns(file_pos=pl.col("line") + first_line).collect()
    line_count = len(frame)
    bad = frame.filter(pl.col("reason") != 0)
    if not len(bad):
        return Decoded(in_shape(frame), empty_raw(), line_count, line_count)
    blank = bad.filter(pl.col("raw_record").is_null() | (pl.col("raw_record").str.strip_chars() == ""))
    if len(blank):
        places = blank["file_pos"].implode()
        frame = frame.filter(~pl.col("file_pos").is_in(places))
        bad = bad.filter(~pl.col("file_pos").is_in(places))
    raw = bad.select("file_pos", pl.col("raw_record").str.slice(0, _MOST_RAW_CHARS))
    if not _plain(data):
        raw = _as_it_came(raw, data, first_line)
    return Decoded(in_shape(frame), raw, len(frame), line_count)


def _as_it_came(raw: pl.DataFrame, data: bytes, first_line: int) -> pl.DataFrame:
    """The lines with their foreign bytes written as \\x.."""
    lines = data.split(b"\n")
    texts = [lines[at - first_line].decode("utf-8", errors="backslashreplace").rstrip("\r") for at in raw["file_pos"]]
    return raw.with_columns(
        raw_record=pl.Series([text[:_MOST_RAW_CHARS].replace("\0", "\\x00") for text in texts], dtype=pl.String)
    )


def nothing() -> Decoded:
    """What an empty piece holds."""
    return Decoded(empty_records(), empty_raw(), 0, 0)
