"""What to say to a kind of exchange and how to read what it says: data. A site adds a profile without a release."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from server_api.business.provisioning.contract import Scalar, Task

_FOLDER = Path(__file__).parent / "profiles"
#: What may stand in a command in place of a field: nothing that could end it or begin another.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/\-]*")


class ProfileNotValid(ValueError):
    """A profile, or a value for one of its commands, cannot be used."""


@dataclass(frozen=True)
class Line:
    """A subscriber line as the exchange has it."""

    number: str
    status: str
    barring: str
    equipment: str
    terminal: str
    features: frozenset[str]

    def state(self) -> dict[str, Scalar]:
        """The fields of the manifest's state."""
        return {
            "status": self.status, "barring": self.barring, "equipment": self.equipment, "terminal": self.terminal,
            "features": " ".join(sorted(self.features)),
        }  # fmt: skip


class Profile:
    """One kind of exchange."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._labels: Mapping[str, str] = raw["look"]["labels"]

    @property
    def after_login(self) -> list[str]:
        return list(self._raw.get("after_login", ()))

    def login(self, operator: str, password: str) -> str:
        """The command that signs in."""
        return str(self._raw["login"]).format(operator=_quoted(operator), password=_quoted(password))

    def logout(self, operator: str) -> str:
        """The command that signs out."""
        return str(self._raw["logout"]).format(operator=_quoted(operator))

    def look(self, number: str) -> str:
        """The command that shows a line."""
        return _filled(self._raw["look"]["command"], {"number": number})

    @property
    def list_all(self) -> str:
        return str(self._raw["list"]["command"])

    def means(self, what: str, text: str) -> bool:
        """True where a failure's words say that: absent, exists, busy, not_logged_in."""
        return any(word.lower() in text.lower() for word in self._raw["words"].get(what, ()))

    def read(self, row: Mapping[str, str]) -> Line:
        """A line out of a row of a report."""
        seen = {name: row.get(label, "") for name, label in self._labels.items()}
        features = frozenset(part for part in re.split(r"[&,\s]+", seen.get("features", "")) if part)
        return Line(
            seen["number"], self._first("status", seen), self._first("barring", seen), seen.get("equipment", ""),
            seen.get("terminal", ""), frozenset(name.removesuffix("-1") for name in features if name[-2:] != "-0"),
        )  # fmt: skip

    def commands(self, task: Task, line: Line | None) -> list[str]:
        """What brings a line from how it is to what is wanted; nothing where it is so. Raises ProfileNotValid."""
        wanted = dict(task.wanted)
        match task.act:
            case "open":
                return [] if line is not None else self._filled(self._raw["acts"]["open"], task)
            case "close":
                return [] if line is None else self._filled(self._raw["acts"]["close"], task)
        if line is None:
            raise ProfileNotValid(f"{task.subscriber}: no such line")
        match task.act:
            case "suspend" | "resume":
                return self._moved(line.status, str(wanted.get("level", "normal")), task)
            case "set_feature":
                there = wanted["feature"] in line.features
                return [] if there == wanted["on"] else self._filled(self._raw["acts"]["set_feature"], task)
            case "bar":
                level = str(wanted["level"])
                return [] if line.barring == level else self._filled(self._raw["acts"]["bar"][level], task)
            case "move":
                same = (line.equipment, line.terminal) == (wanted["equipment"], wanted["terminal"])
                return [] if same else self._filled(self._raw["acts"]["move"], task)
            case _:
                raise ProfileNotValid(f"{task.act}: not in this profile")

    def _moved(self, now: str, wanted: str, task: Task) -> list[str]:
        if now == wanted:
            return []
        left = [] if now == "normal" else self._filled(self._raw["leave"][now], task)
        return left + ([] if wanted == "normal" else self._filled(self._raw["enter"][wanted], task))

    def _filled(self, part: Mapping[str, Any], task: Task) -> list[str]:
        values = {**task.wanted, "number": task.subscriber}
        return [_filled(command, values) for command in part["commands"]]

    def _first(self, kind: str, seen: Mapping[str, str]) -> str:
        """The first of the profile's rows that fits what is seen."""
        for row in self._raw[kind]:
            asked = {name: value for name, value in row.items() if name != "is"}
            if all(_fits(seen.get(name, ""), value) for name, value in asked.items()):
                return str(row["is"])
        return ""


@cache
def read_profile(name: str) -> Profile:
    """A profile by its name or path. Raises ProfileNotValid."""
    file = _FOLDER / f"{name}.toml"
    if not file.exists():
        file = Path(name)
    try:
        return Profile(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ProfileNotValid(f"{name}: {error}") from None


def _fits(seen: str, value: object) -> bool:
    return all(part in seen for part in value) if isinstance(value, list) else seen == value


def _filled(template: str, values: Mapping[str, Scalar]) -> str:
    plain = {}
    for name, value in values.items():
        text = str(int(value)) if isinstance(value, bool) else str(value)
        if not _PLAIN.fullmatch(text):
            raise ProfileNotValid(f"{name}: {text!r} does not belong in a command")
        plain[name] = text
    return template.format(**plain)


def _quoted(text: str) -> str:
    if '"' in text or ";" in text or "\n" in text:
        raise ProfileNotValid("a quotation mark or semicolon in operator or password")
    return text
