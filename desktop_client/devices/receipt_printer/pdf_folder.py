"""A printer for those who have none: every receipt becomes a PDF file in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from desktop_client.devices.receipt_printer.base import PrinterStatus, PrinterTrouble, TroubleKind
from desktop_client.devices.receipt_printer.escpos_file import job_file_name
from desktop_client.printing.paper import Paper


class PdfPrinter:
    """Writes ``<name>.pdf`` into a folder."""

    def __init__(self, target: str) -> None:
        if not target:
            raise ValueError("a PDF printer needs a folder")
        self._folder = Path(target)

    def status(self) -> PrinterStatus:
        place = self._folder if self._folder.exists() else self._folder.parent
        return PrinterStatus(online=os.access(place, os.W_OK))

    def print_paper(self, paper: Paper) -> None:
        from desktop_client.printing.pdf import write_pdf

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_pdf(paper, self._folder / job_file_name(paper.name, "pdf"))
        except OSError as problem:
            raise PrinterTrouble(TroubleKind.CANNOT_WRITE, detail=str(problem)) from problem
