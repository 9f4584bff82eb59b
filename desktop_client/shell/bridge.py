"""The message bridge: the one way to tell the teller something. Nobody opens a message box. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from desktop_client.wording import Message


class Bridge(Protocol):
    """What presenters use."""

    def tell(self, message: Message) -> None:
        """Show a message."""
        ...

    def clear(self) -> None:
        """Take the message away."""
        ...


class MessageBridge:
    """Hands messages to whoever shows them, and keeps the last ones for the help page and for tests."""

    def __init__(self, keep: int = 50) -> None:
        self.told: list[Message] = []
        self._keep = keep
        self._show: Callable[[Message | None], None] | None = None

    def connect(self, show: Callable[[Message | None], None]) -> None:
        """The window's banner; None takes the message away."""
        self._show = show

    def disconnect(self) -> None:
        """The banner is gone; messages are only kept."""
        self._show = None

    def tell(self, message: Message) -> None:
        self.told = [*self.told[1 - self._keep :], message]
        if self._show is not None:
            self._show(message)

    def clear(self) -> None:
        if self._show is not None:
            self._show(None)
