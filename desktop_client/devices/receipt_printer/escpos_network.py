"""An ESC/POS printer on the network (raw TCP, usually port 9100).

Status by DLE EOT 1 (printer) and 4 (paper), one byte each. A printer that takes bytes but never answers is treated as
online with unknown paper: cheap models do not implement status.

Source: Epson ESC/POS command reference, DLE EOT: bit 3 of n=1 is offline; n=4 bits 2+3 paper near end, 5+6 paper end.
"""

from __future__ import annotations

import socket

from desktop_client.devices.receipt_printer.base import PaperLevel, PrinterStatus, PrinterTrouble, TroubleKind
from desktop_client.printing.escpos import encode
from desktop_client.printing.paper import Paper

CONNECT_TIMEOUT_S = 2.0
#: A printer answers status within its print cycle; longer silence means that it does not know the command.
STATUS_TIMEOUT_S = 1.0
#: Long enough for a full buffer to drain while the paper is being printed.
SEND_TIMEOUT_S = 20.0

_OFFLINE_BIT = 0x08
_PAPER_LOW_BITS = 0x0C
_PAPER_OUT_BITS = 0x60


class NetworkPrinter:
    """One printer at one address; every job and every question has its own connection."""

    def __init__(self, host: str, port: int = 9100) -> None:
        if not host or not 0 < port < 65536:
            raise ValueError(f"not a printer address: {host}:{port}")
        self._address = (host, port)

    def status(self) -> PrinterStatus:
        try:
            with socket.create_connection(self._address, CONNECT_TIMEOUT_S) as line:
                return _ask(line)
        except OSError:
            return PrinterStatus(online=False)

    def print_paper(self, paper: Paper) -> None:
        job = encode(paper)
        try:
            line = socket.create_connection(self._address, CONNECT_TIMEOUT_S)
        except OSError as problem:
            raise PrinterTrouble(TroubleKind.OFFLINE, detail=str(problem)) from problem
        with line:
            _ready_or_trouble(line)
            try:
                line.settimeout(SEND_TIMEOUT_S)
                line.sendall(job)
                after = _ask(line)
                line.shutdown(socket.SHUT_WR)
            except OSError as problem:
                raise PrinterTrouble(TroubleKind.LOST_MID_JOB, maybe_printed=True, detail=str(problem)) from problem
        if after.paper is PaperLevel.OUT:
            raise PrinterTrouble(TroubleKind.PAPER_OUT, maybe_printed=True)


def _ready_or_trouble(line: socket.socket) -> None:
    """Ask before sending: a job sent to a printer without paper comes out later, when nobody expects it."""
    try:
        before = _ask(line)
    except OSError as problem:
        raise PrinterTrouble(TroubleKind.OFFLINE, detail=str(problem)) from problem
    if before.paper is PaperLevel.OUT:
        raise PrinterTrouble(TroubleKind.PAPER_OUT)
    if not before.online:
        raise PrinterTrouble(TroubleKind.OFFLINE)


def _ask(line: socket.socket) -> PrinterStatus:
    """Both status questions. Raises OSError when the connection is gone."""
    printer = _status_byte(line, 1)
    if printer is None:
        return PrinterStatus(online=True)
    paper = _status_byte(line, 4)
    if paper is None:
        level = PaperLevel.UNKNOWN
    elif paper & _PAPER_OUT_BITS:
        level = PaperLevel.OUT
    else:
        level = PaperLevel.LOW if paper & _PAPER_LOW_BITS else PaperLevel.OK
    return PrinterStatus(online=not printer & _OFFLINE_BIT, paper=level)


def _status_byte(line: socket.socket, question: int) -> int | None:
    """One answer byte, None when the printer keeps silent. Raises ConnectionError when it hangs up."""
    line.settimeout(STATUS_TIMEOUT_S)
    line.sendall(bytes([0x10, 0x04, question]))
    try:
        answer = line.recv(1)
    except TimeoutError:
        return None
    if not answer:
        raise ConnectionError("the printer hung up")
    return answer[0]
