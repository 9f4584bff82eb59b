"""A receipt printer installed in Windows: the job goes RAW through the spooler.

Called by ctypes, not pywin32: nothing to install, and python-escpos' own Win32Raw failed on closing (error 122).

Source: Windows API, winspool: OpenPrinterW, StartDocPrinterW (level 1, datatype RAW), WritePrinter, EndDocPrinter.
Observed through wine's spooler into CUPS: bytes arrive unchanged. On real Windows: to be proven at a counter.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from desktop_client.devices.receipt_printer.base import PaperLevel, PrinterStatus, PrinterTrouble, TroubleKind
from desktop_client.printing.escpos import encode
from desktop_client.printing.paper import Paper


class _DocInfo(ctypes.Structure):
    _fields_ = [("name", ctypes.c_wchar_p), ("output", ctypes.c_wchar_p), ("datatype", ctypes.c_wchar_p)]


def _winspool() -> Any:
    """The spooler's library. Raises PrinterTrouble away from Windows."""
    loader = getattr(ctypes, "WinDLL", None)
    if loader is None:
        raise PrinterTrouble(TroubleKind.NOT_AVAILABLE, detail="the Windows spooler exists on Windows only")
    return loader("winspool.drv", use_last_error=True)


class SpoolerPrinter:
    """A printer by its Windows name. ``library`` is given by tests only."""

    def __init__(self, name: str, library: Callable[[], Any] = _winspool) -> None:
        if not name:
            raise ValueError("a Windows printer needs its name")
        self._name = name
        self._library = library

    def status(self) -> PrinterStatus:
        try:
            spool = self._library()
            handle = self._open(spool)
        except PrinterTrouble:
            return PrinterStatus(online=False)
        spool.ClosePrinter(handle)
        return PrinterStatus(online=True, paper=PaperLevel.UNKNOWN)

    def print_paper(self, paper: Paper) -> None:
        spool = self._library()
        handle = self._open(spool)
        try:
            self._send(spool, handle, paper.name, encode(paper))
        finally:
            spool.ClosePrinter(handle)

    def _open(self, spool: Any) -> ctypes.c_void_p:
        handle = ctypes.c_void_p()
        if not spool.OpenPrinterW(ctypes.c_wchar_p(self._name), ctypes.byref(handle), None):
            raise PrinterTrouble(TroubleKind.OFFLINE, detail=self._name)
        return handle

    def _send(self, spool: Any, handle: ctypes.c_void_p, name: str, job: bytes) -> None:
        about = _DocInfo(name, None, "RAW")
        if not spool.StartDocPrinterW(handle, 1, ctypes.byref(about)):
            raise PrinterTrouble(TroubleKind.OFFLINE, detail=self._name)
        written = ctypes.c_uint32()
        sent = bool(spool.StartPagePrinter(handle))
        sent = sent and bool(spool.WritePrinter(handle, job, len(job), ctypes.byref(written)))
        spool.EndPagePrinter(handle)
        ended = bool(spool.EndDocPrinter(handle))
        if not (sent and ended) or written.value != len(job):
            raise PrinterTrouble(TroubleKind.LOST_MID_JOB, maybe_printed=written.value > 0, detail=self._name)
