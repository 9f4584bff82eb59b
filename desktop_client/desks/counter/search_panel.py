"""The search box and the list of customers found."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListView, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from desktop_client.desks.counter.models import HIT_ROLE, HitDelegate, HitsModel
from desktop_client.desks.counter.state import SearchState
from desktop_client.widgets.basic import button, icon, label
from desktop_client.wording import Wording

#: Long enough that a number typed quickly asks once, short enough to feel immediate.
_PAUSE_MS = 220


class SearchPanel(QFrame):
    """Signals: ``typed(str)`` after a pause, ``entered(str)`` on Enter, ``chosen(str)`` a customer's id, ``more``."""

    typed = Signal(str)
    entered = Signal(str)
    chosen = Signal(str)
    more = Signal()

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self.setObjectName("searchPanel")
        self.setProperty("card", True)
        self._wording = wording
        self.box = QLineEdit()
        self.box.setObjectName("searchBox")
        self.box.setPlaceholderText(wording.say("counter.search_hint"))
        self.box.setAccessibleName(wording.say("counter.search"))
        self.box.setMaxLength(60)
        self.box.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.model = HitsModel()
        self.list = QListView()
        self.list.setObjectName("hits")
        self.list.setAccessibleName(wording.say("counter.hits"))
        self.list.setModel(self.model)
        self._delegate = HitDelegate(wording)
        self.list.setItemDelegate(self._delegate)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self._note = label(role="muted", name="searchNote")
        self._note.setWordWrap(True)
        self._note.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._note_picture = label(name="searchPicture")
        self._note_picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._note_picture.setPixmap(icon("empty_search").pixmap(56, 56))
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._more = button(wording.say("counter.more"), "moreHits", "flat")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._build()
        self._connect()

    def _build(self) -> None:
        empty = QWidget()
        inside = QVBoxLayout(empty)
        inside.addStretch(2)
        inside.addWidget(self._note_picture)
        inside.addWidget(self._note)
        inside.addStretch(3)
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self.list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 8)
        layout.setSpacing(6)
        layout.addWidget(self.box)
        layout.addWidget(self._busy)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self._more)

    def _connect(self) -> None:
        self.box.textEdited.connect(lambda _: self._timer.start())
        self._timer.timeout.connect(lambda: self.typed.emit(self.box.text()))
        self.box.returnPressed.connect(self._on_enter)
        self.box.installEventFilter(self)
        self.list.installEventFilter(self)
        self.list.clicked.connect(self._choose)
        self._more.clicked.connect(self.more)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Down goes from the box into the list, Enter in the list chooses, Up at its top goes back."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if watched is self.box and event.key() == Qt.Key.Key_Down and self.model.hits:
                self.list.setFocus()
                self.list.setCurrentIndex(self.model.index(0, 0))
                return True
            if watched is self.list and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentIndex())
                return True
            if watched is self.list and event.key() == Qt.Key.Key_Up and self.list.currentIndex().row() <= 0:
                self.box.setFocus()
                return True
        return super().eventFilter(watched, event)

    def _on_enter(self) -> None:
        self._timer.stop()
        self.entered.emit(self.box.text())

    def _choose(self, index: QModelIndex) -> None:
        hit = index.data(HIT_ROLE)
        if hit is not None:
            self.chosen.emit(hit.customer_id)

    def show_state(self, state: SearchState) -> None:
        """Show the list, or why there is none."""
        if not state.words and not self.box.hasFocus():
            self.box.clear()
        self.model.set_hits(state.hits)
        self._busy.setVisible(state.busy)
        self._more.setVisible(state.more and not state.problem)
        self._note.setText(state.problem or self._wording.say("counter.search_help"))
        self._stack.setCurrentIndex(1 if state.hits and not state.problem else 0)

    def begin(self) -> None:
        """An empty box with the cursor in it."""
        self._timer.stop()
        self.box.clear()
        self.box.setFocus()

    def enter_list(self) -> None:
        """The cursor goes to the first hit."""
        self.list.setFocus()
        if not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(self.model.index(0, 0))
