"""What all workers of one test session share: a folder, and work that only the first of them does."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import portalocker

_FOLDER = "ONEHALL_TEST_SESSION"
_PID = "ONEHALL_TEST_SESSION_PID"


def begin_session() -> None:
    """Called by the process that controls the session; its workers inherit the folder through the environment."""
    os.environ[_FOLDER] = tempfile.mkdtemp(prefix="onehall-tests-")
    os.environ[_PID] = str(os.getpid())


def end_session() -> None:
    """Remove what the session shared."""
    shutil.rmtree(session_folder(), ignore_errors=True)


def session_folder() -> Path:
    """The folder all workers of this session share."""
    return Path(os.environ[_FOLDER])


def session_pid() -> int:
    """The process that controls this session."""
    return int(os.environ[_PID])


def once(name: str, make: Callable[[], str]) -> str:
    """The text ``make`` returns, made by the first worker that asks and handed to all others."""
    folder = session_folder()
    result = folder / f"{name}.made"
    with portalocker.Lock(folder / f"{name}.lock", mode="a", timeout=120):
        if not result.exists():
            result.write_text(make(), encoding="utf-8")
    return result.read_text(encoding="utf-8")
