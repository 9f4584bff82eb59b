"""Small widgets every page is made of: labels with a role, cards, buttons, the money field."""

from __future__ import annotations

from PySide6.QtCore import QRegularExpression, QSize, Qt
from PySide6.QtGui import QFocusEvent, QIcon, QRegularExpressionValidator, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

import resources


def icon(name: str) -> QIcon:
    """An icon of ``resources/icons``."""
    return QIcon(str(resources.path("icons", f"{name}.svg")))


def restyle(widget: QWidget, name: str, value: object) -> None:
    """Set a property the style sheet looks at, and have it look again."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def label(text: str = "", role: str = "", name: str = "") -> QLabel:
    """A plain-text label; names from the server are never taken for markup."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    if role == "chip":
        made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    if name:
        made.setObjectName(name)
    return made


class ElidedLabel(QLabel):
    """A line that ends in dots where there is no room for all of it; the tool tip has the whole."""

    def __init__(self, role: str, name: str) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_text(self, text: str) -> None:
        """Show a text."""
        self.setProperty("whole", text)
        self.setToolTip(text)
        # No wider than its text, so that what stands beside it stays beside it.
        self.setMaximumWidth(max(self.sizeHint().width(), 60))
        self._elide()

    def _elide(self) -> None:
        whole = str(self.property("whole") or "")
        self.setText(self.fontMetrics().elidedText(whole, Qt.TextElideMode.ElideRight, self.width()))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        whole = str(self.property("whole") or "")
        return QSize(self.fontMetrics().horizontalAdvance(whole) + 4, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()


def card(name: str = "") -> tuple[QFrame, QVBoxLayout]:
    """A white frame and its layout."""
    frame = QFrame()
    frame.setProperty("card", True)
    if name:
        frame.setObjectName(name)
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(16, 12, 16, 12)
    layout.setSpacing(6)
    return frame, layout


def button(text: str, name: str, kind: str = "") -> QPushButton:
    """A push button; ``kind`` is primary, danger or flat. Enter presses it when it has the focus."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.setAutoDefault(True)
    if kind:
        made.setProperty(kind, True)
    return made


class MoneyField(QLineEdit):
    """A large field for yuan: right-aligned, digits only, everything selected when it gets the cursor."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("money", True)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setMaxLength(14)
        self.setInputMethodHints(Qt.InputMethodHint.ImhFormattedNumbersOnly)
        pattern = QRegularExpression(r"[￥¥]?[0-9,，]{0,13}([.。][0-9]{0,2})?")
        self.setValidator(QRegularExpressionValidator(pattern, self))
        # A Chinese input method gives the full stop of prose for the key beside the comma.
        self.textEdited.connect(self._mend)

    def _mend(self, text: str) -> None:
        if "。" in text:
            self.setText(text.replace("。", "."))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.selectAll()


class CountField(QLineEdit):
    """A field for how many pieces."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("pieces", True)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setPlaceholderText("0")
        self.setValidator(QRegularExpressionValidator(QRegularExpression(r"[0-9]{0,5}"), self))

    def pieces(self) -> int:
        """The number typed, 0 for an empty field."""
        return int(self.text() or "0")

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.selectAll()
