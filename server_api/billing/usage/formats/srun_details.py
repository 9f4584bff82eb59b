"""Srun session details: JSON as its northbound interface gives it (resources/usage/srun_details.toml).

The interface publishes no list of fields, so each is looked for under the names seen so far. A record without a login,
a start or counters is set aside as it came.

**Source:** requests and envelope as in the vendor's public SDK; the fields of a record are mapped by the table.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

import polars as pl

import resources
from server_api.billing.usage.formats.frame import (
    COLUMNS,
    REASON_NO,
    TOWN_OFFSET_S,
    Decoded,
    empty_raw,
    empty_records,
    in_shape,
)

CODE = "srun_details"
SERVICE = "broadband"
#: A document that is not cut in lines is read whole; a larger one is refused.
MOST_WHOLE_BYTES = 64 * 1_048_576
_MOST_RAW_CHARS = 2_000
_MOST_TEXT = 64
_MOST_OCTETS = 2**53
_MOST_DEPTH = 4
_LOGIN_SIGNS = frozenset("0123456789abcdefghijklmnopqrstuvwxyz@._-")
_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True)
class _Names:
    fields: dict[str, tuple[str, ...]]
    records: tuple[str, ...]


@lru_cache(maxsize=1)
def _names() -> _Names:
    table = tomllib.loads(resources.path("usage", f"{CODE}.toml").read_text(encoding="utf-8"))["names"]
    return _Names({name: tuple(rows) for name, rows in table.items()}, tuple(table["records"]))


def looks_like(head: bytes) -> bool:
    """True where the text begins as JSON and speaks of logins and their times."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    fields = _names().fields
    return start[:1] in (b"{", b"[") and all(
        any(f'"{name}"'.encode() in head for name in fields[wanted]) for wanted in ("login", "start")
    )


def in_lines(head: bytes) -> bool:
    """True where each line is a document of its own."""
    first, newline, _rest = head.lstrip(b"\xef\xbb\xbf").partition(b"\n")
    if not newline:
        return False
    try:
        _parsed(first)
    except (ValueError, RecursionError):
        return False
    return True


def decode(data: bytes, first_line: int, *, whole: bool) -> Decoded:
    """Decode lines of JSON, or one document (``whole``). ``file_pos`` counts records, from ``first_line``."""
    rows: list[dict[str, Any]] = []
    raws: list[tuple[int, str]] = []
    texts = [data] if whole else data.split(b"\n")
    for text in texts:
        stripped = text.strip(b"\xef\xbb\xbf \t\r")
        if not stripped:
            continue
        try:
            found = list(_records(_parsed(stripped), 0))
        except (ValueError, RecursionError):
            found = [None]
        for record in found:
            place = first_line + len(rows)
            row = {"reason": REASON_NO["wrong_field_count"]} if record is None else _row(record)
            rows.append({**row, "file_pos": place})
            if row["reason"]:
                shown = stripped.decode("utf-8", errors="replace") if record is None else _shown(record)
                raws.append((place, shown[:_MOST_RAW_CHARS].replace("\0", "\\x00")))
    if not rows:
        return Decoded(empty_records(), empty_raw(), 0, 0)
    shape = {name: COLUMNS[name] for name in (*_ROW, "reason", "file_pos")}
    raw = pl.DataFrame(raws, schema=empty_raw().schema, orient="row")
    return Decoded(in_shape(pl.DataFrame(rows, schema=shape)), raw, len(rows), len(rows))


