"""``onehall keys``: the key file and the data keys."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from server_api.cli.console import OK, REFUSED, Console, t
from server_api.cli.house import open_house
from server_api.platform import keyring
from server_api.platform.secrets import KeyFileWrong
from shared_models.values.clock import SystemClock


def add_commands(subparsers: Any) -> None:
    """``keys show | rotate | escrow``."""
    parser = subparsers.add_parser("keys", help=t("keys.help"), description=t("keys.help"))
    actions = parser.add_subparsers(dest="action", required=True, metavar=t("command"))
    actions.add_parser("show", help=t("keys.show")).set_defaults(run=_show)
    rotate = actions.add_parser("rotate", help=t("keys.rotate"))
    rotate.add_argument("what", choices=("file", "data"), help=t("keys.what"))
    rotate.set_defaults(run=_rotate)
    escrow = actions.add_parser("escrow", help=t("keys.escrow"))
    escrow.add_argument("to", type=Path, help=t("keys.to"))
    escrow.set_defaults(run=_escrow)


def _show(args: argparse.Namespace, console: Console) -> int:
    """Say where the key file lies and which data keys it opens."""
    with open_house(args) as house:
        wrapping = house.databases.business.secrets.wrapping_key
        if wrapping is None:
            raise KeyFileWrong(str(house.settings.key_file))
        numbers = sorted(keyring.load_keys(house.databases, wrapping))
        console.say(t("keys.shown", file=house.settings.key_file, numbers=", ".join(map(str, numbers)) or "-"))
        console.result({"key_file": house.settings.key_file, "data_keys": numbers})
    return OK


def _rotate(args: argparse.Namespace, console: Console) -> int:
    """A new key file (all data keys wrapped anew), or a new data key for what is sealed from now on."""
    with open_house(args) as house:
        secrets = house.databases.business.secrets
        secrets.open_ring(house.databases)
        if args.what == "file":
            retired = keyring.rotate_key_file(house.databases, house.settings.key_file)
            console.say(t("keys.file_rotated", file=house.settings.key_file, retired=retired))
            console.result({"key_file": house.settings.key_file, "retired": retired})
        else:
            number = keyring.begin_data_key(house.databases, secrets.wrapping_key or b"")
            console.say(t("keys.data_rotated", number=number))
            console.result({"data_key": number})
    return OK


def _escrow(args: argparse.Namespace, console: Console) -> int:
    """Copy the key file to a safe place; never over an existing file."""
    with open_house(args) as house:
        try:
            keyring.escrow(house.settings.key_file, args.to, SystemClock().now())
        except OSError as error:
            console.complain(t("keys.not_copied", to=args.to, reason=error))
            return REFUSED
    console.say(t("keys.copied", to=args.to))
    console.result({"copied_to": args.to})
    return OK
