"""One MML session: signed in, one command after the other, each matched with its own report by its echo."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from server_api.business.provisioning.adapters.switch_mml.profile import Profile
from server_api.business.provisioning.adapters.switch_mml.wire import Parser, Report, normal
from server_api.business.provisioning.contract import AUTH, Answer, Exchange, Outcome
from server_api.business.provisioning.manifest import Site
from shared_models.values.clock import SystemClock

_CLOCK = SystemClock()
_READ = 65536
_SHOWN = 4000
_REMEMBERED = 256


@dataclass
class Talk:
    """What was said during one method of the adapter."""

    exchanges: list[Exchange] = field(default_factory=list)

    def answer(self, outcome: Outcome, code: str = "", text: str = "") -> Answer:
        return Answer(outcome, code, text, exchanges=tuple(self.exchanges))

    def passed_on(self, answer: Answer) -> Answer:
        return replace(answer, exchanges=tuple(self.exchanges))


class Session:
    """The only session to one exchange; whoever wants to say something waits for his turn."""

    def __init__(self, site: Site, profile: Profile) -> None:
        self._site = site
        self._profile = profile
        self._turn = asyncio.Lock()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._parser = Parser(site.text("encoding"))
        self._seen: deque[int] = deque(maxlen=_REMEMBERED)

    async def ask(self, talk: Talk, command: str) -> Report | Answer:
        """Say a command and wait for its report. An Answer is UNREACHABLE, BUSY (refused by words) or UNKNOWN.

        A session that has ended is begun again, once: nothing was done in it.
        """
        async with self._turn:
            for _ in range(2):
                entered = await self._entered(talk)
                if entered is not None:
                    return entered
                report = await self._said(talk, command, command)
                if isinstance(report, Answer):
                    return report
                if report.code != 0 and self._profile.means("not_logged_in", report.text):
                    self._drop()
                    continue
                if report.code != 0 and self._profile.means("busy", report.text):
                    return Answer(Outcome.BUSY, str(report.code), report.text)
                return report
            return Answer(Outcome.UNREACHABLE, AUTH, "the session ends as soon as it is begun")

    async def close(self) -> None:
        """Sign out and hang up."""
        async with self._turn:
            writer = self._writer
            if writer is not None and not writer.is_closing():
                try:
                    writer.write(self._bytes(self._profile.logout(self._site.text("operator"))))
                    await asyncio.wait_for(writer.drain(), self._site.timeout_s)
                except (OSError, TimeoutError):
                    self._drop()  # it was gone already: then there is nothing to sign out of
            self._drop()

    # ---- one turn at a time ----
    async def _entered(self, talk: Talk) -> Answer | None:
        """Connect and sign in where that is not so; what went wrong, or None."""
        if self._writer is not None and not self._writer.is_closing():
            return None
        host, port = self._site.text("host"), self._site.number("port")
        try:
            opened = asyncio.open_connection(host, port)
            self._reader, self._writer = await asyncio.wait_for(opened, self._site.timeout_s)
        except (OSError, TimeoutError) as error:
            return Answer(Outcome.UNREACHABLE, "CONNECT", str(error) or type(error).__name__)
        self._parser, self._seen = Parser(self._site.text("encoding")), deque(maxlen=_REMEMBERED)
        login = self._profile.login(self._site.text("operator"), self._site.secret("password"))
        for command, echo in (
            (login, login.partition(":")[0] + ":"),
            *((one, one) for one in self._profile.after_login),
        ):
            report = await self._said(talk, command, echo)
            if isinstance(report, Answer):
                self._drop()
                return replace(report, outcome=Outcome.UNREACHABLE)
            if report.code != 0:
                self._drop()
                busy = self._profile.means("busy", report.text)
                return Answer(Outcome.BUSY if busy else Outcome.UNREACHABLE, "" if busy else AUTH, report.text)
        return None

    async def _said(self, talk: Talk, command: str, echo: str) -> Report | Answer:
        assert self._reader is not None
        assert self._writer is not None
        at = _CLOCK.now()
        try:
            self._writer.write(self._bytes(command))
            report = await asyncio.wait_for(self._report_to(normal(echo)), self._site.timeout_s)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            # What comes late would be taken for the answer to something else: the session is over.
            self._drop()
            talk.exchanges.append(Exchange(command, "", at))
            return Answer(Outcome.UNKNOWN, "NO_REPLY", str(error) or type(error).__name__)
        talk.exchanges.append(Exchange(command, report.raw[:_SHOWN], at))
        return report

    async def _report_to(self, echo: str) -> Report:
        """The report to this command; alarms, other people's reports and repetitions go by."""
        rows: list[Mapping[str, str]] = []
        reader = self._reader
        assert reader is not None
        while True:
            data = await reader.read(_READ)
            if not data:
                raise ConnectionResetError("the exchange hung up")
            for report in self._parser.feed(data):
                if report.sequence is not None:
                    if report.sequence in self._seen:
                        continue
                    self._seen.append(report.sequence)
                if report.code is None or report.echo is None or not _answers(report.echo, echo):
                    continue
                rows.extend(report.rows)
                if not report.more:
                    return replace(report, rows=tuple(rows))

    def _bytes(self, command: str) -> bytes:
        return (command + "\r\n").encode(self._site.text("encoding"))

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


def _answers(echo: str, command: str) -> bool:
    """The whole command, or for a login (whose password comes back masked) its verb."""
    return echo.startswith(command) if command.endswith(":") else echo == command
