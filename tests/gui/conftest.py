"""What the window's tests share: a stand-in hall, the settings of a counter with a file printer, and the driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop_client.config import ClientSettings
from desktop_client.driver import CounterDriver
from tests.gui.fake_hall import FakeHall

Start = Callable[..., CounterDriver]


@pytest.fixture
def fake() -> Iterator[FakeHall]:
    """A hall whose faults a test can choose."""
    hall = FakeHall()
    yield hall
    hall.close()


@pytest.fixture
def settings(tmp_path: Path, fake: FakeHall) -> ClientSettings:
    """Counter 03 at the stand-in hall, receipts into a folder."""
    return counter_settings(fake.url, tmp_path)


def counter_settings(url: str, folder: Path, language: str = "zh_CN") -> ClientSettings:
    """Counter 03 of a server, receipts into a folder, the journal's key in a file."""
    return ClientSettings(
        server_url=url, counter_no="03", language=language, printer=f"file:{folder / 'paper'}",
        data_folder=str(folder / "client"), keyring=False,
    )


@pytest.fixture
def start(qtbot: QtBot, settings: ClientSettings) -> Iterator[Start]:
    """Start a window; ``start()`` uses the stand-in hall, ``start(settings)`` any other. All are closed afterwards."""
    drivers: list[CounterDriver] = []

    def begin(other: ClientSettings | None = None, wait_s: float = 10.0, **changes: str) -> CounterDriver:
        drivers.append(CounterDriver(replace(other or settings, **changes), wait_s=wait_s))
        return drivers[-1]

    yield begin
    for driver in drivers:
        driver.window.calls.close(wait=True)
        driver.close()


@pytest.fixture
def signed_in(start: Start) -> CounterDriver:
    """A teller at the counter with an open till."""
    driver = start()
    driver.sign_in("1001", "second", "03")
    driver.open_till("200")
    return driver
