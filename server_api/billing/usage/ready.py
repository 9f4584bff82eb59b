"""From decoded records to calls ready to be guided: checks, identity, full numbers. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from server_api.billing.usage.formats.frame import REASON_NO, TOWN_OFFSET_S
from server_api.billing.usage.identity import identities, in_time_order, switch_seed, text_words
from server_api.billing.usage.policy import numbering
from server_api.billing.usage.rules import PAYS_CALLED, PAYS_GIVEN, call_tests, full_number, session_tests

Ints = npt.NDArray[np.int64]
_TEXT_BYTES = 64
_ATTEMPT = REASON_NO["zero_duration"]
#: Leaves the uppermost bits, which are the time, as they are.
_ATTEMPT_SALT = 0x0005F4914F6CDD1D


def made_ready(records: pl.DataFrame, service: str, switch_code: str, oldest_s: int, newest_s: int) -> pl.DataFrame:
    """The records with ``reason`` settled and, where that is 0, ``usage_id``, ``owner_key``, ``called_15``, ``octets``,
    ``period``. ``owner_key`` is the full number as a whole number, or the login."""
    made = _calls if service == "voice" else _sessions
    frame, mixed = made(records, switch_seed(switch_code), oldest_s, newest_s)
    identity = in_time_order(mixed, frame["start_s"].fill_null(0).to_numpy())
    moment = pl.from_epoch(pl.col("start_s") + TOWN_OFFSET_S, time_unit="s")
    period = (moment.dt.year().cast(pl.Int64) * 100 + moment.dt.month()).alias("period")
    # an attempt is no call: the call that had the same number, time and parties is not its double
    attempt = pl.when(pl.col("reason") == _ATTEMPT).then(pl.col("usage_id") ^ _ATTEMPT_SALT)
    return frame.with_columns(pl.Series("usage_id", identity), period).with_columns(
        usage_id=attempt.otherwise(pl.col("usage_id"))
    )


def _calls(records: pl.DataFrame, seed: int, oldest_s: int, newest_s: int) -> tuple[pl.DataFrame, Ints]:
    caller, _ = full_number("caller", numbering())
    called, aligned = full_number("called", numbering())
    owner = pl.when(pl.col("charged_party") == PAYS_CALLED).then(called).otherwise(caller)
    if (records["charged_party"] == PAYS_GIVEN).any():  # a third party pays for few calls, in most files for none
        records = records.with_columns(link_nature=pl.lit(0, dtype=pl.Int16))
        given, _ = full_number("link", numbering())
        pays = (pl.col("charged_party") == PAYS_GIVEN) & (pl.col("link_len") > 0)
        owner = pl.when(pays).then(given).otherwise(owner)
    frame = (
        records.lazy()
        .with_columns(
            call_tests(oldest_s, newest_s),
            owner_key=owner,
            called_15=aligned,
            octets=pl.lit(0, dtype=pl.Int64),
        )
        .collect()
    )
    return frame, identities(
        seed,
        frame["seq_no"].fill_null(0).to_numpy(),
        frame["start_s"].fill_null(0).to_numpy(),
        frame["caller_n"].to_numpy(),
        frame["called_n"].to_numpy(),
        frame["caller_len"].to_numpy().astype(np.int64) * 100 + frame["called_len"].to_numpy(),
    )


def _sessions(records: pl.DataFrame, seed: int, oldest_s: int, newest_s: int) -> tuple[pl.DataFrame, Ints]:
    frame = records.with_columns(
        session_tests(oldest_s, newest_s),
        owner_key=pl.col("owner_text"),
        called_15=pl.lit(0, dtype=pl.Int64),
        octets=pl.col("octets_in").fill_null(0) + pl.col("octets_out").fill_null(0),
    )
    words = [
        word
        for name in ("session", "owner_text")
        for word in text_words(frame[name].fill_null("").cast(pl.Binary).to_list(), _TEXT_BYTES)
    ]
    return frame, identities(seed, frame["start_s"].fill_null(0).to_numpy(), *words)
