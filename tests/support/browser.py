"""A real Chromium for the web tests: started by us, as an unprivileged user where we are root, steered by Playwright.

``browser`` (one per worker) and ``new_page`` (a page in a fresh context; keyword arguments go to ``new_context``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from installers.bootstrap import system_packages
from tests.support.postgres_keeper import as_user, unprivileged_user

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def _everybody_reaches(program: Path) -> bool:
    """True when also an unprivileged user can run it; a copy below root's home is root's alone."""
    real = program.resolve()
    return all(place.stat().st_mode & 0o001 for place in (real, *real.parents))


def _start(program: str, profile: Path) -> subprocess.Popen[bytes]:
    """Start Chromium with a profile its user can write, without the sandbox only where it has none."""
    user = unprivileged_user() if _everybody_reaches(Path(program)) else None
    if user:
        shutil.chown(profile, user)
    home = {"HOME": str(profile), "XDG_CONFIG_HOME": str(profile), "XDG_CACHE_HOME": str(profile)}
    command = [
        program,
        "--headless=new",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "--no-first-run",
        "--disable-gpu",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-extensions",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-default-browser-check",
        "--ignore-certificate-errors",
        "--force-color-profile=srgb",
        "--hide-scrollbars",
        "--lang=zh-CN",
        "about:blank",
    ]
    return subprocess.Popen(
        command,
        cwd="/",
        env={**os.environ, **home},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **as_user(user),
    )  # type: ignore[call-overload]


def _port(profile: Path, chromium: subprocess.Popen[bytes]) -> int:
    until = time.monotonic() + 60
    told = profile / "DevToolsActivePort"
    while time.monotonic() < until and chromium.poll() is None:
        if told.exists() and told.read_text().strip():
            return int(told.read_text().split()[0])
        time.sleep(0.05)
    raise RuntimeError(f"Chromium did not start (exit code {chromium.poll()})")


@contextmanager
def running_chromium(program: str) -> Iterator[int]:
    """A headless Chromium with an empty profile while the block lasts; gives the port it is steered by."""
    profile = Path(tempfile.mkdtemp(prefix="onehall-chromium-"))
    chromium = _start(program, profile)
    try:
        yield _port(profile, chromium)
    finally:
        chromium.terminate()
        with suppress(subprocess.TimeoutExpired):
            chromium.wait(10)
        if chromium.poll() is None:
            chromium.kill()
            chromium.wait()
        shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium of this machine."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("ONEHALL_BROWSER") or system_packages.browser()
    if not program:
        pytest.fail("no Chromium on this machine: 'python3 dev.py test' installs it (system packages 'browser')")
    with running_chromium(program) as port, sync_playwright() as playwright:
        connected = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        yield connected
        connected.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a context of its own (cookies, size, language); all are closed after the test."""
    contexts = []

    def open_page(**settings: Any) -> Page:
        context = browser.new_context(**{"locale": "zh-CN", "ignore_https_errors": True, **settings})
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
