"""A network to train on, and commands for it: simulators in a thread, the engine, and waiting for ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from server_api.business.provisioning import service
from server_api.business.provisioning.engine import run_until_idle
from server_api.business.provisioning.manifest import Site
from server_api.business.provisioning.news import NewTask, TaskEnded
from server_api.business.provisioning.sites import SITES
from server_api.business.provisioning.store import tasks as commands
from server_api.platform.database import Database
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.clock import ManualClock
from shared_models.values.ids import new_id
from tests.support.business import do

OPEN = ("waiting", "sent")


@contextmanager
def connected(*sites: Site) -> Iterator[None]:
    """These systems are connected for the length of the block."""
    before = {site.name: site for site in SITES.all}
    SITES.connect({site.name: site for site in sites})
    try:
        yield
    finally:
        SITES.connect(before)


def request(database: Database, *tasks: NewTask, order_id: str = "") -> tuple[str, ...]:
    """Ask for commands in an act of their own."""
    order = order_id or new_id()
    box: list[tuple[str, ...]] = []

    def work(uow: UnitOfWork) -> None:
        box.append(service.request_tasks(uow, order_id=order, item_id="1", tasks=tasks))

    do(database, work)
    return box[0]


def states(database: Database) -> Counter[str]:
    """How many commands in which state."""
    with database.reading() as connection:
        found: Counter[str] = Counter()
        for row in commands.counts(connection):
            found[row.state] += row.tasks
        return found


def work(database: Database, sites: Sequence[Site], timeout_s: float = 20.0) -> Counter[str]:
    """Run the engine until nothing is open; a standing clock is moved on so that pauses pass."""

    def idle() -> bool:
        clock = database.clock
        if isinstance(clock, ManualClock):
            clock.advance(timedelta(seconds=0.25))
        return not any(states(database)[state] for state in OPEN)

    assert run_until_idle(database, sites, idle, timeout_s), states(database)
    return states(database)


def hear(database: Database) -> list[TaskEnded]:
    """Everything that TaskEnded tells from now on."""
    heard: list[TaskEnded] = []

    def listener(_uow: UnitOfWork, news: TaskEnded) -> None:
        heard.append(news)

    database.listeners.setdefault(TaskEnded, []).append(listener)
    return heard


Fails = Callable[[TaskEnded], bool]
