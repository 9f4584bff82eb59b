"""The tables that describe kinds of usage files: those that ship, and those in the site's own folder.

A site's table of the same name takes the place of the one that ships, and may begin with its lines (``extends``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

import resources
from server_api.billing.usage.formats.record_layout import RecordLayout, read_layout
from server_api.billing.usage.formats.text_profile import Profile, read_profile
from shared_models.values.faults.usage import UsageProfileNotValid

#: Tables read by decoders of their own.
_OTHERS = frozenset({"gb2048", "calls_csv", "sessions_csv", "srun_details", "radius", "calls_any", "sessions_any"})
_site: ContextVar[Path | None] = ContextVar("site_tables", default=None)


def site_folder() -> Path | None:
    """The folder of the site's own tables, where there is one."""
    return _site.get()


@contextmanager
def site_tables(folder: Path | None) -> Iterator[None]:
    """Within the block the tables of this folder are known too."""
    before = _site.set(folder)
    try:
        yield
    finally:
        _site.reset(before)


def table_files() -> list[Path]:
    """The tables to be known, a file for each name; the site's own last."""
    folders = [resources.path("usage"), *([folder] if (folder := _site.get()) is not None else [])]
    found = {file.stem: file for folder in folders if folder.is_dir() for file in sorted(folder.glob("*.toml"))}
    return [file for name, file in found.items() if name not in _OTHERS]


def table_path(name: str) -> Path:
    """Where a table lies: in the site's own folder, else where it ships."""
    folder = _site.get()
    own = folder / f"{name}.toml" if folder is not None else None
    return own if own is not None and own.is_file() else resources.path("usage", f"{name}.toml")


def table_of(file: Path) -> RecordLayout | Profile:
    """The layout or profile of a table. Raises UsageProfileNotValid."""
    try:
        changed = file.stat().st_mtime_ns
    except OSError as error:
        raise UsageProfileNotValid(file=file.name, problem=str(error.strerror)) from None
    return _read(file, changed)


@lru_cache(maxsize=64)
def _read(file: Path, _changed_ns: int) -> RecordLayout | Profile:
    try:
        kind = tomllib.loads(file.read_text(encoding="utf-8")).get("kind", "records")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageProfileNotValid(file=file.name, problem=str(error)) from None
    return read_layout(file) if kind == "records" else read_profile(file)
