"""Prints receipts the way a counter does: laid out once, as PDF and as the bytes of a receipt printer.

Run with the project's Python: ``python -m installers.bootstrap.print_papers FOLDER`` reads ``FOLDER/receipts.json``
(a list of receipts).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Write ``<receipt number>.pdf`` and ``.escpos`` for each receipt."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtGui import QGuiApplication

    from desktop_client.printing.escpos import encode
    from desktop_client.printing.form import form_for
    from desktop_client.printing.layout import lay_out
    from desktop_client.printing.pdf import write_pdf
    from shared_models.contracts.receipt import Receipt

    app = QGuiApplication(sys.argv[:1])
    for document in json.loads((folder / "receipts.json").read_text(encoding="utf-8")):
        receipt = Receipt.model_validate(document)
        paper = lay_out(receipt, form_for(receipt.kind, 80), "zh_CN")
        write_pdf(paper, folder / f"{receipt.receipt_no}.pdf")
        (folder / f"{receipt.receipt_no}.escpos").write_bytes(encode(paper))
    app.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
