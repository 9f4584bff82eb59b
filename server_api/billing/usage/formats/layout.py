"""Layouts of binary exchange files as data: where each field lies and how it is written. Read from resources/usage."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import resources


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


@lru_cache(maxsize=8)
def block_layout(code: str) -> BlockLayout:
    """The layout of that name from ``resources/usage/<code>.toml``."""
    table: dict[str, Any] = tomllib.loads(resources.path("usage", f"{code}.toml").read_text(encoding="utf-8"))
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
