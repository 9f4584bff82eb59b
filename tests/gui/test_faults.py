"""The server slow, gone, or losing replies; the client killed: the window lives, nothing is doubled or lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from desktop_client.config import ClientSettings
from desktop_client.desks.counter.state import Stage
from desktop_client.driver import CounterDriver, DriveFailed
from desktop_client.shell import assembly
from desktop_client.work.journal import Journal
from desktop_client.work.plans import Courier
from tests.gui.conftest import Start
from tests.gui.fake_hall import FakeHall, Problem

pytestmark = pytest.mark.gui


def kept_texts(driver: CounterDriver) -> str:
    return " ".join(message.text for message in driver.window.bridge.told)


def to_confirm(driver: CounterDriver) -> None:
    driver.search("wjg")
    driver.open_first()
    driver.press("Enter", driver.counter.pay.amount)
    driver.press("Enter", driver.counter.pay.received)
    driver.until(lambda: driver.counter.presenter.state.pay.preview is not None, "the preview")


def longest_pause(driver: CounterDriver, seconds: float) -> float:
    """Let the window live for a while; the longest time it did not react, in seconds."""
    longest, end, before = 0.0, time.monotonic() + seconds, time.monotonic()
    while time.monotonic() < end:
        driver._pump()
        time.sleep(0.001)
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    return longest


def test_a_slow_server_never_freezes_the_window(signed_in: CounterDriver, fake: FakeHall) -> None:
    to_confirm(signed_in)
    fake.delay_s = 1.5
    signed_in.press("Enter", signed_in.counter.pay.sure)
    assert signed_in.counter.presenter.state.stage is Stage.TAKING
    assert longest_pause(signed_in, 1.0) < 0.3
    assert not signed_in.counter.pay.sure.isEnabled()
    fake.delay_s = 0
    signed_in.until(lambda: signed_in.counter.presenter.state.stage is Stage.TAKEN, "the payment")
    assert len(fake.payments) == 1


def test_a_lost_reply_is_resumed_by_the_heartbeat_and_printed(
    signed_in: CounterDriver, fake: FakeHall, tmp_path: Path
) -> None:
    to_confirm(signed_in)
    fake.lose_replies = 1
    signed_in.press("Enter", signed_in.counter.pay.sure)
    signed_in.until(lambda: signed_in.counter.presenter.state.stage is Stage.KEPT, "the act to be kept")
    assert len(fake.payments) == 1, "the server had booked it"
    badge = signed_in.workspace._kept
    signed_in.until(badge.isVisible, "the badge")
    assert "1" in badge.text()
    assert not (tmp_path / "paper").exists(), "no receipt before the server answered"
    signed_in.window._beat()
    signed_in.until(lambda: not badge.isVisible(), "the act to be confirmed")
    assert "已确认入账" in kept_texts(signed_in)
    assert len(fake.payments) == 1 and len(list((tmp_path / "paper").iterdir())) == 1


def test_a_server_that_is_gone_keeps_the_act_and_the_teller_goes_on(
    signed_in: CounterDriver, fake: FakeHall, settings: ClientSettings
) -> None:
    to_confirm(signed_in)
    port = fake.port
    fake.close()
    signed_in.press("Enter", signed_in.counter.pay.sure)
    signed_in.until(lambda: signed_in.counter.presenter.state.stage is Stage.KEPT, "the act to be kept")
    signed_in.window._beat()
    signed_in.until(lambda: "无应答" in signed_in.workspace._lamp.text(), "the lamp")
    signed_in.press("F10")
    signed_in.until(lambda: bool(signed_in.workspace.kept_sheet._rows.rows), "the list of kept acts")
    row, = signed_in.workspace.kept_sheet._rows.rows
    assert "175.36" in row.title and "王建国" in row.title
    signed_in.press("Esc")
    again = FakeHall(port)
    try:
        again.answer("POST", "/api/hall/till/open", {}, {"float_fen": 0}, "0" * 32)
        signed_in.press("Enter", signed_in.counter.pay.next)
        assert signed_in.counter.presenter.state.stage is Stage.SEARCH
        signed_in.window._beat()
        signed_in.until(lambda: len(again.payments) == 1, "the act to be sent again")
        signed_in.until(lambda: not signed_in.workspace._kept.isVisible(), "the badge to go")
    finally:
        again.close()


def test_an_act_that_never_left_can_be_taken_back(signed_in: CounterDriver, fake: FakeHall) -> None:
    to_confirm(signed_in)
    fake.close()
    signed_in.window.http.close_thread()
    signed_in.press("Enter", signed_in.counter.pay.sure)
    signed_in.until(lambda: signed_in.counter.presenter.state.stage is Stage.KEPT, "the act to be kept")
    signed_in.press("F10")
    sheet = signed_in.workspace.kept_sheet
    signed_in.until(lambda: bool(sheet._rows.rows), "the list of kept acts")
    if sheet._rows.rows[0].may_withdraw:
        sheet._withdraw.click()
        signed_in.until(lambda: not sheet._rows.rows, "the act to be gone")
    else:
        assert sheet._rows.rows[0].state == "sent", "a kept connection broke: the act may have arrived, so it stays"
        assert not sheet._withdraw.isEnabled()


def test_an_act_refused_when_it_is_resumed_is_told(
    signed_in: CounterDriver, fake: FakeHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "Courier", partial(Courier, retry_after_s=(0.01, 0.01)))
    to_confirm(signed_in)
    fake.refuse = Problem(503, "too_busy", retry=True)
    signed_in.press("Enter", signed_in.counter.pay.sure)
    signed_in.until(lambda: signed_in.counter.presenter.state.stage is Stage.KEPT, "the act to be kept")
    fake.refuse = Problem(409, "account_closed")
    signed_in.window._beat()
    signed_in.until(lambda: "未能入账" in kept_texts(signed_in), "the refusal")
    assert "account_closed" in kept_texts(signed_in)
    signed_in.until(lambda: not signed_in.workspace._kept.isVisible(), "the badge to go")


def test_a_session_that_ended_keeps_the_screen_behind_the_sign_in_form(
    signed_in: CounterDriver, fake: FakeHall
) -> None:
    to_confirm(signed_in)
    fake.refuse = Problem(401, "not_signed_in")
    signed_in.press("Enter", signed_in.counter.pay.sure)
    signed_in.until(lambda: signed_in.window.login_page.isVisible(), "the sign-in form")
    fake.refuse = None
    signed_in.type_into("staffNo", "1001")
    signed_in.type_into("password", "second")
    signed_in.press("Enter", signed_in.find("counterNo"))
    signed_in.until(lambda: signed_in.workspace.isVisible(), "the desk")
    assert signed_in.counter.presenter.state.desk is not None, "the customer is still in view"
    signed_in.window._beat()
    signed_in.until(lambda: len(fake.payments) == 1, "the kept act to be sent")


CHILD = """
import sys
from dataclasses import replace
from tests.gui.conftest import counter_settings
from desktop_client.driver import CounterDriver
from functools import partial
from pathlib import Path
driver = CounterDriver(counter_settings(sys.argv[1], Path(sys.argv[2])))
driver.sign_in("1001", "second", "03")
driver.search("wjg")
driver.open_first()
driver.press("Enter", driver.counter.pay.amount)
driver.press("Enter", driver.counter.pay.received)
driver.until(lambda: driver.counter.presenter.state.pay.preview is not None, "the preview")
print("ready", flush=True)
driver.press("Enter", driver.counter.pay.sure)
driver.until(lambda: False, "being killed")
"""


@pytest.mark.faults
@pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")
@pytest.mark.parametrize("wait_s", [0.0, 0.02, 0.25])
def test_a_client_killed_while_taking_money_resumes_after_its_next_start(
    fake: FakeHall, start: Start, tmp_path: Path, wait_s: float
) -> None:
    """Killed before, while, and after the server books; what was written down is booked once, what was not is not."""
    fake.answer("POST", "/api/hall/till/open", {}, {"float_fen": 0}, "0" * 32)
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, fake.url, str(tmp_path)], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    fake.delay_s = 0.1
    time.sleep(wait_s)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    journal = Journal(tmp_path / "client", use_keyring=False)
    written = journal.open_entries()
    journal.close()
    fake.delay_s = 0
    driver = start()
    driver.sign_in("1001", "second", "03")
    end = time.monotonic() + 3
    while time.monotonic() < end and len(fake.payments) < len(written):
        driver._pump()
        time.sleep(0.01)
    time.sleep(0.2)
    assert len(fake.payments) <= 1
    if written:
        assert len(fake.payments) == 1
        assert [act for act in fake.acts if act == written[0].act_id] == [written[0].act_id]


def test_a_driver_says_what_it_waited_for(start: Start) -> None:
    driver = start(wait_s=0.2)
    with pytest.raises(DriveFailed, match=r"waited 0 s for the moon; the window said: nothing"):
        driver.until(lambda: False, "the moon")
    with pytest.raises(DriveFailed, match="not signed in: 拒绝：sign_in_refused"):
        driver._wait_s = 10
        driver.sign_in("1001", "wrong", "03")
