"""What the engine stores: plans before they are sent, ends with their transcripts; many in one act, ≤ 200."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server_api.business.provisioning import rules
from server_api.business.provisioning.attempt import Ending, Verdict
from server_api.business.provisioning.contract import Exchange, Plan, Task
from server_api.business.provisioning.manifest import Site
from server_api.business.provisioning.masking import Masker
from server_api.business.provisioning.news import End, TaskEnded
from server_api.business.provisioning.pacing import pause_s
from server_api.business.provisioning.store import systems
from server_api.business.provisioning.store import tasks as commands
from server_api.platform.secrets import Secrets
from server_api.platform.unit_of_work import UnitOfWork

#: A command put to a person because the slice that asked for it would not hear how it ended.
NOT_HEARD = "NOT_HEARD"
_SHOWN = 4_000


class TurnLost(Exception):
    """Another worker holds the system: nothing of ours may be stored any more."""


@dataclass(frozen=True)
class Turn:
    """Our turn at a system: who we are and which turn it is."""

    system: str
    holder: str
    turn_no: int
    lease_s: float


@dataclass(frozen=True)
class Sending:
    """About to be sent."""

    row: Any
    plan: Plan


@dataclass(frozen=True)
class Ended:
    """A try and how it ended. ``counted`` False: the system is down, which is not this command's fault."""

    row: Any
    task: Task
    ending: Ending
    steps: int = 0
    counted: bool = True
    begun_at: datetime | None = None
    planned: tuple[Exchange, ...] = ()


def task_of(secrets: Secrets, row: Any) -> Task:
    """A command as the adapter gets it, secret fields opened."""
    wanted = dict(row.wanted or {})
    if row.wanted_sealed:
        wanted.update(json.loads(secrets.unseal(row.wanted_sealed)))
    return Task(row.task_id, row.subscriber_key, row.act_name, wanted)


def secret_values(site: Site, task: Task) -> list[str]:
    """The values of a command's secret fields."""
    spec = site.manifest.acts.get(task.act)
    fields = {} if spec is None else spec.fields
    return [str(value) for name, value in task.wanted.items() if name not in fields or fields[name].secret]


def store_batch(
    uow: UnitOfWork, *, turn: Turn, site: Site, masker: Masker, sending: Sequence[Sending], ended: Sequence[Ended]
) -> frozenset[str]:
    """Store plans and ends; returns the ids that may go on (a command withdrawn meanwhile may not).

    TaskEnded is announced in this act for each end. Raises TurnLost.
    """
    until = uow.now + timedelta(seconds=turn.lease_s)
    if not systems.hold(uow.conn, turn.system, turn.holder, turn.turn_no, until):
        raise TurnLost(turn.system)
    ids = [one.row.task_id for one in sending] + [one.row.task_id for one in ended]
    now_held = commands.held(uow, ids)
    alive = {
        task_id for task_id, row in now_held.items() if row.state in commands.OPEN
    }  # fmt: skip
    commands.mark_sent(uow.conn, [_sent(site, masker, one) for one in sending if one.row.task_id in alive])
    _store_ends(uow, site, masker, [one for one in ended if one.row.task_id in alive], now_held)
    return frozenset(alive)


def store_not_heard(uow: UnitOfWork, *, turn: Turn, one: Ended, reason: str) -> None:
    """Put a command to a person whose end nobody above would take. What it ended with stands in its text."""
    until = uow.now + timedelta(seconds=turn.lease_s)
    if not systems.hold(uow.conn, turn.system, turn.holder, turn.turn_no, until):
        raise TurnLost(turn.system)
    commands.change(
        uow.conn, one.row.task_id, commands.OPEN, state=End.MANUAL.value, in_doubt=True, result_code=NOT_HEARD,
        result_text=f"{one.ending.verdict}: {reason}"[:400],
    )  # fmt: skip


def _sent(site: Site, masker: Masker, one: Sending) -> dict[str, Any]:
    hidden = secret_values(site, one.plan.task)
    steps = [[step.name, masker.mask(step.request, hidden)[:_SHOWN]] for step in one.plan.steps]
    return {"b_id": one.row.task_id, "b_steps": steps}


def _store_ends(uow: UnitOfWork, site: Site, masker: Masker, ended: Sequence[Ended], held: dict[str, Any]) -> None:
    rows, words, news, done = [], [], [], []
    for one in ended:
        row = held[one.row.task_id]
        hidden = secret_values(site, one.task)
        text = masker.mask(one.ending.text, hidden)[:400] or None
        code = rules.ascii_code(one.ending.code) or None
        end, values = _end_of(uow.now, site, one, row)
        rows.append({"b_id": row.task_id, "b_result_code": code, "b_result_text": text, **values})
        words.append(_word(uow.now, masker, hidden, one, row, code, text))
        if end is End.DONE:
            done.append((row, one))
        if end is not None:
            news.append(TaskEnded(row.task_id, row.order_id or "", row.item_id or "", end, code or "", text or ""))
    commands.store_ends(uow.conn, rows)
    commands.add_words(uow.conn, words)
    _keep_states(uow, site, done)
    for piece in news:
        uow.announce(piece)


def _end_of(now: datetime, site: Site, one: Ended, row: Any) -> tuple[End | None, dict[str, Any]]:
    """The end a try brings, if any, and what becomes of the row."""
    verdict = one.ending.verdict
    tries = row.try_count + (1 if one.counted else 0)
    end = {Verdict.DONE: End.DONE, Verdict.REFUSED: End.REFUSED, Verdict.MANUAL: End.MANUAL}.get(verdict)
    if end is None and tries >= site.pace.attempts:
        end = End.MANUAL
    doubt = verdict in (Verdict.UNKNOWN, Verdict.MANUAL)
    due_at = row.due_at
    if end is None:
        pause = one.ending.retry_after_s or pause_s(site.pace.retry_s, max(tries, 1))
        due_at = now + timedelta(seconds=pause)
    return end, {
        "b_state": end.value if end is not None else ("sent" if doubt else "waiting"),
        "b_in_doubt": doubt,
        "b_due_at": due_at,
        "b_try_count": tries,
        "b_word_count": row.word_count + 1,
        "b_ended_at": None if end in (None, End.MANUAL) else now,
    }


def _word(
    now: datetime, masker: Masker, hidden: list[str], one: Ended, row: Any, code: str | None, text: str | None
) -> dict[str, Any]:
    said = [
        [exchange.at.isoformat(), *(masker.mask(part, hidden)[:_SHOWN] for part in (exchange.sent, exchange.received))]
        for exchange in (*one.planned, *one.ending.exchanges)
    ]
    return {
        "task_id": row.task_id, "word_no": row.word_count + 1, "at": one.begun_at or now,
        "verdict": one.ending.verdict.value, "result_code": code, "result_text": text, "exchanges": said,
    }  # fmt: skip


def _keep_states(uow: UnitOfWork, site: Site, done: Sequence[tuple[Any, Ended]]) -> None:
    """How the subscribers of these commands were left, for the nightly comparison."""
    acts = site.manifest.acts
    changing = [
        (row, one) for row, one in done if (spec := acts.get(row.act_name)) is not None and (spec.removes or spec.sets)
    ]
    if not changing:
        return
    states = systems.kept(uow.conn, site.name, sorted({row.subscriber_key for row, _one in changing}))
    for row, one in sorted(changing, key=lambda pair: pair[0].task_no):
        states[row.subscriber_key] = acts[row.act_name].makes_of(states.get(row.subscriber_key), one.task.wanted)
    systems.keep(uow.conn, site.name, states)
