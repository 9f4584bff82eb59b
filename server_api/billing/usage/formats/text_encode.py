"""Calls and sessions as lines of a text profile, from the same table: for samples, tests and training."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import polars as pl

from server_api.billing.usage.formats.reasons import TOWN_OFFSET_S
from server_api.billing.usage.formats.text_profile import (
    DURATION_UNITS,
    MOMENTS,
    NUMBERS,
    OCTET_UNITS,
    OCTETS,
    Profile,
    TextField,
)


def encode(usage: pl.DataFrame, profile: Profile) -> bytes:
    """Canonical calls or sessions as a whole file of the profile. What it has no column for is lost."""
    names = (*profile.columns, *profile.optional)
    lines = [profile.separator.join(names)] if profile.kind == "csv" and profile.header == "names" else []
    for call in usage.iter_rows(named=True):
        cells = _cells(call, profile)
        if profile.kind == "fixed":
            lines.append(_fixed(cells, profile))
        else:
            texts = [cells.get(name, "") for name in names]
            lines.append(profile.separator.join(f'"{text}"' if profile.quoted else text for text in texts))
    skipped = ["-"] * profile.skip_lines
    return "\n".join([*skipped, *lines, ""]).encode(profile.encoding)


def _cells(call: dict[str, Any], profile: Profile) -> dict[str, str]:
    """The text of each column a field comes from; columns that must bear a sign bear their first."""
    cells = {name: texts[0] for name, texts in (profile.signs | profile.only).items()}
    for name, one in profile.fields.items():
        text = _written(call, name, one)
        if len(one.columns) > 1:
            cells |= dict(zip(one.columns, text.split(" ", len(one.columns) - 1), strict=False))
        elif one.columns:
            cells[one.columns[0]] = text
        for other in one.instead:
            cells.setdefault(other, text)
    return cells


def _written(call: dict[str, Any], name: str, one: TextField) -> str:
    if name in NUMBERS:
        return str(call[f"{name}_n"]).zfill(call[f"{name}_len"]) if call[f"{name}_len"] else ""
    if name in MOMENTS:
        seconds = call["start_s"] + (call["duration_s"] if name == "end" else 0)
        return _moment(seconds, one)
    if name == "duration":
        return _duration(call["duration_s"], one.unit)
    if name in OCTETS:
        return str(call[name] // OCTET_UNITS[one.unit])
    if name == "login":
        return call["owner_text"] or ""
    value = None if name == "nas" else call["seq_no" if name == "seq" else name]
    if one.values:
        return next((word for word, number in one.values.items() if number == value), "")
    return "" if value is None else str(value)


def _moment(seconds: int, one: TextField) -> str:
    if one.format == "epoch":
        return str(seconds)
    if one.format == "epoch_ms":
        return f"{seconds}000"
    moment = datetime.fromtimestamp(seconds + (0 if one.utc else TOWN_OFFSET_S), timezone.utc)
    return moment.strftime(one.format.split("|")[0])


def _duration(seconds: int, unit: str) -> str:
    if unit == "h:m:s":
        return f"{seconds // 3_600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    times, divided = DURATION_UNITS[unit]
    return str(-(-seconds * divided // times))


def _fixed(cells: dict[str, str], profile: Profile) -> str:
    line = bytearray(b" " * max(at + width for at, width in profile.positions.values()))
    for name, (at, width) in profile.positions.items():
        text = cells.get(name, "").encode(profile.encoding)[:width]
        line[at : at + len(text)] = text
    return line.decode(profile.encoding)
