"""An ESC/POS printer that is a device file (``/dev/usb/lp0``), or a folder that gets one file a job.

The folder serves the demo, training and whoever has no printer yet: each job is ``<name>.bin``, complete or not there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from desktop_client.devices.receipt_printer.base import PaperLevel, PrinterStatus, PrinterTrouble, TroubleKind
from desktop_client.printing.escpos import encode
from desktop_client.printing.paper import Paper


class FilePrinter:
    """Writes jobs to a device file, or into a folder."""

    def __init__(self, target: str) -> None:
        if not target:
            raise ValueError("a file printer needs a device file or a folder")
        self._target = Path(target)

    @property
    def _is_device(self) -> bool:
        return self._target.exists() and not self._target.is_dir()

    def status(self) -> PrinterStatus:
        place = self._target if self._target.exists() else self._target.parent
        return PrinterStatus(online=os.access(place, os.W_OK), paper=PaperLevel.UNKNOWN)

    def print_paper(self, paper: Paper) -> None:
        try:
            if self._is_device:
                self._to_device(encode(paper))
            else:
                self._to_folder(job_file_name(paper.name, "bin"), encode(paper))
        except OSError as problem:
            raise PrinterTrouble(TroubleKind.CANNOT_WRITE, detail=str(problem)) from problem

    def _to_device(self, job: bytes) -> None:
        with self._target.open("wb", buffering=0) as device:
            try:
                written = 0
                while written < len(job):
                    written += device.write(job[written:]) or 0
            except OSError as problem:
                raise PrinterTrouble(TroubleKind.LOST_MID_JOB, maybe_printed=True, detail=str(problem)) from problem

    def _to_folder(self, name: str, job: bytes) -> None:
        self._target.mkdir(parents=True, exist_ok=True)
        part = self._target / (name + ".part")
        part.write_bytes(job)
        part.replace(self._target / name)


def job_file_name(name: str, ending: str) -> str:
    """A file name no system refuses, from a job's name."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:100] + "." + ending
