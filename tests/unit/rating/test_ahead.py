"""Work done ahead: in order, bounded, its errors raised where the next item would have come, stopped when left."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from server_api.billing.rating.ahead import Ahead


def test_everything_comes_in_order() -> None:
    with Ahead(iter(range(500)), 7, lambda item: 1) as ahead:
        assert [item for some in ahead.taken() for item in some] == list(range(500))


def test_no_more_waits_than_allowed_but_one_item_always_may() -> None:
    made: list[int] = []

    def making() -> Iterator[int]:
        for item in range(20):
            made.append(item)
            yield item

    with Ahead(making(), 10, lambda item: 6) as ahead:
        taken = ahead.taken()
        seen = next(taken)
        time.sleep(0.05)
        assert len(made) <= len(seen) + 2, "one waits, one is made"
        seen += [item for some in taken for item in some]
    assert seen == list(range(20))


def test_an_error_comes_after_what_was_made_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("gone")

    seen: list[int] = []
    with pytest.raises(LookupError), Ahead(failing(), 100, lambda item: 1) as ahead:
        for some in ahead.taken():
            seen += some
    assert seen == [1, 2]


def test_leaving_early_ends_the_thread() -> None:
    before = threading.active_count()

    def endless() -> Iterator[int]:
        while True:
            yield 1

    with pytest.raises(KeyError), Ahead(endless(), 5, lambda item: 1) as ahead:
        for _some in ahead.taken():
            raise KeyError
    assert threading.active_count() == before


def test_the_beat_is_felt_while_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server_api.billing.rating.ahead._LOOK_S", 0.01)

    def slow() -> Iterator[int]:
        time.sleep(0.1)
        yield 1

    class Stopped(Exception):
        pass

    def beat() -> None:
        raise Stopped

    with pytest.raises(Stopped), Ahead(slow(), 5, lambda item: 1) as ahead:
        list(ahead.taken(beat))
