"""Storing a rated piece in write turns of a few milliseconds, so that a teller's payment never waits for an import.

Each turn holds rated rows together with the identities they take; whatever point a crash falls on, the rows and the
knowledge that they are there were written together, and going on skips exactly those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from server_api.billing.rating import store
from server_api.billing.rating.guide import Guide
from server_api.billing.rating.turns import TurnSize
from server_api.billing.usage import store as usage_store
from server_api.billing.usage.formats.frame import REASONS
from server_api.platform.database import Database
from shared_models.tables.billing.rating import rated_step, rated_usage, rating_due
from shared_models.tables.billing.usage import usage_pool, usage_seen

_FEWEST = 200
_ACCOUNT_AT, _PRODUCT_AT, _PRICE_AT = (
    store.RATED_COLUMNS.index(name) for name in ("account_id", "product_id", "price_no")
)


class PieceWriter:
    """Writes what became of one piece of a file."""

    def __init__(
        self,
        database: Database,
        guide: Guide,
        file_no: int,
        piece_no: int,
        first_turn: int,
        beat: Callable[[], None],
        size: TurnSize,
    ) -> None:
        self._database = database
        self._guide = guide
        self._file_no = file_no
        self._piece_no = piece_no
        self._turn_no = first_turn
        self._beat = beat
        self._size = size
        self._stepped = np.zeros(0, np.int64)

    def mark_due(self, rated: pl.DataFrame) -> None:
        """Note which products' included units must be dealt out anew; before the rows, so that none is forgotten."""
        if not self._guide.with_included:
            return
        keys = (
            rated.filter(pl.col("price_no").is_in(list(self._guide.with_included)))
            .select("period", "account_id", "product_id")
            .unique()
            .sort("period", "account_id", "product_id")
        )
        for period, rows in keys.group_by("period", maintain_order=True):
            with self._database.reading() as conn:
                known = {(row.account_id, row.product_id) for row in store.due(conn, int(str(period[0])))}
            fresh = [row for row in rows.rows() if (row[1], row[2]) not in known]
            for some in _chunks(fresh, _FEWEST * 5):
                with self._database.batch() as conn:
                    self._database.bulk_insert(conn, rating_due, store.DUE_COLUMNS, some)

    def write_rated(self, rated: pl.DataFrame, steps: pl.DataFrame) -> None:
        """Store rated rows (columns of rated_usage and ``call_month``) and the steps of those that have any."""
        ordered = rated.sort("period", "account_id", "usage_id")
        months = ordered["call_month"].to_numpy()
        identities = ordered["usage_id"].to_numpy()
        rows = ordered.select(store.RATED_COLUMNS).rows()
        step_rows = _by_id(steps)
        self._stepped = np.array(sorted(step_rows), np.int64)
        at = 0
        while at < len(rows):
            end = min(at + self._size.rows, len(rows))
            self._turn(rows[at:end], months[at:end], identities[at:end], step_rows)
            at = end

    def _turn(
        self, rows: list[tuple[Any, ...]], months: Any, identities: Any, step_rows: dict[int, list[tuple[Any, ...]]]
    ) -> None:
        with self._database.batch() as conn:
            begun = time.perf_counter_ns()
            closed = store.closed_periods(conn)
            if closed != self._guide.closed:
                rows = self._moved(conn, rows, closed)
            self._database.bulk_insert(conn, rated_usage, store.RATED_COLUMNS, rows)
            if step_rows:
                stepped = np.flatnonzero(np.isin(identities, self._stepped)).tolist()
                steps = [(*rows[at][:3], *step) for at in stepped for step in step_rows[rows[at][2]]]
                self._database.bulk_insert(conn, rated_step, store.STEP_COLUMNS, steps)
            self._database.bulk_insert(conn, usage_seen, usage_store.SEEN_COLUMNS, self._seen(months, identities))
        self._turn_no += 1
        self._size.learn(len(rows), time.perf_counter_ns() - begun)
        self._beat()

    def _seen(self, months: Any, identities: Any) -> list[tuple[Any, ...]]:
        return [
            (int(month), self._file_no, self._piece_no, self._turn_no, np.sort(identities[months == month]).tobytes())
            for month in np.unique(months)
        ]

    def _moved(self, conn: Any, rows: list[tuple[Any, ...]], closed: set[int]) -> list[tuple[Any, ...]]:
        """The rows, those of a month that was shut since in the first open one."""
        moved = [(self._guide.bill_period(row[0], closed), *row[1:]) for row in rows]
        due = {
            (row[0], row[_ACCOUNT_AT], row[_PRODUCT_AT])
            for row, old in zip(moved, rows, strict=True)
            if row[0] != old[0] and row[_PRICE_AT] in self._guide.with_included
        }
        for period in sorted({key[0] for key in due}):
            known = {(row.account_id, row.product_id) for row in store.due(conn, period)}
            fresh = sorted(key for key in due if key[0] == period and key[1:] not in known)
            self._database.bulk_insert(conn, rating_due, store.DUE_COLUMNS, fresh)
        return sorted(moved, key=lambda row: row[:3])

    def write_pool(self, pooled: pl.DataFrame) -> None:
        """Store set-aside records (columns of usage_pool and ``taken``: whether their identity counts as seen)."""
        ordered = pooled.sort("period", "file_pos")
        rows = ordered.select(usage_store.POOL_COLUMNS).rows()
        taken = ordered["taken"].to_numpy()
        months, identities = ordered["period"].to_numpy(), ordered["usage_id"].fill_null(0).to_numpy()
        at = 0
        while at < len(rows):
            end = min(at + self._size.rows, len(rows))
            counted = taken[at:end]
            with self._database.batch() as conn:
                begun = time.perf_counter_ns()
                self._database.bulk_insert(conn, usage_pool, usage_store.POOL_COLUMNS, rows[at:end])
                if counted.any():
                    seen = self._seen(months[at:end][counted], identities[at:end][counted])
                    self._database.bulk_insert(conn, usage_seen, usage_store.SEEN_COLUMNS, seen)
            self._turn_no += 1
            self._size.learn(end - at, time.perf_counter_ns() - begun)
            at = end
            self._beat()


