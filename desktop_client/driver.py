"""Drives the real window by its keys, as a teller would: for the demo's check, for tests, and for pictures.

Everything goes through widgets and key presses; nothing reaches into a presenter except to read what it shows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from desktop_client.app import make_application, make_window
from desktop_client.config import ClientSettings
from desktop_client.desks.counter.page import CounterPage
from desktop_client.desks.counter.state import PrintState, Stage
from desktop_client.desks.login.presenter import LoginStage
from desktop_client.desks.till.page import TillPage
from desktop_client.shell.main_window import MainWindow
from desktop_client.shell.workspace import Workspace

WAIT_S = 20.0
_KEYS = {f"F{number}": Qt.Key(Qt.Key.Key_F1 + number - 1) for number in range(1, 13)}
_KEYS |= {"Enter": Qt.Key.Key_Return, "Esc": Qt.Key.Key_Escape, "Tab": Qt.Key.Key_Tab, "Down": Qt.Key.Key_Down}


class DriveFailed(Exception):
    """The window did not come to where it should within the time; says what was waited for and what was told."""


@dataclass(frozen=True, slots=True)
class PaidOnScreen:
    """What the window showed after a payment."""

    payment_id: str
    receipt_no: str
    amount: str
    change: str
    print_state: str


class CounterDriver:
    """One window against one server. Use as a context manager, or call :meth:`close`."""

    def __init__(self, settings: ClientSettings, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self.app: QApplication = make_application()
        self.window: MainWindow = make_window(settings)
        self.window.resize(1366, 768)
        self.window.show()
        self.window.activateWindow()
        self._pump()

    def __enter__(self) -> CounterDriver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the window; threads of its pool end with their requests."""
        self.window.close()
        self.window.deleteLater()
        self._pump()
        # Without an event loop of its own nobody else deletes it, and every later style sheet would dress it again.
        self.app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    # ---- a teller's day ------------------------------------------------------------------------------------------
    def sign_in(self, staff_no: str, password: str, counter_no: str, new_password: str = "") -> None:
        """Sign in; where the first password must be changed, ``new_password`` becomes the new one."""
        for name, text in (("staffNo", staff_no), ("password", password), ("counterNo", counter_no)):
            self.type_into(name, text)
        self.press("Enter", self.find("counterNo"))
        stage = self.window.login.state
        self.until(lambda: self.signed_in or self.window.login.state.stage is LoginStage.NEW_PASSWORD
                   or self._login_refused(), "an answer to signing in")
        if self.window.login.state.stage is LoginStage.NEW_PASSWORD:
            if not new_password:
                raise DriveFailed("the password must be changed first")
            self.type_into("newPassword", new_password)
            self.type_into("passwordAgain", new_password)
            self.press("Enter", self.find("passwordAgain"))
            self.until(lambda: self.signed_in or self._login_refused(), "the new password")
        if not self.signed_in:
            message = self.window.login.state.message or stage.message
            raise DriveFailed(f"not signed in: {message.text if message else ''}")

    def open_till(self, float_yuan: str) -> None:
        """Open the till where it is not open yet; then back to the counter."""
        self.press("F3")
        till = self.till
        self.until(lambda: not till.presenter.state.loading, "the till")
        if till.presenter.state.stage in ("none", "deposited"):
            self.type_into("float", float_yuan)
            self.press("Enter", self.find("float"))
            self.until(lambda: till.presenter.state.stage == "trading", "the till to open")
        self.press("F2")

    def search(self, words: str) -> int:
        """Search; gives how many were found. A single hit opens."""
        self.press("F2")
        counter = self.counter
        if counter.presenter.state.stage is not Stage.SEARCH:
            self.press("F2")
        self.type_into("searchBox", words)
        self.press("Enter", counter.search.box)
        self.until(lambda: (counter.presenter.state.search.asked or bool(counter.presenter.state.search.problem))
                   and not counter.presenter.state.search.busy, f"an answer to the search for {words}")
        return len(counter.presenter.state.search.hits)

    def open_first(self) -> None:
        """Open the first of several hits."""
        counter = self.counter
        if counter.presenter.state.stage is Stage.SEARCH:
            counter.search.enter_list()
            self.press("Enter", counter.search.list)
        self.until(lambda: counter.presenter.state.desk is not None, "the customer's one screen")

    def pay(self, amount: str = "", received: str = "") -> PaidOnScreen:
        """Take cash for the customer in view; an empty amount takes what is owed."""
        counter = self.counter
        self.until(lambda: counter.presenter.state.desk is not None, "the customer's one screen")
        if amount:
            self.type_into("amount", amount)
        self.press("Enter", counter.pay.amount)
        if received:
            self.type_into("received", received)
        self.press("Enter", counter.pay.received)
        self.until(lambda: counter.presenter.state.pay.preview is not None or self._stopped(), "the preview")
        self._fail_where(Stage.CUSTOMER)
        self.press("Enter", counter.pay.sure)
        self.until(lambda: counter.presenter.state.stage in (Stage.TAKEN, Stage.KEPT, Stage.CUSTOMER), "the payment")
        self._fail_where(Stage.CUSTOMER)
        if counter.presenter.state.stage is Stage.KEPT:
            raise DriveFailed("the server did not answer; the act is kept")
        waiting = (PrintState.NONE, PrintState.PRINTING)
        self.until(lambda: counter.presenter.state.print_state not in waiting, "the paper")
        state = counter.presenter.state
        assert state.taken is not None
        return PaidOnScreen(
            state.taken.payment_id, state.taken.receipt.receipt_no, state.taken.receipt.total_fen.grouped,
            state.taken.change_fen.grouped, state.print_state.value,
        )

    def reprint(self) -> str:
        """Print the paper in view once more; gives the copy's number as printed."""
        counter = self.counter
        self.until(lambda: not counter.presenter.state.loading, "the customer's one screen")
        self.press("F7")
        self.until(lambda: (paper := counter.presenter.state.receipt) is not None and paper.is_reprint
                   and counter.presenter.state.print_state is not PrintState.PRINTING, "the reprint")
        paper = counter.presenter.state.receipt
        assert paper is not None
        return str(paper.copy_no)

    def reverse(self, reason: str) -> str:
        """Undo the newest payment of the customer in view; gives the reversal's receipt number."""
        counter = self.counter
        self.until(lambda: not counter.presenter.state.loading and counter._reversible() is not None,
                   "a payment that can be reversed")
        self.press("F8")
        self.type_into("reason", reason)
        self.press("Enter", counter.reason.reason)
        self.until(lambda: (paper := counter.presenter.state.receipt) is not None and paper.kind == "reversal"
                   and counter.presenter.state.print_state is not PrintState.PRINTING, "the reversal")
        paper = counter.presenter.state.receipt
        assert paper is not None
        return paper.receipt_no

    def sign_out(self) -> None:
        """F12."""
        self.press("F12")
        self.until(lambda: not self.signed_in, "the sign-in form")

    # ---- hands and eyes ------------------------------------------------------------------------------------------
    @property
    def signed_in(self) -> bool:
        return self.window.workspace is not None

    @property
    def workspace(self) -> Workspace:
        if self.window.workspace is None:
            raise DriveFailed("nobody is signed in")
        return self.window.workspace

    @property
    def counter(self) -> CounterPage:
        page = self.workspace.pages.get("counter")
        if not isinstance(page, CounterPage):
            raise DriveFailed("this person has no counter desk")
        return page

    @property
    def till(self) -> TillPage:
        page = self.workspace.pages.get("till")
        if not isinstance(page, TillPage):
            raise DriveFailed("this person has no till")
        return page

    def find(self, name: str) -> QWidget:
        """The visible widget of that name."""
        for widget in self.window.findChildren(QWidget, name):
            if widget.isVisible():
                return widget
        raise DriveFailed(f"no visible widget {name}")

    def type_into(self, name: str, text: str) -> None:
        """Put the cursor into a field, replace what stands there by typing."""
        field = self.find(name)
        if not isinstance(field, QLineEdit):
            raise DriveFailed(f"{name} is not a field")
        field.setFocus()
        field.selectAll()
        for character in text:
            self._key(field, Qt.Key.Key_unknown, character)
        if not text:
            self._key(field, Qt.Key.Key_Delete)
        self._pump()

    def press(self, key: str, widget: QWidget | None = None) -> None:
        """Press a key where the cursor is, or on a widget."""
        self._key(widget or self.window.focusWidget() or self.window, _KEYS[key])
        self._pump()

    def until(self, ready: Callable[[], bool], what: str) -> None:
        """Let the window live until something holds. Raises DriveFailed with what the window said meanwhile."""
        end = time.monotonic() + self._wait_s
        while not ready():
            if time.monotonic() > end:
                told = "; ".join(message.text for message in self.window.bridge.told[-3:])
                raise DriveFailed(f"waited {self._wait_s:.0f} s for {what}; the window said: {told or 'nothing'}")
            self._pump()
            time.sleep(0.005)

    def picture(self, file: Path) -> None:
        """Save what the window looks like."""
        self._pump()
        if not self.window.grab().save(str(file)):
            raise DriveFailed(f"cannot write {file}")

    def _pump(self) -> None:
        self.app.processEvents()
        self.app.sendPostedEvents()

    @staticmethod
    def _key(widget: QWidget, key: Qt.Key, text: str = "") -> None:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(widget, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, text))

    def _login_refused(self) -> bool:
        state = self.window.login.state
        return state.stage is LoginStage.ENTER and state.message is not None

    def _stopped(self) -> bool:
        return self.counter.presenter.state.stage is Stage.CUSTOMER

    def _fail_where(self, stage: Stage) -> None:
        state = self.counter.presenter.state
        if state.stage is stage:
            told = self.window.bridge.told[-1].text if self.window.bridge.told else ""
            raise DriveFailed(f"the payment stopped: {state.pay.problem or told}")


