"""Layouts of binary exchange files as data: where each field lies and how it is written. Read from resources/usage."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from server_api.billing.usage.formats.tables import table_path
from shared_models.values.faults.usage import UsageProfileNotValid


@dataclass(frozen=True)
class Field:
    """A field of a record: its offset, its length in bytes and how it is written."""

    at: int
    width: int
    kind: str


@dataclass(frozen=True)
class BlockLayout:
    """A file of blocks holding records whose length follows from their type."""

    code: str
    block_bytes: int
    head_bytes: int
    used_length_at: int
    filler: int
    record_bytes: dict[int, int]
    priced_types: tuple[int, ...]
    priced_head: int
    fields: dict[str, Field]
    flags: dict[str, int]


def block_layout(code: str) -> BlockLayout:
    """The layout of that name: the site's own table, else the one that ships."""
    file = table_path(code)
    return _read(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read(file: Path, _changed_ns: int) -> BlockLayout:
    try:
        return _layout(tomllib.loads(file.read_text(encoding="utf-8")))
    except KeyError as error:
        problem = f"{error.args[0]} is missing"
    except (OSError, UnicodeDecodeError, ValueError, TypeError, AttributeError) as error:
        problem = str(error)
    raise UsageProfileNotValid(file=file.name, problem=problem)


def _layout(table: dict[str, Any]) -> BlockLayout:
    fields = {name: Field(row["at"], row["bytes"], row["type"]) for name, row in table["fields"].items()}
    return BlockLayout(
        code=table["code"],
        block_bytes=table["block_bytes"],
        head_bytes=table["head_bytes"],
        used_length_at=table["used_length_at"],
        filler=table["filler"],
        record_bytes={int(kind): length for kind, length in table["record_bytes"].items()},
        priced_types=tuple(table["priced"]["types"]),
        priced_head=table["priced"]["head"],
        fields=fields,
        flags=table["flags"],
    )
