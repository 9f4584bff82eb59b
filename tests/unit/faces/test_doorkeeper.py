"""Guessing passwords is slow."""

from __future__ import annotations

import pytest

from server_api.faces.edge.doorkeeper import PER_NUMBER, PER_PLACE, Doorkeeper
from shared_models.values.faults.edge import TooManySignIns


def test_a_number_is_refused_after_its_failures_and_admitted_after_the_window() -> None:
    now = [0.0]
    door = Doorkeeper(lambda: now[0])
    for _ in range(PER_NUMBER):
        door.admit("10.0.0.1", "1001")
        door.failed("10.0.0.1", "1001")
    with pytest.raises(TooManySignIns) as refused:
        door.admit("10.0.0.1", "1001")
    assert refused.value.params["retry_after_s"] == 61
    door.admit("10.0.0.1", "1002")
    door.admit("10.0.0.2", "1001")
    now[0] = 61.0
    door.admit("10.0.0.1", "1001")


def test_one_place_cannot_try_number_after_number() -> None:
    door = Doorkeeper(lambda: 0.0)
    for number in range(PER_PLACE):
        door.admit("10.0.0.1", str(number))
        door.failed("10.0.0.1", str(number))
    with pytest.raises(TooManySignIns):
        door.admit("10.0.0.1", "fresh")