def render_shots(
    folder: Path, settings: ClientSettings, *, staff_no: str, password: str, counter_no: str, words: str
) -> list[Path]:
    """Pictures of the windows as they really look, 1366 x 768: sign-in, till, search, one screen, payment, receipt.

    Takes one small payment at the server and reverses it again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []

    def shot(name: str) -> None:
        made.append(folder / f"{name}.png")
        driver.picture(made[-1])

    with CounterDriver(settings) as driver:
        shot("login")
        driver.sign_in(staff_no, password, counter_no)
        driver.open_till("200")
        shot("welcome")
        driver.search(words)
        if driver.counter.presenter.state.stage is Stage.SEARCH:
            shot("search")
        driver.open_first()
        shot("counter")
        owed = driver.counter.presenter.state.owed
        driver.type_into("amount", str(owed) if owed.amount_fen > 0 else "50")
        driver.press("Enter", driver.counter.pay.amount)
        driver.type_into("received", str(_round_up(owed.amount_fen)))
        driver.press("Enter", driver.counter.pay.received)
        driver.until(lambda: driver.counter.presenter.state.pay.preview is not None, "the preview")
        shot("confirm")
        driver.press("Enter", driver.counter.pay.sure)
        driver.until(lambda: driver.counter.presenter.state.print_state is PrintState.PRINTED
                     and not driver.counter.presenter.state.loading, "the paper")
        shot("taken")
        driver.press("F8")
        shot("reverse")
        driver.type_into("reason", "演示")
        driver.press("Enter", driver.counter.reason.reason)
        driver.until(lambda: (paper := driver.counter.presenter.state.receipt) is not None
                     and paper.kind == "reversal" and not driver.counter.presenter.state.loading, "the reversal")
        driver.press("F3")
        driver.until(lambda: not driver.till.presenter.state.loading, "the till")
        for name, pieces in (("pieces10000", "1"), ("pieces5000", "2"), ("pieces1000", "3")):
            driver.type_into(name, pieces)
        shot("till")
    return made


def _round_up(amount_fen: int) -> int:
    """The next whole fifty yuan, as a customer hands over."""
    return max(-(-amount_fen // 5000) * 50, 50)
