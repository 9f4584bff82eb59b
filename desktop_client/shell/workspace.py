"""The window of a signed-in teller: top bar, navigation, the pages, the key bar, and messages between them."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from desktop_client.shell.bridge import MessageBridge
from desktop_client.shell.kept_sheet import KeptSheet
from desktop_client.shell.key_bar import KeyBar
from desktop_client.shell.navigation import DESKS, DeskTools
from desktop_client.shell.page import Page, PageCommand
from desktop_client.shell.session import DeskSession
from desktop_client.widgets.banner import Banner
from desktop_client.widgets.basic import button, icon, label, restyle
from desktop_client.wording import Wording
from shared_models.values.clock import TOWN_ZONE

_CLOCK_MS = 10_000


class Workspace(QWidget):
    """Signals: ``leave`` when the teller signs out."""

    leave = Signal()

    def __init__(self, tools: DeskTools, desk_session: DeskSession, bridge: MessageBridge) -> None:
        super().__init__()
        self.setObjectName("workspace")
        self._tools = tools
        self._wording: Wording = tools.wording
        self._bridge = bridge
        self.desk_session = desk_session
        self.entries = [desk for desk in DESKS if desk_session.may(desk.permission)]
        self.pages: dict[str, Page] = {}
        self._stack = QStackedWidget()
        self._stack.setObjectName("pages")
        self._banner = Banner(self._wording.say("close_message"))
        self.key_bar = KeyBar()
        self._buttons = QButtonGroup(self)
        self._lamp = label(role="muted", name="lamp")
        self._clock = label(role="muted", name="clock")
        self._kept = button("", "keptBadge")
        self._kept.hide()
        self._build()
        self.kept_sheet = KeptSheet(self, tools.work, self._wording)
        self._kept.clicked.connect(self.kept_sheet.open_list)
        bridge.connect(self._banner.show_message)
        tools.work.listeners.acts_changed.append(self._show_kept)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(_CLOCK_MS)
        self._tick()
        self.show_lamp(True)
        if self.entries:
            self.go_to(self.entries[0].name)

    # ---- building ------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        middle = QVBoxLayout()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(0)
        above = QVBoxLayout()
        above.setContentsMargins(12, 10, 12, 0)
        above.addWidget(self._banner)
        self._above = QWidget()
        self._above.setLayout(above)
        middle.addWidget(self._above)
        middle.addWidget(self._stack, 1)
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addWidget(self._navigation())
        body.addLayout(middle, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._top_bar())
        layout.addLayout(body, 1)
        layout.addWidget(self.key_bar)

    def _top_bar(self) -> QFrame:
        bar = QFrame()
        bar.setObjectName("topBar")
        bar.setFixedHeight(46)
        row = QHBoxLayout(bar)
        row.setContentsMargins(14, 0, 16, 0)
        row.setSpacing(14)
        picture = label()
        picture.setPixmap(icon("onehall").pixmap(28, 28))
        context = self.desk_session.session.context
        row.addWidget(picture)
        row.addWidget(label(self._wording.say("product"), name="product"))
        hall = self.desk_session.session.hall_name or context.hall_code
        row.addWidget(label(self._wording.say("shell.place", hall=hall, counter=self.desk_session.counter_no),
                            "muted", "place"))
        row.addStretch(1)
        row.addWidget(self._kept)
        row.addWidget(self._lamp)
        row.addWidget(label(f"{context.staff_name}  {context.staff_no}", name="staff"))
        row.addWidget(self._clock)
        return bar

    def _navigation(self) -> QFrame:
        bar = QFrame()
        bar.setObjectName("navigation")
        bar.setFixedWidth(88)
        column = QVBoxLayout(bar)
        column.setContentsMargins(6, 10, 6, 10)
        column.setSpacing(6)
        for entry in self.entries:
            made = QToolButton()
            made.setObjectName(f"nav_{entry.name}")
            made.setProperty("nav", True)
            made.setCheckable(True)
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            made.setIcon(icon(entry.icon))
            made.setIconSize(QSize(28, 28))
            made.setText(f"{self._wording.say(f'desk.{entry.name}')}\n{entry.key}")
            made.setFixedSize(76, 76)
            made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            made.clicked.connect(lambda _=False, name=entry.name: self.go_to(name))
            self._buttons.addButton(made)
            column.addWidget(made)
        column.addStretch(1)
        return bar

    # ---- moving about --------------------------------------------------------------------------------------------
    @property
    def current(self) -> Page | None:
        page = self._stack.currentWidget()
        return page if isinstance(page, Page) else None

    def go_to(self, name: str) -> None:
        """Show a desk; it is made when it is first wanted."""
        if self.current is not None and not self.current.may_leave():
            return
        if name not in self.pages:
            entry = next(desk for desk in self.entries if desk.name == name)
            page = entry.make(self._tools)
            page.commands_changed.connect(self.show_commands)
            self.pages[name] = page
            self._stack.addWidget(page)
        page = self.pages[name]
        self._stack.setCurrentWidget(page)
        for made in self._buttons.buttons():
            made.setChecked(made.objectName() == f"nav_{name}")
        self.show_commands()
        page.arrive()

    def show_commands(self) -> None:
        """Draw the key bar for the page in view."""
        say = self._wording.say
        commands = [
            PageCommand(entry.key, say(f"desk.{entry.name}"), partial(self._on_desk_key, entry.name))
            for entry in self.entries
        ]
        if self.current is not None:
            commands += self.current.commands()
        commands += [
            PageCommand("F10", say("key.kept"), self.kept_sheet.open_list),
            PageCommand("F12", say("key.leave"), self._on_leave),
        ]
        self.key_bar.show_commands(commands)

    def _on_desk_key(self, name: str) -> None:
        """A desk's key also begins anew there: F2 is always 'the next customer'."""
        self.kept_sheet.close_sheet()
        already = self.current is self.pages.get(name)
        self.go_to(name)
        begin = getattr(self.current, "begin", None)
        if already and callable(begin):
            begin()

    def _on_leave(self) -> None:
        if self.current is None or self.current.may_leave():
            self.leave.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Function keys and Esc, wherever the cursor is."""
        key = event.key()
        if Qt.Key.Key_F1 <= key <= Qt.Key.Key_F12:
            if not self.kept_sheet.isVisible() or key in (Qt.Key.Key_F2, Qt.Key.Key_F3):
                self.key_bar.press(f"F{key - Qt.Key.Key_F1 + 1}")
            return
        if key == Qt.Key.Key_Escape:
            if self.kept_sheet.isVisible():
                self.kept_sheet.close_sheet()
            elif self.current is not None:
                self.current.back()
            return
        super().keyPressEvent(event)

    # ---- showing -------------------------------------------------------------------------------------------------
    def show_lamp(self, there: bool) -> None:
        """Whether the server answers."""
        self._lamp.setText(self._wording.say("shell.online" if there else "shell.offline"))
        restyle(self._lamp, "role", "muted" if there else "chip")
        restyle(self._lamp, "tone", "" if there else "bad")

    def _show_kept(self, count: int) -> None:
        self._kept.setVisible(count > 0)
        self._kept.setText(self._wording.say("shell.kept", count=count))

    def _tick(self) -> None:
        self._clock.setText(datetime.now(TOWN_ZONE).strftime("%Y-%m-%d %H:%M"))
