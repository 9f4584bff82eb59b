"""Long calls that an exchange writes in parts: first, middle …, last become one call before anything is priced.

Parts belong together when caller, called and trunk groups agree and each begins where the one before ended. A first
part whose last never came, or the reverse, waits for the files to come: half a call is never priced. Parts in several
files are joined by ``rating.late_parts``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from server_api.billing.usage.formats.frame import COLUMNS, REASON_NO

SINGLE, FIRST, MIDDLE, LAST = 0, 1, 2, 3
#: An exchange closes one part and opens the next within this time.
_GAP_S = 2


@dataclass(frozen=True)
class Joined:
    """``calls`` lie at their first part; ``absorbed`` are the places of the other parts (``others``: by that of the
    first); ``open_ends`` remain."""

    calls: pl.DataFrame
    absorbed: list[int]
    open_ends: list[int]
    others: dict[int, list[int]] = field(default_factory=dict)


def join_parts(parts: pl.DataFrame) -> Joined:
    """Join the parts of a file (canonical records with ``partial`` > 0, few of them)."""
    shape = {name: COLUMNS[name] for name in COLUMNS}
    calls: list[dict[str, Any]] = []
    absorbed: list[int] = []
    open_ends: list[int] = []
    others: dict[int, list[int]] = {}
    growing: dict[tuple[int, ...], tuple[dict[str, Any], list[int]]] = {}
    for part in parts.filter(pl.col("reason") == 0).sort("start_s", "seq_no", "file_pos").iter_rows(named=True):
        key = (
            part["caller_n"],
            part["caller_len"],
            part["called_n"],
            part["called_len"],
            part["in_trunk"],
            part["out_trunk"],
        )
        begun = growing.get(key)
        if part["partial"] == FIRST:
            if begun is not None:
                open_ends += begun[1]
            growing[key] = (dict(part), [part["file_pos"]])
            continue
        if begun is None or abs(begun[0]["start_s"] + begun[0]["duration_s"] - part["start_s"]) > _GAP_S:
            open_ends.append(part["file_pos"])
            continue
        call, places = begun
        call["duration_s"] += part["duration_s"]
        call["cause"] = part["cause"]
        places.append(part["file_pos"])
        if part["partial"] == LAST:
            del growing[key]
            calls.append({**call, "partial": SINGLE})
            absorbed += places[1:]
            others[places[0]] = places[1:]
    for _call, places in growing.values():
        open_ends += places
    return Joined(pl.DataFrame(calls, schema=shape), absorbed, sorted(open_ends), others)


def apply_joined(records: pl.DataFrame, joined: Joined, from_pos: int, until_pos: int) -> tuple[pl.DataFrame, int]:
    """The records of a piece with its parts replaced by joined calls; also how many parts became one with another."""
    if not joined.calls.height and not joined.open_ends:
        return records, 0
    here = pl.col("file_pos").is_between(from_pos, until_pos, closed="left")
    calls = joined.calls.filter(here)
    gone = [at for at in joined.absorbed if from_pos <= at < until_pos]
    whole = records.filter((pl.col("partial") == SINGLE) | (pl.col("reason") != 0))
    ends = records.filter(pl.col("file_pos").is_in(joined.open_ends) & (pl.col("reason") == 0)).with_columns(
        reason=pl.lit(REASON_NO["awaiting_parts"], dtype=pl.Int8)
    )
    return pl.concat([whole, ends, calls]).sort("file_pos"), len(gone)
