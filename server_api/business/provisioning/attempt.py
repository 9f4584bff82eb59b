"""One attempt at one command: look, write, look again. What it means for the command is a verdict; nothing is guessed.

Between ``begin`` and ``finish`` the engine stores that something is about to be sent. Whoever finds a command in that
state after a crash begins with ``sent=True``: it is read back before anything is written again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from enum import StrEnum

from server_api.business.provisioning.contract import NOT_YET, Adapter, Answer, Exchange, Outcome, Plan, Task

#: Some systems acknowledge before they have done it; a second look after this pause spares a second write.
SETTLE_S = 0.2
UNREADABLE = "UNREADABLE"


class Verdict(StrEnum):
    """What an attempt means for its command."""

    DONE = "done"
    REFUSED = "refused"
    AGAIN = "again"
    """Nothing hangs in the air: plan again later."""
    UNKNOWN = "unknown"
    """Something was sent and cannot be read back now: read back later."""
    MANUAL = "manual"
    """Nobody but a person can tell."""


@dataclass(frozen=True)
class Ending:
    """How an attempt ended."""

    verdict: Verdict
    code: str = ""
    text: str = ""
    retry_after_s: float | None = None
    exchanges: tuple[Exchange, ...] = ()
    unreachable: bool = False


async def begin(adapter: Adapter, task: Task, *, sent: bool) -> Plan | Ending:
    """Find out what is to be written; ``sent`` = something may have been written before, so look for that first."""
    said: tuple[Exchange, ...] = ()
    if sent:
        found = await adapter.read_back(Plan(task, ()))
        said = found.exchanges
        if found.outcome is Outcome.DONE:
            return _ending(Verdict.DONE, found)
        if found.outcome is Outcome.UNKNOWN:
            return _ending(Verdict.MANUAL, replace(found, code=found.code or UNREADABLE))
        if found.code != NOT_YET:
            return _ending(Verdict.UNKNOWN, found)
    planned = await adapter.plan(task)
    if isinstance(planned, Plan):
        return replace(planned, exchanges=said + planned.exchanges)
    planned = replace(planned, exchanges=said + planned.exchanges)
    match planned.outcome:
        case Outcome.ALREADY | Outcome.DONE:
            return _ending(Verdict.DONE, planned)
        case Outcome.REFUSED:
            return _ending(Verdict.REFUSED, planned)
        case _:
            return _ending(Verdict.AGAIN, planned)


async def finish(adapter: Adapter, plan: Plan, *, readable: bool, settle_s: float = SETTLE_S) -> Ending:
    """Write what was planned and look whether it is so."""
    wrote = await adapter.execute(plan)
    if wrote.outcome in (Outcome.BUSY, Outcome.UNREACHABLE):
        return _ending(Verdict.AGAIN, wrote)
    if not readable:
        verdict = {
            Outcome.DONE: Verdict.DONE,
            Outcome.ALREADY: Verdict.DONE,
            Outcome.REFUSED: Verdict.REFUSED,
        }.get(wrote.outcome, Verdict.MANUAL)
        return _ending(verdict, wrote)
    found = await adapter.read_back(plan)
    if found.code == NOT_YET and wrote.outcome is not Outcome.REFUSED:
        await asyncio.sleep(settle_s)
        found = replace(later := await adapter.read_back(plan), exchanges=found.exchanges + later.exchanges)
    found = replace(found, exchanges=wrote.exchanges + found.exchanges)
    if found.outcome is Outcome.DONE:
        return _ending(Verdict.DONE, replace(found, code=wrote.code, text=wrote.text))
    if wrote.outcome is Outcome.REFUSED and found.code == NOT_YET:
        # It says no, and it is not so. Where nobody could look, the no may answer a second try of what was done.
        return _ending(Verdict.REFUSED, replace(wrote, exchanges=found.exchanges))
    if found.outcome is Outcome.UNKNOWN:
        return _ending(Verdict.MANUAL, replace(found, code=found.code or UNREADABLE))
    if found.code == NOT_YET:
        return _ending(Verdict.AGAIN, replace(found, text=wrote.text or found.text))
    return _ending(Verdict.UNKNOWN, found)


def _ending(verdict: Verdict, answer: Answer) -> Ending:
    return Ending(
        verdict,
        answer.code or answer.outcome.value.upper(),
        answer.text,
        answer.retry_after_s,
        answer.exchanges,
        answer.outcome is Outcome.UNREACHABLE,
    )
