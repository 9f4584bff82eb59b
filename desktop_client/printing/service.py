"""Printing a document: find its form, lay it out, hand it to the counter's printer. Blocks; runs in the background."""

from __future__ import annotations

from typing import Protocol

from desktop_client.devices.receipt_printer.base import ReceiptPrinter
from desktop_client.printing.form import form_for
from desktop_client.printing.layout import lay_out
from shared_models.contracts.receipt import Receipt


class PaperMaker(Protocol):
    """The part presenters use."""

    def print_receipt(self, receipt: Receipt) -> None:
        """Put a document on paper. Raises PrinterTrouble."""
        ...


class PrintService:
    """Prints on the counter's printer in the papers' language."""

    def __init__(self, printer: ReceiptPrinter, *, paper_mm: int = 80, language: str = "zh_CN") -> None:
        self._printer = printer
        self._paper_mm = paper_mm
        self._language = language

    def print_receipt(self, receipt: Receipt) -> None:
        self._printer.print_paper(lay_out(receipt, form_for(receipt.kind, self._paper_mm), self._language))
