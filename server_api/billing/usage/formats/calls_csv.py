"""Calls as comma-separated text (resources/usage/calls_csv.toml)."""

from __future__ import annotations

import numpy as np
import polars as pl

from server_api.billing.usage.formats import fields
from server_api.billing.usage.formats import text_lines as text
from server_api.billing.usage.formats.frame import REASON_NO, TOWN_OFFSET_S, Decoded, empty_raw, in_shape
from server_api.billing.usage.policy import policy

CODE = "calls_csv"
SERVICE = "voice"
_WHOLE = ("seq", "duration_s", "in_trunk", "out_trunk", "call_type", "charged_party", "free")
_LARGEST = {"in_trunk": 2**31 - 1, "out_trunk": 2**31 - 1, "call_type": 32_767, "charged_party": 32_767, "free": 1}
#: Where the canonical column has another name than the file's.
_CANONICAL = {"seq": "seq_no", "caller": "caller_n", "called": "called_n"}


def decode(data: bytes, names: tuple[str, ...], first_line: int) -> Decoded:
    """Decode whole lines; ``first_line`` is the number of the first in its file.

    Regular lines are read by the million (fields); what those cannot be, by the careful reader below.
    """
    if not data:
        return text.nothing()
    profile = text.text_profile(CODE)
    if profile.time_format != fields.PLAIN_TIME:
        return careful(data, names, first_line)
    parts: list[dict[str, fields.Ints]] = []
    odd: list[bytes] = []
    odd_at: list[fields.Ints] = []
    count = 0
    for chunk in fields.chunks(data, profile.separator, len(names)):
        columns, regular = _regular(chunk, names)
        lines = len(chunk.line_end)
        if len(regular) < lines:
            columns = {name: _spread(values, regular, lines) for name, values in columns.items()}
            others = np.setdiff1d(np.arange(lines), regular, assume_unique=True)
            spans = zip(chunk.line_begin[others].tolist(), chunk.line_end[others].tolist(), strict=True)
            odd += [data[begin:end] for begin, end in spans]
            odd_at.append(others + count)
        parts.append(columns)
        count += lines
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["file_pos"] = np.arange(first_line, first_line + count)
    columns["reason"] = np.zeros(count, np.int64)
    if not odd:
        return Decoded(in_shape(pl.DataFrame(columns)), empty_raw(), count, count)
    return _with_odd_lines(columns, np.concatenate(odd_at), careful(b"\n".join([*odd, b""]), names, 0), first_line)


def _regular(chunk: fields.Chunk, names: tuple[str, ...]) -> tuple[dict[str, fields.Ints], fields.Ints]:
    """The columns of a chunk's lines that need no care, and which lines they are."""
    place = {name: index for index, name in enumerate(names)}
    wanted = ("caller", "called", *_WHOLE)
    values, good = fields.numbers(chunk, [place[name] for name in wanted])
    by_name = dict(zip(wanted, values, strict=True))
    start, start_good = fields.instants(chunk, place["start"])
    end, end_good = fields.instants(chunk, place["end"])
    good &= start_good & end_good & (np.abs(end - start - by_name["duration_s"]) <= policy().end_tolerance_s)
    for name, most in _LARGEST.items():
        good &= by_name[name] <= most
    columns = {_CANONICAL.get(name, name): values for name, values in by_name.items()}
    for name in ("caller", "called"):
        columns[f"{name}_len"] = chunk.end[place[name]] - chunk.begin[place[name]]
    columns["start_s"] = start - TOWN_OFFSET_S
    if good.all():
        return columns, chunk.regular
    return {name: values[good] for name, values in columns.items()}, chunk.regular[good]


def _spread(values: fields.Ints, at: fields.Ints, count: int) -> fields.Ints:
    spread = np.zeros(count, np.int64)
    spread[at] = values
    return spread


