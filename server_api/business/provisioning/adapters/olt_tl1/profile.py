"""What to say to a network manager and how to read its tables: data, a file a kind."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from server_api.business.provisioning.contract import Scalar

_FOLDER = Path(__file__).parent / "profiles"
#: What may stand in a command in place of a field: nothing that could end it or begin another parameter.
_PLAIN = re.compile(r"[A-Za-z0-9_.\-/]*")


class ProfileNotValid(ValueError):
    """A profile, or a value for one of its commands, cannot be used."""


class Profile:
    """One kind of network manager."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw

    def command(self, name: str, values: Mapping[str, Scalar]) -> str:
        """A command with its fields, its tag still open. Raises ProfileNotValid."""
        plain: dict[str, str] = {"tag": "{tag}"}
        for field, value in values.items():
            if value is not None and not _PLAIN.fullmatch(str(value)):
                raise ProfileNotValid(f"{field}: {value!r} does not belong in a command")
            plain[field] = str(value)
        try:
            return str(self._raw[name]).format(**plain)
        except KeyError as error:
            raise ProfileNotValid(f"{name} needs {error}") from None

    def cell(self, row: Mapping[str, str], name: str) -> str:
        """A cell of a row by our name for its column."""
        return row.get(self._raw["columns"][name], "")

    def means(self, what: str, text: str) -> bool:
        """True where a refusal's words say that: absent, busy, not_logged_in."""
        return any(word.lower() in text.lower() for word in self._raw["words"].get(what, ()))


@cache
def read_profile(name: str) -> Profile:
    """A profile by its name or path. Raises ProfileNotValid."""
    file = _FOLDER / f"{name}.toml"
    if not file.exists():
        file = Path(name)
    try:
        return Profile(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ProfileNotValid(f"{name}: {error}") from None
