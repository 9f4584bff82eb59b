"""What a usage record must be, and how numbers are read as this town dials them. Pure."""

from __future__ import annotations

import polars as pl

from server_api.billing.usage.formats import reasons
from server_api.billing.usage.formats.frame import REASON_NO
from server_api.billing.usage.numbers import access_key as access_key
from server_api.billing.usage.numbers import full_number_of as full_number_of
from server_api.billing.usage.policy import Numbering, policy

#: Call types of the national layout that a subscriber never pays for: transit and incoming.
NOT_RETAIL = (2, 7, 8, 9)
#: What such calls are kept as, and attempts: they say something of the traffic although nobody is charged for them.
TRAFFIC_REASONS = tuple(REASON_NO[name] for name in reasons.TRAFFIC_REASONS)
#: Charged party of the national layout.
PAYS_CALLED, PAYS_GIVEN = 2, 127


def full_number(name: str, home: Numbering) -> tuple[pl.Expr, pl.Expr]:
    """The number of columns ``<name>_n``, ``_len``, ``_nature`` with country and area code, as one integer, and the
    same left aligned to 15 digits; 0 is none.

    "3961234" and "09373961234" are the same subscriber; "001212…" loses its international prefix; short service codes
    are the town's own.
    """
    value, length, nature = pl.col(f"{name}_n"), pl.col(f"{name}_len").cast(pl.Int64), pl.col(f"{name}_nature")
    country, home_prefix = int(home.country_code), int(home.country_code + home.area_code)
    country_len, home_len = len(home.country_code), len(home.country_code + home.area_code)
    power, below = _power(length), _power(length - 1)
    leading_zero = (length > 1) & (value < below)
    two_zeros = (length > 2) & (value < _power(length - 2))
    mobile = (length == 11) & value.is_between(13_000_000_000, 19_999_999_999)
    with_country = (length == 13) & value.is_between(country * 10**11 + 13 * 10**9, (country + 1) * 10**11 - 1)
    inland = mobile | (length == 10) | ((nature == 2) & (length >= 9))
    branches: list[tuple[pl.Expr, pl.Expr, pl.Expr]] = [
        (length == 0, pl.lit(0, pl.Int64), pl.lit(0, pl.Int64)),
        (two_zeros, value, length - 2),
        (
            leading_zero,
            country * below + value,
            country_len + length - 1,
        ),  # the trunk prefix 0 has no value, but a digit
        ((nature == 3) | with_country, value, length),
        (inland, country * power + value, country_len + length),
        (length <= 9, home_prefix * power + value, home_len + length),
    ]
    full_value, full_len = value, length
    for holds, full, count in reversed(branches):
        full_value = pl.when(holds).then(full).otherwise(full_value)
        full_len = pl.when(holds).then(count).otherwise(full_len)
    aligned = full_value * _power(15 - full_len) // _power(full_len - 15)
    return full_value, aligned


def _power(exponent: pl.Expr) -> pl.Expr:
    return pl.lit(10, dtype=pl.Int64).pow(exponent.clip(0, 18).cast(pl.UInt32))


def call_tests(oldest_s: int, newest_s: int) -> pl.Expr:
    """The reason a decoded call is set aside for, or 0; one that has a reason keeps it."""
    limits = policy()
    return _first_reason(
        ("no_caller", pl.col("caller_len") == 0),
        ("no_called", pl.col("called_len") == 0),
        ("date_too_old", pl.col("start_s") < oldest_s),
        ("date_in_future", pl.col("start_s") > newest_s),
        ("not_retail", pl.col("call_type").is_in(NOT_RETAIL)),
        ("zero_duration", pl.col("duration_s") <= 0),
        ("too_long", pl.col("duration_s") > limits.max_call_s),
    )


def session_tests(oldest_s: int, newest_s: int) -> pl.Expr:
    """The same for a broadband session."""
    limits = policy()
    return _first_reason(
        ("no_caller", pl.col("owner_text").is_null() | (pl.col("owner_text") == "")),
        ("date_too_old", pl.col("start_s") < oldest_s),
        ("date_in_future", pl.col("start_s") > newest_s),
        ("zero_duration", pl.col("duration_s") <= 0),
        ("too_long", pl.col("duration_s") > limits.max_session_s),
    )


def _first_reason(*tests: tuple[str, pl.Expr]) -> pl.Expr:
    reason: pl.Expr = pl.lit(0, dtype=pl.Int8)
    for name, failed in reversed(tests):
        reason = pl.when(failed).then(pl.lit(REASON_NO[name], dtype=pl.Int8)).otherwise(reason)
    return pl.when(pl.col("reason") != 0).then(pl.col("reason")).otherwise(reason).cast(pl.Int8).alias("reason")


def dialled(name: str) -> pl.Expr:
    """The number as it was dialled, as text; null for none."""
    length = pl.col(f"{name}_len").cast(pl.Int64)
    text = pl.col(f"{name}_n").cast(pl.String).str.zfill(length.clip(0, 32))
    return pl.when(length > 0).then(text)
