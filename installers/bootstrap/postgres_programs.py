"""Where PostgreSQL's server programs are on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

_PRIVATE = Path(__file__).resolve().parents[2] / ".venv" / "system"
_PATTERNS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "usr/local/pgsql/bin", "opt/homebrew/opt/postgresql*/bin")


def find() -> Path | None:
    """The folder with ``initdb`` and ``postgres`` (PATH, pg_config, usual places, private copy); None if nowhere."""
    places: list[Path] = []
    for program in ("initdb", "postgres"):
        found = shutil.which(program)
        if found:
            places.append(Path(found).resolve().parent)
    config = shutil.which("pg_config")
    if config:
        # It comes with the client library and may name a folder where no server is.
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        places.append(Path(told.stdout.strip()))
    for root in (Path("/"), _PRIVATE):
        for pattern in _PATTERNS:
            places += sorted(root.glob(pattern), key=_version, reverse=True)
    for place in places:
        if (place / "initdb").is_file() and (place / "postgres").is_file():
            return place
    return None


def _version(place: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", place.parent.name))
