"""Receipts as PDF: the right size, and text that can be copied exactly, digit by digit."""

from __future__ import annotations

from pathlib import Path

import pymupdf
import pytest
from pytestqt.qtbot import QtBot

from desktop_client.devices.receipt_printer.base import PrinterTrouble, TroubleKind
from desktop_client.devices.receipt_printer.registry import printer_for
from desktop_client.printing.form import form_for
from desktop_client.printing.layout import lay_out
from shared_models.contracts.receipt import ReceiptKind
from tests.unit.desktop_client.papers import receipt

pytestmark = pytest.mark.gui


@pytest.mark.parametrize("kind", list(ReceiptKind))
def test_every_paper_as_pdf(qtbot: QtBot, tmp_path: Path, kind: ReceiptKind) -> None:
    document = receipt(kind)
    paper = lay_out(document, form_for(kind))
    printer_for(f"pdf:{tmp_path}").print_paper(paper)
    file = tmp_path / f"{paper.name}.pdf"
    with pymupdf.open(file) as pdf:
        page = pdf[0]
        assert pdf.page_count == 1
        assert round(page.rect.width / 72 * 25.4) == 80
        text = page.get_text()
    for expected in ("玉门油田营业厅", "YM01-03-0000123", document.total_fen.grouped, document.total_capitals,
                     "0937-3913183", "2026年10月", "张丽"):
        assert expected in text
    assert file.stat().st_size < 60_000


def test_a_folder_that_cannot_be_written_is_a_trouble_with_a_name(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file")
    with pytest.raises(PrinterTrouble) as trouble:
        printer_for(f"pdf:{tmp_path / 'blocked' / 'x'}").print_paper(lay_out(receipt(), form_for(ReceiptKind.PAYMENT)))
    assert trouble.value.kind is TroubleKind.CANNOT_WRITE
