"""Any order of telling, delivering, crashing and restoring: each fact the sender knows has its effect exactly once."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import select

from server_api.platform.database import Database, Databases, open_databases
from server_api.platform.facts import dispatcher
from server_api.platform.facts import replay as replay_module
from server_api.platform.facts.dispatcher import Crossing, deliver_all, deliver_lane
from server_api.platform.facts.outbox import lane_of
from server_api.platform.facts.parking import list_parked
from server_api.platform.facts.receiver import Envelope
from server_api.platform.facts.replay import announce_restore, compare, replay
from server_api.platform.numbering import next_number
from server_api.platform.unit_of_work import UnitOfWork
from tests.support.engines import TEST_SECRETS, make_schema
from tests.support.facts import account_news, tell

pytestmark = [pytest.mark.faults, pytest.mark.one_engine]
AGGREGATES = ("account:1", "account:2")
ROLES = ("business", "billing")
#: ``ONEHALL_WALKS=1000`` makes it as long as one likes.
WALKS = int(os.environ.get("ONEHALL_WALKS", "30"))
_templates: dict[str, Path] = {}


class Killed(Exception):
    """Stands for the end of the process at this point."""


def _count_effect(uow: UnitOfWork, envelope: Envelope, _payload: Any) -> None:
    next_number(uow, f"effect {envelope.fact_id}")


def _template(role: str, folder: Path) -> Path:
    if role not in _templates:
        file = Path(tempfile.mkdtemp(prefix="onehall-protocol-")) / f"{role}.db"
        make_schema(role, f"sqlite:///{file}")  # type: ignore[arg-type]
        _settle(file)
        _templates[role] = file
    return _templates[role]


def _settle(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


class FactProtocol(RuleBasedStateMachine):
    """Billing tells, business hears; either may be killed at any commit or restored to any earlier backup."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="onehall-protocol-"))
        self.files = {role: self.folder / f"{role}.db" for role in ("business", "billing")}
        for role, file in self.files.items():
            shutil.copyfile(_template(role, self.folder), file)
        self.backups: dict[str, list[Path]] = {"business": [], "billing": []}
        self.number = 0
        #: A restored side begins an epoch, as the handbook says. Unannounced restores are found as soon as a number is
        #: given twice (tests of their own below and in tests/contract/platform); not where the receiver is restored
        #: as well, to before it could have noticed.
        self.announced = True
        self.pair: Databases = self._open()

    def _open(self) -> Databases:
        urls = {role: f"sqlite:///{file}" for role, file in self.files.items()}
        return open_databases(urls["business"], urls["billing"], secrets=TEST_SECRETS, label="tests")

    @property
    def crossing(self) -> Crossing:
        return Crossing(self.pair.billing, self.pair.business, {"AccountRecorded": (_count_effect,)})

    @initialize()
    def begin(self) -> None:
        self.backup("business")
        self.backup("billing")

    @rule(aggregate=st.sampled_from(AGGREGATES), count=st.integers(1, 3), bulk=st.booleans())
    def tell_news(self, aggregate: str, count: int, bulk: bool) -> None:
        for _ in range(count):
            self.number += 1
            tell(self.pair.billing, aggregate, account_news(self.number), bulk=bulk)

    @rule()
    def deliver(self) -> None:
        deliver_all([self.crossing])
        assert set(_effects(self.pair.business).values()) <= {1}, "applied twice"

    @rule(aggregate=st.sampled_from(AGGREGATES), bulk=st.booleans())
    def deliver_and_be_killed_before_the_confirmation(self, aggregate: str, bulk: bool) -> None:
        with mock.patch.object(dispatcher, "_forget", side_effect=Killed):
            try:
                deliver_lane(self.crossing, lane_of(aggregate, bulk))
            except Killed:
                return

    @rule(aggregate=st.sampled_from(AGGREGATES), after=st.integers(0, 2))
    def deliver_and_be_killed_while_applying(self, aggregate: str, after: int) -> None:
        left = [after]

        def dying(uow: UnitOfWork, envelope: Envelope, payload: Any) -> None:
            if left[0] == 0:
                raise KeyboardInterrupt  # passes every handler of errors, as the end of the process does
            left[0] -= 1
            _count_effect(uow, envelope, payload)

        crossing = Crossing(self.pair.billing, self.pair.business, {"AccountRecorded": (dying,)})
        try:
            deliver_lane(crossing, lane_of(aggregate, bulk=False))
        except KeyboardInterrupt:
            return

    @rule(role=st.sampled_from(["business", "billing"]))
    def backup(self, role: str) -> None:
        copy = self.folder / f"{role}.{len(self.backups[role])}.backup"
        source, target = sqlite3.connect(self.files[role]), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
        self.backups[role].append(copy)

    @precondition(lambda self: self.backups["billing"])
    @rule(role=st.sampled_from(["business", "billing"]), which=st.integers(-3, 3))
    def restore(self, role: str, which: int) -> None:
        copy = self.backups[role][which % len(self.backups[role])]
        self.pair.close()
        for suffix in ("-wal", "-shm"):
            Path(f"{self.files[role]}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(copy, self.files[role])
        self.pair = self._open()
        if role == "billing" and self.announced:
            announce_restore(self.pair.billing, self.pair.business)

    @rule()
    def restart(self) -> None:
        self.pair.close()
        self.pair = self._open()

    @rule()
    def run_replay(self) -> None:
        replay(self.pair.billing, self.pair.business)

    def teardown(self) -> None:
        try:
            self._all_is_well()
        finally:
            self.pair.close()
            shutil.rmtree(self.folder)

    def _all_is_well(self) -> None:
        # News after the last restore shows up numbers given twice; the operator's replay finds what is silent.
        for aggregate in AGGREGATES:
            self.number += 1
            tell(self.pair.billing, aggregate, account_news(self.number))
        for _ in range(2):
            deliver_all([self.crossing])
            replay(self.pair.billing, self.pair.business)
        deliver_all([self.crossing])
        billing, business = self.pair.billing, self.pair.business
        assert list_parked(billing) == []
        told, effects, named = _told(billing), _effects(business), _named(business)
        assert {fact for fact, times in effects.items() if times != 1} == set()
        assert told - set(effects) == set(), "told, without effect"
        assert set(effects) - told == named, "what only the receiver knows is named, and nothing else is"
        comparison = compare(billing, business)
        assert (comparison.missing, comparison.waiting) == (0, 0)


def _told(source: Database) -> set[str]:
    table = source.platform.fact_out
    with source.reading() as connection:
        return set(connection.execute(select(table.c.fact_id)).scalars())


def _named(target: Database) -> set[str]:
    table = target.platform.fact_difference
    with target.reading() as connection:
        return set(connection.execute(select(table.c.fact_id)).scalars())


def _effects(target: Database) -> Counter[str]:
    table = target.platform.number_counter
    with target.reading() as connection:
        rows = connection.execute(select(table).where(table.c.counter_name.like("effect%"))).all()
    return Counter({row.counter_name.removeprefix("effect "): int(row.next_value) - 1 for row in rows})


def _walk(seed: int) -> None:
    """One life of the two sides: hypothesis finds small cases, a walk gets deep into restores upon restores."""
    chance = random.Random(seed)
    world = FactProtocol()
    world.begin()
    steps: list[tuple[int, Callable[[], None]]] = [
        (30, lambda: world.tell_news(chance.choice(AGGREGATES), chance.randint(1, 3), chance.random() < 0.3)),
        (25, world.deliver),
        (6, lambda: world.deliver_and_be_killed_before_the_confirmation(
            chance.choice(AGGREGATES), chance.random() < 0.3)),
        (6, lambda: world.deliver_and_be_killed_while_applying(chance.choice(AGGREGATES), chance.randint(0, 2))),
        (12, lambda: world.backup(chance.choice(ROLES))),
        (10, lambda: world.restore(chance.choice(ROLES), -chance.choice((1, 1, 2, 3)))),
        (3, world.restart),
        (4, world.run_replay),
    ]
    try:
        for _ in range(40):
            chance.choices([do for _weight, do in steps], [weight for weight, _do in steps])[0]()
    except BaseException:
        world.pair.close()
        raise
    world.teardown()


@pytest.mark.parametrize("start", range(0, WALKS, 10))
def test_ten_lives(start: int) -> None:
    for seed in range(start, start + 10):
        _walk(seed)


TestFactProtocol = FactProtocol.TestCase
TestFactProtocol.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))


def test_restored_to_a_backup_and_then_to_a_later_one() -> None:
    """The receiver stands in an epoch that the sender has lost: all from there on is told anew, applied once."""
    world = FactProtocol()
    world.announced = False
    world.tell_news("account:1", 3, bulk=False)
    world.deliver()
    world.backup("billing")
    world.tell_news("account:1", 2, bulk=False)
    world.deliver()
    world.backup("billing")
    world.restore("billing", 0)
    world.tell_news("account:1", 1, bulk=False)  # number 4 again: begins epoch 2, names 4 and 5
    world.deliver()
    assert len(_named(world.pair.business)) == 2
    world.restore("billing", 1)
    world.tell_news("account:1", 1, bulk=False)  # number 6 of a sender that knows nothing of epoch 2
    with mock.patch.object(replay_module, "_tell_anew", side_effect=replay_module._tell_anew) as anew:
        world.deliver()
        assert anew.call_count == 1
    world.teardown()
