"""Reads manifest.toml: what an adapter can do, and what a site must set for it.

```toml
name = "srun"                      # the folder
title = "manifest.srun"            # key of its words in resources/translations
[pace]                             # a site may set each of these lower, or higher at its own risk
commands_per_s = 200               # rate limit, all lanes together
sessions = 16                      # commands under way at once
batch = 200                        # plans and results committed together (at most 200)
timeout_s = 5                      # for one request; a setting of every adapter
attempts = 6                       # then a person decides
retry_s = 1                        # the first pause between two of them; each is twice the last, at most a minute
night = "22:00-06:00"              # when the bulk lane may run; "" = always
[settings.host]                    # kinds: text, number, flag, choice; secret = the name of a secret
kind = "text"
default = "127.0.0.1"
[settings.password]
kind = "secret"
[acts.open]
readable = true                    # false: it leaves no state that a read-back could find
[acts.open.fields.user_name]
kind = "text"                      # text, number, flag, choice (with values = [...]); secret = true masks it
required = true
[acts.open.sets]                   # what it makes of the state once done, for the nightly comparison
status = "0"
product_id = "$product_id"         # the wanted field
[acts.close]
removes = true                     # the system does not know the subscriber any more
[state]                            # what states() gives of each subscriber
status = "text"
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any

from server_api.business.provisioning.contract import Scalar

MOST_IN_A_BATCH = 200
_KINDS = {"text": str, "number": int, "flag": bool, "choice": str, "secret": str}


class ManifestNotValid(Exception):
    """A manifest or a site's settings cannot be used; the message says which entry and what is wrong."""


@dataclass(frozen=True)
class Field:
    """One typed field of an act or of the settings."""

    name: str
    kind: str
    required: bool = False
    secret: bool = False
    default: Scalar = None
    values: tuple[str, ...] = ()

    def checked(self, value: object) -> Scalar:
        """The value, where it is of this field's kind. Raises ManifestNotValid."""
        wanted = _KINDS[self.kind]
        if type(value) is not wanted:
            raise ManifestNotValid(f"{self.name}: {self.kind} wanted, not {value!r}")
        if self.values and value not in self.values:
            raise ManifestNotValid(f"{self.name}: one of {', '.join(self.values)} wanted, not {value!r}")
        return value  # type: ignore[return-value]


