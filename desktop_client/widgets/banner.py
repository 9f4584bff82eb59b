"""The banner: where the message bridge speaks. It never takes the focus from what the teller is typing."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop_client.widgets.basic import button, icon, label, restyle
from desktop_client.wording import Message, Tone

#: Good news leaves by itself; a warning stays until something else is said or it is closed.
_LEAVES_AFTER_MS = 6000


class Banner(QFrame):
    """One message with its remedy."""

    def __init__(self, close_text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._picture = label(name="bannerPicture")
        self._text = label(name="bannerText")
        self._text.setWordWrap(True)
        self._remedy = label(role="muted", name="bannerRemedy")
        self._remedy.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self._text)
        words.addWidget(self._remedy)
        self._close: QPushButton = button("✕", "bannerClose", "flat")
        self._close.setToolTip(close_text)
        self._close.setAccessibleName(close_text)
        self._close.setFocusPolicy(self._close.focusPolicy().NoFocus)
        self._close.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(self._picture)
        layout.addLayout(words, 1)
        layout.addWidget(self._close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def show_message(self, message: Message | None) -> None:
        """Show a message, or none."""
        self._timer.stop()
        if message is None:
            self.hide()
            return
        restyle(self, "tone", message.tone.value)
        self._picture.setPixmap(icon(f"tone_{message.tone.value}").pixmap(22, 22))
        self._text.setText(message.text)
        self._remedy.setText(message.remedy)
        self._remedy.setVisible(bool(message.remedy))
        self.show()
        if message.tone in (Tone.SUCCESS, Tone.INFO) and not message.stays:
            self._timer.start(_LEAVES_AFTER_MS)
