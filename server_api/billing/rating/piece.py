"""One piece of a usage file made ready to be stored: decoded, checked, made unique, guided and rated. Writes nothing.

Everything here is a column at a time; nothing but what is odd about a file is looked at a record at a time. A frame is
carried through the rating with no more columns than it reads, because each join copies all there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

    @property
    def longest_s(self) -> int:
        """No call or session lasts longer."""
        limits = policy()
        return limits.max_call_s if self.source.service == "voice" else limits.max_session_s


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
    def weight(self) -> int:
        """What it weighs while it waits to be written, in rated calls; a record of the pool is kept whole."""
        return len(self.rated) + 4 * len(self.pooled) + len(self.kept)


@dataclass(frozen=True)
class ReadPiece:
    """A piece decoded, checked and made unique. ``ready`` are its records (usage.ready) with their ``reasons``;
    ``unique`` the places of those that count, attempts and traffic among them; ``double_count`` came before."""

    piece: Piece
    decoded: Decoded
    absorbed: int
    ready: pl.DataFrame
    reasons: npt.NDArray[np.int8]
    unique: Ints
    double_count: int

    @property
    def good(self) -> Ints:
        """The places of the calls to be rated."""
        return self.unique[self.reasons[self.unique] == 0]

    @property
    def record_count(self) -> int:
        """How many records the piece held, parts of one call together."""
        return self.decoded.record_count - self.absorbed


def read_pieces(order: Order, taken: Taken, first_piece: int, lines_before: int) -> Iterator[ReadPiece]:
    """The pieces of a file from one on, each read when it is asked for; what it holds is taken from then on."""
    lines = lines_before
    for piece in order.source.pieces[first_piece:]:
        decoded, absorbed = order.source.decode(piece, lines)
        lines += decoded.line_count
        yield _read_piece(order, taken, piece, decoded, absorbed)


def _read_piece(order: Order, taken: Taken, piece: Piece, decoded: Decoded, absorbed: int) -> ReadPiece:
    ready = made_ready(decoded.records, order.source.service, order.switch_code, order.oldest_s, order.newest_s)
    reasons = ready["reason"].to_numpy()
    countable = np.flatnonzero(np.isin(reasons, (0, *TRAFFIC_REASONS)))
    ids, months = (ready[name].fill_null(0).to_numpy()[countable] for name in ("usage_id", "period"))
    fresh = taken.fresh(ids, months)
    taken.take(ids[fresh], months[fresh])
    unique = countable[fresh]
    return ReadPiece(piece, decoded, absorbed, ready, reasons, unique, len(countable) - len(unique))


def made_pieces(order: Order, taken: Taken, first_piece: int, lines_before: int) -> Iterator[MadePiece]:
    """The pieces of a file from one on, rated and ready to be stored, each made when it is asked for."""
    for read in read_pieces(order, taken, first_piece, lines_before):
        yield made_piece(order, read)


def made_piece(order: Order, read: ReadPiece) -> MadePiece:
    """Rate one piece."""
    ready, unique = read.ready, read.unique
    rated = rated_calls(order, ready, read.good)
    accepted = rated.filter(pl.col("reason") == 0)
    refused = rated.filter(pl.col("reason") != 0)
    kept = ready[unique[read.reasons[unique] == _NOT_RETAIL]].select("usage_id", "period")
    pooled = _aside(order, read, refused)
    counts = {
        "record_count": read.decoded.record_count,
        "joined_count": read.absorbed,
        "read_count": read.record_count,
        "accepted_count": read.record_count - len(pooled) - read.double_count,
        "traffic_count": len(kept),
        "rejected_count": len(pooled),
        "duplicate_count": read.double_count,
        "charge_micro_yuan": int(accepted["charge_micro_yuan"].sum()),
    }
    traffic = traffic_of(ready.select(_TRAFFIC)[unique]) if order.source.service == "voice" else None
    rows = accepted.drop("reason", "at").hstack(ready.select(_FROM_RECORD)[accepted["at"]])
    steps = with_steps(accepted.filter(may_have_steps(order.guide)), order.guide.tariffs)
    spans = _spans(ready.select("usage_id", "period")[unique])
    return MadePiece(read.piece, read.decoded.line_count, counts, rows, steps, pooled, kept, traffic, spans)


def rated_calls(order: Order, ready: pl.DataFrame, good: Ints, also: Sequence[str] = ()) -> pl.DataFrame:
    """The calls at ``good`` rated: the columns of _RATED, ``at`` being their places; ``also`` others of the rater's."""
    tariffs = order.guide.tariffs
    calls = ready.select(*dict.fromkeys((*needed(tariffs), "period"))).with_row_index("at")
    if len(good) < len(calls):
        calls = calls[good]
    frame = rate(calls.lazy(), tariffs, order.guide.owners, included=False, longest_s=order.longest_s)
    return frame.select(
        *[pl.col(name) if kind is None else pl.col(name).cast(kind) for name, kind in _RATED.items()],
        *[name for name in also if name not in _RATED],
    ).collect()


def _aside(order: Order, read: ReadPiece, refused: pl.DataFrame) -> pl.DataFrame:
    """What goes to the pool: what cannot be read or be a call, first attempts, and calls nobody can be charged for."""
    repeated = np.isin(read.reasons, TRAFFIC_REASONS)
    repeated[read.unique] = False
    places = np.flatnonzero((read.reasons != 0) & (read.reasons != _NOT_RETAIL) & ~repeated)
    unpriced = read.ready[refused["at"]].with_columns(refused["reason"])
    aside = pl.concat([read.ready[places], unpriced])
    return pool_rows(aside, read.decoded.raw, order.file_no, order.source.service, order.undated_month)


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


def _spans(taken: pl.DataFrame) -> dict[int, tuple[int, int]]:
    """The least and the greatest identity by month."""
    span = taken.group_by("period").agg(low=pl.col("usage_id").min(), high=pl.col("usage_id").max())
    return {int(month): (int(low), int(high)) for month, low, high in span.rows()}
