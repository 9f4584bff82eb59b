"""Fixed lines on a switch by MML: list the line, say what differs, list it again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from server_api.business.provisioning.adapters.switch_mml.profile import Line, ProfileNotValid, read_profile
from server_api.business.provisioning.adapters.switch_mml.session import Session, Talk
from server_api.business.provisioning.contract import NOT_YET, Answer, Outcome, Plan, Scalar, Step, Task
from server_api.business.provisioning.manifest import Site


def connect(site: Site) -> SwitchAdapter:
    """The adapter of a site."""
    return SwitchAdapter(site)


class SwitchAdapter:
    """One exchange."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._profile = read_profile(site.text("profile"))
        self._session = Session(site, self._profile)

    async def plan(self, task: Task) -> Plan | Answer:
        """List the line and say what is to be said."""
        talk = Talk()
        if not task.subscriber.isdigit():
            return talk.answer(Outcome.REFUSED, "NO_NUMBER", task.subscriber)
        line = await self._line(talk, task.subscriber)
        if isinstance(line, Answer):
            return line
        if task.act == "open" and line is not None and not _as_opened(task, line):
            return talk.answer(Outcome.REFUSED, "OTHER_LINE", f"{line.status}, {line.equipment} {line.terminal}")
        if line is None and task.act not in ("open", "close"):
            return talk.answer(Outcome.REFUSED, "NO_LINE", task.subscriber)
        try:
            commands = self._profile.commands(task, line)
        except ProfileNotValid as error:
            return talk.answer(Outcome.REFUSED, "PROFILE", str(error))
        if not commands:
            return talk.answer(Outcome.ALREADY)
        steps = tuple(Step(command.partition(":")[0], command) for command in commands)
        return Plan(task, steps, tuple(talk.exchanges))

    async def execute(self, plan: Plan) -> Answer:
        """Say the commands, stopping at the first that is not taken."""
        talk = Talk()
        for number, step in enumerate(plan.steps):
            report = await self._session.ask(talk, step.request)
            if isinstance(report, Answer):
                if number and report.outcome in (Outcome.BUSY, Outcome.UNREACHABLE):
                    report = replace(report, outcome=Outcome.UNKNOWN)
                return talk.passed_on(report)
            if report.code != 0:
                return talk.answer(Outcome.REFUSED, str(report.code), report.text)
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
        """Every line. Raises ConnectionError where the list cannot be had."""
        report = await self._session.ask(Talk(), self._profile.list_all)
        if isinstance(report, Answer) or (report.code != 0 and not self._profile.means("absent", report.text)):
            raise ConnectionError(f"{self._site.name}: {report.text}")
        for row in report.rows:
            line = self._profile.read(row)
            if line.number:
                yield line.number, line.state()

    async def close(self) -> None:
        """Sign out."""
        await self._session.close()

    async def _line(self, talk: Talk, number: str) -> Line | Answer | None:
        report = await self._session.ask(talk, self._profile.look(number))
        if isinstance(report, Answer):
            outcome = Outcome.UNREACHABLE if report.outcome is Outcome.UNKNOWN else report.outcome
            return talk.passed_on(replace(report, outcome=outcome))
        if self._profile.means("absent", report.text) or self._profile.means("absent", report.raw):
            return None
        if report.code != 0:
            return talk.answer(Outcome.REFUSED, str(report.code), report.text)
        lines = [line for row in report.rows if (line := self._profile.read(row)).number == number]
        if not lines:
            return talk.answer(Outcome.UNREACHABLE, "WRONG_ECHO", f"the report does not tell of {number}")
        return lines[0]


def _as_opened(task: Task, line: Line) -> bool:
    same = (line.equipment, line.terminal) == (task.text("equipment"), task.text("terminal"))
    return same and line.status == "normal"
