"""Calls as comma-separated text (resources/usage/calls_csv.toml)."""

from __future__ import annotations

import polars as pl

from server_api.billing.usage.formats import text_lines as text
from server_api.billing.usage.formats.frame import REASON_NO, TOWN_OFFSET_S, Decoded
from server_api.billing.usage.policy import policy

CODE = "calls_csv"
SERVICE = "voice"
_WHOLE = ("seq", "duration_s", "in_trunk", "out_trunk", "call_type", "charged_party", "free")
_LARGEST = {"in_trunk": 2**31 - 1, "out_trunk": 2**31 - 1, "call_type": 32_767, "charged_party": 32_767, "free": 1}


def decode(data: bytes, names: tuple[str, ...], first_line: int) -> Decoded:
    """Decode whole lines; ``first_line`` is the number of the first in its file."""
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
