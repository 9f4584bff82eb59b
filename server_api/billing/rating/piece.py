"""One piece of a usage file made ready to be stored: decoded, checked, made unique, guided and rated. Writes nothing.

Everything here is a column at a time; nothing but what is odd about a file is looked at a record at a time. A frame is
carried through the rating with no more columns than it reads, because each join copies all there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from server_api.billing.rating.guide import Guide
from server_api.billing.rating.included import with_steps
from server_api.billing.rating.rater import DAY_S, needed, rate
from server_api.billing.rating.writing import pool_rows
from server_api.billing.usage.formats.frame import REASON_NO, TOWN_OFFSET_S, Decoded
from server_api.billing.usage.formats.registry import Piece, UsageSource
from server_api.billing.usage.policy import policy
from server_api.billing.usage.ready import made_ready
from server_api.billing.usage.rules import TRAFFIC_REASONS
from server_api.billing.usage.taken import Taken
from server_api.billing.usage.traffic.rules import traffic_of

Ints = npt.NDArray[np.int64]
_NOT_RETAIL = REASON_NO["not_retail"]
#: What the rater says of a call, as small as it can be kept while batches wait to be written.
_RATED = {
    "at": pl.UInt32,
    "account_id": None,
    "product_id": None,
    "usage_id": pl.Int64,
    "owner_key": None,
    "period": pl.Int32,
    "start_s": pl.Int64,
    "duration_s": pl.Int32,
    "octets": pl.Int64,
    "free": pl.Int8,
    "price_no": pl.Int64,
    "row_no": pl.Int64,
    "zone_no": pl.Int16,
    "quantity": pl.Int64,
    "units": pl.Int64,
    "covered": pl.Int64,
    "charge_micro_yuan": pl.Int64,
    "reason": pl.Int8,
}
_FROM_RECORD = ("called_n", "called_len", "call_type", "file_pos")
_TRAFFIC = ("start_s", "duration_s", "in_trunk", "out_trunk", "call_type")


@dataclass(frozen=True)
class Order:
    """What an import is about, the same for all its pieces."""

    source: UsageSource
    guide: Guide
    file_no: int
    switch_code: str
    oldest_s: int
    newest_s: int
    undated_month: int


@dataclass(frozen=True)
class MadePiece:
    """What became of a piece. ``kept`` are (usage_id, period) of records kept as traffic only; ``traffic`` their sums
    together with those of the calls; ``spans`` the least and greatest identity by month."""

    piece: Piece
    line_count: int
    counts: dict[str, int]
    rated: pl.DataFrame
    steps: pl.DataFrame
    pooled: pl.DataFrame
    kept: pl.DataFrame
    traffic: pl.DataFrame | None
    spans: dict[int, tuple[int, int]]

    @property
    def row_count(self) -> int:
        """How many rated calls wait to be written."""
        return len(self.rated)


def made_pieces(order: Order, taken: Taken, first_piece: int, lines_before: int) -> Iterator[MadePiece]:
    """The pieces of a file from one on, each made when it is asked for."""
    lines = lines_before
    for piece in order.source.pieces[first_piece:]:
        decoded, absorbed = order.source.decode(piece, lines)
        lines += decoded.line_count
        yield made_piece(order, taken, piece, decoded, absorbed)


def made_piece(order: Order, taken: Taken, piece: Piece, decoded: Decoded, absorbed: int) -> MadePiece:
    """Rate one piece; what it holds is taken from now on."""
    voice = order.source.service == "voice"
    ready = made_ready(decoded.records, order.source.service, order.switch_code, order.oldest_s, order.newest_s)
    reason = ready["reason"].to_numpy()
    countable = np.flatnonzero(np.isin(reason, (0, *TRAFFIC_REASONS)))
    ids, months = (ready[name].fill_null(0).to_numpy()[countable] for name in ("usage_id", "period"))
    fresh = taken.fresh(ids, months)
    taken.take(ids[fresh], months[fresh])
    unique = countable[fresh]
    good = unique[reason[unique] == 0]
    rated = rated_calls(order, ready, good)
    accepted = rated.filter(pl.col("reason") == 0)
    refused = rated.filter(pl.col("reason") != 0)
    kept = ready[unique[reason[unique] == _NOT_RETAIL]].select("usage_id", "period")
    pooled = _aside(order, ready, reason, unique, refused, decoded.raw)
    read = decoded.record_count - absorbed
    doubles = len(countable) - len(unique)
    counts = {
        "record_count": decoded.record_count,
        "joined_count": absorbed,
        "read_count": read,
        "accepted_count": read - len(pooled) - doubles,
        "traffic_count": len(kept),
        "rejected_count": len(pooled),
        "duplicate_count": doubles,
        "charge_micro_yuan": int(accepted["charge_micro_yuan"].sum()),
    }
    traffic = traffic_of(ready.select(_TRAFFIC)[unique]) if voice else None
    rows = accepted.drop("reason", "at").hstack(ready.select(_FROM_RECORD)[accepted["at"]])
    steps = with_steps(accepted.filter(may_have_steps(order.guide)), order.guide.tariffs)
    spans = _spans(ids[fresh], months[fresh])
    return MadePiece(piece, decoded.line_count, counts, rows, steps, pooled, kept, traffic, spans)


def rated_calls(order: Order, ready: pl.DataFrame, good: Ints) -> pl.DataFrame:
    """The calls at ``good`` rated: the columns of _RATED, ``at`` being their places."""
    tariffs = order.guide.tariffs
    calls = ready.select(*dict.fromkeys((*needed(tariffs), "period"))).with_row_index("at")
    if len(good) < len(calls):
        calls = calls[good]
    limits = policy()
    longest = limits.max_call_s if order.source.service == "voice" else limits.max_session_s
    frame = rate(calls.lazy(), tariffs, order.guide.owners, included=False, longest_s=longest)
    return frame.select(
        [pl.col(name) if kind is None else pl.col(name).cast(kind) for name, kind in _RATED.items()]
    ).collect()


def _aside(
    order: Order,
    ready: pl.DataFrame,
    reason: npt.NDArray[np.int8],
    unique: Ints,
    refused: pl.DataFrame,
    raw: pl.DataFrame,
) -> pl.DataFrame:
    """What goes to the pool: what cannot be read or be a call, first attempts, and calls nobody can be charged for."""
    bad = (reason != 0) & (reason != _NOT_RETAIL)
    repeated = np.isin(reason, TRAFFIC_REASONS)
    repeated[unique] = False
    places = np.flatnonzero(bad & ~repeated)
    aside = pl.concat(
        [
            ready[places],
            ready[refused["at"]].with_columns(refused["reason"]),
        ]
    )
    return pool_rows(aside, raw, order.file_no, order.source.service, order.undated_month)


def may_have_steps(guide: Guide) -> pl.Expr:
    """Where a call may have more parts than one: it lasts over the edge of some window, or its steps change.

    Said of too many calls it costs time, of too few it loses steps; so any edge of any tariff counts.
    """
    keys = guide.tariffs.keys
    windows = {window for key in keys.values() for window in key.tariff.windows}
    edges = {edge % DAY_S for window in windows for edge in (window.from_s, window.until_s)}
    changing = [row for row, key in keys.items() if key.row.then]
    begin = (pl.col("start_s") + TOWN_OFFSET_S) % DAY_S
    end = begin + pl.col("duration_s")
    crossed = [(begin < edge) & (end > edge) for edge in sorted({*edges, *(edge + DAY_S for edge in edges)})]
    return pl.any_horizontal(*crossed, pl.col("row_no").is_in(changing), pl.col("duration_s") > DAY_S)


def _spans(ids: Ints, months: Ints) -> dict[int, tuple[int, int]]:
    found = {}
    for month in np.unique(months).tolist():
        here = ids[months == month]
        found[int(month)] = (int(here.min()), int(here.max()))
    return found
