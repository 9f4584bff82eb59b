"""Every adapter against its simulator: the whole story of a subscriber, clean and under every fault of the menu."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import cache

import pytest

from server_api.business.provisioning.attempt import Verdict
from server_api.business.provisioning.contract import NOT_YET, Answer, Outcome, Plan
from server_api.business.provisioning.registry import adapter_names, build_simulator, connect, manifest_of
from server_api.business.provisioning.simulation import BEFALLS, Fault, FaultMenu, Kind
from tests.contract.adapters.driver import IMPATIENT_S, carry_out, listed, site_to, tasks_of

pytestmark = pytest.mark.one_engine
FAULTS = [(fault, kind) for kind in Kind for fault in sorted(BEFALLS[kind])]


def _menu(seed: int = 0) -> FaultMenu:
    return FaultMenu(seed=seed, delay_s=IMPATIENT_S / 4, late_s=IMPATIENT_S * 1.5)


@pytest.mark.parametrize("name", adapter_names())
def test_every_act_is_done_read_back_and_not_done_twice(name: str) -> None:
    async def run() -> None:
        acts = manifest_of(name).acts
        async with build_simulator(name, _menu()) as simulator:
            adapter = connect(site_to(name, simulator))
            state: dict[str, object] | None = None
            told = set()
            for task in tasks_of(name, 1):
                spec = acts[task.act]
                told.add(task.act)
                plan = await adapter.plan(task)
                assert isinstance(plan, Plan) or plan.outcome is Outcome.ALREADY, (task, plan)
                if isinstance(plan, Plan):
                    assert plan.steps
                    before = len(simulator.effects)
                    if spec.readable:
                        early = await adapter.read_back(Plan(task, ()))
                        assert early.code == NOT_YET, (task, early)
                        assert len(simulator.effects) == before, "looking changed something"
                    done = await adapter.execute(plan)
                    assert done.outcome is Outcome.DONE, (task, done)
                    assert done.exchanges
                if spec.readable:
                    assert (await adapter.read_back(Plan(task, ()))).outcome is Outcome.DONE, task
                    again = await adapter.plan(task)
                    assert isinstance(again, Answer), task
                    assert again.outcome is Outcome.ALREADY, (task, again)
                state = spec.makes_of(state, task.wanted)  # type: ignore[arg-type, assignment]
                if manifest_of(name).state:
                    theirs = (await listed(adapter)).get(task.subscriber)
                    assert (theirs is None) == (state is None), task
                    if theirs is not None and state is not None:
                        assert {key: theirs.get(key) for key in state} == state, task
            assert told == set(acts), "the story leaves acts out"
            await adapter.close()

    asyncio.run(run())


@pytest.mark.parametrize(("fault", "kind"), FAULTS, ids=[f"{fault}-{kind}" for fault, kind in FAULTS])
@pytest.mark.parametrize("name", adapter_names())
def test_the_network_is_the_same_after_every_fault(name: str, fault: Fault, kind: Kind) -> None:
    """With a fault at one request of every command, the end and each effect are those of a day without faults."""

    async def both() -> None:
        book, effects, verdicts = _quiet_day(name)
        assert set(verdicts) == {Verdict.DONE}
        book_now, effects_now, verdicts_now = await _day(name, fault, kind)
        unreadable = [not spec.readable for spec in _specs(name)]
        for verdict, blind in zip(verdicts_now, unreadable, strict=True):
            assert verdict is Verdict.DONE or (blind and verdict is Verdict.MANUAL), (fault, kind, verdicts_now)
        if not any(unreadable):
            assert book_now == book
        # A step between two states may be skipped where its acknowledgement was empty; none may be doubled.
        assert not effects_now - effects, "something was done twice"

    _quiet_day(name)
    asyncio.run(both())


@pytest.mark.parametrize("name", adapter_names())
def test_a_system_that_is_away_is_unreachable(name: str) -> None:
    async def run() -> None:
        async with build_simulator(name, _menu()) as simulator:
            site = site_to(name, simulator)
        adapter = connect(site)
        answer = await adapter.plan(tasks_of(name, 3)[0])
        assert isinstance(answer, Answer)
        assert answer.outcome is Outcome.UNREACHABLE, answer
        await adapter.close()

    asyncio.run(run())


@pytest.mark.parametrize("name", adapter_names())
def test_many_subscribers_at_once(name: str) -> None:
    """Different subscribers are asked about at the same time; each gets his own answers."""

    async def run() -> None:
        acts = manifest_of(name).acts
        async with build_simulator(name, _menu()) as simulator:
            adapter = connect(site_to(name, simulator))

            async def one(number: int) -> list[Verdict]:
                return [
                    (await carry_out(adapter, task, readable=acts[task.act].readable)).verdict
                    for task in tasks_of(name, number)
                ]

            ends = await asyncio.gather(*(one(number) for number in range(10, 18)))
            assert {verdict for verdicts in ends for verdict in verdicts} == {Verdict.DONE}
            await adapter.close()

    asyncio.run(run())


def _specs(name: str) -> list[object]:
    acts = manifest_of(name).acts
    return [acts[task.act] for task in tasks_of(name, 2)]


Day = tuple[dict[str, object], "Counter[object]", list[Verdict]]


@cache
def _quiet_day(name: str) -> Day:
    return asyncio.run(_day(name))


async def _day(name: str, fault: Fault | None = None, kind: Kind | None = None) -> Day:
    acts = manifest_of(name).acts
    async with build_simulator(name, _menu(seed=7)) as simulator:
        adapter = connect(site_to(name, simulator, IMPATIENT_S))
        verdicts = []
        for task in tasks_of(name, 2):
            if fault is not None:
                simulator.menu.clear()
                simulator.menu.add(fault, on=kind, count=1)
            verdicts.append((await carry_out(adapter, task, readable=acts[task.act].readable)).verdict)
        await adapter.close()
        return dict(simulator.book), Counter(simulator.effects), verdicts
