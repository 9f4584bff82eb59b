"""Puts the journal, the courier and the printer of a counter together for one signed-in teller."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

from desktop_client.config import ClientSettings
from desktop_client.devices.receipt_printer.base import PrinterTrouble, ReceiptPrinter, TroubleKind
from desktop_client.gateway.http import HallHttp
from desktop_client.printing.service import PrintService
from desktop_client.shell.bridge import Bridge
from desktop_client.shell.desk_work import DeskWork
from desktop_client.wording import Wording
from desktop_client.work.journal import Journal
from desktop_client.work.plans import Courier
from desktop_client.work.runner import Runner
from shared_models.contracts.receipt import Receipt

_opening = threading.Lock()


@lru_cache(maxsize=8)
def _journal(folder: Path, use_keyring: bool) -> Journal:
    return Journal(folder, use_keyring=use_keyring)


def open_journal(settings: ClientSettings) -> Journal:
    """The one journal of a folder in this process. Blocks (disk, key store): called in the background only."""
    with _opening:
        return _journal(settings.folder, settings.keyring)


class LazyPrinter:
    """Finds the printer when something is to be printed: a wrong setting must not keep anybody from signing in."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings

    def print_receipt(self, receipt: Receipt) -> None:
        service = PrintService(
            self._printer(), paper_mm=self._settings.paper_mm, language=self._settings.receipt_language
        )
        service.print_receipt(receipt)

    def _printer(self) -> ReceiptPrinter:
        from desktop_client.devices.receipt_printer.registry import UnknownPrinter, printer_for

        try:
            return printer_for(self._settings.printer_setting)
        except UnknownPrinter as problem:
            raise PrinterTrouble(TroubleKind.NOT_AVAILABLE, detail=str(problem)) from problem


def make_work(
    settings: ClientSettings, http: HallHttp, runner: Runner, bridge: Bridge, wording: Wording, owner: str
) -> DeskWork:
    """The acts of one teller at one counter."""
    return DeskWork(
        runner=runner, journal=lambda: open_journal(settings), courier_of=lambda journal: Courier(journal, http),
        paper=LazyPrinter(settings), bridge=bridge, wording=wording, owner=owner,
    )
