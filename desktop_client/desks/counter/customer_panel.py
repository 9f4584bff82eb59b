"""The one screen: who it is, what is owed for all services, what is installed, what was paid."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from desktop_client.desks.counter.models import owed_columns, owed_rows, payment_columns, product_columns
from desktop_client.desks.counter.state import CounterState
from desktop_client.widgets.basic import ElidedLabel, card, icon, label, restyle
from desktop_client.widgets.table import RowsModel, RowsView
from desktop_client.wording import Wording
from shared_models.contracts.desk import DeskAccount, DeskCustomer, DeskPayment

_STANDING_TONE = {"clear": "good", "owing": "warn", "overdue": "bad", "restricted": "bad"}


class CustomerPanel(QWidget):
    """Signals: ``account_chosen(int)``."""

    account_chosen = Signal(int)

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self.setObjectName("customerPanel")
        self._wording = wording
        self._name = ElidedLabel("title", "customerName")
        self._class = label(role="chip", name="customerClass")
        self._standing = label(role="chip", name="accountStanding")
        self._about = ElidedLabel("muted", "customerAbout")
        self._address = ElidedLabel("muted", "customerAddress")
        self.accounts = QComboBox()
        self.accounts.setObjectName("accounts")
        self.accounts.setAccessibleName(wording.say("counter.account"))
        self.accounts.setMinimumWidth(250)
        self._balance = label(role="muted", name="accountBalance")
        self._balance.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._bills = RowsModel(owed_columns(wording))
        self._products = RowsModel(product_columns(wording))
        self._payments = RowsModel(payment_columns(wording))
        self.bills_view = RowsView(self._bills, owed_columns(wording), "bills")
        self.bills_view.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.products_view = RowsView(self._products, product_columns(wording), "products")
        self.products_view.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.payments_view = RowsView(self._payments, payment_columns(wording), "payments")
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._nothing_owed = label(wording.say("counter.nothing_owed"), "muted", "nothingOwed")
        self._build()
        self.accounts.activated.connect(self.account_chosen)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self._head())
        lower = QHBoxLayout()
        lower.setSpacing(10)
        lower.addWidget(self._owed_card(), 25)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self._list_card("counter.products", self.products_view), 5)
        right.addWidget(self._list_card("counter.payments", self.payments_view), 5)
        lower.addLayout(right, 19)
        layout.addLayout(lower, 1)

    def _head(self) -> QFrame:
        frame, inside = card("customerHead")
        inside.setContentsMargins(16, 10, 16, 10)
        inside.setSpacing(6)
        first = QHBoxLayout()
        first.setSpacing(10)
        first.addWidget(self._name)
        first.addWidget(self._class, 0, Qt.AlignmentFlag.AlignVCenter)
        first.addWidget(self._standing, 0, Qt.AlignmentFlag.AlignVCenter)
        first.addStretch(1)
        first.addWidget(label(self._wording.say("counter.account"), "muted"))
        first.addWidget(self.accounts)
        second = QHBoxLayout()
        second.setSpacing(18)
        second.addWidget(self._about, 5)
        second.addWidget(self._address, 3)
        second.addWidget(self._balance)
        inside.addLayout(first)
        inside.addLayout(second)
        inside.addWidget(self._busy)
        return frame

    def _owed_card(self) -> QFrame:
        frame, inside = card("owedCard")
        inside.setContentsMargins(4, 10, 4, 4)
        heading = label(self._wording.say("counter.owed"), "section")
        heading.setContentsMargins(10, 0, 0, 0)
        inside.addWidget(heading)
        self._owed_stack = QStackedWidget()
        empty = QWidget()
        middle = QVBoxLayout(empty)
        picture = label()
        picture.setPixmap(icon("tone_success").pixmap(44, 44))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing_owed.setAlignment(Qt.AlignmentFlag.AlignCenter)
        middle.addStretch(1)
        middle.addWidget(picture)
        middle.addWidget(self._nothing_owed)
        middle.addStretch(1)
        self._owed_stack.addWidget(self.bills_view)
        self._owed_stack.addWidget(empty)
        inside.addWidget(self._owed_stack, 1)
        return frame

    def _list_card(self, key: str, view: RowsView) -> QFrame:
        frame, inside = card()
        inside.setContentsMargins(4, 10, 4, 4)
        heading = label(self._wording.say(key), "section")
        heading.setContentsMargins(10, 0, 0, 0)
        heading.setBuddy(view)
        view.setAccessibleName(self._wording.say(key))
        inside.addWidget(heading)
        inside.addWidget(view, 1)
        return frame

    def show_state(self, state: CounterState) -> None:
        """Show a customer, or that one is being fetched."""
        self._busy.setVisible(state.loading)
        if state.desk is None:
            self._about.show_text("")
            self._address.show_text("")
            self._balance.setText("")
            self._name.show_text(self._wording.say("counter.loading"))
            self._class.hide()
            self._standing.hide()
            self.accounts.clear()
            for model in (self._bills, self._products, self._payments):
                model.set_rows([])
            self._owed_stack.setCurrentIndex(0)
            return
        self._show_customer(state.desk.customer)
        self._show_accounts(state)
        account = state.account
        rows = owed_rows(account, self._wording)
        self._bills.set_rows(rows)
        self._products.set_rows(state.desk.products)
        self._show_payments(account, state.receipt_wanted)
        self._nothing_owed.setText(self._wording.say("counter.owed_unknown" if state.desk.billing_away
                                                     else "counter.no_account" if account is None
                                                     else "counter.nothing_owed"))
        self._owed_stack.setCurrentIndex(0 if rows else 1)

    def _show_payments(self, account: DeskAccount | None, wanted: str) -> None:
        """The payments, with the one that was asked for marked when they come into view."""
        rows = account.recent_payments if account is not None else ()
        if tuple(rows) == self._payments.rows:
            return
        self._payments.set_rows(rows)
        for number, payment in enumerate(rows):
            if wanted and payment.receipt_no == wanted:
                self.payments_view.selectRow(number)

    def _show_customer(self, customer: DeskCustomer) -> None:
        self._name.show_text(customer.name)
        self._class.setText(self._wording.one_of("customer_class", customer.customer_class))
        self._class.setVisible(customer.customer_class != "normal")
        restyle(self._class, "tone", "warn")
        parts = [customer.customer_no, customer.masked_id_no, " / ".join(customer.phones[:3])]
        self._about.show_text("    ".join(part for part in parts if part))
        self._address.show_text(customer.address)

    def _show_accounts(self, state: CounterState) -> None:
        desk = state.desk
        accounts = desk.accounts if desk is not None else ()
        texts = [self._account_text(account) for account in accounts]
        if texts != [self.accounts.itemText(row) for row in range(self.accounts.count())]:
            self.accounts.clear()
            self.accounts.addItems(texts)
        self.accounts.setCurrentIndex(min(state.account_index, len(texts) - 1))
        self.accounts.setEnabled(len(texts) > 1)
        account = state.account
        self._standing.setVisible(account is not None)
        if account is not None:
            self._standing.setText(self._wording.one_of("standing", account.standing.value))
            restyle(self._standing, "tone", _STANDING_TONE.get(account.standing.value, ""))
            self._balance.setText(self._wording.say("counter.balance", amount=account.balance_fen.grouped))
        else:
            self._balance.setText("")

    def _account_text(self, account: DeskAccount) -> str:
        return self._wording.say("counter.account_line", number=account.account_no, owed=account.owed_fen.grouped)

    def marked_payment(self) -> DeskPayment | None:
        """The payment the teller has marked in the list."""
        return self._payments.row_at(self.payments_view.currentIndex())

    def selected_payment(self) -> DeskPayment | None:
        """The payment the teller has marked, else the newest."""
        return self.marked_payment() or next(iter(self._payments.rows), None)

