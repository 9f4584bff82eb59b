"""What a presenter may ask about acts: do one, print its paper, say that it is finished. DeskWork is the real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from pydantic import BaseModel

from desktop_client.work.acts import Step
from shared_models.contracts.receipt import Receipt

M = TypeVar("M", bound=BaseModel)


class ActDoer(Protocol):
    """Acts of the signed-in teller. Nothing blocks; callbacks come on the GUI thread."""

    def perform(
        self, step: Step, reply: type[M], *, success: Callable[[str, M], None], failure: Callable[[Exception], None]
    ) -> None:
        """Write the act down, send it, tell its reply (with the operation's id) or what went wrong."""
        ...

    def finished(self, operation_id: str) -> None:
        """The reply has been used: the act leaves the journal."""
        ...

    def print_receipt(
        self, receipt: Receipt, *, printed: Callable[[], None], failure: Callable[[Exception], None]
    ) -> None:
        """Put a document on paper."""
        ...
