"""The commands of dev.py."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from installers.bootstrap import bench, check, demo, lock, serve, shots, stages
from installers.bootstrap.console import Trouble, say

Handler = Callable[[argparse.Namespace], int]


def run(arguments: list[str]) -> int:
    """Do what the command line asks; 0 when it went well, 1 when not, 2 for a command line not understood."""
    parser = _parser()
    options = parser.parse_args(arguments)
    handler: Handler | None = getattr(options, "handler", None)
    if handler is None:
        parser.print_help()
        return 2
    try:
        return handler(options)
    except Trouble as trouble:
        say(f"\n{trouble}")
        return 1
    except KeyboardInterrupt:
        say("\nstopped")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev.py",
        description="OneHall: try it, test it, measure it. Everything is installed into .venv beside this file.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, handler: Handler, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.set_defaults(handler=handler)
        return made

    trial = command("demo", demo.command, "set everything up, load the sample town, bill it, and open it")
    trial.add_argument(
        "--check", action="store_true", help="do all of it, drive the client unseen, stop; 0 = books balance"
    )
    trial.add_argument("--fresh", action="store_true", help="start over with new databases")
    trial.add_argument(
        "--households", type=int, default=10_000, help="a smaller town, for a quick look (default 10000)"
    )
    tests = command("test", stages.command, "set up for tests and run all of them")
    tests.add_argument(
        "--only",
        nargs="+",
        metavar="STAGE",
        choices=list(stages.STAGES),
        default=None,
        help="run these stages alone: " + ", ".join(stages.STAGES),
    )
    tests.add_argument("--workers", type=int, default=2, help="test processes side by side (default 2)")
    tests.add_argument("pytest", nargs=argparse.REMAINDER, help="after --, handed to pytest")
    command("check", check.command, "ruff, mypy, import contracts and architecture rules, without the other tests")
    served = command("serve", serve.command, "run the server and its worker on the demo's databases")
    served.add_argument("arguments", nargs=argparse.REMAINDER, help="handed to 'onehall serve'")
    measured = command("bench", bench.command, "measure what docs/performance.md states, beside the bare machine")
    measured.add_argument("arguments", nargs=argparse.REMAINDER, help="handed to 'onehall bench'")
    command("shots", shots.command, "take the README's pictures of the client, the bill and the portal")
    command("lock", lock.command, "write the hashed lock files anew from setup.cfg (needs the package index)")
    return parser


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
