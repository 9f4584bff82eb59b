"""Join parts of long calls across files, and give up those whose others never came.

A call that is whole lies at its first part and waits to be rated like any that waited; the other parts stop being
records of their own. Their files' counts move with them, in one transaction: read = accepted + rejected + duplicate
before and after. A call some file brought as a whole already is a duplicate here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection

from server_api.billing.usage.formats.frame import REASONS, in_shape
from server_api.billing.usage.partials import join_parts
from server_api.billing.usage.parts import store
from server_api.billing.usage.policy import policy
from server_api.billing.usage.ready import made_ready
from server_api.billing.usage.traffic.rules import traffic_of
from server_api.platform.database import Database

#: Nothing is too old or too new here: that was asked when the parts came.
_OLDEST_S, _NEWEST_S = 0, 2**40
_TRAFFIC = ("start_s", "duration_s", "in_trunk", "out_trunk", "call_type")


class PartsTakenMeanwhile(Exception):
    """Another worker joined one of these parts: the call is its."""


@dataclass(frozen=True)
class LateParts:
    """What became of waiting parts. ``owner_keys`` are those of the calls that can be rated now."""

    joined_count: int = 0
    duplicate_count: int = 0
    waiting_count: int = 0
    given_up_count: int = 0
    owner_keys: tuple[str, ...] = ()


def join_late_parts(database: Database) -> LateParts:
    """Join what can be joined of all waiting parts; the calls wait to be rated then (no_owner)."""
    with database.reading() as conn:
        rows = store.waiting_parts(conn)
    joined = duplicates = 0
    keys: list[str] = []
    for switch in sorted({row.switch_code for row in rows}):
        for first, others, call in _whole_calls([row for row in rows if row.switch_code == switch], switch):
            try:
                with database.batch() as conn:
                    outcome = _settle(conn, first, others, call)
            except PartsTakenMeanwhile:
                continue
            joined += outcome != "duplicate"
            duplicates += outcome == "duplicate"
            if outcome == "joined":
                keys.append(str(call["owner_key"]))
    before = database.clock.now() - timedelta(hours=policy().partial_wait_hours)
    given_up = 0
    if rows:
        with database.batch() as conn:
            given_up = store.give_up(conn, before)
        with database.reading() as conn:
            rows = store.waiting_parts(conn)
    return LateParts(joined, duplicates, len(rows), given_up, tuple(dict.fromkeys(keys)))


def _whole_calls(rows: Sequence[Any], switch: str) -> list[tuple[Any, list[tuple[Any, str]], dict[str, Any]]]:
    """Calls all parts of which are there: the first part, the others with what they become, the call."""
    distinct: dict[tuple[Any, ...], int] = {}
    copies: dict[int, list[Any]] = {}
    for at, row in enumerate(rows):
        key = (row.seq_no, row.partial_no, row.start_s, row.duration_s, row.caller, row.called)
        if distinct.setdefault(key, at) != at:
            copies.setdefault(distinct[key], []).append(row)
    parts = join_parts(_frame(rows, sorted(distinct.values())))
    if not parts.calls.height:
        return []
    ready = made_ready(parts.calls, "voice", switch, _OLDEST_S, _NEWEST_S)
    found = []
    for call in ready.iter_rows(named=True):
        places = parts.others[call["file_pos"]]
        others = [(rows[at], "joined") for at in places]
        others += [(copy, "dropped") for at in (call["file_pos"], *places) for copy in copies.get(at, [])]
        found.append((rows[call["file_pos"]], others, call))
    return found


def _frame(rows: Sequence[Any], places: Sequence[int]) -> pl.DataFrame:
    """Waiting parts as canonical records; ``file_pos`` is their place among the rows."""
    some = [rows[at] for at in places]
    columns: dict[str, list[Any]] = {"file_pos": list(places)}
    for name in ("seq_no", "start_s", "duration_s", "in_trunk", "out_trunk", "call_type", "charged_party", "cause"):
        columns[name] = [getattr(row, name) or 0 for row in some]
    columns["free"] = [row.free_flag or 0 for row in some]
    columns["partial"] = [row.partial_no or 0 for row in some]
    for name in ("caller", "called"):
        columns[f"{name}_n"] = [int(getattr(row, name) or 0) for row in some]
        columns[f"{name}_len"] = [len(getattr(row, name) or "") for row in some]
    return in_shape(pl.DataFrame(columns, schema_overrides=dict.fromkeys(columns, pl.Int64)))


def _settle(conn: Connection, first: Any, others: Sequence[tuple[Any, str]], call: dict[str, Any]) -> str:
    """Make one call whole, in one transaction: its pool rows, identity, traffic and the counts of its files."""
    reason, period, identity = REASONS[call["reason"]], int(call["period"]), int(call["usage_id"])
    if store.is_taken(conn, period, identity):
        outcome, done = "duplicate", store.no_more(conn, first, "dropped")
        store.count(conn, first.file_no, rejected=-1, duplicate=1)
    elif reason == "not_retail":
        outcome, done = "traffic", store.no_more(conn, first, "rated")
        store.count(conn, first.file_no, rejected=-1, accepted=1, traffic=1)
    elif reason:
        outcome, done = "aside", store.now_whole(conn, first, {**_values(call), "reason": reason})
    else:
        outcome, done = "joined", store.now_whole(conn, first, {**_values(call), "reason": "no_owner"})
    for part, state in others:
        done &= store.no_more(conn, part, state)
        if state == "joined":
            store.count(conn, part.file_no, rejected=-1, joined=1, read=-1)
        else:
            store.count(conn, part.file_no, rejected=-1, duplicate=1)
    if not done:
        raise PartsTakenMeanwhile
    if outcome in ("joined", "traffic"):
        piece_no = store.take(conn, period, first.file_no, identity)
        frame = pl.DataFrame([{name: call[name] for name in _TRAFFIC}])
        store.add_traffic(conn, first.file_no, piece_no, traffic_of(frame).rows())
    return outcome


def _values(call: dict[str, Any]) -> dict[str, Any]:
    """What the first part's row says once it is the whole call."""
    return {
        "duration_s": call["duration_s"],
        "cause": call["cause"],
        "usage_id": call["usage_id"],
        "owner_key": str(call["owner_key"]),
        "called_15": call["called_15"],
    }
