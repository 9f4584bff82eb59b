"""The papers of the counter: the first print, reprint and reversal. Part of the presenter; knows no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_client.desks.counter.state import PayState, PrintState, Stage
from desktop_client.devices.receipt_printer.base import PrinterTrouble
from desktop_client.gateway.asks import reprinting, reversing
from desktop_client.wording import Message, Tone
from shared_models.contracts.desk import DeskPayment
from shared_models.contracts.payment import PaymentReversed, ReversePayment
from shared_models.contracts.receipt import Receipt

if TYPE_CHECKING:
    from desktop_client.desks.counter.presenter import CounterPresenter


class CounterPapers:
    """One paper at a time. A paper that may have come out is never printed again as an original."""

    def __init__(self, counter: CounterPresenter) -> None:
        self._counter = counter
        self._busy = False

    @property
    def busy(self) -> bool:
        """True while a reversal or reprint is on its way."""
        return self._busy

    def print_first(self, receipt: Receipt, operation_id: str) -> None:
        """Print the paper an act brought; then the act leaves the journal."""
        counter = self._counter
        counter.change(receipt=receipt, print_state=PrintState.PRINTING)

        def printed() -> None:
            self._tell_state(receipt, PrintState.PRINTED)
            counter.work.finished(operation_id)

        def failed(trouble: Exception) -> None:
            doubt = not isinstance(trouble, PrinterTrouble) or trouble.maybe_printed
            self._tell_state(receipt, PrintState.IN_DOUBT if doubt else PrintState.NOT_PRINTED)
            counter.bridge.tell(counter.wording.of_trouble(trouble))
            counter.work.finished(operation_id)

        counter.work.print_receipt(receipt, printed=printed, failure=failed)

    def print_again(self) -> None:
        """F7: the same paper where surely nothing came out, else a reprint of the newest receipt in view."""
        state = self._counter.state
        if self._busy or state.stage is Stage.TAKING:
            return
        if state.print_state is PrintState.NOT_PRINTED and state.receipt is not None:
            self._print_same(state.receipt)
        elif state.print_state is PrintState.PRINTING:
            return
        elif state.receipt is not None:
            self.reprint(state.receipt.receipt_no)

    def _print_same(self, receipt: Receipt) -> None:
        counter = self._counter
        counter.change(print_state=PrintState.PRINTING)

        def failed(trouble: Exception) -> None:
            doubt = not isinstance(trouble, PrinterTrouble) or trouble.maybe_printed
            self._tell_state(receipt, PrintState.IN_DOUBT if doubt else PrintState.NOT_PRINTED)
            counter.bridge.tell(counter.wording.of_trouble(trouble))

        counter.work.print_receipt(
            receipt, printed=lambda: self._tell_state(receipt, PrintState.PRINTED), failure=failed
        )

    def reprint(self, receipt_no: str) -> None:
        """Ask the server for another copy (补打) and print it."""
        if self._busy or not receipt_no:
            return
        self._busy = True
        self._counter.work.perform(
            reprinting(receipt_no), Receipt, success=self._on_paper, failure=self._on_failed
        )

    def reverse(self, payment: DeskPayment, reason: str) -> bool:
        """Undo a payment; the reason is kept with the act. False where the reason is missing."""
        if self._busy or not reason.strip():
            return False
        self._busy = True
        step = reversing(
            payment.payment_id, ReversePayment(reason=reason.strip()), receipt_no=payment.receipt_no,
            amount=payment.amount_fen.grouped,
        )
        self._counter.work.perform(step, PaymentReversed, success=self._on_reversed, failure=self._on_failed)
        return True

    def _on_paper(self, operation_id: str, receipt: Receipt) -> None:
        self._busy = False
        self.print_first(receipt, operation_id)

    def _on_reversed(self, operation_id: str, done: PaymentReversed) -> None:
        self._busy = False
        counter = self._counter
        text = counter.wording.say("counter.reversed", amount=done.refund_cash_fen.grouped)
        counter.bridge.tell(Message(Tone.SUCCESS, text, counter.wording.say("counter.reversed_remedy")))
        stage = Stage.CUSTOMER if counter.state.desk is not None else counter.state.stage
        counter.change(taken=None, pay=PayState(), stage=stage)
        self.print_first(done.receipt, operation_id)
        counter.refresh()

    def _on_failed(self, trouble: Exception) -> None:
        self._busy = False
        self._counter.bridge.tell(self._counter.wording.of_trouble(trouble))

    def _tell_state(self, receipt: Receipt, state: PrintState) -> None:
        """Only while that paper is still the one in view; the teller may be with the next customer."""
        shown = self._counter.state.receipt
        if shown is not None and (shown.receipt_no, shown.copy_no) == (receipt.receipt_no, receipt.copy_no):
            self._counter.change(print_state=state)
