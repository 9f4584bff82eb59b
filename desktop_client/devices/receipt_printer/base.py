"""What every receipt printer can do, and how it fails.

Legal order of calls::

    made --status()--> made          any number of times, also while somebody else prints
    made --print_paper(paper)--> made   one job at a time; returns when the printer has it, or raises

There is no open and close: a job opens its connection and closes it, because a till printer is switched off and on,
runs out of paper and loses its cable at any moment. All calls block and belong in the background.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from desktop_client.printing.paper import Paper


class PaperLevel(StrEnum):
    """How much paper is left, as far as the printer tells."""

    OK = "ok"
    LOW = "low"
    OUT = "out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What the printer says of itself. ``online`` is False with an open cover or an error, too."""

    online: bool
    paper: PaperLevel = PaperLevel.UNKNOWN


class TroubleKind(StrEnum):
    """Why a paper did not come out; text ``ui.printer.<kind>``."""

    OFFLINE = "offline"
    PAPER_OUT = "paper_out"
    LOST_MID_JOB = "lost_mid_job"
    CANNOT_WRITE = "cannot_write"
    NOT_AVAILABLE = "not_available"


class PrinterTrouble(Exception):
    """The paper did not come out, or perhaps only part of it.

    ``maybe_printed`` says that something may lie in the tray: the teller looks before printing again. A second paper
    of the same receipt is always a reprint (补打), which is an act at the server.
    """

    def __init__(self, kind: TroubleKind, *, maybe_printed: bool = False, detail: str = "") -> None:
        self.kind = kind
        self.maybe_printed = maybe_printed
        self.detail = detail
        super().__init__(f"{kind.value} {detail}".strip())


class ReceiptPrinter(Protocol):
    """A receipt printer."""

    def status(self) -> PrinterStatus:
        """Ask the printer. A printer that cannot be reached is not online; this raises nothing."""
        ...

    def print_paper(self, paper: Paper) -> None:
        """Print one job. Raises PrinterTrouble."""
        ...
