"""``dev.py shots``: the README's pictures, taken from the running product on the demo's town."""

from __future__ import annotations

import argparse
import json

from installers.bootstrap import demo, demo_folder, demo_steps, system_packages, virtual_env
from installers.bootstrap.console import REPOSITORY, Trouble, run, say
from installers.bootstrap.demo_story import Story, client_environment

FOLDER = REPOSITORY / "docs" / "pictures"


def command(_options: argparse.Namespace) -> int:
    """Take every picture into docs/pictures; runs the demo first where there is none. 0 when all were taken."""
    virtual_env.ensure("test")
    for line in system_packages.ensure("gui", "fonts", "browser"):
        say(f"  {line}")
    if not demo_steps.TOWN_FILE.exists():
        demo.command(argparse.Namespace(check=True, fresh=False, households=10_000))
    story = Story(check=True, households=0, reused=True)
    story.town = json.loads(demo_steps.TOWN_FILE.read_text(encoding="utf-8"))
    try:
        for _ in demo_steps.start_server(story):
            pass
        _take(story)
    finally:
        story.close()
    say(f"  the pictures are in {FOLDER.relative_to(REPOSITORY)}")
    return 0


def _take(story: Story) -> None:
    demo_steps.find_someone(story)
    teller = story.teller()
    bill_pdf = demo_folder.FOLDER / "picture.pdf"
    story.onehall("--lang", "zh_CN", "bill", "pdf", story.bill_no, "--out", str(bill_pdf))
    plan = {
        "base_url": story.hall.url, "staff_no": teller["staff_no"], "password": teller["password"],
        "counter_no": teller["counter_no"], "words": story.someone, "customer_id": story.someone_id,
        "bill_pdf": str(bill_pdf),
    }  # fmt: skip
    plan_file = demo_folder.FOLDER / "pictures.json"
    plan_file.write_text(json.dumps(plan), encoding="utf-8")
    plan_file.chmod(0o600)
    extra = {
        **client_environment(story.hall), "QT_QPA_PLATFORM": "offscreen", "ONEHALL_CLIENT_LANGUAGE": "zh_CN",
        "ONEHALL_BROWSER": system_packages.browser(),
    }  # fmt: skip
    code = run([virtual_env.python(), "-m", "tests.support.pictures", FOLDER, plan_file], extra=extra)
    plan_file.unlink()
    if code:
        raise Trouble("not every picture could be taken")
