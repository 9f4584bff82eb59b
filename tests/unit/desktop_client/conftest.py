"""The stand-in hall for presenters, with an open till."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gui.fake_hall import FakeHall


@pytest.fixture
def fake_hall() -> Iterator[FakeHall]:
    hall = FakeHall()
    hall.answer("POST", "/api/hall/till/open", {}, {"float_fen": 20000}, "0" * 32)
    hall.requests.clear()
    yield hall
    hall.close()
