"""The virtual printer as a real TCP server on the loopback interface, with a menu of faults.

Used in tests, in training and by the demo. Answers DLE EOT 1 and 4 as a printer does.
"""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from enum import StrEnum
from typing import Any

from desktop_client.devices.receipt_printer.simulator.interpreter import Interpreter, Printed


class PrinterFault(StrEnum):
    """What can be wrong with the printer."""

    NONE = "none"
    PAPER_OUT = "paper_out"
    PAPER_LOW = "paper_low"
    OFFLINE = "offline"
    """It answers, but its cover is open."""
    CUT_MID_JOB = "cut_mid_job"
    """The connection breaks after some bytes of the job."""
    MUTE = "mute"
    """It prints but answers no questions, like cheap models."""


class VirtualPrinter:
    """Starts listening at once; ``close`` ends it. ``jobs`` holds what each connection printed."""

    def __init__(self, port: int = 0) -> None:
        self.fault = PrinterFault.NONE
        self.cut_after_bytes = 200
        self.jobs: list[Printed] = []
        self.raw_jobs: list[bytes] = []
        self._server = _Server(("127.0.0.1", port), _Line)
        self._server.printer = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="printer", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def wait_for_jobs(self, count: int, timeout_s: float = 5.0) -> list[Printed]:
        """Give the jobs once there are at least ``count``. Raises TimeoutError."""
        until = time.monotonic() + timeout_s
        while len(self.jobs) < count:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(self.jobs)} of {count} jobs arrived")
            time.sleep(0.01)
        return self.jobs

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    printer: VirtualPrinter


class _Line(socketserver.BaseRequestHandler):
    """One connection: questions are answered at once, the rest is the job."""

    server: _Server

    def handle(self) -> None:
        printer = self.server.printer
        line: socket.socket = self.request
        line.settimeout(10)
        job = bytearray()
        try:
            while data := line.recv(4096):
                job += self._without_questions(data, line, printer)
                if printer.fault is PrinterFault.CUT_MID_JOB and len(job) > printer.cut_after_bytes:
                    del job[printer.cut_after_bytes :]
                    self._hang_up(line)
                    break
        except OSError:
            # The other side went away; what had arrived is printed, as paper does.
            self._hang_up(line)
        if job:
            reader = Interpreter()
            reader.feed(bytes(job))
            printer.raw_jobs.append(bytes(job))
            printer.jobs.append(reader.printed)

    def _without_questions(self, data: bytes, line: socket.socket, printer: VirtualPrinter) -> bytes:
        """Answer every DLE EOT n in the data and give the rest."""
        rest = bytearray()
        at = 0
        while at < len(data):
            if data[at : at + 2] == b"\x10\x04" and at + 2 < len(data):
                if printer.fault is not PrinterFault.MUTE:
                    line.sendall(bytes([_answer(data[at + 2], printer.fault)]))
                at += 3
            else:
                rest.append(data[at])
                at += 1
        return bytes(rest)

    @staticmethod
    def _hang_up(line: socket.socket) -> None:
        """Break the connection with a reset, as a pulled cable does when the printer comes back."""
        linger: Any = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _answer(question: int, fault: PrinterFault) -> int:
    """The status byte: 0x12 is 'fixed bits only', that is, all well."""
    if question == 1:
        return 0x12 | (0x08 if fault in (PrinterFault.OFFLINE, PrinterFault.PAPER_OUT) else 0)
    if question == 4:
        return 0x12 | {PrinterFault.PAPER_OUT: 0x60, PrinterFault.PAPER_LOW: 0x0C}.get(fault, 0)
    return 0x12
