"""The bar of function keys at the foot of the window: what can be pressed now, always in sight."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from desktop_client.shell.page import PageCommand


class KeyBar(QFrame):
    """Draws commands as buttons; the keys themselves are caught by the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("keyBar")
        self.setFixedHeight(46)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(10, 5, 10, 5)
        self._layout.setSpacing(6)
        self._layout.addStretch(1)
        self._buttons: list[QPushButton] = []
        self._shown: list[tuple[str, str, bool]] = []
        self._commands: dict[str, PageCommand] = {}

    def show_commands(self, commands: list[PageCommand]) -> None:
        """Show other commands. Buttons are only made anew when keys or texts differ."""
        self._commands = {command.key: command for command in commands}
        shown = [(command.key, command.text, command.enabled) for command in commands]
        if [entry[:2] for entry in shown] != [entry[:2] for entry in self._shown]:
            self._make(commands)
        self._shown = shown
        for made, command in zip(self._buttons, commands, strict=True):
            made.setEnabled(command.enabled)

    def _make(self, commands: list[PageCommand]) -> None:
        for made in self._buttons:
            self._layout.removeWidget(made)
            made.deleteLater()
        self._buttons = []
        for number, command in enumerate(commands):
            made = QPushButton(f"{command.key}  {command.text}")
            made.setObjectName(f"key_{command.key}")
            made.setProperty("keybar", True)
            # A click must not take the cursor out of the field being typed in.
            made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            made.clicked.connect(lambda _=False, key=command.key: self.press(key))
            self._layout.insertWidget(number, made)
            self._buttons.append(made)

    def press(self, key: str) -> bool:
        """Do what stands on a key. False where nothing does, or not now."""
        command = self._commands.get(key)
        if command is None or not command.enabled:
            return False
        command.trigger()
        return True
