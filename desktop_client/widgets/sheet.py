"""A question laid over the page: a title, a field or a list, and what to do. Esc closes it; the page below waits."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop_client.widgets.basic import button, label, restyle


class Sheet(QWidget):
    """Covers its parent. Signals: ``closed``."""

    closed = Signal()

    def __init__(self, parent: QWidget, title: str, width: int = 460) -> None:
        super().__init__(parent)
        self.setObjectName("sheetCover")
        self._below = parent
        self._before: QWidget | None = None
        frame = QFrame()
        frame.setObjectName("sheet")
        frame.setFixedWidth(width)
        self.inside = QVBoxLayout(frame)
        self.inside.setContentsMargins(24, 20, 24, 18)
        self.inside.setSpacing(10)
        self.title = label(title, "heading", "sheetTitle")
        self.title.setWordWrap(True)
        self.inside.addWidget(self.title)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(frame)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(row)
        layout.addStretch(3)
        parent.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._below:
            self.setGeometry(self._below.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(18, 52, 77, 90))
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_sheet()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab stays inside the sheet."""
        inside = [
            child for child in self.findChildren(QWidget)
            if child.isVisible() and child.isEnabled() and child.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]
        if not inside:
            return True
        now = self.focusWidget()
        at = inside.index(now) if now in inside else -1
        inside[(at + (1 if forward else -1)) % len(inside)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def open_over(self, first: QWidget) -> None:
        """Show the sheet with the cursor in ``first``."""
        self._before = self.window().focusWidget()
        self.setGeometry(self._below.rect())
        self.show()
        self.raise_()
        first.setFocus()

    def close_sheet(self) -> None:
        """Take the sheet away; the cursor goes back where it was."""
        if not self.isVisible():
            return
        self.hide()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus()
        self._before = None
        self.closed.emit()


class ReasonSheet(Sheet):
    """Asks why. Signals: ``given(str)`` with a reason that is not empty."""

    given = Signal(str)

    def __init__(self, parent: QWidget, *, prompt: str, sure: str, cancel: str, name: str) -> None:
        super().__init__(parent, "")
        self.setObjectName(name)
        self._detail = label(role="muted", name="sheetDetail")
        self._detail.setWordWrap(True)
        self.reason = QLineEdit()
        self.reason.setObjectName("reason")
        self.reason.setMaxLength(200)
        self.reason.setPlaceholderText(prompt)
        self.reason.setAccessibleName(prompt)
        self.sure = button(sure, "sheetSure", "danger")
        self._cancel = button(cancel, "sheetCancel")
        self.inside.addWidget(self._detail)
        self.inside.addWidget(self.reason)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._cancel)
        row.addWidget(self.sure)
        self.inside.addLayout(row)
        self.reason.returnPressed.connect(self._on_given)
        self.sure.clicked.connect(self._on_given)
        self._cancel.clicked.connect(self.close_sheet)

    def ask(self, title: str, detail: str) -> None:
        """Open with an empty field."""
        self.title.setText(title)
        self._detail.setText(detail)
        self.reason.clear()
        restyle(self.reason, "bad", False)
        self.open_over(self.reason)

    def _on_given(self) -> None:
        text = self.reason.text().strip()
        restyle(self.reason, "bad", not text)
        if not text:
            self.reason.setFocus()
            return
        self.close_sheet()
        self.given.emit(text)
