"""The payment: amount and cash received, what the server would do with it, and how it went. Enter moves on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop_client.desks.counter.state import CounterState, PrintState, Stage
from desktop_client.widgets.basic import MoneyField, button, icon, label, restyle
from desktop_client.wording import Wording
from shared_models.contracts.payment import PaymentPreview

_ENTRY, _CONFIRM, _RESULT = 0, 1, 2
_SHOWN_LINES = 4


class PayPanel(QFrame):
    """Signals: ``prepare(str, str)`` amount and received as typed, ``confirm``, ``back``, ``next_customer``."""

    prepare = Signal(str, str)
    confirm = Signal()
    back = Signal()
    next_customer = Signal()

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self.setObjectName("payPanel")
        self.setProperty("card", True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setFixedHeight(152)
        self._wording = wording
        self._stage: Stage | None = None
        self._shown: tuple[Stage, bool] | None = None
        self._offered = False
        self.amount = MoneyField("amount")
        self.received = MoneyField("received")
        self.go_on = button(wording.say("counter.go_on"), "goOn", "primary")
        self.sure = button(wording.say("counter.confirm"), "confirm", "primary")
        self.not_yet = button(wording.say("counter.not_yet"), "notYet")
        self.next = button(wording.say("counter.next"), "next", "primary")
        self._owed = label(role="amount", name="owed")
        self._owed_note = label(role="small", name="owedNote")
        self._problem = label(role="problem", name="payProblem")
        self._stack = QStackedLayout(self)
        for page in (self._entry(), self._confirm_page(), self._result_page()):
            self._stack.addWidget(page)
        self._connect()

    # ---- the three faces -----------------------------------------------------------------------------------------
    def _entry(self) -> QWidget:
        page, grid = QWidget(), QGridLayout()
        grid.setContentsMargins(20, 12, 20, 10)
        grid.setHorizontalSpacing(22)
        grid.setVerticalSpacing(4)
        page.setLayout(grid)
        entries = (("counter.amount", self.amount), ("counter.received", self.received))
        for column, (key, field) in enumerate(entries, 1):
            caption = label(self._wording.say(key), "section")
            caption.setBuddy(field)
            field.setAccessibleName(self._wording.say(key))
            field.setMinimumWidth(190)
            grid.addWidget(caption, 0, column)
            grid.addWidget(field, 1, column)
        self._hint = label(self._wording.say("counter.received_hint"), "small", "receivedHint")
        grid.addWidget(self._hint, 2, 2)
        grid.addWidget(label(self._wording.say("counter.to_pay"), "section"), 0, 0)
        grid.addWidget(self._owed, 1, 0)
        grid.addWidget(self._owed_note, 2, 0)
        grid.addWidget(self._problem, 2, 1, 1, 3)
        grid.setRowStretch(0, 1)
        self.go_on.setMinimumSize(150, 52)
        grid.addWidget(self.go_on, 1, 3)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        grid.setColumnStretch(2, 2)
        grid.setRowStretch(3, 1)
        return page

    def _confirm_page(self) -> QWidget:
        page = QWidget()
        layout = QHBoxLayout(page)
        layout.setContentsMargins(20, 12, 20, 12)
        layout.setSpacing(26)
        self._will_book, self._will_receive = label(role="amount", name="willBook"), label(role="figure")
        self._will_change = label(role="amount", name="willChange")
        restyle(self._will_change, "tone", "good")
        layout.addLayout(self._figures(("counter.amount", self._will_book), ("counter.received", self._will_receive)))
        layout.addLayout(self._figures(("counter.change", self._will_change)))
        self._will_do = label(name="willDo")
        self._will_do.setWordWrap(True)
        self._will_do.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        what = QVBoxLayout()
        what.setSpacing(4)
        what.addStretch(1)
        what.addWidget(label(self._wording.say("counter.will_do"), "section"))
        what.addWidget(self._will_do)
        what.addStretch(1)
        layout.addLayout(what, 1)
        buttons = QVBoxLayout()
        self.sure.setMinimumSize(170, 52)
        buttons.addStretch(1)
        buttons.addWidget(self.sure)
        buttons.addWidget(self.not_yet)
        buttons.addStretch(1)
        layout.addLayout(buttons)
        return page

    def _result_page(self) -> QWidget:
        page = QWidget()
        layout = QHBoxLayout(page)
        layout.setContentsMargins(20, 12, 20, 12)
        layout.setSpacing(26)
        self._result_picture = label()
        self._result = label(role="heading", name="result")
        self._result.setWordWrap(True)
        self._result_detail = label(role="muted", name="resultDetail")
        self._result_detail.setWordWrap(True)
        self._result_detail.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._paper = label(name="paper")
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addStretch(1)
        words.addWidget(self._result)
        words.addWidget(self._result_detail)
        words.addWidget(self._paper)
        words.addStretch(1)
        self._give_back = label(role="amount", name="giveBack")
        restyle(self._give_back, "tone", "good")
        self._give_caption = label(self._wording.say("counter.change"), "section")
        change = QVBoxLayout()
        change.setSpacing(0)
        change.addStretch(1)
        change.addWidget(self._give_caption)
        change.addWidget(self._give_back)
        change.addStretch(1)
        layout.addWidget(self._result_picture)
        layout.addLayout(words, 1)
        layout.addLayout(change)
        self.next.setMinimumSize(170, 52)
        layout.addWidget(self.next)
        return page

    def _figures(self, *rows: tuple[str, QLabel]) -> QVBoxLayout:
        layout = QVBoxLayout()
        layout.setSpacing(0)
        layout.addStretch(1)
        for key, figure in rows:
            layout.addWidget(label(self._wording.say(key), "section"))
            layout.addWidget(figure)
        layout.addStretch(1)
        return layout

    def _connect(self) -> None:
        self.amount.returnPressed.connect(self.received.setFocus)
        self.received.returnPressed.connect(self._on_prepare)
        self.go_on.clicked.connect(self._on_prepare)
        self.sure.clicked.connect(self.confirm)
        self.not_yet.clicked.connect(self.back)
        self.next.clicked.connect(self.next_customer)

    def _on_prepare(self) -> None:
        self.prepare.emit(self.amount.text(), self.received.text())

    def advance(self) -> None:
        """F9: the step that comes next, wherever the cursor is."""
        if self._stage is Stage.CUSTOMER:
            self._on_prepare()
        elif self._stage is Stage.CONFIRM:
            self.confirm.emit()
        elif self._stage in (Stage.TAKEN, Stage.KEPT):
            self.next_customer.emit()

    # ---- showing -------------------------------------------------------------------------------------------------
    def show_state(self, state: CounterState) -> None:
        """Show the stage; the cursor moves only when the stage changes."""
        usable = state.account is not None
        now = (state.stage, usable)
        changed, self._shown = self._shown != now, now
        self._stage = state.stage
        restyle(self, "stage", "confirm" if state.stage is Stage.TAKING else state.stage.value)
        if state.stage in (Stage.CONFIRM, Stage.TAKING):
            self._show_confirm(state)
        elif state.stage in (Stage.TAKEN, Stage.KEPT):
            self._show_result(state)
        else:
            self._show_entry(state)
        if changed:
            self._focus(state.stage)

    def _show_entry(self, state: CounterState) -> None:
        self._stack.setCurrentIndex(_ENTRY)
        owed = state.owed
        known = state.desk is not None and not state.desk.billing_away
        self._owed.setText(f"¥{owed.grouped}" if known else "—")
        restyle(self._owed, "tone", "bad" if owed.amount_fen > 0 else "")
        several = state.desk is not None and len(state.desk.accounts) > 1
        note = self._wording.say("counter.all_accounts", amount=state.owed_by_all.grouped) if several else ""
        self._owed_note.setText(note)
        usable = state.account is not None
        for widget in (self.amount, self.received, self.go_on):
            widget.setEnabled(usable)
        pay = state.pay
        if self.amount.text() != pay.amount_text and not (self.amount.hasFocus() and self.amount.isModified()):
            self.amount.setText(pay.amount_text)
        if not pay.received_text and not self.received.isModified():
            self.received.clear()
        self._problem.setText(pay.problem)
        self._hint.setVisible(not pay.problem)
        restyle(self.amount, "bad", pay.bad_field == "amount")
        restyle(self.received, "bad", pay.bad_field == "received")
        if pay.bad_field:
            (self.amount if pay.bad_field == "amount" else self.received).setFocus()

    def _show_confirm(self, state: CounterState) -> None:
        self._stack.setCurrentIndex(_CONFIRM)
        pay, taking = state.pay, state.stage is Stage.TAKING
        self._will_book.setText(f"¥{pay.amount.grouped}" if pay.amount else "")
        self._will_receive.setText(f"¥{pay.received.grouped}" if pay.received else "")
        self._will_change.setText(f"¥{pay.preview.change_fen.grouped}" if pay.preview else "…")
        self._will_do.setText(self._allocation(pay.preview) if pay.preview else self._wording.say("counter.asking"))
        self.sure.setText(self._wording.say("counter.taking" if taking else "counter.confirm"))
        self.sure.setEnabled(pay.preview is not None and not taking)
        self.not_yet.setEnabled(not taking)
        if pay.preview is not None and not taking and not self._offered:
            self._offered = True
            self.sure.setFocus()

    def _allocation(self, preview: PaymentPreview) -> str:
        """What the money will settle, as the server says."""
        say = self._wording.say
        lines = [
            say("counter.settles", what=applied.label or applied.bill_no, amount=applied.amount_fen.grouped)
            for applied in preview.applied[:_SHOWN_LINES]
        ]
        if len(preview.applied) > _SHOWN_LINES:
            lines.append(say("counter.and_more", count=len(preview.applied) - _SHOWN_LINES))
        if preview.advance_fen:
            lines.append(say("counter.to_advance", amount=preview.advance_fen.grouped))
        if preview.owed_after_fen:
            lines.append(say("counter.still_owed", amount=preview.owed_after_fen.grouped))
        return "\n".join(lines)

    def _show_result(self, state: CounterState) -> None:
        self._stack.setCurrentIndex(_RESULT)
        taken = state.taken
        self._give_caption.setVisible(taken is not None)
        self._give_back.setVisible(taken is not None)
        if taken is None:
            self._result_picture.setPixmap(icon("kept").pixmap(56, 56))
            self._result.setText(self._wording.say("counter.kept"))
            self._result_detail.setText(self._wording.say("counter.kept_detail"))
            self._paper.setText("")
            return
        self._result_picture.setPixmap(icon("tone_success").pixmap(56, 56))
        amount = taken.receipt.total_fen.grouped
        self._result.setText(self._wording.say("counter.taken", amount=amount))
        detail = self._wording.say("counter.taken_detail", receipt_no=taken.receipt.receipt_no,
                                   standing=self._wording.one_of("standing", taken.standing.value),
                                   balance=taken.balance_after_fen.grouped)
        self._result_detail.setText(detail)
        self._give_back.setText(f"¥{taken.change_fen.grouped}")
        shown = "" if state.print_state is PrintState.NONE else f"print.{state.print_state.value}"
        self._paper.setText(self._wording.say(shown) if shown else "")
        tone = state.print_state in (PrintState.NOT_PRINTED, PrintState.IN_DOUBT)
        restyle(self._paper, "role", "problem" if tone else "muted")

    def _focus(self, stage: Stage) -> None:
        self._offered = self._offered and stage in (Stage.CONFIRM, Stage.TAKING)
        if stage is Stage.CONFIRM and not self._offered:
            # Not left to Qt: it would give the cursor to "change it", and a quick second Enter would go back.
            self.setFocus()
        elif stage is Stage.CUSTOMER:
            self.amount.setModified(False)
            self.received.setModified(False)
            self.amount.setFocus()
        elif stage in (Stage.TAKEN, Stage.KEPT):
            self.next.setFocus()

    def take_cursor(self) -> None:
        """Put the cursor where the stage goes on."""
        where = {Stage.CUSTOMER: self.amount, Stage.CONFIRM: self.sure, Stage.TAKEN: self.next, Stage.KEPT: self.next}
        if self._stage in where:
            where[self._stage].setFocus()

    def start_over(self) -> None:
        """Another customer: nothing typed for the one before stays."""
        self.amount.clear()
        self.received.clear()
        self.amount.setModified(False)
        self.received.setModified(False)
