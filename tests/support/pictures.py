"""The README's pictures, taken from the running product: the client, a bill, the portal on a phone.

``python -m tests.support.pictures FOLDER PLAN`` with the client's settings in the environment. PLAN is a JSON file:
base_url, staff_no, password, counter_no, words (finds the customer), customer_id, bill_pdf.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

PHONE = {"width": 390, "height": 844}
_PIXELS_PER_POINT = 1.6


def client(folder: Path, plan: dict[str, Any]) -> None:
    """The counter desk with a payment ready to be taken, 1366 x 768."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from desktop_client.config import load_settings
    from desktop_client.driver import render_shots

    with tempfile.TemporaryDirectory() as place:
        made = render_shots(
            Path(place), load_settings(os.environ, {}), staff_no=plan["staff_no"], password=plan["password"],
            counter_no=plan["counter_no"], words=plan["words"],
        )  # fmt: skip
        by_name = {file.stem: file for file in made}
        shutil.copyfile(by_name["confirm"], folder / "client.png")
        shutil.copyfile(by_name["till"], folder / "client-till.png")


def bill(folder: Path, plan: dict[str, Any]) -> None:
    """The first page of a bill as the customer gets it."""
    import pymupdf

    with pymupdf.open(plan["bill_pdf"]) as document:
        scale = pymupdf.Matrix(_PIXELS_PER_POINT, _PIXELS_PER_POINT)
        document[0].get_pixmap(matrix=scale).save(folder / "bill.png")


def portal(folder: Path, plan: dict[str, Any]) -> None:
    """What a customer owes, as field staff see it on a phone."""
    from playwright.sync_api import sync_playwright

    from installers.bootstrap.system_packages import browser as find_browser
    from tests.support.browser import running_chromium

    program = os.environ.get("ONEHALL_BROWSER") or find_browser()
    with running_chromium(program) as port, sync_playwright() as playwright:
        chromium = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        context = chromium.new_context(
            viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True, locale="zh-CN",
            ignore_https_errors=True,
        )  # fmt: skip
        page = context.new_page()
        page.goto(f"{plan['base_url']}/portal/login")
        page.fill("#staff_no", plan["staff_no"])
        page.fill("#password", plan["password"])
        page.click("button[type=submit]")
        page.wait_for_url("**/portal/")
        page.goto(f"{plan['base_url']}/portal/customers/{plan['customer_id']}")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=str(folder / "portal.png"))
        chromium.close()


def main(folder: Path, plan_file: Path) -> None:
    """Take every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = json.loads(plan_file.read_text(encoding="utf-8"))
    for take in (client, bill, portal):
        take(folder, plan)
        print(f"taken: {take.__name__}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