def _with_odd_lines(columns: dict[str, fields.Ints], odd_at: fields.Ints, read: Decoded, first_line: int) -> Decoded:
    """All lines, those read with care at their places; blank lines are none."""
    found = read.records["file_pos"].to_numpy()
    places = odd_at[found]
    for name in columns:
        if name != "file_pos":
            columns[name][places] = read.records[name].fill_null(0).to_numpy()
    frame = in_shape(pl.DataFrame(columns))
    no_start = read.records["start_s"].is_null()
    if no_start.any():
        without = np.zeros(len(frame), np.bool_)
        without[places[no_start.to_numpy()]] = True
        frame = frame.with_columns(start_s=pl.when(~pl.Series(without)).then(pl.col("start_s")))
    if len(found) < len(odd_at):
        there = np.ones(len(frame), np.bool_)
        there[np.delete(odd_at, found)] = False
        frame = frame.filter(pl.Series(there))
    lines = read.raw["file_pos"].to_numpy()
    raw = read.raw.with_columns(file_pos=pl.Series(odd_at[lines] + first_line, dtype=pl.Int64))
    return Decoded(frame, raw, len(frame), len(columns["file_pos"]))


def careful(data: bytes, names: tuple[str, ...], first_line: int) -> Decoded:
    """The same for lines of any kind, one way for all: what a line is set aside for is decided here."""
    if not data:
        return text.nothing()
    profile = text.text_profile(CODE)
    lines = text.read_lines(data, names, profile.separator)
    reasons = pl.when(pl.col("reason") != 0).then(pl.col("reason"))
    odd = pl.any_horizontal(
        *[text.not_digits(name) for name in ("caller", "called")], *[text.not_whole(name) for name in _WHOLE]
    )
    beyond = pl.any_horizontal(*[pl.col(f"{name}_i") > most for name, most in _LARGEST.items()])
    too_long = (pl.col("caller_len") > text.MAX_DIGITS) | (pl.col("called_len") > text.MAX_DIGITS)
    gap = (pl.col("end_s") - pl.col("start_s") - pl.col("duration_s_i")).abs() > policy().end_tolerance_s
    frame = lines.with_columns(
        *text.telephone("caller", "caller"),
        *text.telephone("called", "called"),
        *[text.whole(name).alias(f"{name}_i") for name in _WHOLE],
        text.town_second("start", profile.time_format).alias("start_s"),
        text.town_second("end", profile.time_format).alias("end_s"),
    ).with_columns(
        reason=reasons.when(odd | beyond)
        .then(REASON_NO["not_a_number"])
        .when(too_long)
        .then(REASON_NO["number_too_long"])
        .when(pl.col("start_s").is_null() | pl.col("end_s").is_null())
        .then(REASON_NO["bad_time"])
        .when(gap)
        .then(REASON_NO["times_disagree"])
        .otherwise(0)
        .cast(pl.Int8)
    )
    good = pl.col("reason") == 0
    canonical = frame.select(
        "line",
        "raw_record",
        "caller_n",
        "caller_len",
        "called_n",
        "called_len",
        "start_s",
        "reason",
        seq_no=pl.col("seq_i"),
        duration_s=pl.col("duration_s_i"),
        **{
            name: pl.when(good).then(pl.col(f"{name}_i")).otherwise(0)
            for name in ("in_trunk", "out_trunk", "call_type", "charged_party", "free")
        },
    )
    return text.finish(canonical, data, first_line)


HEADER = ",".join(text.text_profile(CODE).columns)


def encode(calls: pl.DataFrame) -> bytes:
    """Canonical calls as a file of this kind, for samples and tests."""
    profile = text.text_profile(CODE)

    def digits(name: str) -> pl.Expr:
        return pl.col(f"{name}_n").cast(pl.String).str.zfill(pl.col(f"{name}_len")).alias(name)

    def moment(seconds: pl.Expr) -> pl.Expr:
        return pl.from_epoch(seconds + TOWN_OFFSET_S, time_unit="s").dt.strftime(profile.time_format)

    frame = calls.select(
        seq=pl.col("seq_no"),
        caller=digits("caller"),
        called=digits("called"),
        start=moment(pl.col("start_s")),
        end=moment(pl.col("start_s") + pl.col("duration_s")),
        duration_s=pl.col("duration_s"),
        in_trunk=pl.col("in_trunk"),
        out_trunk=pl.col("out_trunk"),
        call_type=pl.col("call_type"),
        charged_party=pl.col("charged_party"),
        free=pl.col("free"),
    )
    return frame.select(profile.columns).write_csv().encode("ascii")
