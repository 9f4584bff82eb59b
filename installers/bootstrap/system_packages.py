"""Packages of the operating system, in named groups, installed only by what needs them.

As root: apt-get, with services kept from starting. As anybody else: downloaded and unpacked under ``.venv/system``,
for this project alone. Where neither can be: one line that an administrator runs. On Windows nothing is needed.
"""

from __future__ import annotations

import ctypes.util
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from installers.bootstrap import postgres_programs
from installers.bootstrap.console import REPOSITORY, Trouble, ask, follow, has, is_root, say, step

PRIVATE = REPOSITORY / ".venv" / "system"
_BROWSERS = PRIVATE / "browsers"
_POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Group:
    """What belongs together: why, its Debian and Ubuntu packages (``a|b``: whichever exists), whether it is there."""

    name: str
    why: str
    packages: tuple[str, ...]
    is_there: Callable[[], bool]
    last_resort: Callable[[], None] | None = None


def _libraries(*names: str) -> Callable[[], bool]:
    return lambda: all(ctypes.util.find_library(name) or _private_library(name) for name in names)


def _private_library(name: str) -> bool:
    return any(list(folder.glob(f"lib{name}.so*")) for folder in library_folders())


def browser() -> str:
    """The path of a Chromium or Chrome, '' when there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"):
        # Ubuntu's chromium-browser is a stub that asks for snap; the real program is elsewhere.
        found = shutil.which(name)
        if found and not _is_snap_stub(Path(found)):
            return found
    for place in (
        PRIVATE / "usr/lib/chromium/chromium",
        *_BROWSERS.glob("chromium-*/chrome-linux*/chrome"),
        *Path.home().glob(".cache/ms-playwright/chromium-*/chrome-linux*/chrome"),
    ):
        if place.is_file():
            return str(place)
    return ""


def _is_snap_stub(file: Path) -> bool:
    head = file.read_bytes()[:4096] if file.is_file() else b""
    return head.startswith(b"#!") and b"/snap/bin" in head


def _download_browser() -> None:
    """Playwright's own Chromium, for distributions that have it only as a snap."""
    from installers.bootstrap import virtual_env

    code, said = ask(
        [virtual_env.python(), "-m", "playwright", "install", "chromium"],
        extra={"PLAYWRIGHT_BROWSERS_PATH": str(_BROWSERS)},
    )
    if code:
        say(f"  Playwright's Chromium could not be had either: {said.strip()[-200:]}")


def _chinese_font() -> bool:
    code, said = ask(["fc-list", ":lang=zh", "family"])
    return (code == 0 and bool(said.strip())) or any(PRIVATE.glob("usr/share/fonts/**/*.tt[cf]"))


GROUPS: dict[str, Group] = {
    group.name: group
    for group in (
        Group(
            "venv",
            "virtual environments with pip",
            (f"python3.{sys.version_info[1]}-venv|python3-venv",),
            lambda: False,
        ),
        Group(
            "gui",
            "the libraries Qt draws with",
            (
                "libgl1",
                "libegl1",
                "libxkbcommon0",
                "libdbus-1-3",
                "libfontconfig1",
                "libglib2.0-0t64|libglib2.0-0",
                "libx11-6",
                "libbrotli1",
                "libfreetype6",
                "libxcb-cursor0",
                "libxcb-icccm4",
                "libxcb-image0",
                "libxcb-keysyms1",
                "libxcb-render-util0",
                "libxcb-shape0",
                "libxcb-xkb1",
                "libxkbcommon-x11-0",
                "libcups2t64|libcups2",
            ),
            _libraries("GL", "EGL", "xkbcommon", "dbus-1", "fontconfig", "glib-2.0", "X11", "freetype", "xcb-cursor"),
        ),
        Group("fonts", "a Chinese font for screens and bills", ("fonts-wqy-microhei", "fontconfig"), _chinese_font),
        Group(
            "postgres",
            "PostgreSQL, the second engine of every database test",
            ("postgresql",),
            lambda: postgres_programs.find() is not None,
        ),
        Group("browser", "Chromium, for the portal's tests", ("chromium",), lambda: bool(browser()), _download_browser),
        Group(
            "display",
            "a virtual screen, for pictures of the client with its frame",
            ("xvfb", "openbox"),
            lambda: has("Xvfb"),
        ),
        Group(
            "spark",
            "Java, for rating on a fleet",
            ("openjdk-17-jre-headless|default-jre-headless",),
            lambda: has("java"),
        ),
        Group("wine", "Windows programs, for the installer's tests", ("wine", "wine64"), lambda: has("wine")),
        Group("telephony", "a telephone exchange, for the call centre's tests", ("asterisk",), lambda: has("asterisk")),
    )
}


# ---- what children need to see the private packages ----------------------------------------------------------------
def library_folders() -> list[Path]:
    """Folders with shared libraries among the privately unpacked packages."""
    patterns = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib", "lib")
    return [folder for pattern in patterns for folder in PRIVATE.glob(pattern) if folder.is_dir()]


