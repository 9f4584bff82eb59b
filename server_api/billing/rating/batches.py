"""Storing rated pieces in write turns of a few milliseconds, so that a teller's payment never waits for an import.

All pieces that wait are written as one batch in the order of the key: the more rows are sorted together, the fewer
pages each row costs. Each turn holds rated rows together with the identities they take; whatever point a crash falls
on, the rows and the knowledge that they are there were written together, and going on skips exactly those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sqlalchemy import Connection

from server_api.billing.rating import store
from server_api.billing.rating.collecting import no_collecting
from server_api.billing.rating.guide import Guide
from server_api.billing.rating.piece import MadePiece
from server_api.billing.rating.store.arrivals import closed_periods, note_due
from server_api.billing.rating.turns import TurnSize
from server_api.billing.usage import store as usage_store
from server_api.billing.usage.rules import dialled
from server_api.platform.database import Database
from shared_models.tables.billing.rating import rated_step, rated_usage
from shared_models.tables.billing.usage import usage_pool, usage_seen

Ints = npt.NDArray[np.int64]
Rows = list[tuple[Any, ...]]
#: So many rows are made ready at a time; the rest waits as columns, a tenth of the size.
_BLOCK = 20_000
#: Identities without a row of their own (usage kept as traffic only) in a turn.
_KEPT_A_TURN = 20_000
_ACCOUNT_AT, _ID_AT, _PRODUCT_AT = (
    store.RATED_COLUMNS.index(name) for name in ("account_id", "usage_id", "product_id")
)


class BatchWriter:
    """Writes what became of pieces of one file."""

    def __init__(
        self, database: Database, guide: Guide, file_no: int, beat: Callable[[], None], size: TurnSize
    ) -> None:
        self._database, self._guide, self._file_no = database, guide, file_no
        self._beat, self._size = beat, size
        self._piece_no = self._turn_no = 0
        keys = guide.tariffs.keys
        self._items = {0: ""} | {row_no: key.row.item_code for row_no, key in keys.items()}
        self._zones = np.array([*guide.tariffs.zone_codes, "-"], dtype=object)  # -1, no zone, is the last
        self._accounts = np.array(guide.accounts, dtype=object)
        self._products = np.array(guide.products, dtype=object)

    def write(
        self, pieces: Sequence[MadePiece], next_turn: int, told: Callable[[int, int], None] = lambda done, of: None
    ) -> None:
        """Store pieces that lie side by side, without what was stored of them before a crash (``as_stored``), in the
        turns before ``next_turn``. ``told`` hears how many of how many rows are stored."""
        self._piece_no = pieces[0].piece.number
        self._turn_no = max(self._turn_no, next_turn)
        self._write_spans(pieces)
        rated = in_order_of_key(pl.concat([piece.rated for piece in pieces]), self._guide)
        steps = pl.concat([piece.steps for piece in pieces])
        kept = pl.concat([piece.kept for piece in pieces])
        step_rows = _steps_of(steps)
        for begin in range(0, len(rated), _BLOCK):
            with no_collecting():
                self._write_block(rated.slice(begin, _BLOCK), step_rows)
            told(min(begin + _BLOCK, len(rated)), len(rated))
        self._write_kept(kept)
        for piece in pieces:
            self._write_pool(piece.pooled)

    def _write_spans(self, pieces: Sequence[MadePiece]) -> None:
        """Before the identities themselves: a piece nobody knows the span of is read by everybody."""
        spans: dict[int, tuple[int, int]] = {}
        for piece in pieces:
            for month, (low, high) in piece.spans.items():
                known = spans.get(month, (low, high))
                spans[month] = (min(known[0], low), max(known[1], high))
        with self._database.batch() as conn:
            for month, (low, high) in sorted(spans.items()):
                usage_store.put_span(conn, month, self._file_no, self._piece_no, low, high)

    def _write_block(self, block: pl.DataFrame, steps: dict[int, Rows]) -> None:
        columns = self._columns(block)
        months, ids = block["period"].to_numpy(), block["usage_id"].to_numpy()
        owned: list[npt.NDArray[Any]] = [months, *(np.asarray(columns[at]) for at in (_ACCOUNT_AT, _PRODUCT_AT))]
        stepped = np.flatnonzero(np.isin(ids, np.fromiter(steps, np.int64, len(steps))))
        drawing = np.flatnonzero(np.isin(block["row_no"].to_numpy(), list(self._guide.with_included)))
        begin = 0
        while begin < len(block):
            end = min(begin + self._size.rows, len(block))
            # made turn by turn: this is done while others may write
            rows = list(zip(*(_values(column, begin, end) for column in columns), strict=True))
            due = set(zip(*(column[_between(drawing, begin, end)].tolist() for column in owned), strict=True))
            parts = {at - begin: steps[int(ids[at])] for at in _between(stepped, begin, end)}
            self._turn(rows, months[begin:end], ids[begin:end], due, parts)
            begin = end

    def _turn(
        self, rows: Rows, months: Ints, ids: Ints, due: set[tuple[int, str, str]], parts: dict[int, Rows]
    ) -> None:
        with self._database.batch() as conn:
            begun = time.perf_counter_ns()
            closed = closed_periods(conn)
            if closed != self._guide.closed:
                again = self._guide.bill_period_again
                rows = [(again(row[0], row[_ACCOUNT_AT], closed), *row[1:]) for row in rows]
            steps = [(*rows[at][: _ID_AT + 1], *step) for at, some in parts.items() for step in some]
            if closed != self._guide.closed:
                rows.sort(key=lambda row: row[: _ID_AT + 1])
            self._database.bulk_insert(conn, rated_usage, store.RATED_COLUMNS, rows)
            if steps:
                self._database.bulk_insert(conn, rated_step, store.STEP_COLUMNS, steps)
            if due:
                note_due(self._database, conn, due)
            self._take(conn, months, ids)
        self._size.learn(len(rows), time.perf_counter_ns() - begun)
        self._beat()

    def _take(self, conn: Connection, months: Ints, ids: Ints) -> None:
        """Store the identities of this turn."""
        key = (self._file_no, self._piece_no, self._turn_no)
        seen = [(int(month), *key, np.sort(ids[months == month]).tobytes()) for month in np.unique(months)]
        self._database.bulk_insert(conn, usage_seen, usage_store.SEEN_COLUMNS, seen)
        self._turn_no += 1

    def _columns(self, block: pl.DataFrame) -> list[pl.Series | npt.NDArray[Any] | list[Any]]:
        """Rated calls as the columns of rated_usage. Texts that come again and again are one object each."""
        codes = _codes(block, "account_id")
        months = self._guide.cycles.periods(codes, block["start_s"].to_numpy(), block["period"].to_numpy())
        month_of = {month: self._guide.bill_period(month) for month in np.unique(months).tolist()}
        free = (block["free"] == 1).to_numpy()
        named: dict[str, pl.Series | npt.NDArray[Any] | list[Any]] = {
            "period": [month_of[month] for month in months.tolist()],
            "account_id": self._accounts[codes],
            "product_id": self._products[_codes(block, "product_id")],
            "price_no": np.where(free, 0, block["price_no"].to_numpy()),
            "item_code": [self._items[row_no] for row_no in block["row_no"].to_list()],
            "zone_code": self._zones[block["zone_no"].to_numpy()],
            "peer_no": block.select(dialled("called")).to_series(),
            "file_no": [self._file_no] * len(block),
            "owner_key": block["owner_key"].cast(pl.String),
            "octets": block.select(pl.when(pl.col("octets") > 0).then(pl.col("octets"))).to_series(),
        }
        return [named[name] if name in named else block[name] for name in store.RATED_COLUMNS]

    def _write_kept(self, kept: pl.DataFrame) -> None:
        """Identities of usage that is kept as traffic only."""
        for begin in range(0, len(kept), _KEPT_A_TURN):
            some = kept.slice(begin, _KEPT_A_TURN)
            with self._database.batch() as conn:
                self._take(conn, some["period"].to_numpy(), some["usage_id"].to_numpy())
            self._beat()

    def _write_pool(self, pooled: pl.DataFrame) -> None:
        """Store set-aside records (writing.pool_rows), with the identities of those whose repetition is a double."""
        ordered = pooled.sort("period", "file_pos")
        rows = ordered.select(usage_store.POOL_COLUMNS).rows()
        taken = ordered["taken"].to_numpy()
        months, ids = (ordered[name].fill_null(0).to_numpy() for name in ("seen_month", "seen_id"))
        begin = 0
        while begin < len(rows):
            end = min(begin + self._size.rows, len(rows))
            counted = np.flatnonzero(taken[begin:end]) + begin
            with self._database.batch() as conn:
                begun = time.perf_counter_ns()
                self._database.bulk_insert(conn, usage_pool, usage_store.POOL_COLUMNS, rows[begin:end])
                if len(counted):
                    self._take(conn, months[counted], ids[counted])
            self._size.learn(end - begin, time.perf_counter_ns() - begun)
            begin = end
            self._beat()


def in_order_of_key(rated: pl.DataFrame, guide: Guide) -> pl.DataFrame:
    """The calls by month billed, account and identity; the identity's lower half is left to chance, because a sort of
    one whole number is a tenth of the work and the rows come to lie on the same pages."""
    if not len(rated):
        return rated
    months = rated["period"].unique().sort().to_list()
    rank = {month: number for number, month in enumerate(sorted(months, key=lambda one: (guide.bill_period(one), one)))}
    month = rated["period"].replace_strict(rank, return_dtype=pl.UInt64).to_numpy()
    account = _codes(rated, "account_id").astype(np.uint64)
    identity = rated["usage_id"].to_numpy().view(np.uint64)
    key = (month << np.uint64(56)) | (account << np.uint64(32)) | (identity >> np.uint64(31))
    return rated[np.argsort(key)]


def _values(column: pl.Series | npt.NDArray[Any] | list[Any], begin: int, end: int) -> list[Any]:
    """A part of a column as Python's own values."""
    part = column[begin:end]
    if isinstance(part, list):
        return part
    return part.to_list() if isinstance(part, pl.Series) else part.tolist()


