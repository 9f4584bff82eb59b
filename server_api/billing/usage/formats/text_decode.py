"""Lines of a text profile as canonical records, as column expressions.

A quoted line is parsed by the CSV reader only where its quotes are balanced; one with a stray quote is set aside alone
and cannot swallow its neighbours.
"""

from __future__ import annotations

import csv
import io
from functools import reduce

import numpy as np
import polars as pl

from server_api.billing.usage.formats import text_lines as text
from server_api.billing.usage.formats.frame import REASON_NO, TOWN_OFFSET_S, Decoded
from server_api.billing.usage.formats.text_profile import (
    DURATION_UNITS,
    NATURES,
    NUMBERS,
    OCTET_UNITS,
    OCTETS,
    WHOLES,
    Profile,
    TextField,
)
from server_api.billing.usage.policy import policy

_MOST_TEXT = 64
_MOST_OCTETS = 2**53
_MOST_SECONDS = 2**40
_SHORT = 32_767
_LARGEST = {"in_trunk": 2**31 - 1, "out_trunk": 2**31 - 1, "free": 1, "partial": 3}
_CONTROL = bytes(code if code > 1 else ord("?") for code in range(256))
_ASCII_ONLY = bytes(code if 1 < code < 128 else ord("?") for code in range(256))
_LOCAL, _NATIONAL, _INTERNATIONAL, _INCOMING, _TRANSIT = 3, 5, 6, 7, 9


def header_of(head: bytes, profile: Profile) -> tuple[str, ...] | None:
    """The columns the first line of a file names, or None where it does not name those of the profile."""
    names = first_line(head, profile)
    known = set(profile.columns) | set(profile.optional)
    if len(set(names)) != len(names) or profile.missing(names):
        return None
    return names if profile.extra_columns or set(names) <= known else None


def first_line(head: bytes, profile: Profile) -> tuple[str, ...]:
    """The columns the first line of a file would name, if it named any."""
    lines = head.split(b"\n", profile.skip_lines + 1)
    if len(lines) <= profile.skip_lines or profile.kind != "csv":
        return ()
    first = lines[profile.skip_lines].decode(profile.encoding, errors="replace").lstrip("\ufeff").strip()
    return tuple(name.strip().strip('"').lower() for name in first.split(profile.separator))


def decode(data: bytes, names: tuple[str, ...], first_line: int, profile: Profile) -> Decoded:
    """Decode whole lines whose columns are ``names`` (() = as the profile lists them); ``first_line`` is the number
    of the first in its file."""
    if not data:
        return text.nothing()
    if data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
    lines = _lines(data, names, profile)
    present = set(lines.collect_schema().names())
    frame, wrong = _canonical(lines, profile, present)
    return text.finish(_with_reasons(frame, wrong, profile), data, first_line)


def _lines(data: bytes, names: tuple[str, ...], profile: Profile) -> pl.LazyFrame:
    """Every line as text columns with ``line``, ``raw_record`` and ``reason``."""
    if profile.kind == "fixed":
        return _fixed(data, profile)
    named = names or (*profile.columns, *profile.optional)
    if profile.quoted:
        return _quoted(data, named, len(names) or len(profile.columns), profile)
    lazy = _unquoted(_utf8(data, profile.encoding), named, profile.separator)
    count = pl.col("raw_record").fill_null("").str.count_matches(profile.separator, literal=True) + 1
    fewest = len(names) or len(profile.columns)
    off = (count < fewest) | (count > len(named))
    return lazy.with_columns(reason=pl.when(off).then(REASON_NO["wrong_field_count"]).otherwise(0).cast(pl.Int8))


def _unquoted(clean: bytes, named: tuple[str, ...], separator: str) -> pl.LazyFrame:
    split = (
        pl.col("raw_record")
        .fill_null("")
        .str.split_exact(separator, len(named))
        .struct.rename_fields([*named, "_more"])
    )
    lazy = _raw_lines(clean).lazy().with_columns(parts=split).unnest("parts")
    texts = {name: pl.col(name).str.strip_chars().str.strip_chars('"').str.strip_chars() for name in named}
    return lazy.with_columns([pl.when(one != "").then(one).alias(name) for name, one in texts.items()])