def child_environment() -> dict[str, str]:
    """Variables that let a child find the privately unpacked packages; empty when there are none."""
    if not PRIVATE.exists():
        return {}
    libraries = ":".join(str(folder) for folder in library_folders())
    found = {
        "PATH": f"{PRIVATE / 'usr/bin'}:{os.environ.get('PATH', '')}",
        "LD_LIBRARY_PATH": ":".join(filter(None, (libraries, os.environ.get("LD_LIBRARY_PATH", "")))),
    }
    fonts = PRIVATE / "usr/share/fonts"
    if fonts.exists():
        settings = PRIVATE / "fonts.conf"
        settings.write_text(
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>'
            f'<include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{fonts}</dir>'
            f"<cachedir>{PRIVATE / 'fontcache'}</cachedir></fontconfig>",
            encoding="utf-8",
        )
        found["FONTCONFIG_FILE"] = str(settings)
    return found


# ---- installing ----------------------------------------------------------------------------------------------------
def ensure(*names: str) -> list[str]:
    """See that the groups are there, installing what is missing; returns, per group still missing, what to do."""
    if sys.platform != "linux":
        return []
    missing = [GROUPS[name] for name in names if not GROUPS[name].is_there()]
    advice: list[str] = []
    for group in missing:
        with step(f"system packages '{group.name}': {group.why}"):
            installed = try_install(group.name) and group.is_there()
            if not installed and group.last_resort is not None:
                group.last_resort()
            if not installed and not group.is_there():
                advice.append(
                    f"{group.name} ({group.why}): an administrator runs:  "
                    f"apt-get install {' '.join(package.split('|')[-1] for package in group.packages)}"
                )
    return advice


def try_install(name: str) -> bool:
    """Install a group as root, or unpack it privately; False when neither can be done here."""
    if not has("apt-get"):
        return False
    packages = [_existing(package) for package in GROUPS[name].packages]
    if is_root():
        return _install_as_root(packages)
    # A Python module of the system cannot be used from a private folder; pip_source unpacks the wheel itself.
    return name != "venv" and unpack_privately(packages)


def _existing(package: str) -> str:
    """Of ``a|b`` the one this distribution has."""
    names = package.split("|")
    for name in names:
        code, said = ask(["apt-cache", "show", "--no-all-versions", name])
        if code == 0 and f"Package: {name}\n" in said:
            return name
    return names[-1]


@contextmanager
def _services_kept_from_starting() -> Iterator[None]:
    """Debian's own way: policy-rc.d answers 'not allowed' (101) while packages are being set up."""
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)


def _notice(line: str) -> str | None:
    return line.strip()[:70] if line.startswith(("Get:", "Unpacking", "Setting up")) else None


def _install_as_root(packages: list[str]) -> bool:
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    install = [
        "apt-get",
        "install",
        "-y",
        "--no-install-recommends",
        "-o",
        "Dpkg::Options::=--force-confold",
        "-o",
        "DPkg::Lock::Timeout=120",
        *packages,
    ]
    with _services_kept_from_starting():
        try:
            if not _has_lists():
                follow(["apt-get", "update"], "apt-get update", _notice, extra=quiet)
            follow(install, "apt-get install", _notice, extra=quiet)
        except Trouble:
            # The usual cause is an index that is older than the mirror's.
            try:
                follow(["apt-get", "update"], "apt-get update", _notice, extra=quiet)
                follow(install, "apt-get install", _notice, extra=quiet)
            except Trouble as trouble:
                say(f"  {trouble}")
                return False
    return True


def _has_lists() -> bool:
    return any(Path("/var/lib/apt/lists").glob("*_Packages*"))


def unpack_privately(packages: list[str]) -> bool:
    """Download packages with what they depend on and unpack them under .venv/system; nothing of the system changes."""
    if not (has("apt-get") and has("dpkg-deb")):
        return False
    wanted = _with_dependencies([_existing(package) for package in packages])
    if not wanted:
        return False
    with tempfile.TemporaryDirectory(prefix="onehall-deb-") as folder:
        code, said = ask(["apt-get", "download", *wanted], cwd=Path(folder))
        if code:
            say(f"  apt-get download: {said.strip()[-300:]}")
            return False
        PRIVATE.mkdir(parents=True, exist_ok=True)
        for file in sorted(Path(folder).glob("*.deb")):
            code, said = ask(["dpkg-deb", "-x", file, PRIVATE])
            if code:
                say(f"  {file.name}: {said.strip()[-300:]}")
                return False
    say(f"  unpacked for this project alone: {len(wanted)} packages in {PRIVATE}")
    return True


def _with_dependencies(packages: list[str]) -> list[str]:
    """The packages apt would install for these, by asking it to pretend. Empty when it does not know them."""
    pretend = ["apt-get", "install", "--simulate", "--no-install-recommends", "-o", "Debug::NoLocking=1"]
    code, said = ask([*pretend, *packages])
    if code:
        say(f"  apt-get: {said.strip()[-300:]}")
        return []
    return re.findall(r"^Inst (\S+)", said, re.MULTILINE)
