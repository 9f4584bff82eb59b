"""The project's own environment in ``.venv``: made once, filled from the hashed lock file, reused while that holds.

Nothing is ever installed into the system's Python (PEP 668). Package indexes come from pip's own configuration.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

from installers.bootstrap import pip_source
from installers.bootstrap.console import REPOSITORY, Trouble, ask, follow, say, step

VENV = REPOSITORY / ".venv"
#: What each purpose installs; a later one holds all of an earlier one.
LOCKS = {"run": "requirements.lock", "test": "requirements-test.lock"}
_BEYOND_LOCK = ("setup.cfg",)


def python() -> Path:
    """The environment's interpreter."""
    return program("python")


def program(name: str) -> Path:
    """A program installed in the environment."""
    return VENV / ("Scripts" if os.name == "nt" else "bin") / (name + (".exe" if os.name == "nt" else ""))


def ensure(purpose: str) -> Path:
    """Make the environment fit for a purpose (``run`` or ``test``) and return its interpreter. At once when it is."""
    if _is_current(purpose):
        return python()
    if not _is_usable():
        _create()
    _install(purpose)
    return python()


# ---- the stamp ---------------------------------------------------------------------------------------------------
def _stamp_of(purpose: str) -> str:
    digest = hashlib.sha256()
    for name in (LOCKS[purpose], *_BEYOND_LOCK):
        digest.update((REPOSITORY / name).read_bytes().replace(b"\r\n", b"\n"))
    # An environment is moved with its folder at most once: its scripts hold the path.
    digest.update(str(REPOSITORY).encode())
    return digest.hexdigest()


def _stamps() -> dict[str, str]:
    file = VENV / "onehall-stamps.json"
    if not file.exists():
        return {}
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _is_current(purpose: str) -> bool:
    wanted = [name for name in LOCKS if list(LOCKS).index(name) >= list(LOCKS).index(purpose)]
    stamps = _stamps()
    return python().exists() and any(stamps.get(name) == _stamp_of(name) for name in wanted)


def _set_stamp(purpose: str) -> None:
    stamps = {**_stamps(), purpose: _stamp_of(purpose)}
    if purpose == "test":
        stamps["run"] = _stamp_of("run")
    (VENV / "onehall-stamps.json").write_text(json.dumps(stamps), encoding="utf-8")


# ---- making it ---------------------------------------------------------------------------------------------------
def _is_usable() -> bool:
    """True when .venv holds an interpreter that runs, is new enough and has a pip."""
    if not python().exists():
        return False
    code, _ = ask([python(), "-c", "import sys, pip; sys.exit(sys.version_info[:2] < (3, 11))"])
    return code == 0


def _create() -> None:
    with step("making the project's own Python environment (.venv)"):
        if VENV.exists():
            _set_aside()
        if _has_ensurepip() and ask([sys.executable, "-m", "venv", VENV])[0] == 0:
            return
        code, said = ask([sys.executable, "-m", "venv", "--without-pip", VENV])
        if code:
            raise Trouble(
                f"Python could not make a virtual environment:\n{said}\n"
                "On Debian or Ubuntu an administrator runs:  apt-get install python3-venv"
            )
        pip_source.put_pip(python())


def _set_aside() -> None:
    """An unusable .venv is moved away, with the system packages it held kept."""
    old = VENV.with_name(f".venv.old-{int(time.time())}")
    VENV.rename(old)
    if (old / "system").exists():
        VENV.mkdir()
        (old / "system").rename(VENV / "system")
    shutil.rmtree(old, ignore_errors=True)


def _has_ensurepip() -> bool:
    """Debian parts ensurepip from Python (package python3-venv)."""
    code, _ = ask([sys.executable, "-c", "import ensurepip; ensurepip.version()"])
    if code == 0:
        return True
    from installers.bootstrap import system_packages

    system_packages.try_install("venv")
    code, _ = ask([sys.executable, "-c", "import ensurepip; ensurepip.version()"])
    return code == 0


# ---- filling it --------------------------------------------------------------------------------------------------
def _install(purpose: str) -> None:
    lock = REPOSITORY / LOCKS[purpose]
    count = sum(1 for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line)
    seen = {"count": 0}

    def notice(line: str) -> str | None:
        if line.lstrip().startswith("Collecting"):
            seen["count"] += 1
            return f"package {seen['count']} of about {count}"
        return "putting them in place" if line.startswith("Installing collected") else None

    with step(f"installing {count} Python packages, each held to its hash ({lock.name})"):
        pip: list[object] = [
            python(),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--progress-bar",
            "off",
            "--no-input",
        ]
        follow([*pip, "--require-hashes", "--no-deps", "-r", lock], "pip", notice)
        own: list[object] = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-e", REPOSITORY]
        follow([*pip, *own], "pip", lambda _: None)
    _set_stamp(purpose)
    say(f"  the environment is ready: {VENV}")
