"""Works one connected system: takes what is due, keeps pace, and stores plans and ends in batches.

Whoever holds the system's row works it alone, so rate, sessions and the order of each subscriber are kept in one place.
Plans are durable before anything is sent. A worker that dies leaves its commands ``sent``; the next one reads them
back before it writes. A worker that lost its turn without noticing cannot store anything (``TurnLost``).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server_api.business.provisioning import attempt, rules
from server_api.business.provisioning.attempt import Ending, Verdict
from server_api.business.provisioning.contract import Adapter, Plan
from server_api.business.provisioning.manifest import Site
from server_api.business.provisioning.masking import Masker
from server_api.business.provisioning.pacing import Gate, Health, Rate
from server_api.business.provisioning.service.storing import (
    Ended,
    Sending,
    Turn,
    TurnLost,
    store_batch,
    store_not_heard,
    task_of,
)
from server_api.business.provisioning.store import systems
from server_api.business.provisioning.store import tasks as commands
from server_api.platform.acts import Act, digest_of, perform, perform_soon
from server_api.platform.database import Database
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.values.clock import TOWN_ZONE
from shared_models.values.faults.base import Fault
from shared_models.values.ids import new_id

LEASE_S = 15.0
_LOOK_S = 0.3
_BREATH_S = 0.02
_CONTEXT = system_context("provisioning")
_log = logging.getLogger("onehall.provisioning")


@dataclass
class Record:
    """Something to be stored, and who waits for it."""

    what: Sending | Ended
    stored: asyncio.Future[bool]


class Runner:
    """One system while this process holds it. ``run`` returns when it was asked to stop or lost its turn."""

    def __init__(self, database: Database, site: Site, adapter: Adapter, turn: Turn) -> None:
        self._database = database
        self._site = site
        self._adapter = adapter
        self._turn = turn
        self._masker = Masker(site.secrets.values())
        self._rate = Rate(site.pace.commands_per_s)
        self._gate = Gate(site.pace.sessions)
        self._health = Health(site.pace.timeout_s)
        self._records: asyncio.Queue[Record] = asyncio.Queue()
        self._busy: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._stopping = False
        self._sure_until = time.monotonic() + turn.lease_s
        self.wake = asyncio.Event()
        #: Commands ended by this runner, for figures.
        self.ended = 0
        #: Enough under way to keep every session busy while others wait for a commit, and no more: what has begun
        #: stands before a more urgent command.
        self._most = max(site.pace.sessions * 2, min(site.pace.batch, int(site.pace.commands_per_s / 2)))

    async def run(self) -> None:
        """Work until ``stop`` is called or the turn is lost."""
        store = asyncio.create_task(self._store_records())
        try:
            while not self._stopping and not store.done():
                await self._look()
            if self._busy:
                await asyncio.wait(self._busy.values(), timeout=self._turn.lease_s)
        finally:
            for doing in list(self._busy.values()):
                doing.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)
            store.cancel()
            await asyncio.gather(store, return_exceptions=True)
            await self._adapter.close()
        if store.done() and not store.cancelled() and (error := store.exception()) is not None:
            raise error

    def stop(self) -> None:
        """Begin nothing more; what is under way is finished."""
        self._stopping = True
        self.wake.set()

    # ---- taking what is due ----
    async def _look(self) -> None:
        self.wake.clear()
        room = self._most - len(self._busy)
        if room > 0 and self._health.may_knock():
            for row in await asyncio.to_thread(self._due, room + len(self._busy)):
                if self._stopping or not await self._begin(row):
                    break
        try:
            await asyncio.wait_for(self.wake.wait(), _LOOK_S)
        except TimeoutError:
            pass  # nobody called: look again all the same, other processes ask for commands too
        await asyncio.sleep(_BREATH_S)

    def _due(self, limit: int) -> Sequence[Any]:
        now = self._database.clock.now()
        night = self._site.pace.night.open_at(now.astimezone(TOWN_ZONE).time())
        with self._database.reading() as connection:
            if systems.is_stopped(connection, self._site.name):
                return ()
            return commands.due(connection, self._site.name, now, limit, None if night else rules.BULK_FROM)

    async def _begin(self, row: Any) -> bool:
        """Begin a command; False where no more may begin now."""
        who = (row.system_name, row.subscriber_key)
        if who in self._busy:
            return True
        if self._health.down and self._busy:
            return False
        while not self._rate.take():
            await asyncio.sleep(min(0.05, self._rate.wait_s))
            if self._stopping:
                return False
        doing = asyncio.create_task(self._carry_out(row))
        self._busy[who] = doing
        doing.add_done_callback(lambda _: self._finished(who))
        return len(self._busy) < self._most

    def _finished(self, who: tuple[str, str]) -> None:
        self._busy.pop(who, None)
        if len(self._busy) < self._most // 2:
            self.wake.set()

    # ---- one command ----
    async def _carry_out(self, row: Any) -> None:
        begun_at = self._database.clock.now()
        task = task_of(self._database.secrets, row)
        spec = self._site.manifest.acts.get(row.act_name)
        readable = spec is None or spec.readable
        plan: Plan | None = None
        try:
            async with self._gate.place(row.rank_no):
                begun = await attempt.begin(self._adapter, task, sent=row.in_doubt)
            if isinstance(begun, Plan):
                plan = begun
                if not await self._stored(Sending(row, plan)):
                    return
                async with self._gate.place(row.rank_no):
                    if time.monotonic() > self._sure_until:
                        # Perhaps another worker has the system by now: whoever has it reads this command back.
                        return
                    ending = await attempt.finish(self._adapter, plan, readable=readable)
            else:
                ending = begun
        except Exception as error:  # noqa: BLE001 - a defect of an adapter must not stop the others: a person gets it
            _log.exception("%s: %s of %s", self._site.name, row.act_name, row.task_id)
            verdict = Verdict.AGAIN if plan is None and not row.in_doubt else Verdict.UNKNOWN
            ending = Ending(verdict, "DEFECT", f"{type(error).__name__}: {error}")
        counted = await self._health_after(ending)
        said = plan.exchanges if plan is not None else ()
        await self._stored(Ended(row, task, ending, counted=counted, begun_at=begun_at, planned=said))
        self.ended += 1

    async def _health_after(self, ending: Ending) -> bool:
        """Whether this try counts against the command: not while the system is down."""
        turned = self._health.met(unreachable=ending.unreachable, code=ending.code)
        if turned:
            since = self._database.clock.now() if self._health.down else None
            _log.warning("%s is %s %s", self._site.name, "down:" if since else "back", ending.code)
            await asyncio.to_thread(self._note_health, since)
        return not (ending.unreachable and self._health.down)

    def _note_health(self, since: datetime | None) -> None:
        code = rules.ascii_code(self._health.code) or None
        self._database.write(
            lambda connection: systems.note(connection, self._site.name, down_since_at=since, down_code=code)
        )

    # ---- storing ----
    async def _stored(self, what: Sending | Ended) -> bool:
        """Wait until it is durable; False where the command was withdrawn meanwhile."""
        record = Record(what, asyncio.get_running_loop().create_future())
        self._records.put_nowait(record)
        return await record.stored

    async def _store_records(self) -> None:
        """Store whatever has come together while the last batch was written. Raises TurnLost."""
        while True:
            batch = await self._next_batch()
            if batch:
                await self._store(batch)
            elif not await asyncio.to_thread(self._still_ours):
                raise TurnLost(self._site.name)

    async def _next_batch(self) -> list[Record]:
        """Up to a batch of records; none where nothing came for a third of the lease."""
        try:
            batch = [await asyncio.wait_for(self._records.get(), self._turn.lease_s / 3)]
        except TimeoutError:
            return []
        await asyncio.sleep(0)
        while len(batch) < self._site.pace.batch and not self._records.empty():
            batch.append(self._records.get_nowait())
        return batch

    async def _store(self, batch: list[Record]) -> None:
        try:
            alive = await self._write(batch)
        except TurnLost:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, it is found out which record it belongs to
            if isinstance(error, Fault) and error.retry:
                await asyncio.sleep(0.2)
            else:
                _log.warning("%s: a batch of %s was not stored: %s", self._site.name, len(batch), error)
            for record in batch:
                await self._store_alone(record)
            return
        for record in batch:
            if not record.stored.done():
                record.stored.set_result(record.what.row.task_id in alive)

    async def _store_alone(self, record: Record) -> None:
        """Store one record; an end that a listener refuses is put to a person instead of being lost."""
        what = record.what
        for tries in range(1, 6):
            try:
                alive = await self._write([record])
            except TurnLost:
                raise
            except Fault as fault:
                if fault.retry and tries < 5:
                    await asyncio.sleep(0.2 * 2**tries)
                    continue
                reason = str(fault)
            except Exception as error:  # noqa: BLE001 - a listener's defect: it is kept with the command and shown
                reason = f"{type(error).__name__}: {error}"
            else:
                record.stored.set_result(what.row.task_id in alive)
                return
            break
        if isinstance(what, Ended):
            _log.error("%s: nobody would hear how %s ended: %s", self._site.name, what.row.task_id, reason)
            act = Act(new_id(), "provisioning.not_heard", digest_of(what.row.task_id), _CONTEXT)
            work = _not_heard(self._turn, what, reason)
            await asyncio.to_thread(perform, self._database, act, work)
        record.stored.set_result(False)

    async def _write(self, batch: list[Record]) -> frozenset[str]:
        sending = [record.what for record in batch if isinstance(record.what, Sending)]
        ended = [record.what for record in batch if isinstance(record.what, Ended)]
        found: list[frozenset[str]] = []

        def work(uow: UnitOfWork) -> None:
            found[:] = [
                store_batch(
                    uow, turn=self._turn, site=self._site, masker=self._masker, sending=sending, ended=ended
                )
            ]  # fmt: skip

        act = Act(new_id(), "provisioning.store", digest_of(len(batch)), _CONTEXT)
        sure_until = time.monotonic() + self._turn.lease_s
        await perform_soon(self._database, act, work)
        self._sure_until = sure_until
        return found[0]

    def _still_ours(self) -> bool:
        until = self._database.clock.now() + timedelta(seconds=self._turn.lease_s)
        turn, sure_until = self._turn, time.monotonic() + self._turn.lease_s
        ours = self._database.write(
            lambda connection: systems.hold(connection, turn.system, turn.holder, turn.turn_no, until)
        )
        if ours:
            self._sure_until = sure_until
        return ours


def _not_heard(turn: Turn, one: Ended, reason: str) -> Any:
    def work(uow: UnitOfWork) -> None:
        store_not_heard(uow, turn=turn, one=one, reason=reason)

    return work
