"""Settings of this counter's machine: where the server is, which counter this is, which printer stands here.

Read in this order, later wins: the machine's file (written by the installer), the user's file, environment variables
``ONEHALL_CLIENT_*``, the command line. Nothing secret is kept here.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import platformdirs

APP = "OneHall"


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What the client needs to know before anybody signs in."""

    server_url: str = "http://127.0.0.1:8080"
    ca_file: str = ""
    counter_no: str = ""
    language: str = ""
    """zh_CN or en; empty follows the system, Chinese where the system is Chinese."""
    printer: str = ""
    """As in devices/receipt_printer/registry.py, e.g. network:192.168.1.50:9100; empty keeps PDFs in the folder."""
    paper_mm: int = 80
    receipt_language: str = "zh_CN"
    data_folder: str = ""
    keyring: bool = True
    """False keeps the journal's key in a private file, for machines without a key store."""

    @property
    def folder(self) -> Path:
        """Where the journal lives."""
        return Path(self.data_folder) if self.data_folder else Path(platformdirs.user_data_dir(APP, appauthor=False))

    @property
    def printer_setting(self) -> str:
        return self.printer or f"pdf:{self.folder / 'receipts'}"


class SettingsNotValid(Exception):
    """A settings file or variable names something that does not exist or holds the wrong kind of value."""


def load_settings(environment: Mapping[str, str], overrides: Mapping[str, str]) -> ClientSettings:
    """Put the settings together. Raises SettingsNotValid with the place that is wrong."""
    settings = ClientSettings()
    for folder in (platformdirs.site_config_dir(APP, False), platformdirs.user_config_dir(APP, False)):
        settings = _from_file(settings, Path(folder) / "client.toml")
    if named := environment.get("ONEHALL_CLIENT_CONFIG"):
        settings = _from_file(settings, Path(named), must_exist=True)
    prefix = "ONEHALL_CLIENT_"
    known = {field.name for field in fields(ClientSettings)}
    from_environment = {
        name.removeprefix(prefix).lower(): value for name, value in environment.items()
        if name.startswith(prefix) and name.removeprefix(prefix).lower() in known
    }
    settings = _with(settings, from_environment, "environment")
    return _with(settings, {name: value for name, value in overrides.items() if value}, "command line")


def system_language(environment: Mapping[str, str] = os.environ) -> str:
    """zh_CN where the system speaks Chinese, else en."""
    import locale

    named = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    named = named or (locale.getlocale()[0] or "")
    return "zh_CN" if named.lower().startswith(("zh", "chinese")) else "en"


def _from_file(settings: ClientSettings, file: Path, must_exist: bool = False) -> ClientSettings:
    if not file.exists() and not must_exist:
        return settings
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise SettingsNotValid(f"{file}: {problem}") from problem
    return _with(settings, {name: str(value) for name, value in data.items()}, str(file))


def _with(settings: ClientSettings, values: Mapping[str, str], where: str) -> ClientSettings:
    kinds = {field.name: type(getattr(settings, field.name)) for field in fields(ClientSettings)}
    read: dict[str, object] = {}
    for name, value in values.items():
        kind = kinds.get(name)
        if kind is None:
            raise SettingsNotValid(f"{where}: unknown setting {name}")
        if kind is bool:
            read[name] = value.strip().lower() in ("1", "true", "yes", "on")
        elif kind is int:
            if not value.isdigit():
                raise SettingsNotValid(f"{where}: {name} is a whole number, not {value!r}")
            read[name] = int(value)
        else:
            read[name] = value
    return replace(settings, **read)  # type: ignore[arg-type]
