"""Background calls: outcomes on the GUI thread, once; progress; cancelling; what nobody handled; groups that end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from desktop_client.work.runner import LatestOnly, Ticket
from desktop_client.work.server_call import CallGroup, ServerCalls

pytestmark = pytest.mark.gui


@pytest.fixture
def unhandled() -> list[Exception]:
    return []


@pytest.fixture
def calls(qtbot: QtBot, unhandled: list[Exception]) -> Iterator[ServerCalls]:
    made = ServerCalls(unhandled.append)
    yield made
    made.close(wait=True)


def test_the_job_runs_elsewhere_and_its_outcome_comes_home(qtbot: QtBot, calls: ServerCalls) -> None:
    threads: list[str] = []

    def job(_: Ticket) -> int:
        threads.append(threading.current_thread().name)
        return 42

    got: list[int] = []

    def success(value: int) -> None:
        threads.append(threading.current_thread().name)
        got.append(value)

    calls.run(job, success=success)
    qtbot.waitUntil(lambda: got == [42])
    assert threads[0].startswith("server-call") and threads[1] == threading.main_thread().name


def test_a_failure_goes_to_its_handler_or_to_the_bridge(
    qtbot: QtBot, calls: ServerCalls, unhandled: list[Exception]
) -> None:
    def job(_: Ticket) -> None:
        raise ValueError("no")

    handled: list[Exception] = []
    calls.run(job, success=lambda _: None, failure=handled.append)
    calls.run(job, success=lambda _: None)
    qtbot.waitUntil(lambda: len(handled) == 1 and len(unhandled) == 1)


def test_progress_comes_in_order_before_the_end(qtbot: QtBot, calls: ServerCalls) -> None:
    news: list[object] = []

    def job(ticket: Ticket) -> str:
        for number in range(5):
            ticket.progress(number)
        return "end"

    calls.run(job, success=news.append, progress=news.append)
    qtbot.waitUntil(lambda: "end" in news)
    assert news == [0, 1, 2, 3, 4, "end"]


def test_a_cancelled_call_tells_nothing_and_its_job_learns_of_it(qtbot: QtBot, calls: ServerCalls) -> None:
    told: list[object] = []
    ended = threading.Event()

    def job(ticket: Ticket) -> None:
        try:
            ticket.sleep(30)
        finally:
            ended.set()

    call = calls.run(job, success=told.append, failure=told.append)
    call.cancel()
    assert ended.wait(5)
    qtbot.waitUntil(lambda: calls.running == 0)
    assert told == []


def test_busy_is_told_at_the_first_start_and_the_last_end(qtbot: QtBot, calls: ServerCalls) -> None:
    states: list[bool] = []
    calls.busy_changed.connect(states.append)
    for _ in range(5):
        calls.run(lambda _: time.sleep(0.01), success=lambda _: None)
    qtbot.waitUntil(lambda: calls.running == 0)
    assert states == [True, False]


def test_the_newest_of_a_series_wins(qtbot: QtBot, calls: ServerCalls) -> None:
    latest: LatestOnly[int] = LatestOnly(calls)
    got: list[int] = []
    for number in range(20):
        latest.run(lambda _, number=number: number, success=got.append)
    qtbot.waitUntil(lambda: calls.running == 0)
    assert got[-1] == 19 and got.count(19) == 1


def test_a_group_that_has_ended_tells_nothing(qtbot: QtBot, calls: ServerCalls) -> None:
    group = CallGroup(calls)
    told: list[int] = []
    group.run(lambda _: 1, success=told.append)
    group.close()
    group.run(lambda _: 2, success=told.append)
    qtbot.waitUntil(lambda: calls.running == 0)
    assert told == []


def test_thousands_of_calls_lose_nothing(qtbot: QtBot, calls: ServerCalls) -> None:
    """More signals than the faulty Qt release survived."""
    total: list[int] = []
    for number in range(2000):
        calls.run(lambda _, number=number: number, success=total.append)
    qtbot.waitUntil(lambda: len(total) == 2000, timeout=20_000)
    assert sorted(total) == list(range(2000))
