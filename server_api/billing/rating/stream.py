"""A usage file rated from end to end in little memory, nothing stored: what its calls cost, included units dealt out.

One piece is read while the one before is rated. Included units go to the calls of an owner in the order of their start,
whichever piece brings them; so of the calls that may draw on them what rating needs is kept, and they are rated again
at the end, some accounts at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from server_api.billing.rating.ahead import Ahead
from server_api.billing.rating.piece import Order, ReadPiece, rated_calls, read_pieces
from server_api.billing.rating.rater import needed, rate
from server_api.billing.usage.taken import Taken

#: Records that may wait to be rated, and calls that are dealt at once: what bounds the memory.
_MOST_WAITING = 200_000
_DEALT_AT_ONCE = 200_000
#: What is known of a call's owner; with it, and what the tariffs read, a call can be rated again.
_OWNED = ("product_id", "plan_no", "account_id", "period")


@dataclass
class Totals:
    """Counts of a file, and the exact sum of its charges."""

    read_count: int = 0
    rated_count: int = 0
    refused_count: int = 0
    duplicate_count: int = 0
    drawing_count: int = 0
    charge_micro_yuan: int = 0


def rate_stream(order: Order) -> Totals:
    """Decode, make unique, guide and rate a file; the totals."""
    totals = Totals()
    drawing: list[pl.DataFrame] = []
    with Ahead(read_pieces(order, Taken(), 0, 0), _MOST_WAITING, lambda piece: piece.record_count) as ahead:
        for some in ahead.taken():
            for read in some:
                drawing.append(_rate(order, read, totals))
    calls = pl.concat(drawing)
    if len(calls):
        totals.charge_micro_yuan += _dealt(order, calls)
        totals.drawing_count = len(calls)
    return totals


def _rate(order: Order, read: ReadPiece, totals: Totals) -> pl.DataFrame:
    """Count a piece; the calls of it that may draw on included units."""
    kept = tuple(dict.fromkeys((*needed(order.guide.tariffs), *_OWNED)))
    rated = rated_calls(order, read.ready, read.good, also=kept)
    accepted = rated.filter(pl.col("reason") == 0)
    draws = pl.col("row_no").is_in(list(order.guide.with_included))
    totals.read_count += read.record_count
    totals.duplicate_count += read.double_count
    totals.rated_count += len(accepted)
    totals.refused_count += read.record_count - read.double_count - len(accepted)
    totals.charge_micro_yuan += int(accepted.filter(~draws)["charge_micro_yuan"].sum())
    return accepted.filter(draws).select(kept)


def _dealt(order: Order, calls: pl.DataFrame) -> int:
    """What the calls cost that may draw on included units, an owner's calls together."""
    parts = -(-len(calls) // _DEALT_AT_ONCE)
    owner = calls["account_id"].to_physical().to_numpy() % np.uint32(parts)
    charge = 0
    for part in range(parts):
        some = calls.filter(pl.Series(owner == part)).lazy()
        rated = rate(some, order.guide.tariffs, None, included=True, longest_s=order.longest_s)
        charge += int(rated.select(pl.col("charge_micro_yuan").sum()).collect().item())
    return charge
