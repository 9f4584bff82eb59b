"""Printers and their faults: network (against the virtual printer), file, Windows spooler (a recorded library)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_client.devices.receipt_printer.base import PaperLevel, PrinterTrouble, TroubleKind
from desktop_client.devices.receipt_printer.registry import MODELS, UnknownPrinter, printer_for
from desktop_client.devices.receipt_printer.simulator.picture import picture, picture_of_job
from desktop_client.devices.receipt_printer.simulator.server import PrinterFault, VirtualPrinter
from desktop_client.devices.receipt_printer.windows_spooler import SpoolerPrinter
from desktop_client.printing import escpos
from desktop_client.printing.form import form_for
from desktop_client.printing.layout import lay_out
from shared_models.contracts.receipt import ReceiptKind
from tests.unit.desktop_client.papers import receipt

PAPER = lay_out(receipt(), form_for(ReceiptKind.PAYMENT))


@pytest.fixture
def virtual() -> Iterator[VirtualPrinter]:
    printer = VirtualPrinter()
    yield printer
    printer.close()


def test_a_job_over_the_network_arrives_byte_for_byte(virtual: VirtualPrinter) -> None:
    printer = printer_for(f"network:127.0.0.1:{virtual.port}")
    assert printer.status().online
    assert printer.status().paper is PaperLevel.OK
    printer.print_paper(PAPER)
    virtual.wait_for_jobs(1)
    assert virtual.raw_jobs == [escpos.encode(PAPER)]
    assert "缴费收据" in virtual.jobs[0].text
    drawn = picture(virtual.jobs[0])
    assert drawn.width == 576 + 64
    assert drawn.tobytes() == picture_of_job(virtual.raw_jobs[0]).tobytes()
    black = sum(1 for dot in drawn.tobytes() if dot < 128)
    assert 0.02 < black / (drawn.width * drawn.height) < 0.25, "neither blank nor a black page"


@pytest.mark.parametrize(("fault", "kind"), [
    (PrinterFault.PAPER_OUT, TroubleKind.PAPER_OUT), (PrinterFault.OFFLINE, TroubleKind.OFFLINE),
])
def test_nothing_is_sent_to_a_printer_that_cannot_print(
    virtual: VirtualPrinter, fault: PrinterFault, kind: TroubleKind
) -> None:
    virtual.fault = fault
    printer = printer_for(f"network:127.0.0.1:{virtual.port}")
    with pytest.raises(PrinterTrouble) as trouble:
        printer.print_paper(PAPER)
    assert (trouble.value.kind, trouble.value.maybe_printed) == (kind, False)
    assert virtual.jobs == []


def test_a_connection_lost_in_the_middle_says_that_paper_may_have_come_out(virtual: VirtualPrinter) -> None:
    virtual.fault = PrinterFault.CUT_MID_JOB
    with pytest.raises(PrinterTrouble) as trouble:
        printer_for(f"network:127.0.0.1:{virtual.port}").print_paper(PAPER)
    assert trouble.value.kind is TroubleKind.LOST_MID_JOB
    assert trouble.value.maybe_printed


def test_low_paper_still_prints(virtual: VirtualPrinter) -> None:
    virtual.fault = PrinterFault.PAPER_LOW
    printer = printer_for(f"network:127.0.0.1:{virtual.port}")
    assert printer.status().paper is PaperLevel.LOW
    printer.print_paper(PAPER)
    assert len(virtual.wait_for_jobs(1)) == 1


def test_a_printer_that_answers_no_questions_still_prints(virtual: VirtualPrinter) -> None:
    virtual.fault = PrinterFault.MUTE
    printer_for(f"network:127.0.0.1:{virtual.port}").print_paper(PAPER)
    assert len(virtual.wait_for_jobs(1)) == 1


def test_a_printer_that_is_not_there_is_offline() -> None:
    gone = VirtualPrinter()
    gone.close()
    printer = printer_for(f"network:127.0.0.1:{gone.port}")
    assert not printer.status().online
    with pytest.raises(PrinterTrouble) as trouble:
        printer.print_paper(PAPER)
    assert trouble.value.kind is TroubleKind.OFFLINE


def test_a_file_printer_writes_whole_jobs_into_its_folder(tmp_path: Path) -> None:
    printer = printer_for(f"file:{tmp_path / 'spool'}")
    printer.print_paper(PAPER)
    assert [file.name for file in (tmp_path / "spool").iterdir()] == ["payment-YM01-03-0000123-1.bin"]
    assert (tmp_path / "spool" / "payment-YM01-03-0000123-1.bin").read_bytes() == escpos.encode(PAPER)


def test_a_folder_that_cannot_be_made_is_a_trouble_with_a_name(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file, not a folder")
    with pytest.raises(PrinterTrouble) as trouble:
        printer_for(f"file:{tmp_path / 'blocked' / 'spool'}").print_paper(PAPER)
    assert trouble.value.kind is TroubleKind.CANNOT_WRITE


class RecordedSpooler:
    """Stands for winspool.drv; takes the calls down and fails where told."""

    def __init__(self, fails_at: str = "") -> None:
        self.calls: list[str] = []
        self.job = b""
        self._fails_at = fails_at

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> int:
            self.calls.append(name)
            if name == self._fails_at:
                return 0
            if name == "StartDocPrinterW":
                assert arguments[2]._obj.datatype == "RAW"
            if name == "WritePrinter":
                self.job += arguments[1]
                ctypes.cast(arguments[3], ctypes.POINTER(ctypes.c_uint32))[0] = arguments[2]
            return 1

        return call


def test_the_windows_spooler_gets_the_job_raw_and_is_always_closed() -> None:
    spooler = RecordedSpooler()
    SpoolerPrinter("XP-80", lambda: spooler).print_paper(PAPER)
    assert spooler.job == escpos.encode(PAPER)
    assert spooler.calls == [
        "OpenPrinterW", "StartDocPrinterW", "StartPagePrinter", "WritePrinter", "EndPagePrinter", "EndDocPrinter",
        "ClosePrinter",
    ]


@pytest.mark.parametrize(("fails_at", "kind", "maybe"), [
    ("OpenPrinterW", TroubleKind.OFFLINE, False), ("StartDocPrinterW", TroubleKind.OFFLINE, False),
    ("WritePrinter", TroubleKind.LOST_MID_JOB, False), ("EndDocPrinter", TroubleKind.LOST_MID_JOB, True),
])
def test_a_spooler_that_fails_says_where(fails_at: str, kind: TroubleKind, maybe: bool) -> None:
    spooler = RecordedSpooler(fails_at)
    with pytest.raises(PrinterTrouble) as trouble:
        SpoolerPrinter("XP-80", lambda: spooler).print_paper(PAPER)
    assert (trouble.value.kind, trouble.value.maybe_printed) == (kind, maybe)
    assert (spooler.calls[-1] == "ClosePrinter") is (fails_at != "OpenPrinterW")


@pytest.mark.parametrize("setting", ["", "laser:x", "network:", "network:host:0", "file:", "network:host:port"])
def test_a_printer_setting_that_means_nothing_is_refused(setting: str) -> None:
    with pytest.raises(UnknownPrinter):
        printer_for(setting)


def test_every_model_is_named_in_the_settings_help() -> None:
    assert set(MODELS) == {"network", "file", "windows", "pdf"}
