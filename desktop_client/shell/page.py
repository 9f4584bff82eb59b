"""What a desk's page offers the window: its commands for the key bar, and what Esc and arriving mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True, slots=True)
class PageCommand:
    """A function key: shown on the bar, pressed or clicked."""

    key: str
    text: str
    trigger: Callable[[], object]
    enabled: bool = True


class Page(QWidget):
    """Base of all desk pages. Signals: ``commands_changed`` when the key bar must be drawn again."""

    commands_changed = Signal()

    def commands(self) -> list[PageCommand]:
        """The page's own function keys, in the order of the bar."""
        return []

    def arrive(self) -> None:
        """The teller came to this page: put the cursor where work begins."""

    def back(self) -> bool:
        """Esc: one step back. False where there is nothing to go back from."""
        return False

    def may_leave(self) -> bool:
        """False while leaving would hide something the teller must see end."""
        return True
