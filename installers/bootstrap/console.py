"""What dev.py says while it works: steps with their time, progress of long ones, trouble in plain words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_HEARTBEAT_S = 15.0


class Trouble(Exception):
    """Something a person must do or know; the text says what. Ends dev.py with exit code 1 and no stack trace."""


def say(text: str = "") -> None:
    """Print a line at once, whatever the terminal's encoding can show."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a piece of work and say how long it took."""
    say(f"» {title}")
    began = time.monotonic()
    yield
    say(f"  done in {time.monotonic() - began:.1f} s")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every child: UTF-8 everywhere, plus ``extra``."""
    return {**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", **(extra or {})}


def run(
    command: Sequence[object],
    *,
    extra: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    cwd: Path = REPOSITORY,
) -> int:
    """Run a command with its output on our own and return its exit code (124 when it took too long)."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, cwd=cwd, env=environment(extra)) as child:
        try:
            return child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
            say(f"  stopped after {timeout_s:.0f} s: {' '.join(words[:4])} …")
            return 124
        except KeyboardInterrupt:
            child.wait()
            raise


def ask(
    command: Sequence[object],
    *,
    extra: Mapping[str, str] | None = None,
    cwd: Path = REPOSITORY,
    given: str = "",
) -> tuple[int, str]:
    """Run a command quietly; return its exit code and what it printed (127 when there is no such program)."""
    try:
        done = subprocess.run([str(word) for word in command], cwd=cwd, env=environment(extra), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, input=given.encode(), check=False)  # fmt: skip
    except OSError as trouble:
        return 127, str(trouble)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def follow(
    command: Sequence[object],
    what: str,
    notice: Callable[[str], str | None],
    *,
    extra: Mapping[str, str] | None = None,
    cwd: Path = REPOSITORY,
) -> None:
    """Run a long quiet command, showing a line of progress; raises Trouble with its last words when it fails.

    ``notice`` turns a line of its output into a line of progress, or None.
    """
    lines: list[str] = []
    state = {"now": "", "shown": time.monotonic()}
    over = threading.Event()
    began = time.monotonic()

    def heartbeat() -> None:
        while not over.wait(_HEARTBEAT_S):
            say(f"  … {what}: {state['now'] or 'working'} ({time.monotonic() - began:.0f} s)")

    threading.Thread(target=heartbeat, daemon=True).start()
    try:
        with subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=environment(extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as child:
            for line in child.stdout or ():
                lines.append(line.rstrip())
                state["now"] = notice(line) or state["now"]
        code = child.returncode
    finally:
        over.set()
    if code:
        raise Trouble(f"{what} failed (exit code {code}):\n" + "\n".join(f"    {line}" for line in lines[-15:]))


def is_root() -> bool:
    """True when we may install system packages."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def has(program: str) -> bool:
    """True when a program is on the PATH."""
    return shutil.which(program) is not None
