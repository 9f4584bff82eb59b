"""Works every connected system that nobody else works, in a thread of its own beside the worker's other work."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from server_api.business.provisioning.manifest import Site
from server_api.business.provisioning.pacing import loop_factory
from server_api.business.provisioning.registry import connect
from server_api.business.provisioning.runner import LEASE_S, Runner
from server_api.business.provisioning.service.storing import Turn, TurnLost
from server_api.business.provisioning.sites import SITES
from server_api.business.provisioning.store import systems
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.values.faults.base import Fault
from shared_models.values.ids import new_id

_TRY_AGAIN_S = 1.0
_log = logging.getLogger("onehall.provisioning")


class Engine:
    """Start it in a worker; close it before the databases are. Several workers share the systems among them."""

    def __init__(self, database: Database, sites: Sequence[Site] | None = None, *, lease_s: float = LEASE_S) -> None:
        self._database = database
        self._lease_s = lease_s
        self._sites = sites
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="provisioning", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runners: dict[str, Runner] = {}
        self._wake: Callable[[], None] = self._poke

    def start(self) -> None:
        """Begin; returns at once. A process without connected systems starts nothing."""
        if self._sites is None:
            self._sites = SITES.all
        if self._sites:
            self._database.after_commit.append(self._wake)
            self._thread.start()

    def close(self, timeout_s: float = 20.0) -> None:
        """Begin nothing more, finish what is under way, give the systems back."""
        self._stop.set()
        if not self._thread.is_alive():
            return
        self._call(self._stop_runners)
        self._thread.join(timeout=timeout_s)
        if self._wake in self._database.after_commit:
            self._database.after_commit.remove(self._wake)

    @property
    def ended(self) -> int:
        """Tries ended since the start, over all systems."""
        return sum(runner.ended for runner in list(self._runners.values()))

    @property
    def held(self) -> tuple[str, ...]:
        """The systems this engine holds now."""
        return tuple(sorted(self._runners))

    # ---- inside the thread ----
    def _run(self) -> None:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self._work())

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        assert self._sites is not None
        await asyncio.gather(*(self._keep_working(site) for site in self._sites))

    async def _keep_working(self, site: Site) -> None:
        holder = f"{self._database.worker_name}:{new_id()[:8]}"
        while not self._stop.is_set():
            try:
                turn = await asyncio.to_thread(self._take, site.name, holder)
                if turn is not None:
                    await self._hold(site, turn)
            except TurnLost:
                _log.warning("%s: the turn was lost", site.name)
            except Fault as trouble:
                _log.warning("%s waits: %s", site.name, trouble)
            except Exception:  # noqa: BLE001 - a defect in the machinery must not end the thread: nothing would be done
                _log.exception("%s stopped for a moment", site.name)
            await self._pause(min(_TRY_AGAIN_S, self._lease_s))

    async def _hold(self, site: Site, turn: Turn) -> None:
        runner = Runner(self._database, site, connect(site), turn)
        self._runners[site.name] = runner
        if self._stop.is_set():
            runner.stop()
        try:
            await runner.run()
        finally:
            del self._runners[site.name]
            await asyncio.to_thread(self._let_go, turn)

    def _take(self, system: str, holder: str) -> Turn | None:
        act = Act(new_id(), "provisioning.know_system", digest_of(system), system_context("provisioning"))

        def know(uow: UnitOfWork) -> None:
            systems.ensure(uow, system)

        with self._database.reading() as connection:
            known = any(row.system_name == system for row in systems.systems(connection))
        if not known:
            perform(self._database, act, know)
        now = self._database.clock.now()
        until = now + timedelta(seconds=self._lease_s)
        number = self._database.write(lambda conn: systems.take(conn, system, holder, now=now, until=until))
        return None if number is None else Turn(system, holder, number, self._lease_s)

    def _let_go(self, turn: Turn) -> None:
        self._database.write(lambda conn: systems.let_go(conn, turn.system, turn.holder, turn.turn_no))

    async def _pause(self, seconds: float) -> None:
        for _ in range(int(seconds / 0.1)):
            if self._stop.is_set():
                return
            await asyncio.sleep(0.1)

    # ---- from outside ----
    def _call(self, what: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(what)
            except RuntimeError:  # the loop has just ended: there is nobody to tell
                return

    def _poke(self) -> None:
        """After a commit in this process there may be something to do."""
        self._call(self._wake_runners)

    def _wake_runners(self) -> None:
        for runner in self._runners.values():
            runner.wake.set()

    def _stop_runners(self) -> None:
        for runner in self._runners.values():
            runner.stop()


def run_until_idle(database: Database, sites: Sequence[Site], idle: Callable[[], bool], timeout_s: float) -> bool:
    """Work these systems until ``idle`` says so; True where it did in time. For tests, tools and the command line."""
    engine = Engine(database, sites)
    engine.start()
    waited = threading.Event()
    try:
        for _ in range(int(timeout_s / 0.02)):
            if idle():
                return True
            waited.wait(0.02)
        return idle()
    finally:
        engine.close()
