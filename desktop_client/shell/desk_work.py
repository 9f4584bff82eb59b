"""How desks do acts: write down, send, keep, resume, print, tell. One place, so that no desk forgets a step. No Qt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from desktop_client.devices.receipt_printer.base import PrinterTrouble
from desktop_client.gateway.trouble import Refused, Unreachable
from desktop_client.printing.service import PaperMaker
from desktop_client.shell.bridge import Bridge
from desktop_client.wording import Message, Tone, Wording
from desktop_client.work.acts import ActKept, ActState, Entry, Outcome, Step
from desktop_client.work.journal import Journal
from desktop_client.work.plans import Courier
from desktop_client.work.runner import Runner, Ticket
from shared_models.contracts.receipt import Receipt
from shared_models.values.clock import town_text

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Kept:
    """An act in the list of those without an outcome."""

    operation_id: str
    act_id: str
    title: str
    made_at: str
    state: str
    tries: int
    may_withdraw: bool


@dataclass(slots=True)
class Listeners:
    """Whoever wants to know. ``acts_changed`` gets the number of acts without an outcome."""

    acts_changed: list[Callable[[int], None]] = field(default_factory=list)
    written: list[Callable[[str], None]] = field(default_factory=list)
    """Called with the step's name after an act was booked: open pages decide to refresh."""


