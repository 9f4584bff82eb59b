"""``onehall``: one command for everything an installation needs.

Every module of this package that has ``add_commands(subparsers)`` brings its commands. A command sets
``run=function`` as a default; ``function(args, console)`` returns the exit code: 0 done, 1 refused or not in order,
2 wrong use, 3 a database is away.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path

from server_api import cli
from server_api.cli.console import AWAY, INTERRUPTED, REFUSED, USAGE, Console, choose_language, t
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import DatabaseAway

#: Which module brings a command that is not named like it: only what is asked for is loaded.
_BROUGHT_BY = {"check-books": "books", "api": "serve", "worker": "serve", "tariff": "rate", "calendar": "deck"}
_NO_COMMANDS = ("main", "console", "house")


def _modules(argv: Sequence[str]) -> list[str]:
    """The modules to load for this command line: the one asked for, or all where none is (help, a wrong word)."""
    there = sorted(module.name for module in pkgutil.iter_modules(cli.__path__) if module.name not in _NO_COMMANDS)
    words = iter(argv)
    for word in words:
        if word in ("--lang", "--data-dir"):
            next(words, None)
        elif not word.startswith("-"):
            module = _BROUGHT_BY.get(word, word)
            return [module] if module in there else there
    return [] if "--version" in argv else there


def build_parser(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser in the chosen language, with the command asked for, or all of them."""
    parser = argparse.ArgumentParser(prog="onehall", description=t("description"), add_help=False)
    _common(parser, top=True)
    subparsers = parser.add_subparsers(title=t("commands"), dest="command", metavar=t("command"), required=True)
    for name in _modules(argv):
        add = getattr(importlib.import_module(f"{cli.__name__}.{name}"), "add_commands", None)
        if add is not None:
            add(subparsers)
    _finish(parser)
    return parser


def _common(parser: argparse.ArgumentParser, top: bool = False) -> None:
    """Options every command takes, before or after its name."""
    group = parser.add_argument_group(t("common_options"))
    absent = None if top else argparse.SUPPRESS
    group.add_argument("-h", "--help", action="help", help=t("help_help"))
    group.add_argument("--json", action="store_true", default=False if top else argparse.SUPPRESS, help=t("json_help"))
    group.add_argument("--lang", choices=("zh_CN", "en"), default=absent, help=t("lang_help"))
    group.add_argument("--data-dir", type=Path, default=absent, metavar="DIR", help=t("data_dir_help"))
    if top:
        group.add_argument("--version", action="version", version=f"onehall {_version()}", help=t("version_help"))


def _finish(parser: argparse.ArgumentParser) -> None:
    """Give every command the common options and headings in the chosen language."""
    for action in parser._actions:  # argparse has no other way to reach the parsers of its commands
        if isinstance(action, argparse._SubParsersAction):
            for sub in dict.fromkeys(action.choices.values()):
                _retitle(sub)
                _finish(sub)


def _retitle(sub: argparse.ArgumentParser) -> None:
    titles = {"positional arguments": t("arguments"), "options": t("options")}
    for group in sub._action_groups:
        group.title = titles.get(str(group.title), group.title)
    if "-h" in sub._option_string_actions:
        sub._handle_conflict_resolve(None, [("-h", sub._option_string_actions["-h"]),  # type: ignore[arg-type]
                                            ("--help", sub._option_string_actions["--help"])])
    _common(sub)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("onehall")
    except PackageNotFoundError:  # run from a source folder that was never installed
        return "0"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    choose_language(argv)
    args = build_parser(argv).parse_args(argv)
    console = Console(as_json=args.json)
    try:
        return int(args.run(args, console) or 0)
    except DatabaseAway as fault:
        console.refusal(fault)
        return AWAY
    except Fault as fault:
        console.refusal(fault)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader (head, less) has gone: nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    except Exception as wrong:
        code = _not_in_order(wrong, console)
        if code is None:
            raise
        return code


def _not_in_order(wrong: Exception, console: Console) -> int | None:
    """Say what of the installation is not in order; the exit code, or None for what nobody foresaw.

    Its classes are loaded now: most commands never come here, and some work without a database.
    """
    from server_api.platform.revision import SchemaNotCurrent
    from server_api.platform.secrets import KeyFileWrong
    from server_api.settings import SettingsNotValid

    for kind, words, code in (
        (SchemaNotCurrent, "schema_not_current", REFUSED),
        (KeyFileWrong, "key_file_wrong", REFUSED),
        (SettingsNotValid, "settings_not_valid", USAGE),
    ):
        if isinstance(wrong, kind):
            console.complain(t(words, reason=wrong))
            return code
    return None


if __name__ == "__main__":
    sys.exit(main())
