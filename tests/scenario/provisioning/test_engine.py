"""Commands from the order's transaction to the network and back, through the simulated broadband manager."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from server_api.business.provisioning import service
from server_api.business.provisioning.manifest import Site
from server_api.business.provisioning.news import End, Lane, NewTask, Priority, TaskEnded
from server_api.business.provisioning.registry import build_simulator
from server_api.business.provisioning.simulation import Fault, FaultMenu, Kind
from server_api.business.provisioning.store import systems
from server_api.business.provisioning.store import tasks as commands
from server_api.business.provisioning.training import Training, site_to
from server_api.platform.database import Databases
from shared_models.values.clock import ManualClock
from shared_models.values.faults.provisioning import CommandNotForPerson, CommandNotValid
from tests.support.business import do
from tests.support.network import connected, hear, request, states, work

PACE = {"timeout_s": 0.3, "night": "", "retry_s": 0.05}


@pytest.fixture
def training() -> Iterator[Training]:
    simulator = build_simulator("srun", FaultMenu(seed=3, late_s=0.5))
    with Training(simulator) as running, connected(site_to(simulator, pace=PACE)):
        yield running


@pytest.fixture
def site(training: Training) -> Site:
    return site_to(training.simulators[0], pace=PACE)


def opened(name: str, password: str = "geheim-7788") -> NewTask:
    return NewTask("srun", name, "open", {"password": password, "product_id": "3"})


def one(databases: Databases, task_id: str) -> object:
    with databases.business.reading() as connection:
        return commands.one(connection, task_id)


def test_commands_of_a_subscriber_are_done_in_order(databases: Databases, training: Training, site: Site) -> None:
    heard = hear(databases.business)
    ids = request(
        databases.business, opened("kd1"), NewTask("srun", "kd1", "suspend"), NewTask("srun", "kd1", "resume"),
        NewTask("srun", "kd1", "change_product", {"product_id": "5"}), opened("kd2"), order_id="ab" * 16,
    )  # fmt: skip
    assert work(databases.business, [site]) == {"done": 5}
    simulator = training.simulators[0]
    assert simulator.book["kd1"] == {"status": "0", "product_id": "5", "sessions": 1}
    whats = [effect.what for effect in simulator.effects if effect.subscriber == "kd1"]
    assert whats == ["opened", "status=1", "dropped", "status=0", "product_id=5"]
    assert [news.outcome for news in heard] == [End.DONE] * 5
    assert [news.task_id for news in heard if news.task_id in ids[:4]] == list(ids[:4])
    assert {(news.order_id, news.item_id) for news in heard} == {("ab" * 16, "1")}


def test_secrets_are_in_no_row(databases: Databases, training: Training, site: Site) -> None:
    request(databases.business, opened("kd1", "geheim-7788"))
    assert work(databases.business, [site]) == {"done": 1}
    with databases.business.reading() as connection:
        (task,) = commands.listed(connection, "done")
        words = commands.words_of(connection, task.task_id)
    kept = str([task._asdict(), [word._asdict() for word in words]])
    assert "geheim-7788" not in kept
    assert "token-1" not in kept
    assert "user_password=***" in kept
    assert len(words) == 1
    assert len(words[0].exchanges) == 4, "token, look, write, look again"


def test_an_act_that_is_undone_leaves_no_command(databases: Databases, training: Training) -> None:
    with pytest.raises(CommandNotValid):
        request(databases.business, opened("kd1"), NewTask("srun", "kd1", "fly"))
    with pytest.raises(CommandNotValid):
        request(databases.business, NewTask("srun", "kd1", "open", {"password": "x"}))
    assert states(databases.business) == {}


def test_a_refusal_ends_it_with_the_systems_words(databases: Databases, training: Training, site: Site) -> None:
    heard = hear(databases.business)
    request(databases.business, NewTask("srun", "nobody", "suspend"))
    assert work(databases.business, [site]) == {"refused": 1}
    assert heard[0].outcome is End.REFUSED
    assert heard[0].code == "NO_USER"


def test_faults_at_random_and_every_command_ends(databases: Databases, training: Training, site: Site) -> None:
    """A fifth of all requests meet some fault: every command ends, nothing is lost, nothing is done twice."""
    simulator = training.simulators[0]
    for fault in Fault:
        simulator.menu.add(fault, probability=0.2 / len(Fault))
    request(databases.business, *(opened(f"kd{number}") for number in range(60)))
    ends = work(databases.business, [site], timeout_s=40)
    assert sum(ends.values()) == 60
    assert set(ends) <= {"done", "refused", "manual"}
    effects = Counter(effect for effect in simulator.effects if effect.what == "opened")
    assert max(effects.values()) == 1
    with databases.business.reading() as connection:
        done = {row.subscriber_key for row in commands.listed(connection, "done", limit=100)}
    assert done <= set(simulator.book)
    assert ends["done"] >= 55, (ends, simulator.menu.met)


def test_a_person_tries_again_or_settles(databases: Databases, training: Training, site: Site) -> None:
    business = databases.business
    training.simulators[0].menu.add(Fault.ACK_WITHOUT_EFFECT, on=Kind.WRITE, probability=1.0)
    heard = hear(business)
    first, second, third = request(
        business, opened("kd1"), NewTask("srun", "kd1", "suspend"), NewTask("srun", "kd9", "close")
    )
    ends = work_until_manual(databases, site)
    assert ends == {"manual": 1, "waiting": 1, "done": 1}, "what is behind a command for a person waits"
    assert [(news.task_id, news.outcome) for news in heard][-1] == (first, End.MANUAL)
    training.simulators[0].menu.clear()
    with pytest.raises(CommandNotForPerson):
        do(business, lambda uow: service.settle_task(uow, task_id=third, done=True, reason="x"))
    do(business, lambda uow: service.retry_task(uow, task_id=first, reason="端口已修"))
    assert work(business, [site]) == {"done": 3}
    assert heard[-1].task_id == second
    assert training.simulators[0].book["kd1"]["status"] == "1"


def work_until_manual(databases: Databases, site: Site) -> Counter[str]:
    from server_api.business.provisioning.engine import run_until_idle

    def idle() -> bool:
        databases.business.clock.advance(timedelta(seconds=0.25))  # type: ignore[attr-defined]
        return states(databases.business)["manual"] == 1 and states(databases.business)["done"] == 1

    assert run_until_idle(databases.business, [site], idle, 20), states(databases.business)
    return states(databases.business)


def test_what_is_not_connected_is_done_by_hand(databases: Databases, training: Training, site: Site) -> None:
    heard = hear(databases.business)
    (task_id,) = request(databases.business, NewTask("old-exchange", "3961234", "open", {"pin": "4711-9"}))
    assert states(databases.business) == {"manual": 1}
    assert heard[0].outcome is End.MANUAL
    assert "4711-9" not in str(one(databases, task_id))
    do(databases.business, lambda uow: service.settle_task(uow, task_id=task_id, done=True, reason="电话局已办"))
    assert heard[1].outcome is End.DONE
    assert states(databases.business) == {"done": 1}


def test_whoever_pays_does_not_wait_for_the_night(databases: Databases, training: Training, clock: ManualClock) -> None:
    """A suspension waits for the night; the resume that follows at noon takes it along and both are done now."""
    night = site_to(training.simulators[0], pace={**PACE, "night": "22:00-06:00"})
    business = databases.business
    request(business, opened("kd1"), opened("kd2"))
    assert work(business, [night]) == {"done": 2}
    later = {"lane": Lane.BULK, "priority": Priority.SUSPEND}
    for name in ("kd1", "kd2"):
        request(business, NewTask("srun", name, "suspend", **later))
    request(business, NewTask("srun", "kd1", "resume", priority=Priority.RESUME))

    from server_api.business.provisioning.engine import run_until_idle

    assert run_until_idle(business, [night], lambda: states(business)["done"] == 4, 10)
    assert states(business) == {"done": 4, "waiting": 1}
    assert training.simulators[0].book["kd2"]["status"] == "0"
    clock.set(clock.now().replace(hour=15))  # 23:00 in the town
    assert work(business, [night]) == {"done": 5}
    assert training.simulators[0].book["kd2"]["status"] == "1"


def test_what_nobody_will_hear_waits_for_a_person(databases: Databases, training: Training, site: Site) -> None:
    """A listener that fails takes its own command out, not the batch around it."""
    bad: list[str] = []

    def listener(_uow: object, news: TaskEnded) -> None:
        if news.task_id in bad and news.outcome is End.DONE:
            raise RuntimeError("no such order")

    databases.business.listeners.setdefault(TaskEnded, []).append(listener)
    ids = request(databases.business, *(opened(f"kd{number}") for number in range(5)))
    bad.append(ids[2])
    assert work(databases.business, [site]) == {"done": 4, "manual": 1}
    row = one(databases, ids[2])
    assert row.result_code == "NOT_HEARD"  # type: ignore[attr-defined]
    bad.clear()
    do(databases.business, lambda uow: service.retry_task(uow, task_id=ids[2]))
    assert work(databases.business, [site]) == {"done": 5}
    assert len(training.simulators[0].effects) == 5


def test_a_system_that_is_away_spends_nobodys_patience(databases: Databases, training: Training, site: Site) -> None:
    simulator = training.simulators[0]
    request(databases.business, *(opened(f"kd{number}") for number in range(30)))
    training.run(simulator.stop())
    from server_api.business.provisioning.engine import Engine

    engine = Engine(databases.business, [site])
    engine.start()
    try:
        for _ in range(200):
            databases.business.clock.advance(timedelta(seconds=0.5))  # type: ignore[attr-defined]
            with databases.business.reading() as connection:
                row = next(iter(systems.systems(connection)), None)
            if row is not None and row.down_since_at is not None:
                break
            training.run(_nap())
        assert row is not None
        assert row.down_since_at is not None
        training.run(simulator.start())
        for _ in range(600):
            databases.business.clock.advance(timedelta(seconds=0.5))  # type: ignore[attr-defined]
            if states(databases.business)["done"] == 30:
                break
            training.run(_nap())
    finally:
        engine.close()
    assert states(databases.business) == {"done": 30}
    with databases.business.reading() as connection:
        assert next(iter(systems.systems(connection))).down_since_at is None


async def _nap() -> None:
    import asyncio

    await asyncio.sleep(0.02)


def test_a_stopped_system_begins_nothing(databases: Databases, training: Training, site: Site) -> None:
    from server_api.business.provisioning.engine import run_until_idle

    business = databases.business
    do(business, lambda uow: service.stop_system(uow, system="srun", reason="割接"))
    request(business, opened("kd1"))
    assert not run_until_idle(business, [site], lambda: states(business)["done"] > 0, 0.6)
    do(business, lambda uow: service.start_system(uow, system="srun"))
    assert work(business, [site]) == {"done": 1}


def test_withdrawn_before_it_began(databases: Databases, training: Training, site: Site) -> None:
    business = databases.business
    request(business, opened("kd1"), opened("kd2"), order_id="cd" * 16)
    request(business, opened("kd3"))
    do(business, lambda uow: service.cancel_tasks(uow, order_id="cd" * 16))
    assert work(business, [site]) == {"cancelled": 2, "done": 1}
    assert set(training.simulators[0].book) == {"kd3"}
