"""The till's page: how the till stands on the left, what comes next on the right."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_client.desks.till.presenter import DENOMINATIONS, TillDeskState, TillPresenter
from desktop_client.shell.page import Page, PageCommand
from desktop_client.widgets.basic import CountField, MoneyField, button, card, icon, label, restyle
from desktop_client.widgets.table import ColumnSpec, RowsModel, RowsView
from desktop_client.wording import Wording
from shared_models.contracts.cashdesk import TillSession, TillTotal
from shared_models.values.clock import town_text
from shared_models.values.money import Fen

_STAGE_TONE = {"none": "", "trading": "good", "counted": "warn", "closed": "warn", "deposited": ""}
_STEPS = ("none", "trading", "counted", "closed")


class TillPage(Page):
    """Open, count, close, hand over."""

    def __init__(self, presenter: TillPresenter, wording: Wording) -> None:
        super().__init__()
        self.setObjectName("tillPage")
        self.presenter = presenter
        self._wording = wording
        self._shown_stage = ""
        self._state_chip = label(role="chip", name="tillState")
        self._about = label(role="muted", name="tillAbout")
        self._figures: dict[str, QLabel] = {}
        self._totals = RowsModel(self._columns())
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._problem = label(role="problem", name="tillProblem")
        self._problem.setWordWrap(True)
        self.float_field = MoneyField("float")
        self.open_button = button(wording.say("till.open"), "openTill", "primary")
        self.pieces = {value.amount_fen: CountField(f"pieces{value.amount_fen}") for value in DENOMINATIONS}
        self._sums = {value.amount_fen: label() for value in DENOMINATIONS}
        self._counted = label(role="amount", name="counted")
        self._difference = label(role="figure", name="difference")
        self.count_button = button(wording.say("till.count"), "countTill", "primary")
        self.note = QLineEdit()
        self.close_button = button(wording.say("till.close"), "closeTill", "primary")
        self.deposit_field = MoneyField("deposit")
        self.slip_no, self.bank = QLineEdit(), QLineEdit()
        self.deposit_button = button(wording.say("till.deposit"), "depositCash", "primary")
        self._build()
        self._connect()
        presenter.listener = self._show
        self._show(presenter.state)

    def _columns(self) -> list[ColumnSpec[TillTotal]]:
        say = self._wording.say
        return [
            ColumnSpec(say("till.col_item"), lambda row: self._wording.one_of("till_item", row.item), stretch=True),
            ColumnSpec(say("till.col_method"), lambda row: self._wording.one_of("method", row.method.value), width=120),
            ColumnSpec(say("till.col_count"), lambda row: str(row.count), right=True, width=80),
            ColumnSpec(say("till.col_amount"), lambda row: row.amount_fen.grouped, right=True, width=130),
        ]

    # ---- building ------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(10)
        layout.addWidget(self._standing(), 5)
        layout.addWidget(self._step(), 4)

    def _standing(self) -> QFrame:
        frame, inside = card("tillCard")
        head = QHBoxLayout()
        head.addWidget(label(self._wording.say("till.title"), "title"))
        head.addWidget(self._state_chip, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addStretch(1)
        inside.addLayout(head)
        inside.addWidget(self._about)
        inside.addWidget(self._busy)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        names = ("float", "cash_in", "cash_out", "expected", "payments", "reversals")
        for number, name in enumerate(names):
            figure = label("—", "amount" if name == "expected" else "figure", f"figure_{name}")
            self._figures[name] = figure
            grid.addWidget(label(self._wording.say(f"till.{name}"), "section"), 2 * (number // 3), number % 3)
            grid.addWidget(figure, 2 * (number // 3) + 1, number % 3)
        inside.addSpacing(8)
        inside.addLayout(grid)
        inside.addSpacing(8)
        view = RowsView(self._totals, self._columns(), "totals")
        view.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        inside.addWidget(view, 1)
        return frame

    def _step(self) -> QFrame:
        frame, inside = card("stepCard")
        inside.setContentsMargins(24, 18, 24, 18)
        self._steps = QStackedWidget()
        for page in (self._open_step(), self._count_step(), self._close_step(), self._deposit_step()):
            self._steps.addWidget(page)
        inside.addWidget(self._steps, 1)
        inside.addWidget(self._problem)
        return frame

    def _titled(self, key: str, name: str = "") -> tuple[QWidget, QVBoxLayout]:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(label(self._wording.say(key), "heading", name))
        hint = label(self._wording.say(f"{key}_hint"), "muted")
        hint.setWordWrap(True)
        layout.addWidget(hint)
        layout.addSpacing(6)
        return page, layout

    def _captioned(self, layout: QVBoxLayout, key: str, field: QLineEdit) -> None:
        caption = label(self._wording.say(key), "section")
        caption.setBuddy(field)
        field.setAccessibleName(self._wording.say(key))
        layout.addWidget(caption)
        layout.addWidget(field)

    def _open_step(self) -> QWidget:
        page, layout = self._titled("till.open_title")
        picture = label()
        picture.setPixmap(icon("empty_till").pixmap(84, 84))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(1)
        layout.addWidget(picture)
        layout.addStretch(1)
        self._captioned(layout, "till.float", self.float_field)
        layout.addSpacing(8)
        self.open_button.setMinimumHeight(48)
        layout.addWidget(self.open_button)
        layout.addStretch(2)
        return page

    def _count_step(self) -> QWidget:
        page, layout = self._titled("till.count_title")
        grid = QGridLayout()
        grid.setVerticalSpacing(5)
        grid.setHorizontalSpacing(14)
        for row, value in enumerate(DENOMINATIONS):
            field = self.pieces[value.amount_fen]
            field.setFixedWidth(120)
            field.setAccessibleName(self._wording.say("till.pieces_of", value=str(value)))
            caption = label(f"¥{_short(value)}")
            caption.setBuddy(field)
            total = self._sums[value.amount_fen]
            total.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(caption, row, 0)
            grid.addWidget(label("×", "muted"), row, 1)
            grid.addWidget(field, row, 2)
            grid.addWidget(total, row, 3)
        grid.setColumnStretch(3, 1)
        layout.addLayout(grid)
        layout.addStretch(1)
        foot = QHBoxLayout()
        foot.addWidget(label(self._wording.say("till.counted"), "section"))
        foot.addStretch(1)
        foot.addWidget(self._counted)
        layout.addLayout(foot)
        self.count_button.setMinimumHeight(48)
        layout.addWidget(self.count_button)
        return page

    def _close_step(self) -> QWidget:
        page, layout = self._titled("till.close_title")
        layout.addWidget(label(self._wording.say("till.difference"), "section"))
        layout.addWidget(self._difference)
        layout.addSpacing(10)
        self.note.setObjectName("tillNote")
        self.note.setMaxLength(200)
        self._captioned(layout, "till.note", self.note)
        layout.addSpacing(10)
        self.close_button.setMinimumHeight(48)
        layout.addWidget(self.close_button)
        again = button(self._wording.say("till.count_again"), "countAgain")
        again.clicked.connect(self._count_again)
        layout.addWidget(again)
        layout.addStretch(1)
        return page

    def _deposit_step(self) -> QWidget:
        page, layout = self._titled("till.deposit_title")
        self._captioned(layout, "till.deposit_amount", self.deposit_field)
        for name, key, field in (("slipNo", "till.slip_no", self.slip_no), ("bank", "till.bank", self.bank)):
            field.setObjectName(name)
            field.setMaxLength(40)
            self._captioned(layout, key, field)
        layout.addSpacing(10)
        self.deposit_button.setMinimumHeight(48)
        layout.addWidget(self.deposit_button)
        layout.addStretch(1)
        return page

    def _connect(self) -> None:
        presenter = self.presenter
        self.float_field.returnPressed.connect(self._on_open)
        self.open_button.clicked.connect(self._on_open)
        fields = list(self.pieces.values())
        for value, field in self.pieces.items():
            field.textChanged.connect(lambda _, value=value: self._on_pieces(value))
        for field, following in zip(fields, [*fields[1:], self.count_button], strict=True):
            field.returnPressed.connect(following.setFocus)
        self.count_button.clicked.connect(presenter.count)
        self.note.returnPressed.connect(self.close_button.setFocus)
        self.close_button.clicked.connect(lambda: presenter.close(self.note.text()))
        self.deposit_field.returnPressed.connect(self.slip_no.setFocus)
        self.slip_no.returnPressed.connect(self.bank.setFocus)
        self.bank.returnPressed.connect(self.deposit_button.setFocus)
        self.deposit_button.clicked.connect(
            lambda: presenter.deposit(self.deposit_field.text(), self.slip_no.text(), self.bank.text())
        )

    # ---- the window asks -----------------------------------------------------------------------------------------
    def commands(self) -> list[PageCommand]:
        say, state = self._wording.say, self.presenter.state
        paper = state.ready and state.last_paper is not None
        return [
            PageCommand("F5", say("key.refresh"), self.presenter.refresh, not state.working),
            PageCommand("F7", say("key.print"), self.presenter.print_again, paper),
            PageCommand("F9", say(f"till.next_{state.stage}"), self._advance, state.ready),
        ]

    def arrive(self) -> None:
        self.presenter.refresh()
        self._focus_step(self.presenter.state.stage)

    def _advance(self) -> None:
        """F9: what comes next."""
        buttons = {"none": self.open_button, "trading": self.count_button, "counted": self.close_button,
                   "closed": self.deposit_button, "deposited": self.open_button}
        buttons[self.presenter.state.stage].click()

    def _on_open(self) -> None:
        self.presenter.open(self.float_field.text())

    def _on_pieces(self, value_fen: int) -> None:
        self.presenter.set_pieces(value_fen, self.pieces[value_fen].pieces())

    def _count_again(self) -> None:
        self._steps.setCurrentIndex(1)
        next(iter(self.pieces.values())).setFocus()

    # ---- showing -------------------------------------------------------------------------------------------------
    def _show(self, state: TillDeskState) -> None:
        self._busy.setVisible(state.loading or state.working)
        self._show_standing(state)
        for value in DENOMINATIONS:
            pieces = state.pieces.get(value.amount_fen, 0)
            self._sums[value.amount_fen].setText((value * pieces).grouped if pieces else "")
        self._counted.setText(f"¥{state.counted.grouped}")
        self._problem.setText(state.problem)
        fields: dict[str, QLineEdit] = {"float": self.float_field, "note": self.note, "deposit": self.deposit_field,
                                        "slip_no": self.slip_no}
        for name, field in fields.items():
            restyle(field, "bad", state.bad_field == name)
        for one in (self.open_button, self.count_button, self.close_button, self.deposit_button):
            one.setEnabled(state.ready)
        if state.stage != self._shown_stage:
            self._shown_stage = state.stage
            self._steps.setCurrentIndex(_STEPS.index(state.stage) if state.stage in _STEPS else 0)
            if not state.pieces:
                for field in self.pieces.values():
                    field.clear()
            if self.isVisible():
                QTimer.singleShot(0, self, lambda: self._focus_step(state.stage))
        if state.bad_field in fields:
            fields[state.bad_field].setFocus()
        self.commands_changed.emit()

    def _show_standing(self, state: TillDeskState) -> None:
        till = state.till
        self._state_chip.setText(self._wording.say(f"till.state_{state.stage}"))
        restyle(self._state_chip, "tone", _STAGE_TONE[state.stage])
        if till is None:
            self._about.setText(self._wording.say("till.not_open"))
            for figure in self._figures.values():
                figure.setText("—")
            self._totals.set_rows([])
            return
        self._about.setText(self._wording.say(
            "till.about", opened=town_text(till.opened_at), counter=till.counter_no,
            staff=f"{till.staff_no} {till.staff_name}".strip(),
        ))
        for name, text in _figures_of(till).items():
            self._figures[name].setText(text)
        self._totals.set_rows(till.totals)
        self._show_difference(till.difference_fen)
        if not self.deposit_field.isModified():
            self.deposit_field.setText(str(till.counted_fen) if till.counted_fen is not None else "")

    def _show_difference(self, difference: Fen | None) -> None:
        if difference is None:
            self._difference.setText("—")
            return
        fen = difference.amount_fen
        key = "till.exact" if fen == 0 else "till.over" if fen > 0 else "till.short"
        shown = difference if fen > 0 else -difference
        self._difference.setText(self._wording.say(key, amount=shown.grouped))
        restyle(self._difference, "tone", "good" if fen == 0 else "bad")

    def _focus_step(self, stage: str) -> None:
        first: dict[str, QWidget] = {
            "none": self.float_field, "trading": next(iter(self.pieces.values())), "counted": self.note,
            "closed": self.deposit_field, "deposited": self.float_field,
        }
        if stage in first:
            first[stage].setFocus()


def _figures_of(till: TillSession) -> dict[str, str]:
    return {
        "float": till.float_fen.grouped, "cash_in": till.cash_in_fen.grouped, "cash_out": till.cash_out_fen.grouped,
        "expected": f"¥{till.expected_cash_fen.grouped}", "payments": str(till.payment_count),
        "reversals": str(till.reversal_count),
    }


def _short(value: Fen) -> str:
    """A denomination as it is printed on the note: 100, 0.5."""
    text = str(value).rstrip("0").rstrip(".") if value.amount_fen < 100 else str(value.amount_fen // 100)
    return text