def _codes(frame: pl.DataFrame, name: str) -> npt.NDArray[np.uint32]:
    """The places of a column's values in their list."""
    return frame[name].to_physical().to_numpy().astype(np.uint32, copy=False)


def _between(places: Ints, begin: int, end: int) -> list[int]:
    return list(places[np.searchsorted(places, begin) : np.searchsorted(places, end)].tolist())


def _steps_of(steps: pl.DataFrame) -> dict[int, Rows]:
    found: dict[int, Rows] = {}
    for row in steps.rows():
        found.setdefault(row[0], []).append(row[1:])
    return found


def as_stored(database: Database, file_no: int, piece: MadePiece, own: Ints) -> MadePiece:
    """The piece with what was stored of it before a crash as it was stored then, and the counts to match.

    News may have come in between: a call that waits in the pool has an owner now, or the reverse. It is not stored a
    second time, and it is counted as what it was; the retry of the pool counts what became of it since.
    """
    if not len(own) and not len(piece.pooled):
        return piece
    with database.reading() as conn:
        months = {*piece.rated["period"].to_list(), *piece.pooled["period"].to_list()}
        known = usage_store.pooled_in_piece(conn, file_no, months, *_places(piece))
    waits = np.isin(piece.rated["file_pos"].to_numpy(), list(known))
    waits &= np.isin(piece.rated["usage_id"].to_numpy(), own)
    rated_then = np.isin(piece.pooled["seen_id"].fill_null(-1).to_numpy(), own) & piece.pooled["taken"].to_numpy()
    rated_then &= ~np.isin(piece.pooled["file_pos"].to_numpy(), list(known))
    moved = int(waits.sum()) - int(rated_then.sum())
    counts = dict(piece.counts)
    counts["accepted_count"] -= moved
    counts["rejected_count"] += moved
    counts["charge_micro_yuan"] -= int(piece.rated.filter(pl.Series(waits))["charge_micro_yuan"].sum())
    in_pool = np.isin(piece.pooled["file_pos"].to_numpy(), list(known))
    return replace(
        piece,
        counts=counts,
        rated=piece.rated.filter(pl.Series(~np.isin(piece.rated["usage_id"].to_numpy(), own))),
        kept=piece.kept.filter(pl.Series(~np.isin(piece.kept["usage_id"].to_numpy(), own))),
        pooled=piece.pooled.filter(pl.Series(~rated_then & ~in_pool)),
    )


def _places(piece: MadePiece) -> tuple[int, int]:
    """The least place of a piece's records in the file, and the one after the greatest."""
    places = pl.concat([piece.rated["file_pos"], piece.pooled["file_pos"]])
    return (int(places.min()), int(places.max()) + 1) if len(places) else (0, 0)  # type: ignore[arg-type]
