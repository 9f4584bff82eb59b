"""Layouts of files of equal records as data: a table says where each field lies, how it is written and what it means.

What two readers of one exchange's files disagree about (bit order, unit of durations, which nibble is first) is a line
in the table, so that a site mends its own copy and no program. A mistake in a table names the table and the line.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import resources
from server_api.billing.usage.formats.bcd import Packing
from shared_models.values.faults.usage import UsageProfileNotValid

#: How a field may be written; the docs of the resources/usage tables list them for people.
KINDS = ("u8", "u16", "u32", "high", "low", "bit", "bits", "digits", "bcd", "seconds", "binary_time", "bcd_time")
_WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "high": 1, "low": 1, "bit": 1, "bits": 1, "seconds": 4, "binary_time": 6}
NUMBERS = ("caller", "called", "link")
PLAIN = ("seq", "partial", "caller_nature", "called_nature", "in_trunk", "out_trunk", "call_type", "charged_party")
FLAGS = ("free", "invalid")
FIELDS = (*NUMBERS, *PLAIN, *FLAGS, "cause", "start", "end", "duration", "type", "ticks")
#: A call type of this value is settled by the number dialled: abroad, far or here.
BY_NUMBER = -1


@dataclass(frozen=True)
class RecordField:
    """Where a field lies and how it is written. ``low_bit`` and ``bit_count`` are of a field of bits."""

    at: int
    width: int
    kind: str
    big_endian: bool = False
    low_bit: int = 0
    bit_count: int = 1


@dataclass(frozen=True)
class RecordLayout:
    """A file of equal records after a head."""

    code: str
    head_bytes: int
    record_bytes: int
    magic: bytes
    magic_at: int
    head_pattern: re.Pattern[bytes] | None
    packing: Packing
    fields: dict[str, RecordField]
    call_records: tuple[int, ...]
    epoch_day: int
    per_second: int
    values: dict[str, dict[int, int]] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    incoming_by_trunk: bool = False
    own_trunks: tuple[int, ...] = ()


def read_layout(path: Path) -> RecordLayout:
    """The layout of a table; ``extends`` names another one in the same folder whose lines it begins with.

    Raises UsageProfileNotValid, naming the file, the line and what is wrong with it.
    """
    table = _merged(path, 0)
    try:
        return _layout(table)
    except (KeyError, TypeError, ValueError) as error:
        wrong = f"{error.args[0]!s} is missing" if isinstance(error, KeyError) else str(error)
        raise UsageProfileNotValid(file=path.name, problem=wrong) from None


def _merged(path: Path, depth: int) -> dict[str, Any]:
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageProfileNotValid(file=path.name, problem=str(error)) from None
    base = table.pop("extends", None)
    if base is None:
        return table
    if depth > 3 or not re.fullmatch(r"[a-z0-9_]+", str(base)):
        raise UsageProfileNotValid(file=path.name, problem=f"extends = {base!r}")
    beside = path.with_name(f"{base}.toml")
    # a site's table may begin with the lines of the one that ships, also of its own name
    shipped = resources.path("usage", beside.name)
    merged = _merged(beside if beside.is_file() and beside.name != path.name else shipped, depth + 1)
    for key, value in table.items():
        merged[key] = {**merged[key], **value} if isinstance(value, dict) and key in merged else value
    return merged


def _layout(table: dict[str, Any]) -> RecordLayout:
    digits, clock, duration = table["digits"], table.get("clock", {}), table.get("duration", {})
    record_bytes = _whole(table["record_bytes"], "record_bytes", 8, 65_536)
    big_endian = _one_of(table["byte_order"], "byte_order", ("little", "big")) == "big"
    bits_high_first = _one_of(table.get("bit_order", "low"), "bit_order", ("low", "high")) == "high"
    fields = {
        name: _field(name, row, record_bytes, big_endian, bits_high_first) for name, row in table["fields"].items()
    }
    magic = table.get("magic", {})
    pattern = table.get("head_pattern")
    if not {"caller", "called"} <= fields.keys() or len({"start", "end", "duration"} & fields.keys()) < 2:
        raise ValueError("fields: caller, called and two of start, end, duration are needed")
    return RecordLayout(
        code=str(table["code"]),
        head_bytes=_whole(table.get("head_bytes", 0), "head_bytes", 0, 65_536),
        record_bytes=record_bytes,
        magic=bytes.fromhex(magic.get("hex", "")),
        magic_at=_whole(magic.get("at", 0), "magic.at", 0, 4_000),
        head_pattern=re.compile(pattern.encode("latin-1"), re.DOTALL) if pattern else None,
        packing=Packing(
            low_first=_one_of(digits["first"], "digits.first", ("low", "high")) == "low",
            fillers=tuple(_whole(filler, "digits.fillers", 0, 15) for filler in digits["fillers"]),
            nought=_whole(digits.get("nought", 0), "digits.nought", 0, 15),
        ),
        fields=fields,
        call_records=tuple(table.get("call_records", ())),
        epoch_day=(date.fromisoformat(str(clock.get("epoch", "1970-01-01"))) - date(1970, 1, 1)).days,
        per_second=_whole(duration.get("per_second", 1), "duration.per_second", 1, 1_000),
        values={name: _values(name, rows) for name, rows in table.get("values", {}).items()},
        constants={name: int(value) for name, value in table.get("constants", {}).items()},
        incoming_by_trunk=bool(table.get("incoming_by_trunk", False)),
        own_trunks=tuple(table.get("own_trunks", ())),
    )


def _field(name: str, row: dict[str, Any], record_bytes: int, big_endian: bool, high_first: bool) -> RecordField:
    if name not in FIELDS:
        raise ValueError(f"fields.{name}: there is no such field; there are: {', '.join(sorted(FIELDS))}")
    kind = _one_of(row["type"], f"fields.{name}.type", KINDS)
    if kind == "bcd_time":
        width = _whole(row.get("bytes", 6), f"fields.{name}.bytes", 6, 6)
    else:
        width = _WIDTHS[kind] if kind in _WIDTHS else _whole(row["bytes"], f"fields.{name}.bytes", 1, 64)
    at = _whole(row["at"], f"fields.{name}.at", 0, record_bytes - width)
    count = _whole(row.get("bits", 1), f"fields.{name}.bits", 1, 8)
    bit = _whole(row.get("bit", 0), f"fields.{name}.bit", 0, 8 - count)
    return RecordField(at, width, kind, big_endian, 8 - count - bit if high_first else bit, count)


def _values(name: str, rows: dict[str, Any]) -> dict[int, int]:
    return {
        int(key): BY_NUMBER if value == "by_number" else _whole(value, f"values.{name}", -32_768, 2**31 - 1)
        for key, value in rows.items()
    }


def _whole(value: Any, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name}: a whole number from {least} to {most} is needed, not {value!r}")
    return value


def _one_of(value: Any, name: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{name}: one of {', '.join(known)} is needed, not {value!r}")
    return str(value)
