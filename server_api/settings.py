"""Settings: ``onehall.toml`` in the data folder, overridden by ``ONEHALL_*`` in the environment, checked at start.

Only what differs between installations is here. The key file lies outside the data folder, so that a backup of the
data alone opens nothing.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

FILE_NAME = "onehall.toml"
_ENVIRONMENT = "ONEHALL_"


class SettingsNotValid(Exception):
    """The settings cannot be used; the message names each setting, where it came from and what is wrong."""


class Settings(BaseModel):
    """Everything an installation may set. Paths are absolute once loaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path = Field(description="folder of the embedded databases, certificates and logs")
    business_url: str = Field(default="", description="SQLAlchemy URL; empty = SQLite file in the data folder")
    billing_url: str = Field(default="", description="SQLAlchemy URL; empty = SQLite file in the data folder")
    key_file: Path = Field(default=Path(), description="outside the data folder and its backups")
    host: str = Field(default="127.0.0.1", description="address to listen on; 0.0.0.0 opens it to the network")
    port: int = Field(default=8443, ge=1, le=65535)
    tls: bool = Field(default=True, description="false only behind a TLS proxy on the same machine")
    tls_cert: Path | None = Field(default=None, description="PEM; none = made at the first start, with a CA")
    tls_key: Path | None = Field(default=None, description="PEM, with tls_cert")
    tls_names: tuple[str, ...] = Field(default=(), description="further names and addresses in the made certificate")
    language: Literal["zh_CN", "en"] = "zh_CN"
    request_threads: int = Field(default=64, ge=4, le=512, description="requests served at once")
    database_pool: int = Field(default=10, ge=2, le=200, description="connections per database and process")
    worker_processes: int = Field(default=1, ge=0, le=32)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    access_log: bool = True
    fapiao_url: str = Field(default="", description="address of the fapiao provider; empty = none is issued")
    fapiao_key_id: str = Field(default="", description="who we are there")
    fapiao_secret_file: Path | None = Field(default=None, description="file with the secret of fapiao_key_id")

    @field_validator("business_url", "billing_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value:
            from sqlalchemy.engine import make_url  # half a second of start that work on files alone does without
            from sqlalchemy.exc import ArgumentError

            try:
                make_url(value)
            except ArgumentError:
                raise ValueError("not a database URL, for example sqlite:////var/lib/onehall/billing.db") from None
        return value

    @field_validator("tls_cert", "tls_key", "fapiao_secret_file")
    @classmethod
    def _exists(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @property
    def base_url(self) -> str:
        """The address clients use on this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    @property
    def tls_dir(self) -> Path:
        """Where made certificates lie; ``ca.pem`` is what clients trust."""
        return self.data_dir / "tls"


def default_data_dir() -> Path:
    """The data folder where none is named."""
    return Path(platformdirs.user_data_dir("onehall", appauthor=False))


def data_folder(data_dir: Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """The data folder: the one named, else that of the environment, else the default."""
    environ = os.environ if environ is None else environ
    return Path(data_dir or environ.get(f"{_ENVIRONMENT}DATA_DIR") or default_data_dir()).expanduser().resolve()


def load_settings(data_dir: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of a data folder. Raises SettingsNotValid with one line per mistake."""
    environ = os.environ if environ is None else environ
    folder = data_folder(data_dir, environ)
    values, came_from = _from_file(folder / FILE_NAME)
    for name, field in Settings.model_fields.items():
        text = environ.get(_ENVIRONMENT + name.upper())
        if text is not None and name != "data_dir":
            values[name] = tuple(text.split(",")) if field.annotation == tuple[str, ...] else text
            came_from[name] = _ENVIRONMENT + name.upper()
    values["data_dir"] = folder
    values.setdefault("business_url", f"sqlite:///{folder / 'business.db'}")
    values.setdefault("billing_url", f"sqlite:///{folder / 'billing.db'}")
    values.setdefault("key_file", _default_key_file(folder))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsNotValid(_explained(error, came_from)) from None
    _refuse_contradictions(settings)
    return settings


def _from_file(file: Path) -> tuple[dict[str, object], dict[str, str]]:
    if not file.exists():
        return {}, {}
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsNotValid(f"{file}: {error}") from None
    if "data_dir" in values:
        raise SettingsNotValid(f"{file}: data_dir is the folder this file lies in; leave it out")
    return values, dict.fromkeys(values, str(file))


def _default_key_file(folder: Path) -> Path:
    """Beside the data folder, never inside it: ``<data_dir>.keys/onehall.key``."""
    return folder.parent / f"{folder.name}.keys" / "onehall.key"


def _explained(error: ValidationError, came_from: Mapping[str, str]) -> str:
    lines = []
    for mistake in error.errors():
        name = str(mistake["loc"][0]) if mistake["loc"] else "?"
        if mistake["type"] == "extra_forbidden":
            known = ", ".join(sorted(set(Settings.model_fields) - {"data_dir"}))
            lines.append(f"{name} ({came_from.get(name, '?')}): there is no such setting; there are: {known}")
        else:
            lines.append(f"{name} ({came_from.get(name, 'default')}): {mistake['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def _refuse_contradictions(settings: Settings) -> None:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise SettingsNotValid("tls_cert and tls_key belong together: name both or neither")
    if settings.key_file.expanduser().resolve().is_relative_to(settings.data_dir):
        raise SettingsNotValid(
            f"key_file ({settings.key_file}) lies inside the data folder: a backup would carry the key with the data"
        )
    if settings.fapiao_url and not (settings.fapiao_key_id and settings.fapiao_secret_file):
        raise SettingsNotValid("fapiao_url needs fapiao_key_id and fapiao_secret_file")
    if settings.business_url == settings.billing_url:
        raise SettingsNotValid("business_url and billing_url name the same database; OneHall runs on two")