def _raw_lines(clean: bytes) -> pl.DataFrame:
    """Every line whole, with its number from 0."""
    return pl.read_csv(
        io.BytesIO(clean),
        has_header=False,
        separator="\x01",
        quote_char=None,
        truncate_ragged_lines=True,
        schema={"raw_record": pl.String},
        row_index_name="line",
    ).with_columns(pl.col("line").cast(pl.Int64))


def _utf8(data: bytes, encoding: str) -> bytes:
    """The text in the reader's encoding; what is none becomes '?' or the replacement character."""
    if encoding == "ascii" or data.isascii():
        return data.translate(_ASCII_ONLY)
    return data.translate(_CONTROL).decode(encoding, errors="replace").encode("utf-8")


def _fixed(data: bytes, profile: Profile) -> pl.LazyFrame:
    shortest = max(at + width for at, width in profile.positions.values())
    columns = [
        pl.when(one != "").then(one).alias(name)
        for name, (at, width) in profile.positions.items()
        for one in (pl.col("raw_record").str.slice(at, width).str.strip_chars(),)
    ]
    lazy = _raw_lines(data.translate(_ASCII_ONLY)).lazy().with_columns(pl.col("raw_record").str.strip_chars("\r"))
    short = pl.col("raw_record").fill_null("").str.len_bytes() < shortest - _last_width(profile) + 1
    return lazy.with_columns(
        *columns, reason=pl.when(short).then(REASON_NO["wrong_field_count"]).otherwise(0).cast(pl.Int8)
    )


def _last_width(profile: Profile) -> int:
    """The width of the last field: a line may end within it, trailing blanks being cut by many programs."""
    return max(profile.positions.values())[1]


def _quoted(data: bytes, named: tuple[str, ...], fewest: int, profile: Profile) -> pl.LazyFrame:
    clean = _utf8(data, profile.encoding).replace(b"\r\n", b"\n")
    if clean.endswith(b"\n"):
        clean = clean[:-1]
    lines = clean.split(b"\n")
    odd = np.array([line.count(b'"') % 2 == 1 for line in lines])
    joined = _guarded(lines, odd, profile.separator)
    stray = _stray(joined, profile.separator)
    if len(stray):
        odd[stray] = True
        joined = _guarded(lines, odd, profile.separator)
    frame = pl.read_csv(
        io.BytesIO(joined),
        has_header=False,
        separator=profile.separator,
        quote_char='"',
        truncate_ragged_lines=True,
        schema={"_first": pl.String, **dict.fromkeys(named, pl.String), "_more": pl.String},
        encoding="utf8-lossy",
        missing_columns="insert",
        extra_columns="ignore",
    )
    if len(frame) != len(lines):
        frame = _line_by_line(joined, frame.columns, profile.separator)
    texts = pl.Series("raw_record", lines, dtype=pl.Binary).cast(pl.String)
    count = texts.str.count_matches(profile.separator, literal=True) + 1
    wrong = pl.lit(pl.Series(odd) | (count < fewest)) | (pl.col("_more").fill_null("") != "")
    return (
        frame.lazy()
        .with_columns(texts)
        .with_row_index("line")
        .with_columns(
            pl.col("line").cast(pl.Int64),
            *[
                pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name).str.strip_chars()).alias(name)
                for name in named
            ],
            reason=pl.when(wrong).then(REASON_NO["wrong_field_count"]).otherwise(0).cast(pl.Int8),
        )
    )


def _guarded(lines: list[bytes], odd: np.ndarray[tuple[int], np.dtype[np.bool_]], separator: str) -> bytes:
    """The lines, each beginning with a field of its own, so that none is blank and none is left out; odd ones empty."""
    first = b"." + separator.encode()
    return b"\n".join([b"." if wrong else first + line for line, wrong in zip(lines, odd.tolist(), strict=True)])