class DeskWork:
    """The acts of one signed-in teller at one counter. Its callbacks run on the GUI thread."""

    def __init__(
        self, *, runner: Runner, journal: Callable[[], Journal], courier_of: Callable[[Journal], Courier],
        paper: PaperMaker, bridge: Bridge, wording: Wording, owner: str,
    ) -> None:
        self._runner = runner
        self._open_journal = journal
        self._courier_of = courier_of
        self._paper = paper
        self._bridge = bridge
        self._wording = wording
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self.owner = owner
        self.listeners = Listeners()

    def perform(
        self, step: Step, reply: type[M], *, success: Callable[[str, M], None], failure: Callable[[Exception], None]
    ) -> None:
        """Do one act: on disk first, then sent. ``failure`` gets Refused, ActKept or what else went wrong.

        ``success`` gets the operation's id and the reply; the caller uses it (prints) and then calls :meth:`finished`.
        """
        def work(ticket: Ticket) -> tuple[str, M]:
            outcome = self._record_and_send([step], ticket)
            return outcome.operation_id, _understood(reply, outcome.last)

        self._runner.run(
            work, success=lambda booked: self._booked(step, booked, success),
            failure=lambda trouble: self._not_booked(trouble, failure),
        )

    def finished(self, operation_id: str) -> None:
        """The reply has been used: the act leaves the journal."""
        self._runner.run(
            lambda _: self._courier().done(operation_id), success=lambda _: self.count_kept(),
            failure=lambda trouble: self._bridge.tell(self._wording.of_trouble(trouble)),
        )

    def print_receipt(
        self, receipt: Receipt, *, printed: Callable[[], None], failure: Callable[[Exception], None]
    ) -> None:
        """Put a document on paper in the background."""
        self._runner.run(
            lambda _: self._paper.print_receipt(receipt), success=lambda _: printed(), failure=failure
        )

    # ---- acts without an outcome ---------------------------------------------------------------------------------
    def count_kept(self) -> None:
        """Tell the listeners how many acts have no outcome yet."""
        self._runner.run(
            lambda _: len(self._journal().unconfirmed_operations(self.owner)), success=self._tell_count,
            failure=lambda trouble: self._bridge.tell(self._wording.of_trouble(trouble)),
        )

    def kept(self, show: Callable[[list[Kept]], None]) -> None:
        """Fetch the list of acts still in the journal, of this teller and of others."""
        self._runner.run(lambda _: [self._shown(entry) for entry in self._journal().open_entries()], success=show)

    def resume(self, done: Callable[[], None] | None = None) -> None:
        """Send what has no outcome again, under the same ids; tell the teller what became of each."""
        self._runner.run(
            lambda ticket: self._resume_all(ticket),
            success=lambda results: self._resumed(results, done),
            failure=lambda trouble: self._bridge.tell(self._wording.of_trouble(trouble)),
        )

    def settle_leftovers(self) -> None:
        """After signing in: tell what an earlier run of the client knew but had not finished, and forget it."""
        def work(_: Ticket) -> tuple[list[Entry], int]:
            journal = self._journal()
            settled: list[Entry] = []
            for entry in journal.open_entries(self.owner):
                plan = journal.plan(entry.operation_id)
                if all(step.state in (ActState.CONFIRMED, ActState.REFUSED) for step in plan):
                    settled.append(entry)
                    journal.clear(entry.operation_id)
            others = {entry.owner for entry in journal.open_entries() if entry.owner != self.owner}
            return settled, len(others)

        self._runner.run(work, success=self._tell_leftovers)

    def _tell_leftovers(self, found: tuple[list[Entry], int]) -> None:
        entries, others = found
        if others:
            self._bridge.tell(self._wording.warning("acts.of_others"))
        for entry in entries:
            title = self._title(entry.step)
            if entry.state is ActState.CONFIRMED:
                receipt = receipt_in(entry.reply or {})
                number = receipt.receipt_no if receipt is not None else ""
                text = self._wording.say("acts.booked_before", what=title, receipt_no=number)
                self._bridge.tell(Message(Tone.WARNING, text, self._wording.say("acts.booked_before_remedy")))
            else:
                why = Refused.from_data(entry.reply or {}).text(self._wording.language)
                text = self._wording.say("acts.refused_later", what=title, why=why)
                self._bridge.tell(Message(Tone.WARNING, text))
        self.count_kept()

    def withdraw(self, operation_id: str, done: Callable[[bool], None]) -> None:
        """Take an act back that surely never left this machine."""
        def taken(gone: bool) -> None:
            self.count_kept()
            done(gone)

        self._runner.run(lambda _: self._journal().withdraw(operation_id), success=taken)

    # ---- inside --------------------------------------------------------------------------------------------------
    def _journal(self) -> Journal:
        return self._open_journal()

    def _courier(self) -> Courier:
        return self._courier_of(self._journal())

    def _record_and_send(self, steps: list[Step], ticket: Ticket) -> Outcome:
        courier = self._courier()
        operation_id = courier.record(steps, owner=self.owner)
        with self._lock:
            self._busy.add(operation_id)
        try:
            return courier.carry_out(operation_id, ticket)
        finally:
            with self._lock:
                self._busy.discard(operation_id)

    def _resume_all(self, ticket: Ticket) -> list[tuple[Entry | None, Outcome | Exception]]:
        """One try for each; the first that cannot be reached ends the round, order is kept."""
        journal, courier = self._journal(), self._courier()
        results: list[tuple[Entry | None, Outcome | Exception]] = []
        for operation_id in journal.unconfirmed_operations(self.owner):
            with self._lock:
                if operation_id in self._busy:
                    continue
                self._busy.add(operation_id)
            plan = journal.plan(operation_id)
            entry = plan[-1] if plan else None
            try:
                results.append((entry, courier.carry_out(operation_id, ticket)))
            except (ActKept, Refused) as trouble:
                results.append((entry, trouble))
                if isinstance(trouble, ActKept):
                    break
            finally:
                with self._lock:
                    self._busy.discard(operation_id)
        return results

    def _booked(self, step: Step, booked: tuple[str, M], success: Callable[[str, M], None]) -> None:
        success(*booked)
        self._tell_written(step.name)

    def _tell_written(self, step_name: str) -> None:
        for listener in self.listeners.written:
            listener(step_name)

    def _not_booked(self, trouble: Exception, failure: Callable[[Exception], None]) -> None:
        if isinstance(trouble, ActKept):
            self.count_kept()
        failure(trouble)

    def _resumed(
        self, results: list[tuple[Entry | None, Outcome | Exception]], done: Callable[[], None] | None
    ) -> None:
        for entry, result in results:
            title = self._title(entry.step) if entry is not None else ""
            if isinstance(result, Outcome):
                self._bridge.tell(Message(Tone.SUCCESS, self._wording.say("acts.resumed", what=title), stays=True))
                for name in result.replies:
                    self._tell_written(name)
                self._print_resumed(result)
            elif isinstance(result, Refused):
                message = self._wording.of_trouble(result)
                text = self._wording.say("acts.refused_later", what=title, why=message.text)
                self._bridge.tell(Message(Tone.ERROR, text, message.remedy))
        self.count_kept()
        if done is not None:
            done()

    def _print_resumed(self, outcome: Outcome) -> None:
        """The customer's paper was never printed: its reply came only now."""
        receipt = receipt_in(outcome.last)
        if receipt is None:
            self.finished(outcome.operation_id)
            return

        def failed(trouble: Exception) -> None:
            self._bridge.tell(self._wording.of_trouble(trouble))
            if isinstance(trouble, PrinterTrouble):
                self.finished(outcome.operation_id)

        self.print_receipt(receipt, printed=lambda: self.finished(outcome.operation_id), failure=failed)

    def _tell_count(self, count: int) -> None:
        for listener in self.listeners.acts_changed:
            listener(count)

    def _title(self, step: Step) -> str:
        key = step.title_key.removeprefix("ui.")
        return self._wording.say(key, **step.title_params) if key else step.name

    def _shown(self, entry: Entry) -> Kept:
        mine = entry.owner == self.owner
        return Kept(
            operation_id=entry.operation_id, act_id=entry.act_id, title=self._title(entry.step),
            made_at=town_text(entry.made_at), state=entry.state.value if mine else "others", tries=entry.tries,
            may_withdraw=mine and entry.state is ActState.WAITING,
        )


def receipt_in(reply: dict[str, Any]) -> Receipt | None:
    """The document a reply carries, under whichever of the names the contracts use; None where there is none."""
    found = next((reply[name] for name in ("receipt", "report", "slip") if isinstance(reply.get(name), dict)), reply)
    try:
        return Receipt.model_validate(found)
    except ValidationError:
        return None


def _understood(reply: type[M], content: dict[str, Any]) -> M:
    """The act is booked; a reply this client cannot read is told as such and the act stays in the journal."""
    try:
        return reply.model_validate(content)
    except ValidationError as problem:
        raise Unreachable("not_understood", maybe_sent=True, detail=f"{reply.__name__}: {problem}") from problem
