"""Broadband sessions as comma-separated text (resources/usage/sessions_csv.toml)."""

from __future__ import annotations

import polars as pl

from server_api.billing.usage.formats import text_lines as text
from server_api.billing.usage.formats.frame import REASON_NO, TOWN_OFFSET_S, Decoded

CODE = "sessions_csv"
SERVICE = "broadband"
_WHOLE = ("duration_s", "octets_in", "octets_out")
#: Longer session names and logins are refused; an identity must hold all of them.
_MOST_TEXT = 64
#: 2^53 octets: nine petabytes in a session are a counter gone wrong, and sums stay far inside 63 bits.
_MOST_OCTETS = 2**53


def decode(data: bytes, names: tuple[str, ...], first_line: int) -> Decoded:
    """Decode whole lines; ``first_line`` is the number of the first in its file."""
    if not data:
        return text.nothing()
    profile = text.text_profile(CODE)
    lines = text.read_lines(data, names, profile.separator)
    odd = pl.any_horizontal(*[text.not_whole(name) | pl.col(name).is_null() for name in _WHOLE])
    beyond = (pl.col("octets_in_i") > _MOST_OCTETS) | (pl.col("octets_out_i") > _MOST_OCTETS)
    words = [pl.col(name).fill_null("") for name in ("session", "login")]
    too_long = (words[0].str.len_bytes() > _MOST_TEXT) | (words[1].str.len_bytes() > _MOST_TEXT)
    foreign = words[1].str.contains(r"[^0-9A-Za-z@._\-]")
    frame = lines.with_columns(
        *[text.whole(name).alias(f"{name}_i") for name in _WHOLE],
        text.town_second("start", profile.time_format).alias("start_s"),
    ).with_columns(
        reason=pl.when(pl.col("reason") != 0)
        .then(pl.col("reason"))
        .when(odd | beyond | too_long | foreign)
        .then(REASON_NO["not_a_number"])
        .when(pl.col("start_s").is_null())
        .then(REASON_NO["bad_time"])
        .otherwise(0)
        .cast(pl.Int8)
    )
    canonical = frame.select(
        "line",
        "raw_record",
        "session",
        "start_s",
        "reason",
        owner_text=pl.col("login").str.to_lowercase(),
        duration_s=pl.col("duration_s_i"),
        octets_in=pl.col("octets_in_i"),
        octets_out=pl.col("octets_out_i"),
    )
    return text.finish(canonical, data, first_line)


def encode(sessions: pl.DataFrame) -> bytes:
    """Sessions (session, owner_text, start_s, duration_s, octets_in, octets_out) as a file of this kind."""
    profile = text.text_profile(CODE)
    frame = sessions.select(
        session=pl.col("session"),
        login=pl.col("owner_text"),
        start=pl.from_epoch(pl.col("start_s") + TOWN_OFFSET_S, time_unit="s").dt.strftime(profile.time_format),
        duration_s=pl.col("duration_s"),
        octets_in=pl.col("octets_in"),
        octets_out=pl.col("octets_out"),
        address=pl.lit(""),
    )
    return frame.select(profile.columns).write_csv().encode("ascii")
