"""``dev.py demo``: from a fresh clone to a town that is billed, paid and open on the screen."""

from __future__ import annotations

import argparse
import shutil
import sys
import time

from installers.bootstrap import demo_folder, demo_steps, system_packages, virtual_env
from installers.bootstrap.console import Trouble, say
from installers.bootstrap.demo_story import Story


def command(options: argparse.Namespace) -> int:
    """Set up, load the sample town or reuse it, run it through its month, and stay up unless ``--check``."""
    began = time.monotonic()
    virtual_env.ensure("run")
    for line in system_packages.ensure("gui", "fonts"):
        say(f"  not needed for the server, but for the client: {line}")
    ready = time.monotonic()
    if options.fresh and demo_folder.FOLDER.exists():
        shutil.rmtree(demo_folder.FOLDER)
    demo_folder.FOLDER.mkdir(exist_ok=True)
    story = Story(check=options.check, households=options.households)
    try:
        for title, act in demo_steps.STEPS:
            say(f"\n» {title}")
            started = time.monotonic()
            for line in act(story):
                say(f"  {line}")
            say(f"  ({time.monotonic() - started:.1f} s)")
        _summary(story, set_up_s=ready - began, work_s=time.monotonic() - ready)
        if not options.check:
            story.stay_up()
    finally:
        story.close()
    if options.check and not story.books_balance:
        raise Trouble("the books do not balance: see 'onehall check-books' above")
    return 0


def _summary(story: Story, *, set_up_s: float, work_s: float) -> None:
    say("\nWhat was done")
    for line in story.done:
        say(f"  - {line}")
    say(f"  Set-up took {set_up_s:.0f} s, everything after it {work_s:.0f} s.")
    if story.addresses:
        say("Open")
        for line in story.addresses:
            say(f"  {line}")
    if story.logins:
        say("Log in as")
        for line in story.logins:
            say(f"  {line}")
    if sys.platform == "win32":
        say("  (The databases are two files in the folder 'demo'; delete it to be rid of them.)")