def rated_rows(rated: pl.DataFrame, guide: Guide, file_no: int) -> pl.DataFrame:
    """Rated calls in the columns of rated_usage, with ``call_month``."""
    items = pl.DataFrame(
        {"price_no": list(guide.tariffs.keys), "item_code": [key.row.item_code for key in guide.tariffs.keys.values()]},
        schema={"price_no": pl.Int64, "item_code": pl.String},
    )
    zones = pl.DataFrame(
        {"zone_no": [-1, *range(len(guide.tariffs.zone_codes))], "zone_code": ["-", *guide.tariffs.zone_codes]},
        schema={"zone_no": pl.Int64, "zone_code": pl.String},
    )
    frame = rated.lazy().join(items.lazy(), on="price_no", how="left").join(zones.lazy(), on="zone_no", how="left")
    months = {month: guide.bill_period(month) for month in rated["period"].unique().to_list()}
    free = pl.col("free") == 1
    return (
        frame.with_columns(
            call_month=pl.col("period"),
            period=pl.col("period").replace_strict(months, return_dtype=pl.Int64) if months else pl.col("period"),
            price_no=pl.when(free).then(0).otherwise(pl.col("price_no")),
            peer_no=dialled("called"),
            file_no=pl.lit(file_no, dtype=pl.Int64),
            owner_key=pl.col("owner_key").cast(pl.String),
            octets=pl.when(pl.col("octets") > 0).then(pl.col("octets")),
        )
        .select(*store.RATED_COLUMNS, "call_month")
        .collect()
    )


def pool_rows(records: pl.DataFrame, raw: pl.DataFrame, file_no: int, service: str, month: int) -> pl.DataFrame:
    """Set-aside records in the columns of usage_pool, with ``taken``. ``month`` is where undated ones are kept."""
    names = pl.DataFrame(
        {"reason": list(range(len(REASONS))), "reason_name": REASONS},
        schema={"reason": pl.Int8, "reason_name": pl.String},
    )
    guided = pl.col("reason_name").is_in(["no_owner", "no_tariff", "no_price", "no_account"])
    dated = pl.col("start_s").is_between(0, 2**40)
    frame = (
        records.lazy()
        .join(names.lazy(), on="reason", how="left")
        .join(raw.lazy().unique("file_pos"), on="file_pos", how="left")
    )
    return (
        frame.with_columns(
            taken=guided,
            reason=pl.col("reason_name"),
            state=pl.lit("waiting"),
            service=pl.lit(service),
            period=pl.when(guided & dated).then(pl.col("period")).otherwise(month),
            owner_key=pl.when(guided).then(pl.col("owner_key").cast(pl.String)).otherwise(pl.lit("-")).fill_null("-"),
            usage_id=pl.when(guided).then(pl.col("usage_id")),
            seq_no=pl.col("seq_no"),
            caller=pl.when(pl.col("caller_len") > 0)
            .then(dialled("caller"))
            .otherwise(pl.col("owner_text").str.slice(0, 32)),
            called=dialled("called"),
            called_15=pl.when(guided).then(pl.col("called_15")),
            start_s=pl.when(dated).then(pl.col("start_s")),
            free_flag=pl.col("free"),
            file_no=pl.lit(file_no, dtype=pl.Int64),
        )
        .select(*usage_store.POOL_COLUMNS, "taken")
        .collect()
    )


def dialled(name: str) -> pl.Expr:
    """The number as it was dialled, as text; null for none."""
    length = pl.col(f"{name}_len").cast(pl.Int64)
    text = pl.col(f"{name}_n").cast(pl.String).str.zfill(length.clip(0, 32))
    return pl.when(length > 0).then(text)


def _by_id(steps: pl.DataFrame) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for row in steps.rows():
        found.setdefault(row[0], []).append(row[1:])
    return found


def _chunks(rows: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for begin in range(0, len(rows), size):
        yield list(rows[begin : begin + size])
