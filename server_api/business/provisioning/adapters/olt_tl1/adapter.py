"""ONUs by TL1: list, write what differs, list again; and what a fault desk asks: state and optical power."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from server_api.business.provisioning.adapters.olt_tl1.profile import ProfileNotValid, read_profile
from server_api.business.provisioning.adapters.olt_tl1.session import Session, Talk
from server_api.business.provisioning.adapters.olt_tl1.wire import Reply
from server_api.business.provisioning.contract import NOT_YET, Answer, Outcome, Plan, Scalar, Step, Task
from server_api.business.provisioning.manifest import Site

_Row = Mapping[str, str]


def connect(site: Site) -> OltAdapter:
    """The adapter of a site."""
    return OltAdapter(site)


class OltAdapter:
    """One network manager with its OLTs."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._profile = read_profile(site.text("profile"))
        self._session = Session(site, self._profile)

    async def plan(self, task: Task) -> Plan | Answer:
        """List the ONU and say what is to be said."""
        talk = Talk()
        values = {**task.wanted, "onu": task.subscriber}
        try:
            row = await self._onu(talk, values)
            if isinstance(row, Answer):
                return row
            commands = await self._commands(talk, task, values, row)
        except ProfileNotValid as error:
            return talk.answer(Outcome.REFUSED, "PROFILE", str(error))
        if isinstance(commands, Answer):
            return commands
        if not commands:
            return talk.answer(Outcome.ALREADY)
        return Plan(task, tuple(Step(one.partition(":")[0], one) for one in commands), tuple(talk.exchanges))

    async def execute(self, plan: Plan) -> Answer:
        """Say the commands, stopping at the first that is denied."""
        talk = Talk()
        for step in plan.steps:
            reply = await self._session.ask(talk, step.request)
            if isinstance(reply, Answer):
                return talk.passed_on(reply)
            if not reply.done:
                return talk.answer(Outcome.REFUSED, reply.code or reply.completion, reply.text)
        return talk.answer(Outcome.DONE)

    async def read_back(self, plan: Plan) -> Answer:
        """Plan again: nothing left to say is what was wanted."""
        again = await self.plan(plan.task)
        if isinstance(again, Plan):
            return Answer(Outcome.BUSY, NOT_YET, exchanges=again.exchanges)
        if again.outcome is Outcome.ALREADY:
            return replace(again, outcome=Outcome.DONE)
        if again.outcome is Outcome.REFUSED:
            return replace(again, outcome=Outcome.BUSY, code=NOT_YET)
        return replace(again, outcome=Outcome.UNREACHABLE)

    async def states(self) -> AsyncIterator[tuple[str, Mapping[str, Scalar]]]:
        """Every ONU. Raises ConnectionError where the list cannot be had."""
        reply = await self._session.ask(Talk(), self._profile.command("list", {}))
        if isinstance(reply, Answer) or not reply.done:
            raise ConnectionError(f"{self._site.name}: {reply.text}")
        cell = self._profile.cell
        for row in reply.rows:
            yield (
                cell(row, "onu"),
                {"olt": cell(row, "olt"), "pon": cell(row, "pon"), "onu_name": cell(row, "name")},
            )

    async def measure(self, what: str, values: Mapping[str, Scalar]) -> Reply | Answer:
        """Ask for ``status`` or ``power`` of an ONU (olt, pon, auth, onu); changes nothing."""
        return await self._session.ask(Talk(), self._profile.command(what, values))

    async def close(self) -> None:
        """Sign out."""
        await self._session.close()

    async def _commands(
        self, talk: Talk, task: Task, values: Mapping[str, Scalar], row: _Row | None
    ) -> list[str] | Answer:  # fmt: skip
        if task.act == "open":
            if row is None:
                return [self._profile.command("add", values)]
            there = self._profile.cell(row, "name")
            if there == task.text("onu_name"):
                return []
            return talk.answer(Outcome.REFUSED, "OTHER_ONU", f"{task.subscriber} is there as {there}")
        if task.act == "close":
            return [] if row is None else [self._profile.command("delete", values)]
        if row is None:
            return talk.answer(Outcome.REFUSED, "NO_ONU", task.subscriber)
        vlan = await self._vlan(talk, values)
        if isinstance(vlan, Answer):
            return vlan
        return [] if vlan == task.text("vlan") else [self._profile.command("set_vlan", values)]

    async def _onu(self, talk: Talk, values: Mapping[str, Scalar]) -> _Row | Answer | None:
        rows = await self._rows(talk, "look", values)
        if isinstance(rows, Answer):
            return rows
        return next((row for row in rows if self._profile.cell(row, "onu") == values["onu"]), None)

    async def _vlan(self, talk: Talk, values: Mapping[str, Scalar]) -> str | Answer:
        rows = await self._rows(talk, "vlans", values)
        if isinstance(rows, Answer):
            return rows
        cell = self._profile.cell
        return next((cell(row, "vlan") for row in rows if cell(row, "port") == values["port"]), "")

    async def _rows(self, talk: Talk, command: str, values: Mapping[str, Scalar]) -> tuple[_Row, ...] | Answer:
        reply = await self._session.ask(talk, self._profile.command(command, values))
        if isinstance(reply, Answer):
            outcome = Outcome.UNREACHABLE if reply.outcome is Outcome.UNKNOWN else reply.outcome
            return talk.passed_on(replace(reply, outcome=outcome))
        if not reply.done and self._profile.means("absent", reply.text):
            return ()
        if not reply.done:
            return talk.answer(Outcome.REFUSED, reply.code or reply.completion, reply.text)
        return reply.rows
