"""Carrying out what the journal holds: one act or a plan of several, resumed at the first unconfirmed step.

A step's path and body may name a value of an earlier reply of the same plan: ``reply_of("open_account", "account_id")``
in a body, ``{open_account.account_id}`` in a path. Runs in the background; knows no Qt and no widgets.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from desktop_client.gateway.trouble import Refused, Unreachable
from desktop_client.work.acts import REPLY, ActKept, ActState, Entry, JournalNotUsable, Outcome, Step
from desktop_client.work.journal import Journal
from desktop_client.work.runner import Ticket

_IN_PATH = re.compile(r"\{([a-z_]+)\.([a-z_]+)\}")
#: Waits between tries when the server says "again later" (copy behind, too busy), in seconds.
RETRY_AFTER_S = (0.2, 0.5, 1.0, 2.0, 4.0)


class ActSender(Protocol):
    """The part of the gateway this needs."""

    def send_act(self, path: str, body: dict[str, Any], *, act_id: str, reason: str = "") -> dict[str, Any]:
        """Post an act. Raises Refused (nothing was stored) or Unreachable (outcome unknown, or surely not sent)."""
        ...


class Courier:
    """Writes acts down, sends them, and sends again what has no outcome. Called from background threads."""

    def __init__(self, journal: Journal, sender: ActSender, retry_after_s: tuple[float, ...] = RETRY_AFTER_S) -> None:
        self._journal = journal
        self._sender = sender
        self._retry_after_s = retry_after_s

    def record(self, steps: list[Step], *, owner: str, operation_id: str | None = None) -> str:
        """Write an operation down, durable on return; gives its id. Nothing is sent yet."""
        return self._journal.record(steps, owner=owner, operation_id=operation_id)[0].operation_id

    def carry_out(self, operation_id: str, ticket: Ticket) -> Outcome:
        """Send the unconfirmed steps in order. The replies stay in the journal until :meth:`done`.

        Raises ActKept where an outcome is unknown, Refused where the server said no: then the refused operation is
        taken out of the journal unless an earlier step of it was already done (it stays, shown to the teller).
        """
        replies: dict[str, dict[str, Any]] = {}
        for entry in self._journal.plan(operation_id):
            if entry.state is ActState.CONFIRMED and entry.reply is not None:
                replies[entry.step.name] = entry.reply
                continue
            replies[entry.step.name] = self._send(entry, replies, ticket)
        if not replies:
            raise LookupError(operation_id)
        return Outcome(operation_id, replies)

    def done(self, operation_id: str) -> None:
        """The replies have been used (the receipt is on paper): forget the operation."""
        self._journal.clear(operation_id)

    def _send(self, entry: Entry, replies: dict[str, dict[str, Any]], ticket: Ticket) -> dict[str, Any]:
        path = _filled_path(entry.step.path, replies)
        body = _filled(entry.step.body, replies)
        for wait_s in (*self._retry_after_s, None):
            self._journal.mark_sent(entry.act_id)
            try:
                reply = self._sender.send_act(path, body, act_id=entry.act_id, reason=entry.step.reason)
            except Unreachable as trouble:
                if not trouble.maybe_sent:
                    self._journal.mark_unsent(entry.act_id)
                raise ActKept(entry, trouble) from trouble
            except Refused as refusal:
                if refusal.retry and wait_s is not None:
                    ticket.sleep(wait_s)
                    continue
                if refusal.retry or refusal.must_sign_in:
                    raise ActKept(entry, refusal) from refusal
                self._journal.refuse(entry.act_id, refusal.as_data())
                if not replies:
                    self._journal.clear(entry.operation_id)
                raise
            try:
                self._journal.confirm(entry.act_id, reply)
            except JournalNotUsable as trouble:
                # Booked, but not written down here: the entry says "sent", and resuming brings the same reply again.
                raise ActKept(entry, trouble) from trouble
            return reply
        raise AssertionError("the last try either returns or raises")


def _filled(value: Any, replies: dict[str, dict[str, Any]]) -> Any:
    if isinstance(value, dict):
        if set(value) == {REPLY}:
            step, _, field = str(value[REPLY]).partition(".")
            return replies[step][field]
        return {key: _filled(part, replies) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, replies) for part in value]
    return value


def _filled_path(path: str, replies: dict[str, dict[str, Any]]) -> str:
    return _IN_PATH.sub(lambda match: str(replies[match[1]][match[2]]), path)
