"""Finds a Python that is new enough. This file must stay readable for Python 3.6, which may be what starts it."""

import glob
import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
NAMES = ("python3.11", "python3.12", "python3.13", "python3.14", "python3", "python")
ADVICE = (
    "OneHall needs Python 3.11 or later and found none.\n"
    "  Debian 12, Ubuntu 24.04:  apt-get install python3 python3-venv\n"
    "  Ubuntu 22.04:             apt-get install python3.11 python3.11-venv\n"
    "  Windows 10/11:            winget install Python.Python.3.12"
)


def hand_over(script: "str", arguments: "list[str]") -> "None":
    """Return when this Python is new enough; else run the script under one that is and leave with its exit code."""
    if sys.version_info[:2] >= OLDEST:
        return
    found = find_python()
    if not found:
        sys.exit(ADVICE)
    sys.exit(subprocess.call([found, script] + arguments))


def find_python() -> "str":
    """The path of a Python >= 3.11 on this machine, '' when there is none."""
    for candidate in candidates():
        if is_new_enough(candidate):
            return candidate
    return ""


def candidates() -> "list[str]":
    """Where a Python may be: PATH, pyenv, the usual prefixes, the Windows launcher. Each at most once."""
    places = [shutil.which(name) or "" for name in NAMES]
    pyenv = os.environ.get("PYENV_ROOT") or os.path.join(os.path.expanduser("~"), ".pyenv")
    patterns = (
        os.path.join(pyenv, "versions", "3.*", "bin", "python3"),
        os.path.join(pyenv, "pyenv-win", "versions", "3.*", "python.exe"),
        "/usr/bin/python3.1[1-9]",
        "/usr/local/bin/python3.1[1-9]",
        "/opt/python*/bin/python3",
        os.path.join(os.environ.get("LOCALAPPDATA", ""), "Programs", "Python", "Python3*", "python.exe"),
    )
    for pattern in patterns:
        places.extend(sorted(glob.glob(pattern), reverse=True))
    places.extend(launcher_pythons())
    found = []
    for place in places:
        if place and place not in found:
            found.append(place)
    return found


def launcher_pythons() -> "list[str]":
    """What the Windows launcher ``py`` knows of."""
    launcher = shutil.which("py")
    if not launcher:
        return []
    told = subprocess.run([launcher, "-0p"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    lines = told.stdout.decode("utf-8", "replace").splitlines()
    return [line.split()[-1] for line in lines if line.strip().lower().endswith("python.exe")]


def is_new_enough(python: "str") -> "bool":
    """True when that program runs and is Python >= 3.11. A pyenv shim may be there and yet not run."""
    question = "import sys; sys.exit(0 if sys.version_info[:2] >= (%d, %d) else 1)" % OLDEST  # noqa: UP031
    try:
        return subprocess.call([python, "-c", question], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False
