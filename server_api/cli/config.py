"""``onehall config``: the settings as they are read, and whether they can be used."""

from __future__ import annotations

import argparse
from typing import Any

from sqlalchemy.engine import make_url

from server_api.cli.console import OK, Console, t
from server_api.cli.house import settings_of
from server_api.settings import FILE_NAME, Settings


def add_commands(subparsers: Any) -> None:
    """``config show | check``."""
    parser = subparsers.add_parser("config", help=t("config.help"), description=t("config.help"))
    actions = parser.add_subparsers(dest="action", required=True, metavar=t("command"))
    actions.add_parser("show", help=t("config.show")).set_defaults(run=_show)
    actions.add_parser("check", help=t("config.check")).set_defaults(run=_check)


def shown(settings: Settings) -> dict[str, str]:
    """Every setting as text, passwords hidden."""
    found = {}
    for name, value in settings.model_dump().items():
        if name.endswith("_url") and value:
            value = make_url(value).render_as_string(hide_password=True)
        found[name] = "" if value is None else str(value)
    return found


def _show(args: argparse.Namespace, console: Console) -> int:
    """Print every setting; passwords are hidden."""
    settings = settings_of(args)
    values = shown(settings)
    console.say(t("config.file", file=settings.data_dir / FILE_NAME))
    console.table((t("config.name"), t("config.value")), values.items())
    console.result(values)
    return OK


def _check(args: argparse.Namespace, console: Console) -> int:
    """Read the settings and say they can be used; what is wrong is said by name (exit code 2)."""
    settings = settings_of(args)
    console.say(t("config.good", file=settings.data_dir / FILE_NAME))
    console.result({"good": True})
    return OK
