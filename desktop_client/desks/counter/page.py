"""The counter's page: builds the panels, connects them to the presenter, and shows its state."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop_client.desks.counter.customer_panel import CustomerPanel
from desktop_client.desks.counter.pay_panel import PayPanel
from desktop_client.desks.counter.presenter import CounterPresenter
from desktop_client.desks.counter.search_panel import SearchPanel
from desktop_client.desks.counter.state import CounterState, Stage
from desktop_client.shell.page import Page, PageCommand
from desktop_client.widgets.basic import icon, label
from desktop_client.widgets.sheet import ReasonSheet
from desktop_client.wording import Wording
from shared_models.contracts.desk import DeskPayment


class CounterPage(Page):
    """Search on the left, the one screen on the right, the payment below it."""

    def __init__(self, presenter: CounterPresenter, wording: Wording) -> None:
        super().__init__()
        self.setObjectName("counterPage")
        self.presenter = presenter
        self._wording = wording
        self._shown: CounterState | None = None
        self._reversing: DeskPayment | None = None
        self.search = SearchPanel(wording)
        self.customer = CustomerPanel(wording)
        self.pay = PayPanel(wording)
        self.reason = ReasonSheet(
            self, prompt=wording.say("counter.reverse_reason"), sure=wording.say("counter.reverse_sure"),
            cancel=wording.say("counter.cancel"), name="reverseSheet",
        )
        self._build()
        self._connect()
        presenter.listener = self._show
        self._show(presenter.state)

    def _build(self) -> None:
        self.search.setFixedWidth(284)
        welcome = QWidget()
        middle = QVBoxLayout(welcome)
        picture = label()
        picture.setPixmap(icon("counter").pixmap(72, 72))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        words = label(self._wording.say("counter.welcome"), "heading", "welcome")
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        more = label(self._wording.say("counter.welcome_detail"), "muted")
        more.setAlignment(Qt.AlignmentFlag.AlignCenter)
        middle.addStretch(2)
        for one in (picture, words, more):
            middle.addWidget(one)
        middle.addStretch(3)
        screen = QWidget()
        column = QVBoxLayout(screen)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.customer, 1)
        column.addWidget(self.pay)
        self._right = QStackedWidget()
        self._right.addWidget(welcome)
        self._right.addWidget(screen)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(10)
        layout.addWidget(self.search)
        layout.addWidget(self._right, 1)
        self.reason.raise_()

    def _connect(self) -> None:
        presenter = self.presenter
        self.search.typed.connect(lambda words: presenter.search(words))
        self.search.entered.connect(self._on_entered)
        self.search.chosen.connect(presenter.open_customer)
        self.search.more.connect(presenter.more_hits)
        self.customer.account_chosen.connect(self._on_account)
        self.pay.prepare.connect(presenter.prepare)
        self.pay.confirm.connect(presenter.confirm)
        self.pay.back.connect(presenter.back)
        self.pay.next_customer.connect(self.begin)
        self.reason.given.connect(self._on_reason)

    # ---- the window asks -----------------------------------------------------------------------------------------
    def commands(self) -> list[PageCommand]:
        say, state = self._wording.say, self.presenter.state
        known = state.desk is not None
        still = state.stage is not Stage.TAKING
        several = known and len(state.desk.accounts) > 1 if state.desk is not None else False
        return [
            PageCommand("F5", say("key.refresh"), self.presenter.refresh, known and still),
            PageCommand("F6", say("key.account"), self.presenter.next_account,
                        several and state.stage is Stage.CUSTOMER),
            PageCommand("F7", say("key.print"), self._on_print, known and still),
            PageCommand("F8", say("key.reverse"), self._on_reverse, known and still and self._reversible() is not None),
            PageCommand("F9", say("key.advance"), self.pay.advance, known and still),
        ]

    def arrive(self) -> None:
        if self.presenter.state.stage is Stage.SEARCH:
            self.search.box.setFocus()
        else:
            self.pay.take_cursor()

    def begin(self) -> None:
        """F2: the next customer."""
        self.reason.close_sheet()
        self.presenter.next_customer()
        if self.presenter.state.stage is Stage.SEARCH:
            self.pay.start_over()
            self.search.begin()

    def back(self) -> bool:
        if self.reason.isVisible():
            self.reason.close_sheet()
            return True
        return self.presenter.back()

    def may_leave(self) -> bool:
        return self.presenter.state.stage is not Stage.TAKING

    # ---- what the teller did -------------------------------------------------------------------------------------
    def _on_entered(self, words: str) -> None:
        """Enter in the search box: choose among what is shown, or search and open the only one."""
        state = self.presenter.state.search
        if state.hits and not state.busy and words.strip() == state.words:
            if len(state.hits) == 1:
                self.presenter.open_customer(state.hits[0].customer_id)
            else:
                self.search.enter_list()
            return
        self.presenter.search(words, entered=True)

    def _on_account(self, index: int) -> None:
        self.presenter.choose_account(index)
        self.pay.amount.setFocus()

    def _on_print(self) -> None:
        """The receipt just issued, else the payment marked in the list."""
        state = self.presenter.state
        if state.receipt is not None and state.stage is Stage.TAKEN:
            self.presenter.papers.print_again()
            return
        payment = self.customer.selected_payment()
        if payment is not None:
            self.presenter.papers.reprint(payment.receipt_no)

    def _reversible(self) -> DeskPayment | None:
        """The payment marked in the list; without a mark the newest that can be reversed."""
        marked = self.customer.marked_payment()
        if marked is not None:
            return marked if marked.reversible else None
        account = self.presenter.state.account
        return next((one for one in account.recent_payments if one.reversible), None) if account is not None else None

    def _on_reverse(self) -> None:
        payment = self._reversible()
        if payment is None:
            return
        self._reversing = payment
        self.reason.ask(
            self._wording.say("counter.reverse_title", amount=payment.amount_fen.grouped),
            self._wording.say("counter.reverse_detail", receipt_no=payment.receipt_no),
        )

    def _on_reason(self, reason: str) -> None:
        if self._reversing is not None:
            self.presenter.papers.reverse(self._reversing, reason)
            self._reversing = None

    # ---- showing -------------------------------------------------------------------------------------------------
    def _show(self, state: CounterState) -> None:
        before, self._shown = self._shown, state
        if before is None or before.search != state.search:
            self.search.show_state(state.search)
        another = before is None or _customer_of(before) != _customer_of(state)
        undone = before is not None and before.stage in (Stage.TAKEN, Stage.KEPT) and state.stage is Stage.CUSTOMER
        if another or undone:
            self.pay.start_over()
        self._right.setCurrentIndex(0 if state.stage is Stage.SEARCH else 1)
        if state.stage is not Stage.SEARCH:
            self.customer.show_state(state)
        self.pay.show_state(state)
        self.search.setEnabled(state.stage is not Stage.TAKING)
        if before is not None and before.stage is not Stage.SEARCH and state.stage is Stage.SEARCH:
            QTimer.singleShot(0, self, self.search.box.setFocus)
        self.commands_changed.emit()


def _customer_of(state: CounterState) -> str:
    return state.desk.customer.customer_id if state.desk is not None else ""
