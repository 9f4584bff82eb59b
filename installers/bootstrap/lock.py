"""``dev.py lock``: the hashed lock files, for every platform and Python at once, from setup.cfg."""

from __future__ import annotations

import argparse
import configparser

from installers.bootstrap import virtual_env
from installers.bootstrap.console import REPOSITORY, Trouble, ask, step

RUN_EXTRAS = ("server", "client", "postgres", "mssql", "oracle")
TEST_EXTRAS = (*RUN_EXTRAS, "spark", "test", "dev")
#: What builds the package itself; installed beforehand, so that building never reaches for an index.
BUILD = "setuptools>=77"


def command(_options: argparse.Namespace) -> int:
    """Write requirements.lock and, agreeing with it, requirements-test.lock. No index address goes into them."""
    virtual_env.ensure("test")
    _known_extras()
    with step("resolving requirements.lock and requirements-test.lock"):
        _compile(RUN_EXTRAS, "requirements.lock", [])
        _compile(TEST_EXTRAS, "requirements-test.lock", ["-c", "requirements.lock"])
    return 0


def _known_extras() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    missing = set(TEST_EXTRAS) - set(parser["options.extras_require"])
    if missing:
        raise Trouble(f"setup.cfg has no extras {sorted(missing)}")


def _compile(extras: tuple[str, ...], output: str, more: list[str]) -> None:
    build = REPOSITORY / ".venv" / "build-requirements.txt"
    build.write_text(BUILD + "\n", encoding="ascii")
    words: list[str] = [word for extra in extras for word in ("--extra", extra)]
    code, said = ask(
        [
            virtual_env.program("uv"),
            "pip",
            "compile",
            "setup.cfg",
            build,
            "--universal",
            "--generate-hashes",
            "--python-version",
            "3.11",
            "--no-header",
            "--no-annotate",
            "--no-emit-index-url",
            "--quiet",
            *words,
            *more,
            "-o",
            output,
        ]
    )
    if code:
        raise Trouble(f"uv could not resolve {output}:\n{said}")
