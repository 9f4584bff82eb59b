"""The till: open with a float, count by denomination, close the day, hand the cash over. Decides; knows no Qt.

    none --open--> open/trading --count--> counted --close--> closed --deposit--> deposited
                        ^  '---- taking money makes the count void ----'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from pydantic import BaseModel

from desktop_client.gateway.asks import closing, counting, depositing, opening, reprinting
from desktop_client.shell.act_doer import ActDoer
from desktop_client.shell.bridge import Bridge
from desktop_client.wording import Message, Tone, Wording
from desktop_client.work.acts import ActKept, Step
from desktop_client.work.runner import LatestOnly, Runner
from shared_models.contracts.cashdesk import (
    CloseTill,
    CountTill,
    DayClose,
    Denomination,
    DepositCash,
    Deposited,
    OpenTill,
    TillSession,
    TillView,
)
from shared_models.contracts.receipt import Receipt
from shared_models.values.faults.base import Fault
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import TillState

M = TypeVar("M", bound=BaseModel)
#: Notes and coins in circulation, largest first.
DENOMINATIONS: tuple[Fen, ...] = tuple(Fen(fen) for fen in (10000, 5000, 2000, 1000, 500, 100, 50, 10))


@dataclass(frozen=True, slots=True)
class TillDeskState:
    """Everything the page shows. ``pieces`` are typed counts by value in fen."""

    loading: bool = True
    working: bool = False
    till: TillSession | None = None
    pieces: Mapping[int, int] = field(default_factory=dict)
    problem: str = ""
    bad_field: str = ""
    last_paper: Receipt | None = None

    @property
    def counted(self) -> Fen:
        """What the typed pieces come to."""
        return Fen.total(Fen(value) * pieces for value, pieces in self.pieces.items())

    @property
    def stage(self) -> str:
        """none, trading (also just opened), counted, closed or deposited."""
        if self.till is None:
            return "none"
        return "trading" if self.till.state is TillState.OPEN else self.till.state.value

    @property
    def ready(self) -> bool:
        """Whether an act can begin: none is under way, and it is known how the till stands. Reading it once more does
        not hold up a teller who is faster."""
        return not self.working and (self.till is not None or not self.loading)


class TillGateway(Protocol):
    """The till routes that read."""

    def current(self) -> TillView: ...


class TillPresenter:
    """State in ``state``; every change is told to ``listener``."""

    def __init__(
        self, *, runner: Runner, till: TillGateway, work: ActDoer, bridge: Bridge, wording: Wording
    ) -> None:
        self._till = till
        self._work = work
        self._bridge = bridge
        self._wording = wording
        self._reads: LatestOnly[TillView] = LatestOnly(runner)
        self.state = TillDeskState()
        self.listener: Callable[[TillDeskState], None] = lambda state: None

    def refresh(self) -> None:
        """Read the till as it stands."""
        self._set(loading=True)
        self._reads.run(lambda _: self._till.current(), success=self._on_view, failure=self._on_read_failed)

    def _on_view(self, view: TillView) -> None:
        self._set(loading=False, till=view.till)

    def _on_read_failed(self, trouble: Exception) -> None:
        self._set(loading=False)
        self._bridge.tell(self._wording.of_trouble(trouble))

    def open(self, float_text: str) -> None:
        """Open the till with the float in the drawer; an empty field is no float."""
        try:
            amount = Fen.parse(float_text) if float_text.strip() else ZERO_FEN
        except Fault:
            return self._refuse("till.float_bad", "float")
        if amount.amount_fen < 0:
            return self._refuse("till.float_bad", "float")
        self._act(opening(OpenTill(float_fen=amount)), TillSession, self._on_opened)

    def set_pieces(self, value_fen: int, pieces: int) -> None:
        """So many notes of a value lie in the drawer."""
        self._set(pieces={**self.state.pieces, value_fen: max(pieces, 0)}, problem="")

    def count(self) -> None:
        """Tell the server what was counted; it knows what should be there."""
        if self.state.stage not in ("trading", "counted"):
            return
        denominations = tuple(
            Denomination(value_fen=value, pieces=pieces) for value, pieces in sorted(self.state.pieces.items())
            if pieces
        )
        request = CountTill(denominations=denominations, counted_fen=self.state.counted)
        self._act(counting(request), TillSession, self._on_counted)

    def close(self, note: str) -> None:
        """Close the day. A difference needs a note."""
        till = self.state.till
        if self.state.stage != "counted" or till is None:
            return
        if till.difference_fen and not note.strip():
            return self._refuse("till.note_missing", "note")
        self._act(closing(CloseTill(note=note.strip())), DayClose, self._on_closed)

    def deposit(self, amount_text: str, slip_no: str, bank: str) -> None:
        """Hand the day's cash to the bank."""
        if self.state.stage != "closed":
            return
        try:
            amount = Fen.parse(amount_text)
        except Fault:
            return self._refuse("till.deposit_bad", "deposit")
        if amount.amount_fen <= 0:
            return self._refuse("till.deposit_bad", "deposit")
        if not slip_no.isascii():
            return self._refuse("till.slip_no_bad", "slip_no")
        request = DepositCash(amount_fen=amount, slip_no=slip_no.strip(), bank=bank.strip())
        self._act(depositing(request), Deposited, self._on_deposited)

    def print_again(self) -> None:
        """Print the day's last paper once more; the server counts the copy and the paper says so (补打)."""
        if self.state.last_paper is not None:
            self._act(reprinting(self.state.last_paper.receipt_no), Receipt, self._on_copy)

    # ---- inside --------------------------------------------------------------------------------------------------
    def _act(self, step: Step, reply: type[M], success: Callable[[str, M], None]) -> None:
        if self.state.working:
            return
        self._bridge.clear()
        self._set(working=True, problem="", bad_field="")
        self._work.perform(step, reply, success=success, failure=self._on_failed)

    def _on_opened(self, operation_id: str, till: TillSession) -> None:
        self._stands(till=till, pieces={})
        self._bridge.tell(Message(Tone.SUCCESS, self._wording.say("till.opened", amount=till.float_fen.grouped)))
        self._work.finished(operation_id)

    def _on_counted(self, operation_id: str, till: TillSession) -> None:
        self._stands(till=till)
        self._work.finished(operation_id)

    def _on_closed(self, operation_id: str, done: DayClose) -> None:
        self._stands(till=done.till, last_paper=done.report)
        self._bridge.tell(Message(Tone.SUCCESS, self._wording.say("till.closed_done")))
        self._print(done.report, operation_id)

    def _on_deposited(self, operation_id: str, done: Deposited) -> None:
        self._stands(till=done.till, last_paper=done.slip, pieces={})
        self._bridge.tell(Message(Tone.SUCCESS, self._wording.say("till.deposited_done")))
        self._print(done.slip, operation_id)

    def _on_copy(self, operation_id: str, paper: Receipt) -> None:
        self._set(working=False)
        self._print(paper, operation_id)

    def _print(self, paper: Receipt, operation_id: str) -> None:
        def failed(trouble: Exception) -> None:
            self._bridge.tell(self._wording.of_trouble(trouble))
            self._work.finished(operation_id)

        self._work.print_receipt(paper, printed=lambda: self._work.finished(operation_id), failure=failed)

    def _on_failed(self, trouble: Exception) -> None:
        self._set(working=False)
        self._bridge.tell(self._wording.of_trouble(trouble))
        if not isinstance(trouble, ActKept):
            self.refresh()

    def _stands(self, **values: object) -> None:
        """Take the till as an act left it; a reading begun before that is of an older till."""
        self._reads.drop()
        self._set(working=False, loading=False, **values)

    def _refuse(self, key: str, field_name: str) -> None:
        self._set(problem=self._wording.say(key), bad_field=field_name)

    def _set(self, **values: object) -> None:
        self.state = replace(self.state, **values)  # type: ignore[arg-type]
        self.listener(self.state)