def _stray(joined: bytes, separator: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Lines with a quote in the middle of a field. A quote opens after a separator and closes before one."""
    raw = np.frombuffer(b"\n" + joined + b"\n", np.uint8)
    quotes = np.flatnonzero(raw == ord('"'))
    opens = np.arange(len(quotes)) % 2 == 0
    beside = raw[np.where(opens, quotes - 1, quotes + 1)]
    wrong = quotes[~np.isin(beside, np.frombuffer(separator.encode() + b'\n"', np.uint8))]
    return np.unique(np.searchsorted(np.flatnonzero(raw[1:] == 10) + 1, wrong))


def _line_by_line(joined: bytes, columns: list[str], separator: str) -> pl.DataFrame:
    """The same, slowly, for text that holds something the fast reader takes for the end of a line."""
    rows = []
    for line in joined.split(b"\n"):
        text_line = line.decode("utf-8", errors="replace").replace("\r", "?").replace("\0", "?")
        try:
            row = next(csv.reader([text_line], delimiter=separator), [])
        except csv.Error:  # a field longer than any
            row = []
        rows.append([*row, *[None] * len(columns)][: len(columns)])
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _column(one: TextField, present: set[str]) -> pl.Expr:
    """The text of a field: its columns joined by a blank, or the other column where they are empty."""
    there = [pl.col(name) for name in one.columns if name in present]
    if not there:
        return pl.lit(None, dtype=pl.String)
    found = there[0] if len(there) == 1 else pl.concat_str(there, separator=" ")
    for name in one.instead:
        if name in present:
            found = pl.when(found.is_null()).then(pl.col(name)).otherwise(found)
    for prefix in one.drop:
        found = found.str.strip_prefix(prefix)
    if one.pattern:
        found = found.str.extract(one.pattern, 1)
    if one.digits_only:
        found = found.str.replace_all(r"[^0-9]", "").str.tail(text.MAX_DIGITS)
    return found


def _canonical(lines: pl.LazyFrame, profile: Profile, present: set[str]) -> tuple[pl.LazyFrame, list[pl.Expr]]:
    """The canonical columns, and where a field holds what it must not."""
    wrong: list[pl.Expr] = []
    texts = {f"_{name}": _column(one, present) for name, one in profile.fields.items()}
    frame = lines.with_columns(**texts)
    made: dict[str, pl.Expr] = {}
    for name in NUMBERS:
        if name in profile.fields:
            plus = pl.col(f"_{name}").str.starts_with("+")
            frame = frame.with_columns(pl.col(f"_{name}").str.strip_prefix("+"), plus.alias(f"_{name}_plus"))
            made |= {one.meta.output_name(): one for one in text.telephone(name, f"_{name}")}
            # a number written with + begins with its country
            made[f"{name}_nature"] = pl.when(pl.col(f"_{name}_plus").fill_null(False)).then(3).otherwise(0)
            if name != "link":
                wrong.append(text.not_digits(f"_{name}"))
    for name in (*WHOLES, *NATURES):
        if name in profile.fields:
            value = _whole(f"_{name}", profile.fields[name])
            wrong.append(value.is_null() | (value < 0) | (value > _LARGEST.get(name, _SHORT)))
            made[name] = value
    if "seq" in profile.fields:
        wrong.append(text.not_whole("_seq"))
        made["seq_no"] = text.whole("_seq")
    for name in OCTETS:
        if name in profile.fields:
            value = _octets(f"_{name}", OCTET_UNITS[profile.fields[name].unit])
            wrong.append(value.is_null() | (value > _MOST_OCTETS))
            made[name] = value
    if profile.service == "broadband":
        login = pl.col("_login").fill_null("").str.to_lowercase()
        wrong.append(login.str.contains(r"[^0-9a-z@._\-]") | (login.str.len_bytes() > _MOST_TEXT))
        wrong.append(pl.col("_session").fill_null("").str.len_bytes() > _MOST_TEXT)
        made |= {"owner_text": login, "session": pl.col("_session").fill_null("")}
    told = {name: one for name, one in profile.fields.items() if any(column in present for column in one.columns)}
    return frame.with_columns(**made, **_times(told)), wrong


def _whole(source: str, one: TextField) -> pl.Expr:
    """A whole number, or what the word means; the default where there is none."""
    written = pl.col(source)
    value = written.cast(pl.Int64, strict=False)
    if one.values:
        value = written.replace_strict(one.values, default=None, return_dtype=pl.Int64)
        return value.fill_null(one.default) if one.default is not None else _none_is_nought(value, written)
    if one.default is not None:
        return pl.when(written.is_null()).then(one.default).otherwise(value)
    return _none_is_nought(value, written)


def _none_is_nought(value: pl.Expr, written: pl.Expr) -> pl.Expr:
    return pl.when(written.is_null()).then(0).otherwise(value)


def _octets(source: str, unit: int) -> pl.Expr:
    """Octets of a quantity with up to six decimals; what is begun counts whole. Null where it is no quantity."""
    written = pl.col(source).fill_null("0")
    fine = written.str.contains(r"^[0-9]{1,15}(\.[0-9]{1,6})?$")
    whole = written.str.extract(r"^([0-9]+)", 1).cast(pl.Int64, strict=False).fill_null(0)
    decimals = written.str.extract(r"\.([0-9]{1,6})$", 1).fill_null("").str.pad_end(6, "0").cast(pl.Int64, strict=False)
    most = _MOST_OCTETS // unit
    total = whole.clip(0, most + 1) * unit + (decimals.fill_null(0) * unit + 999_999) // 1_000_000
    return pl.when(fine).then(total)


def _times(fields: dict[str, TextField]) -> dict[str, pl.Expr]:
    """start_s, end_s, duration_s; null where they cannot be read."""
    made: dict[str, pl.Expr] = {}
    for name in ("start", "end"):
        if name in fields:
            made[f"{name}_s"] = _moment(f"_{name}", fields[name])
    if "duration" in fields:
        made["duration_s"] = _duration("_duration", fields["duration"].unit)
    else:
        made["duration_s"] = made["end_s"] - made["start_s"]
    if "start_s" not in made:
        made["start_s"] = made["end_s"] - made["duration_s"]
    if "end_s" not in made:
        made["end_s"] = made["start_s"] + made["duration_s"]
    return made


def _moment(source: str, one: TextField) -> pl.Expr:
    if one.format in ("epoch", "epoch_ms"):
        value = pl.col(source).str.extract(r"^([0-9]{1,15})(?:\.[0-9]*)?$", 1).cast(pl.Int64, strict=False)
        return value // 1_000 if one.format == "epoch_ms" else value
    written = [
        pl.col(source).str.to_datetime(one_way, strict=False, time_unit="ms").dt.epoch("s")
        for one_way in one.format.split("|")
    ]
    moment = pl.coalesce(written)
    return moment if one.utc else moment - TOWN_OFFSET_S


def _duration(source: str, unit: str) -> pl.Expr:
    written = pl.col(source)
    if unit == "h:m:s":
        parts = [written.str.extract(r"^([0-9]{1,6}):([0-9]{1,2}):([0-9]{1,2})$", at) for at in (1, 2, 3)]
        hours, minutes, seconds = (part.cast(pl.Int64, strict=False) for part in parts)
        return (hours * 60 + minutes) * 60 + seconds
    times, divided = DURATION_UNITS[unit]
    value = written.str.extract(r"^([0-9]{1,15})(?:\.0*)?$", 1).cast(pl.Int64, strict=False)
    return (value * times + (divided - 1)) // divided


def _with_reasons(frame: pl.LazyFrame, wrong: list[pl.Expr], profile: Profile) -> pl.LazyFrame:
    odd = reduce(lambda one, other: one | other, [one.fill_null(False) for one in wrong], pl.lit(False))
    no_time = pl.col("start_s").is_null() | pl.col("end_s").is_null() | pl.col("duration_s").is_null()
    # what was never answered ends when nobody took it up
    gap = (pl.col("end_s") - pl.col("start_s") - pl.col("duration_s")).abs() > policy().end_tolerance_s
    backwards = (pl.col("duration_s") < 0) | (pl.col("duration_s") > _MOST_SECONDS)
    tests = [
        ("not_a_call", ~pl.col(column).is_in(list(texts)).fill_null(False)) for column, texts in profile.only.items()
    ]
    tests.append(("not_a_number", odd))
    if profile.service == "voice":
        too_long = (pl.col("caller_len") > text.MAX_DIGITS) | (pl.col("called_len") > text.MAX_DIGITS)
        tests.append(("number_too_long", too_long))
    tests += [("bad_time", no_time), ("times_disagree", (gap & (pl.col("duration_s") != 0)) | backwards)]
    reason: pl.Expr = pl.lit(0)
    for name, failed in reversed(tests):
        reason = pl.when(failed).then(REASON_NO[name]).otherwise(reason)
    reason = pl.when(pl.col("reason") != 0).then(pl.col("reason")).otherwise(reason)
    frame = frame.with_columns(reason=reason.cast(pl.Int8))
    good = pl.col("reason") == 0
    kept = [name for name in (*WHOLES, *NATURES, *OCTETS) if name in profile.fields]
    frame = frame.with_columns([pl.when(good).then(pl.col(name)).otherwise(0).alias(name) for name in kept])
    if profile.service == "voice":
        return _with_call_type(frame, profile)
    return frame.with_columns(owner_text=pl.when(good).then(pl.col("owner_text")))


def _with_call_type(frame: pl.LazyFrame, profile: Profile) -> pl.LazyFrame:
    """The type of call where the table leaves it to the number dialled, or to the trunk group it came over."""
    kind = profile.fields.get("call_type")
    if kind is not None and kind.by_number:
        dialled = pl.col("_called").fill_null("")
        guessed = (
            pl.when(dialled.str.starts_with("00") | (pl.col("called_nature") == 3))
            .then(_INTERNATIONAL)
            .when(dialled.str.starts_with("0"))
            .then(_NATIONAL)
            .otherwise(_LOCAL)
        )
        frame = frame.with_columns(call_type=pl.when(pl.col("call_type") == 0).then(guessed).otherwise("call_type"))
    if profile.incoming_by_trunk and "in_trunk" in profile.fields:
        strange = (pl.col("in_trunk") != 0) & ~pl.col("in_trunk").is_in(list(profile.own_trunks))
        onward = pl.col("out_trunk") != 0 if "out_trunk" in profile.fields else pl.lit(False)
        came = pl.when(onward).then(_TRANSIT).otherwise(_INCOMING)
        before = pl.col("call_type") if "call_type" in profile.fields else pl.lit(0)
        frame = frame.with_columns(call_type=pl.when(strange & (pl.col("reason") == 0)).then(came).otherwise(before))
    return frame


def readable_per_mille(lines: bytes, profile: Profile) -> int:
    """How many of a thousand whole lines can be read and bear the profile's signs."""
    if not lines:
        return 0
    decoded = decode(lines, (), 0, profile)
    if not decoded.record_count:
        return 0
    places = decoded.records.filter(pl.col("reason").is_in([0, REASON_NO["not_a_call"]]))["file_pos"]
    if profile.signs and len(places):
        columns = _lines(lines, (), profile)
        signed = reduce(
            lambda one, other: one & other,
            [pl.col(name).is_in(list(texts)).fill_null(False) for name, texts in profile.signs.items()],
        )
        with_signs = columns.filter(signed).select("line").collect()["line"]
        places = places.filter(places.is_in(with_signs.implode()))
    return len(places) * 1000 // decoded.record_count
