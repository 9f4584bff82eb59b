"""``dev.py shots``: the README's pictures, taken from the running product."""

from __future__ import annotations

import argparse

from installers.bootstrap import demo_folder, system_packages, virtual_env
from installers.bootstrap.console import REPOSITORY, run, say


def command(_options: argparse.Namespace) -> int:
    """Take every picture into docs/pictures from the demo's databases; returns 0 when all were taken."""
    virtual_env.ensure("test")
    for line in system_packages.ensure("gui", "fonts", "browser"):
        say(f"  {line}")
    code = run(
        [virtual_env.python(), "-m", "tests.support.pictures", REPOSITORY / "docs" / "pictures"],
        extra={
            **demo_folder.environment(),
            "QT_QPA_PLATFORM": "offscreen",
            "ONEHALL_BROWSER": system_packages.browser(),
        },
    )
    say("  pictures are in docs/pictures" if code == 0 else "  not every picture could be taken")
    return code
