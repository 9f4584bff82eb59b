"""Gets pip into an environment made without it, on machines whose Python came without ensurepip.

In this order: the distribution's pip wheel (on the disk, or downloaded as a package and unpacked for this user); any
pip of this machine, asked to install into the environment; the package index pip's own configuration names, for
exactly the wheel named below by its hash.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import re
import shutil
import ssl
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from installers.bootstrap import system_packages
from installers.bootstrap.console import Trouble, ask, say

WHEEL = "pip-25.3-py3-none-any.whl"
WHEEL_SHA256 = "9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd"
DEFAULT_INDEX = "https://pypi.org/simple"


def put_pip(python: Path) -> None:
    """Install pip into the environment of that interpreter. Raises Trouble with the way out when nothing works."""
    for source in (_distribution_wheel, _unpacked_wheel):
        wheel = source()
        if wheel and _run_wheel(python, wheel):
            return
    if _any_pip(python):
        return
    wheel = _from_index()
    if wheel and _run_wheel(python, wheel):
        return
    raise Trouble(
        "pip could not be had by any way (no ensurepip, no pip wheel, no pip, no package index).\n"
        "On Debian or Ubuntu an administrator runs:  apt-get install python3-venv"
    )


def _run_wheel(python: Path, wheel: Path) -> bool:
    """A pip wheel can install itself."""
    code, said = ask([python, wheel / "pip", "install", "--no-index", "--quiet", wheel])
    if code:
        say(f"  {wheel.name} could not install itself: {said.strip()[-200:]}")
    return code == 0


def _newest(folder: Path) -> Path | None:
    found = sorted(folder.glob("pip-*.whl"), key=lambda file: [int(n) for n in re.findall(r"\d+", file.name)[:3]])
    return found[-1] if found else None


def _distribution_wheel() -> Path | None:
    return _newest(Path("/usr/share/python-wheels"))


def _unpacked_wheel() -> Path | None:
    """The same wheel from the distribution's package, unpacked for this user alone."""
    if not system_packages.unpack_privately(["python3-pip-whl"]):
        return None
    return _newest(system_packages.PRIVATE / "usr/share/python-wheels")


def _any_pip(python: Path) -> bool:
    """Let whatever pip, uv or virtualenv this machine has do it; they install into the environment, nowhere else."""
    uv = shutil.which("uv")
    if uv and ask([uv, "pip", "install", "--quiet", "--python", python, "pip"])[0] == 0:
        return True
    for words in ([sys.executable, "-m", "pip"], ["pip3"], ["pip"]):
        if ask([*words, "--version"])[0] == 0:
            if ask([*words, "--python", python, "install", "--quiet", "pip"])[0] == 0:
                return True
            with tempfile.TemporaryDirectory() as folder:
                ask([*words, "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", folder, "pip"])
                wheel = _newest(Path(folder))
                if wheel and _run_wheel(python, wheel):
                    return True
    return False


# ---- straight from the index -------------------------------------------------------------------------------------
def _configured(option: str) -> str:
    """What pip's own configuration (environment, then its files) says of an option, '' when nothing."""
    told = os.environ.get("PIP_" + option.upper().replace("-", "_"))
    if told:
        return told
    home = Path.home()
    appdata = Path(os.environ.get("APPDATA", home))
    files: list[str | Path] = [
        os.environ.get("PIP_CONFIG_FILE", ""),
        home / ".config/pip/pip.conf",
        home / ".pip/pip.conf",
        "/etc/pip.conf",
        appdata / "pip/pip.ini",
    ]
    for file in files:
        parser = configparser.ConfigParser(interpolation=None)
        if file and Path(file).is_file():
            parser.read(file, encoding="utf-8")
            if parser.has_option("global", option):
                return parser.get("global", option)
    return ""


def _from_index() -> Path | None:
    """Download the named wheel from the configured index and hold it to its hash."""
    index = (_configured("index-url") or DEFAULT_INDEX).rstrip("/")
    context = ssl.create_default_context(cafile=_configured("cert") or None)
    page_url = f"{index}/pip/"
    try:
        with urllib.request.urlopen(page_url, timeout=30, context=context) as page:
            links = re.findall(r'href="([^"]+)"', page.read().decode("utf-8", "replace"))
        link = next((link for link in links if f"/{WHEEL}" in link), None)
        if link is None:
            return None
        with urllib.request.urlopen(urllib.parse.urljoin(page_url, link), timeout=60, context=context) as reply:
            content = reply.read()
    except OSError as trouble:
        say(f"  the package index did not answer: {trouble}")
        return None
    if hashlib.sha256(content).hexdigest() != WHEEL_SHA256:
        raise Trouble(f"the package index served a {WHEEL} that is not the known one; nothing was installed")
    file = Path(tempfile.mkdtemp(prefix="onehall-pip-")) / WHEEL
    file.write_bytes(content)
    return file