def encode(sessions: pl.DataFrame, per_page: int = 100) -> bytes:
    """Sessions as pages of the northbound interface, a page a line: for samples and training."""
    pages = []
    for begin in range(0, len(sessions), per_page):
        records = [
            {
                "detail_id": begin + at,
                "user_name": row["owner_text"],
                "session_id": row["session"],
                "nas_ip": "192.0.2.1",
                "add_time": str(row["start_s"]),
                "drop_time": str(row["start_s"] + row["duration_s"]),
                "bytes_in": str(row["octets_in"]),
                "bytes_out": str(row["octets_out"]),
            }
            for at, row in enumerate(sessions.slice(begin, per_page).iter_rows(named=True))
        ]
        page = {"code": 0, "message": "ok", "data": records, "_meta": {"totalCount": len(sessions)}}
        pages.append(json.dumps(page, ensure_ascii=False).encode())
    return b"\n".join([*pages, b""])


_ROW = ("owner_text", "session", "start_s", "duration_s", "octets_in", "octets_out")


def _parsed(text: bytes) -> Any:
    """The document. Numbers with a point stay text: they are no counters. Raises ValueError, RecursionError."""
    return json.loads(text, parse_float=str, parse_constant=str)


def _shown(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _records(document: Any, depth: int) -> Iterator[dict[str, Any] | None]:
    """The records of a page, of a list of pages, or of a list; None for what is none."""
    names = _names()
    if depth > _MOST_DEPTH:
        yield None
    elif isinstance(document, list):
        for one in document:
            yield from _records(one, depth + 1)
    elif not isinstance(document, dict):
        yield None
    elif any(name in document for name in names.fields["login"]):
        yield document
    else:
        inner = next((document[name] for name in names.records if name in document), None)
        if isinstance(inner, dict | list):
            yield from _records(inner, depth + 1)
        elif document.get("code") not in (0, "0") or inner is not None:
            yield None  # an error page holds no records, and must not look as if there were none


def _row(record: dict[str, Any]) -> dict[str, Any]:
    """A record's canonical values and its reason."""
    login = str(_of(record, "login") or "").strip().lower()
    start, end = _second(_of(record, "start")), _second(_of(record, "end"))
    duration = _count(_of(record, "duration"))
    if duration is None and start is not None and end is not None:
        duration = end - start
    into, out = _octets(record, "in"), _octets(record, "out")
    if into is None and out is None:
        into, out = _count(_of(record, "octets")), 0
    reason = ""
    if len(login) > _MOST_TEXT or not set(login) <= _LOGIN_SIGNS or into is None or out is None:
        reason = "not_a_number"
    elif max(into, out) > _MOST_OCTETS:
        reason = "not_a_number"
    elif start is None or duration is None:
        reason = "bad_time"
    elif duration < 0 or duration > 2**40:
        reason = "times_disagree"
    if reason:
        shown = login[:_MOST_TEXT] if set(login) <= _LOGIN_SIGNS else ""
        return {"owner_text": shown, "start_s": start, "reason": REASON_NO[reason]}
    session = ":".join(str(_of(record, name) or "") for name in ("nas", "session"))[-_MOST_TEXT:]
    values = (login, session, start, duration, into, out)
    return {**dict(zip(_ROW, values, strict=True)), "reason": 0}


def _of(record: dict[str, Any], name: str) -> Any:
    return next((record[key] for key in _names().fields[name] if record.get(key) not in (None, "")), None)


def _octets(record: dict[str, Any], way: str) -> int | None:
    """Octets of a direction, of both kinds of addresses; None where there are none, or not a number of them."""
    plain, six = _of(record, f"octets_{way}"), _of(record, f"octets_{way}6")
    if plain is None and six is None:
        return None
    counts = [_count(one) for one in (plain, six) if one is not None]
    return None if None in counts else sum(one for one in counts if one is not None)


def _count(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 2**62 else None
    text = str(value).strip() if value is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _second(value: Any) -> int | None:
    """Seconds since 1970 of a moment written as such, or as the town writes it."""
    count = _count(value)
    if count is not None:
        return count if 0 < count < 2**40 else None
    for written in _TIMES:
        try:
            moment = datetime.strptime(str(value)[:19], written).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
        return int(moment.timestamp()) - TOWN_OFFSET_S
    return None
