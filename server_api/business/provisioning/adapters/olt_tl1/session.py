"""One TL1 session: signed in, one command after the other, each matched with its reply by its tag."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from server_api.business.provisioning.adapters.olt_tl1.profile import Profile, ProfileNotValid
from server_api.business.provisioning.adapters.olt_tl1.wire import Parser, Reply
from server_api.business.provisioning.contract import AUTH, Answer, Exchange, Outcome
from server_api.business.provisioning.manifest import Site
from shared_models.values.clock import SystemClock

_CLOCK = SystemClock()
_READ = 65536
_SHOWN = 4000


@dataclass
class Talk:
    """What was said during one method of the adapter."""

    exchanges: list[Exchange] = field(default_factory=list)

    def answer(self, outcome: Outcome, code: str = "", text: str = "") -> Answer:
        return Answer(outcome, code, text, exchanges=tuple(self.exchanges))

    def passed_on(self, answer: Answer) -> Answer:
        return replace(answer, exchanges=tuple(self.exchanges))


class Session:
    """The only session to one network manager; whoever wants to say something waits for his turn."""

    def __init__(self, site: Site, profile: Profile) -> None:
        self._site = site
        self._profile = profile
        self._turn = asyncio.Lock()
        self._tags = count(1)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._parser = Parser(site.text("encoding"))

    async def ask(self, talk: Talk, command: str) -> Reply | Answer:
        """Say a command and wait for its reply. An Answer is UNREACHABLE, BUSY (refused by words) or UNKNOWN.

        A session that has ended is begun again, once: nothing was done in it.
        """
        async with self._turn:
            for _ in range(2):
                entered = await self._entered(talk)
                if entered is not None:
                    return entered
                reply = await self._said(talk, command)
                if isinstance(reply, Answer):
                    return reply
                if not reply.done and self._profile.means("not_logged_in", reply.text):
                    self._drop()
                    continue
                if not reply.done and self._profile.means("busy", reply.text):
                    return Answer(Outcome.BUSY, reply.code, reply.text)
                return reply
            return Answer(Outcome.UNREACHABLE, AUTH, "the session ends as soon as it is begun")

    async def close(self) -> None:
        """Sign out and hang up."""
        async with self._turn:
            writer = self._writer
            if writer is not None and not writer.is_closing():
                try:
                    writer.write(self._bytes(self._profile.command("logout", {}), self._tag()))
                    await asyncio.wait_for(writer.drain(), self._site.timeout_s)
                except (OSError, TimeoutError):
                    self._drop()  # it was gone already: then there is nothing to sign out of
            self._drop()

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
        self._parser = Parser(self._site.text("encoding"))
        who = {"user": self._site.text("user"), "password": self._site.secret("password")}
        try:
            reply = await self._said(talk, self._profile.command("login", who))
        except ProfileNotValid as error:
            reply = Answer(Outcome.UNREACHABLE, AUTH, str(error).replace(who["password"], "***"))
        if isinstance(reply, Answer):
            self._drop()
            return replace(reply, outcome=Outcome.UNREACHABLE)
        if not reply.done:
            self._drop()
            busy = self._profile.means("busy", reply.text)
            return Answer(Outcome.BUSY if busy else Outcome.UNREACHABLE, "" if busy else AUTH, reply.text)
        return None

    async def _said(self, talk: Talk, command: str) -> Reply | Answer:
        assert self._reader is not None
        assert self._writer is not None
        tag, at = self._tag(), _CLOCK.now()
        shown = command.replace("{tag}", tag)
        try:
            self._writer.write(self._bytes(command, tag))
            reply = await asyncio.wait_for(self._reply_to(tag), self._site.timeout_s)
        except (OSError, TimeoutError, ValueError) as error:
            # What comes late has its tag, but a stream cut in the middle cannot be read on: the session is over.
            self._drop()
            talk.exchanges.append(Exchange(shown, "", at))
            return Answer(Outcome.UNKNOWN, "NO_REPLY", str(error) or type(error).__name__)
        talk.exchanges.append(Exchange(shown, reply.raw[:_SHOWN], at))
        return reply

    async def _reply_to(self, tag: str) -> Reply:
        """The reply with this tag, its parts joined; alarms, repetitions and delays go by."""
        rows: list[Mapping[str, str]] = []
        reader = self._reader
        assert reader is not None
        while True:
            data = await reader.read(_READ)
            if not data:
                raise ConnectionResetError("the network manager hung up")
            for reply in self._parser.feed(data):
                if reply.tag != tag or reply.completion == "DELAY":
                    continue
                rows.extend(reply.rows)
                if not reply.more:
                    return replace(reply, rows=tuple(rows))

    def _tag(self) -> str:
        return f"OH{next(self._tags)}"

    def _bytes(self, command: str, tag: str) -> bytes:
        return (command.replace("{tag}", tag) + "\r\n").encode(self._site.text("encoding"))

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None
