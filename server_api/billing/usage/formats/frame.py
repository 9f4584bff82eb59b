"""The canonical usage record every format decodes to, and the reasons a record is set aside for.

Numbers are (value, digit count) pairs of integers: "0937" is (937, 4). Text would cost three times the time and says
nothing more. Instants are seconds since 1970 UTC; a town without summer time since 1991 is 8 hours ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from server_api.billing.usage.formats.reasons import REASON_NO as REASON_NO
from server_api.billing.usage.formats.reasons import REASONS as REASONS
from server_api.billing.usage.formats.reasons import TOWN_OFFSET_S as TOWN_OFFSET_S

#: What every format fills. ``owner_text`` is the login of a session; calls are owned by numbers.
COLUMNS: dict[str, pl.DataType] = {
    "file_pos": pl.Int64(),
    "seq_no": pl.Int64(),
    "caller_n": pl.Int64(),
    "caller_len": pl.Int8(),
    "caller_nature": pl.Int16(),
    "called_n": pl.Int64(),
    "called_len": pl.Int8(),
    "called_nature": pl.Int16(),
    "link_n": pl.Int64(),
    "link_len": pl.Int8(),
    "owner_text": pl.String(),
    "session": pl.String(),
    "start_s": pl.Int64(),
    "duration_s": pl.Int64(),
    "octets_in": pl.Int64(),
    "octets_out": pl.Int64(),
    "in_trunk": pl.Int32(),
    "out_trunk": pl.Int32(),
    "call_type": pl.Int16(),
    "charged_party": pl.Int16(),
    "free": pl.Int8(),
    "partial": pl.Int8(),
    "cause": pl.Int16(),
    "reason": pl.Int8(),
}


@dataclass(frozen=True)
class Decoded:
    """What a piece of a file held.

    ``records`` has the canonical columns, also for records with a ``reason``; ``raw`` holds file_pos and raw_record
    of those with a reason. ``record_count`` counts records as they lie in the file, ``line_count`` text lines.
    """

    records: pl.DataFrame
    raw: pl.DataFrame
    record_count: int
    line_count: int = 0


def empty_records() -> pl.DataFrame:
    """No records, in the canonical shape."""
    return pl.DataFrame(schema=COLUMNS)


def empty_raw() -> pl.DataFrame:
    """No rejected records."""
    return pl.DataFrame(schema={"file_pos": pl.Int64(), "raw_record": pl.String()})


def in_shape(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with exactly the canonical columns; those a format does not know are zero or null."""
    made = []
    for name, kind in COLUMNS.items():
        if name in frame.columns:
            made.append(pl.col(name).cast(kind))
        elif kind in (pl.String(), pl.Int64()) and name not in ("caller_n", "called_n", "link_n"):
            made.append(pl.lit(None, dtype=kind).alias(name))
        else:
            made.append(pl.lit(0, dtype=kind).alias(name))
    return frame.select(made)