@dataclass(frozen=True)
class ActSpec:
    """One act of a system and its fields."""

    name: str
    fields: Mapping[str, Field]
    readable: bool = True
    removes: bool = False
    sets: Mapping[str, Scalar] = field(default_factory=dict)

    def makes_of(self, state: Mapping[str, Scalar] | None, wanted: Mapping[str, Scalar]) -> dict[str, Scalar] | None:
        """The subscriber's state once this act is done; None = not known to the system."""
        if self.removes:
            return None
        made = dict(state or {})
        for name, value in self.sets.items():
            made[name] = wanted.get(value[1:]) if isinstance(value, str) and value.startswith("$") else value
        return made

    def checked(self, wanted: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """The fields as the adapter gets them, defaults filled in. Raises ManifestNotValid."""
        unknown = sorted(set(wanted) - set(self.fields))
        if unknown:
            raise ManifestNotValid(f"{self.name} has no field {', '.join(unknown)}")
        found: dict[str, Scalar] = {}
        for name, spec in self.fields.items():
            value = wanted.get(name, spec.default)
            if value is None:
                if spec.required:
                    raise ManifestNotValid(f"{self.name} needs {name}")
                continue
            found[name] = spec.checked(value)
        return found


@dataclass(frozen=True)
class Window:
    """Hours of the town's day; it may pass midnight. Empty = always."""

    begins: time | None = None
    ends: time | None = None

    def open_at(self, at: time) -> bool:
        """True where this time of day lies inside."""
        if self.begins is None or self.ends is None:
            return True
        if self.begins <= self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends

    @classmethod
    def parsed(cls, text: str) -> Window:
        """Read ``HH:MM-HH:MM``; "" is always. Raises ManifestNotValid."""
        if not text:
            return cls()
        try:
            begins, ends = (time.fromisoformat(part) for part in text.split("-"))
        except ValueError:
            raise ManifestNotValid(f"night: HH:MM-HH:MM wanted, not {text!r}") from None
        return cls(begins, ends)


@dataclass(frozen=True)
class Pace:
    """How fast and how often a system may be asked."""

    commands_per_s: float = 50.0
    sessions: int = 4
    batch: int = MOST_IN_A_BATCH
    timeout_s: float = 5.0
    attempts: int = 6
    retry_s: float = 1.0
    night: Window = field(default_factory=Window)


@dataclass(frozen=True)
class Manifest:
    """An adapter's manifest."""

    name: str
    title: str
    pace: Pace
    settings: Mapping[str, Field]
    acts: Mapping[str, ActSpec]
    state: Mapping[str, str]


@dataclass(frozen=True)
class Site:
    """One connected system: its name here, the adapter's manifest, and what this installation set.

    ``secrets`` are the values behind the settings of kind ``secret``, by the setting's name.
    """

    name: str
    manifest: Manifest
    values: Mapping[str, Scalar]
    pace: Pace
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def text(self, name: str) -> str:
        """A text or choice setting; empty where it is not set."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> int:
        """A number setting. Raises KeyError where it has neither value nor default."""
        value = self.values[name]
        assert isinstance(value, int)
        return value

    def flag(self, name: str) -> bool:
        """A flag; False where it is not set."""
        return bool(self.values.get(name))

    def secret(self, name: str) -> str:
        """The secret behind a setting; empty where none is named."""
        return self.secrets.get(name, "")

    @property
    def timeout_s(self) -> float:
        """How long one request may take."""
        return self.pace.timeout_s


def read_manifest(file: Path) -> Manifest:
    """Read and check a manifest. Raises ManifestNotValid."""
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        return _manifest(raw)
    except (tomllib.TOMLDecodeError, ManifestNotValid, KeyError, TypeError, AttributeError) as error:
        raise ManifestNotValid(f"{file.parent.name}/{file.name}: {error}") from None


def site_of(manifest: Manifest, name: str, given: Mapping[str, Any], secrets: Mapping[str, str] | None = None) -> Site:
    """A site from what an installation set: settings and, under ``pace``, its own pace. Raises ManifestNotValid."""
    unknown = sorted(set(given) - set(manifest.settings) - {"pace", "adapter"})
    if unknown:
        known = ", ".join(sorted(manifest.settings))
        raise ManifestNotValid(f"{name}: there is no setting {', '.join(unknown)}; there are: {known}")
    values: dict[str, Scalar] = {}
    for spec in manifest.settings.values():
        value = given.get(spec.name, spec.default)
        if value is None:
            if spec.required:
                raise ManifestNotValid(f"{name}: {spec.name} is not set")
            continue
        values[spec.name] = spec.checked(value)
    return Site(name, manifest, values, pace_of(given.get("pace", {}), manifest.pace), dict(secrets or {}))


def pace_of(raw: Mapping[str, Any], base: Pace) -> Pace:
    """A pace with what is given changed. Raises ManifestNotValid."""
    unknown = sorted(set(raw) - {"commands_per_s", "sessions", "batch", "timeout_s", "attempts", "retry_s", "night"})
    if unknown:
        raise ManifestNotValid(f"pace has no {', '.join(unknown)}")
    pace = Pace(
        commands_per_s=float(raw.get("commands_per_s", base.commands_per_s)),
        sessions=int(raw.get("sessions", base.sessions)),
        batch=int(raw.get("batch", base.batch)),
        timeout_s=float(raw.get("timeout_s", base.timeout_s)),
        attempts=int(raw.get("attempts", base.attempts)),
        retry_s=float(raw.get("retry_s", base.retry_s)),
        night=Window.parsed(raw["night"]) if "night" in raw else base.night,
    )
    if not 1 <= pace.batch <= MOST_IN_A_BATCH:
        raise ManifestNotValid(f"batch: 1 to {MOST_IN_A_BATCH}")
    if pace.commands_per_s <= 0 or pace.sessions < 1 or pace.timeout_s <= 0 or pace.attempts < 1:
        raise ManifestNotValid("pace: every figure above zero")
    return pace


def _manifest(raw: Mapping[str, Any]) -> Manifest:
    acts = {}
    for name, act in raw["acts"].items():
        fields = {key: _field(key, value) for key, value in act.get("fields", {}).items()}
        sets = dict(act.get("sets", {}))
        removes = bool(act.get("removes", False)) or bool(sets.pop("gone", False))
        if set(sets) - set(raw.get("state", {})):
            raise ManifestNotValid(f"{name} sets what is not in [state]")
        acts[name] = ActSpec(name, fields, bool(act.get("readable", True)), removes, sets)
    if not acts:
        raise ManifestNotValid("no acts")
    return Manifest(
        name=raw["name"],
        title=raw.get("title", f"provisioning.system.{raw['name']}"),
        pace=pace_of(raw.get("pace", {}), Pace()),
        settings={key: _field(key, value) for key, value in raw.get("settings", {}).items()},
        acts=acts,
        state=dict(raw.get("state", {})),
    )


def _field(name: str, raw: Mapping[str, Any]) -> Field:
    if raw.get("kind") not in _KINDS:
        raise ManifestNotValid(f"{name}: kind is one of {', '.join(_KINDS)}")
    spec = Field(
        name,
        raw["kind"],
        bool(raw.get("required", False)),
        bool(raw.get("secret", False)) or raw["kind"] == "secret",
        raw.get("default"),
        tuple(raw.get("values", ())),
    )
    if spec.default is not None:
        spec.checked(spec.default)
    return spec
