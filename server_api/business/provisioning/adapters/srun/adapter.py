"""Broadband accounts on Srun: look, write what differs, look again. A dropped session is gone when it is not listed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from server_api.business.provisioning.adapters.srun import wire
from server_api.business.provisioning.contract import (
    AUTH,
    NOT_YET,
    Answer,
    Exchange,
    Outcome,
    Plan,
    Scalar,
    Step,
    Task,
)
from server_api.business.provisioning.manifest import Site
from server_api.business.provisioning.rest import RestLink, RestReply

#: v1 tokens live two hours; fetched anew well before.
_TOKEN_LIFE_S = 7200.0
_TOKEN_EARLY_S = 300.0
_PAGE = 500
_BUSY_STATUS = (429, 502, 503, 504)


@dataclass
class _Talk:
    """What was said during one method of the adapter."""

    exchanges: list[Exchange] = field(default_factory=list)

    def answer(self, outcome: Outcome, code: str = "", text: str = "", retry_after_s: float | None = None) -> Answer:
        return Answer(outcome, code, text, retry_after_s, tuple(self.exchanges))

    def passed_on(self, answer: Answer) -> Answer:
        """A failed request as the answer of the whole."""
        return replace(answer, exchanges=tuple(self.exchanges))

    def not_read(self, answer: Answer) -> Answer:
        """A question that got no answer changed nothing: UNREACHABLE, whatever became of it."""
        outcome = Outcome.UNREACHABLE if answer.outcome is Outcome.UNKNOWN else answer.outcome
        return self.passed_on(replace(answer, outcome=outcome))


def connect(site: Site) -> SrunAdapter:
    """The adapter of a site."""
    return SrunAdapter(site)


class SrunAdapter:
    """One Srun installation."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._v2 = site.text("api") == "v2"
        self._rest = RestLink(
            site.text("base_url"), timeout_s=site.timeout_s, verify=site.flag("verify_tls"),
            connections=site.pace.sessions,
        )  # fmt: skip
        self._token = ""
        self._token_until = 0.0
        self._login = asyncio.Lock()

    async def plan(self, task: Task) -> Plan | Answer:
        """Look the user up and say what is to be written."""
        talk = _Talk()
        seen = await self._user(talk, task.subscriber)
        if isinstance(seen, Answer):
            return seen
        if task.act == "open":
            calls = self._opening(task, seen, talk)
        elif seen is None:
            if task.act == "close":
                return talk.answer(Outcome.ALREADY)
            return talk.answer(Outcome.REFUSED, "NO_USER", f"{task.subscriber}: no such user")
        else:
            calls = await self._writing(task, seen, talk)
        if isinstance(calls, Answer):
            return calls
        if not calls:
            return talk.answer(Outcome.ALREADY)
        steps = tuple(Step(call.path.rsplit("/", 1)[-1], call.text()) for call in calls)
        return Plan(task, steps, tuple(talk.exchanges))

    async def execute(self, plan: Plan) -> Answer:
        """Write the steps, stopping at the first that is not acknowledged."""
        talk = _Talk()
        for number, step in enumerate(plan.steps):
            reply = await self._ask(talk, wire.Call.read(step.request))
            if isinstance(reply, Answer):
                if number and reply.outcome in (Outcome.BUSY, Outcome.UNREACHABLE):
                    # Something was written before: only a look can tell how far it is.
                    reply = replace(reply, outcome=Outcome.UNKNOWN)
                return talk.passed_on(reply)
            code = wire.code_of(reply)
            if code != wire.OK:
                await self._rest.renew()
                return talk.answer(Outcome.REFUSED, str(code), str(reply.get("message", "")))
        return talk.answer(Outcome.DONE)

    async def read_back(self, plan: Plan) -> Answer:
        """Plan again: nothing left to write is what was wanted."""
        again = await self.plan(plan.task)
        if isinstance(again, Plan):
            return Answer(Outcome.BUSY, NOT_YET, exchanges=again.exchanges)
        if again.outcome is Outcome.ALREADY:
            return replace(again, outcome=Outcome.DONE)
        if again.outcome is Outcome.REFUSED:
            return replace(again, outcome=Outcome.BUSY, code=NOT_YET)
        return replace(again, outcome=Outcome.UNREACHABLE)

    async def states(self) -> AsyncIterator[tuple[str, Mapping[str, Scalar]]]:
        """Every user, page by page. Raises ConnectionError where a page cannot be had."""
        page = 1
        while True:
            reply = await self._ask(_Talk(), wire.list_users(page, _PAGE))
            if isinstance(reply, Answer):
                raise ConnectionError(f"page {page}: {reply.code} {reply.text}")
            if wire.code_of(reply) != wire.OK:
                raise ConnectionError(f"page {page}: {reply.get('code')} {reply.get('message', '')}")
            users = wire.read_users(reply.get("data"))
            for user in users:
                yield user.name, user.state()
            if len(users) < _PAGE:
                return
            page += 1

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    # ---- what is to be written ----
    def _opening(self, task: Task, seen: wire.User | None, talk: _Talk) -> list[wire.Call] | Answer:
        if seen is None:
            return [wire.open_user(task.subscriber, task.wanted, self._site.text("manager"))]
        if seen.status == wire.NORMAL and task.text("product_id") in seen.products:
            return []
        said = f"status {seen.status}, product {','.join(seen.products)}"
        return talk.answer(Outcome.REFUSED, "OTHER_USER", f"{task.subscriber} is there already: {said}")

    async def _writing(self, task: Task, seen: wire.User, talk: _Talk) -> list[wire.Call] | Answer:
        name = task.subscriber
        match task.act:
            case "close":
                return [wire.close_user(name)]
            case "suspend":
                return await self._suspending(task, seen, talk)
            case "resume":
                return [] if seen.status == wire.NORMAL else [wire.set_status(name, wire.NORMAL)]
            case "change_product":
                new = task.text("product_id")
                return [] if new in seen.products else [wire.transfer_product(name, (*seen.products, "")[0], new)]
            case "reset_password":
                return await self._password(task, talk)
            case "limit_sessions":
                sessions = int(task.text("sessions"))
                return [] if seen.sessions == sessions else [wire.set_sessions(name, sessions)]
            case "kick":
                return await self._drops(name, talk)
            case _:
                return talk.answer(Outcome.REFUSED, "NO_ACT", task.act)

    async def _suspending(self, task: Task, seen: wire.User, talk: _Talk) -> list[wire.Call] | Answer:
        """The status, and every session that goes on: a suspended user who stays online is not suspended."""
        status = task.text("status")
        drops = await self._drops(task.subscriber, talk)
        if isinstance(drops, Answer):
            return drops
        return ([] if seen.status == status else [wire.set_status(task.subscriber, status)]) + drops

    async def _drops(self, name: str, talk: _Talk) -> list[wire.Call] | Answer:
        reply = await self._ask(talk, wire.sessions_online(name))
        if isinstance(reply, Answer):
            return talk.not_read(reply)
        if wire.code_of(reply) != wire.OK:
            return talk.answer(Outcome.REFUSED, str(wire.code_of(reply)), str(reply.get("message", "")))
        return [wire.drop_session(name, online) for online, of in wire.read_online(reply.get("data")) if of == name]

    async def _password(self, task: Task, talk: _Talk) -> list[wire.Call] | Answer:
        password = task.text("password")
        reply = await self._ask(talk, wire.check_password(task.subscriber, password))
        if isinstance(reply, Answer):
            return talk.not_read(reply)
        same = wire.code_of(reply) == wire.OK
        return [] if same else [wire.set_password(task.subscriber, password)]

    async def _user(self, talk: _Talk, name: str) -> wire.User | Answer | None:
        reply = await self._ask(talk, wire.view_user(name))
        if isinstance(reply, Answer):
            return talk.not_read(reply)
        code, text = wire.code_of(reply), str(reply.get("message", ""))
        if code == wire.OK:
            user = wire.read_user(reply.get("data"))
            if user is not None and user.name != name:
                return talk.answer(Outcome.UNREACHABLE, "WRONG_ECHO", f"asked for {name}, told of {user.name}")
            return user
        words = self._site.text("unknown_user_words")
        if words and words in text:
            return None
        return talk.answer(Outcome.REFUSED, str(code), text)

    # ---- one request, with its token ----
    async def _ask(self, talk: _Talk, call: wire.Call) -> Mapping[str, Any] | Answer:
        """The envelope, or why there is none. A session that has ended is begun again, once."""
        said = ""
        for _ in range(2):
            token = await self._signed_in(talk)
            if isinstance(token, Answer):
                return token
            reply = await self._send(talk, call, token)
            if isinstance(reply, Answer) or wire.code_of(reply) != wire.NOT_ALLOWED:
                return reply
            said = str(reply.get("message", ""))
            if self._token == token:
                self._token = ""
        return Answer(Outcome.UNREACHABLE, AUTH, said)

    async def _send(self, talk: _Talk, call: wire.Call, token: str = "") -> Mapping[str, Any] | Answer:
        fields = {**({"access_token": token} if token else {}), **call.fields}
        path = f"api/{'v2' if self._v2 else 'v1'}/{call.path}"
        if call.method == "GET":
            reply = await self._rest.request("GET", path, query=fields)
        else:
            reply = await self._rest.request(call.method, path, form=fields)
        if isinstance(reply, Answer):
            talk.exchanges.extend(reply.exchanges)
            return reply
        talk.exchanges.append(reply.exchange)
        if reply.status in _BUSY_STATUS:
            return Answer(Outcome.BUSY, str(reply.status), retry_after_s=reply.retry_after_s)
        return self._envelope(reply)

    @staticmethod
    def _envelope(reply: RestReply) -> Mapping[str, Any] | Answer:
        if wire.code_of(reply.envelope) is None:
            return Answer(Outcome.UNKNOWN, "GARBAGE", f"{reply.status}: no code in the reply")
        return reply.envelope

    async def _signed_in(self, talk: _Talk) -> str | Answer:
        async with self._login:
            if self._token and time.monotonic() < self._token_until:
                return self._token
            secret = self._site.secret("app_secret")
            call = wire.Call("GET", "auth/get-access-token")
            if self._v2:
                call = replace(call, method="POST", fields={"appId": self._site.text("app_id"), "appSecret": secret})
            reply = await self._send(talk, call)
            if isinstance(reply, Answer):
                return replace(reply, outcome=Outcome.UNREACHABLE) if reply.outcome is Outcome.UNKNOWN else reply
            data = reply.get("data")
            token = str(data.get("access_token") or "") if isinstance(data, dict) else ""
            if wire.code_of(reply) != wire.OK or not token:
                return Answer(Outcome.UNREACHABLE, AUTH, str(reply.get("message", "")))
            life = data.get("lifetime") if isinstance(data, dict) else None
            life_s = float(life) if isinstance(life, int | float) else _TOKEN_LIFE_S
            self._token, self._token_until = token, time.monotonic() + max(1.0, life_s - _TOKEN_EARLY_S)
            return token
