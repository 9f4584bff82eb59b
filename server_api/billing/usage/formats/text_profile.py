"""Kinds of text files as data: which column or position holds what, how times and quantities are written.

A site adds a kind by adding a table, in resources/usage or in the folder ``usage`` of its data. A mistake in a table
names the table and the line.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared_models.values.faults.usage import UsageProfileNotValid

KINDS = ("csv", "fixed")
SERVICES = ("voice", "broadband")
#: Canonical fields a table may fill, by how they are read.
NUMBERS = ("caller", "called", "link")
MOMENTS = ("start", "end")
WHOLES = ("in_trunk", "out_trunk", "call_type", "charged_party", "free", "partial", "cause")
NATURES = ("caller_nature", "called_nature")
OCTETS = ("octets_in", "octets_out")
WORDS = ("session", "login", "nas")
FIELDS = (*NUMBERS, *MOMENTS, "seq", "duration", *WHOLES, *NATURES, *OCTETS, *WORDS)
#: Seconds of a unit as (times, divided by); what is begun counts whole.
DURATION_UNITS = {
    "s": (1, 1),
    "ms": (1, 1_000),
    "10ms": (1, 100),
    "100ms": (1, 10),
    "6s": (6, 1),
    "min": (60, 1),
    "h:m:s": (1, 1),
}
OCTET_UNITS = {
    "B": 1,
    "KB": 1_000,
    "MB": 1_000_000,
    "GB": 1_000_000_000,
    "KiB": 1_024,
    "MiB": 1_048_576,
    "GiB": 1_073_741_824,
}
BY_NUMBER = "by_number"
_ENCODINGS = ("ascii", "utf-8", "gb18030")


@dataclass(frozen=True)
class TextField:
    """Where a field comes from and how it is written."""

    columns: tuple[str, ...]
    instead: tuple[str, ...] = ()
    format: str = ""
    utc: bool = False
    unit: str = ""
    values: dict[str, int] = field(default_factory=dict)
    default: int | None = None
    by_number: bool = False
    pattern: str = ""
    digits_only: bool = False
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Profile:
    """A kind of text file. ``positions`` are byte ranges of fixed-width lines; ``columns`` the columns in order."""

    code: str
    service: str
    kind: str
    separator: str
    quoted: bool
    encoding: str
    header: str
    skip_lines: int
    columns: tuple[str, ...]
    optional: tuple[str, ...]
    positions: dict[str, tuple[int, int]]
    fields: dict[str, TextField]
    signs: dict[str, tuple[str, ...]]
    only: dict[str, tuple[str, ...]]
    incoming_by_trunk: bool
    own_trunks: tuple[int, ...]
    extra_columns: bool = False

    def missing(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """What a first line with these columns lacks: columns, and one of the times where fewer than two are told."""
        lacking = [name for name in self.columns if name not in names]
        told = [name for name in ("start", "end", "duration") if self._told(name, names)]
        if not lacking and len(told) < 2:
            others = [one for one in ("duration", "end", "start") if one in self.fields and one not in told]
            lacking.append(" / ".join(self.fields[one].columns[0] for one in others))
        return tuple(lacking)

    def _told(self, name: str, names: tuple[str, ...]) -> bool:
        return name in self.fields and any(column in names for column in self.fields[name].columns)


def read_profile(path: Path) -> Profile:
    """The profile of a table. Raises UsageProfileNotValid, naming the file and what is wrong with it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return _profile(table)
    except KeyError as error:
        problem = f"{error.args[0]} is missing"
    except (OSError, UnicodeDecodeError, ValueError, TypeError, AttributeError) as error:
        problem = str(error)
    raise UsageProfileNotValid(file=path.name, problem=problem)


def _profile(table: dict[str, Any]) -> Profile:
    kind = _one_of(table["kind"], "kind", KINDS)
    positions = {name: _position(name, row) for name, row in table.get("positions", {}).items()}
    columns = tuple(positions) if kind == "fixed" else _names(table["columns"], "columns")
    optional = _names(table.get("optional", []), "optional")
    known = (*columns, *optional)
    if len(set(known)) != len(known) or not columns:
        raise ValueError("columns: each needs a name of its own")
    separator = str(table.get("separator", ","))
    if len(separator.encode()) != 1 or separator in '\n\r"\x01':
        raise ValueError(f"separator: one character is needed, not {separator!r}")
    fields = {name: _field(name, row, known) for name, row in table["fields"].items()}
    service = _one_of(table["service"], "service", SERVICES)
    _complete(service, fields)
    return Profile(
        code=_code(table["code"]),
        service=service,
        kind=kind,
        separator=separator,
        quoted=bool(table.get("quoted", False)),
        encoding=_one_of(table.get("encoding", "ascii"), "encoding", _ENCODINGS),
        header=_one_of(table.get("header", "names"), "header", ("names", "none", "either")),
        skip_lines=_whole(table.get("skip_lines", 0), "skip_lines"),
        columns=columns,
        optional=optional,
        positions=positions,
        fields=fields,
        signs=_texts(table.get("signs", {}), "signs", known),
        only=_texts(table.get("only", {}), "only", known),
        incoming_by_trunk=bool(table.get("incoming_by_trunk", False)),
        own_trunks=tuple(_whole(one, "own_trunks") for one in table.get("own_trunks", [])),
        extra_columns=bool(table.get("extra_columns", False)),
    )


def _complete(service: str, fields: dict[str, TextField]) -> None:
    wanted = ("caller", "called") if service == "voice" else ("session", "login")
    missing = [name for name in wanted if name not in fields]
    if missing:
        raise ValueError(f"fields.{missing[0]} is missing")
    if len({"start", "end", "duration"} & fields.keys()) < 2:
        raise ValueError("fields: two of start, end, duration are needed")


def _field(name: str, row: dict[str, Any], known: tuple[str, ...]) -> TextField:
    where = f"fields.{name}"
    if name not in FIELDS:
        raise ValueError(f"{where}: there is no such field; there are: {', '.join(sorted(FIELDS))}")
    columns = _names(row.get("columns", [row["column"]] if "column" in row else []), where)
    instead = _names([row["instead"]] if "instead" in row else [], where)
    for column in (*columns, *instead):
        if column not in known:
            raise ValueError(f"{where}: there is no column {column!r}")
    if not columns and "default" not in row:
        raise ValueError(f"{where}: a column or a default is needed")
    units = DURATION_UNITS if name == "duration" else OCTET_UNITS
    unit = _one_of(row.get("unit", "s" if name == "duration" else "B"), f"{where}.unit", tuple(units))
    default = row.get("default")
    if name in MOMENTS and columns and not row.get("format"):
        raise ValueError(f"{where}.format is missing: how the time is written, or epoch, or epoch_ms")
    pattern = str(row.get("pattern", ""))
    if pattern and re.compile(pattern).groups != 1:
        raise ValueError(f"{where}.pattern: one pair of parentheses is needed, around what is meant")
    return TextField(
        columns=columns,
        instead=instead,
        format=str(row.get("format", "")),
        utc=_one_of(row.get("zone", "town"), f"{where}.zone", ("town", "utc")) == "utc",
        unit=unit,
        values={str(key): _whole(value, f"{where}.values") for key, value in row.get("values", {}).items()},
        default=None if default in (None, BY_NUMBER) else _whole(default, f"{where}.default"),
        by_number=default == BY_NUMBER,
        pattern=pattern,
        digits_only=bool(row.get("digits_only", False)),
        drop=tuple(str(one) for one in row.get("drop", [])),
    )


def _position(name: str, row: dict[str, Any]) -> tuple[int, int]:
    at, width = _whole(row["at"], f"positions.{name}.at"), _whole(row["width"], f"positions.{name}.width")
    if not 1 <= width <= 1_000 or at > 100_000:
        raise ValueError(f"positions.{name}: at {at}, width {width} is no place in a line")
    return at, width


def _texts(rows: dict[str, Any], where: str, known: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    for name in rows:
        if name not in known:
            raise ValueError(f"{where}.{name}: there is no such column")
    return {name: tuple(str(one) for one in values) for name, values in rows.items()}


def _names(values: Any, where: str) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(one, str) and one for one in values):
        raise ValueError(f"{where}: a list of names is needed, not {values!r}")
    return tuple(one.strip().lower() for one in values)


def _code(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9_]{1,24}", value):
        raise ValueError(f"code: 1 to 24 of a-z, 0-9 and _ are needed, not {value!r}")
    return value


def _whole(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError(f"{where}: a whole number is needed, not {value!r}")
    return value


def _one_of(value: Any, where: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{where}: one of {', '.join(known)} is needed, not {value!r}")
    return str(value)
