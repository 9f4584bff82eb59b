"""Forms: how a receipt lies on paper, as data in ``resources/receipts/*.toml``.

A form lists rows. Texts hold places in braces: ``{receipt_no}`` is a field of the document, ``{word.total}`` the text
``receipt.word.total`` in the paper's language. ``when`` names a field that must not be empty for the row to appear.
A place that does not exist is an error when the form is loaded, not when a customer waits.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import resources
from desktop_client.printing.paper import Align
from shared_models.contracts.receipt import ReceiptKind

PLACE = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)?)\}")
ROW_TYPES = frozenset({"text", "pair", "rule", "feed", "lines", "methods", "barcode", "cut", "drawer"})
#: The fields a form may name, see layout.fields_of.
FIELDS = frozenset({
    "title", "receipt_no", "hall_name", "hall_code", "counter_no", "staff_no", "staff_name", "customer_no",
    "customer_name", "account_no", "total", "total_capitals", "received", "change", "advance", "balance_after",
    "owed_after", "issued_at", "printed_at", "copy_no", "bill_refs", "reverses_receipt_no", "barcode_text", "note",
    "is_reprint", "is_first", "has_cash", "has_lines", "act_id",
})


class FormNotValid(Exception):
    """A form file names something that does not exist."""


@dataclass(frozen=True, slots=True)
class FormRow:
    """One row as the file gives it."""

    type: str
    text: str = ""
    left: str = ""
    right: str = ""
    when: str = ""
    align: Align = Align.LEFT
    bold: bool = False
    width: int = 1
    height: int = 1
    lines: int = 1
    character: str = "-"


@dataclass(frozen=True, slots=True)
class Form:
    """A form: for which papers it is meant, how wide they are, and its rows."""

    code: str
    kinds: frozenset[ReceiptKind]
    columns: int
    paper_mm: int
    rows: tuple[FormRow, ...]


def load_form(file: Path) -> Form:
    """Read and check a form. Raises FormNotValid with the row that is wrong."""
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    head = data["form"]
    rows = tuple(_row(number, row, file.name) for number, row in enumerate(data["row"], 1))
    return Form(
        code=file.stem, kinds=frozenset(ReceiptKind(kind) for kind in head["kinds"]), columns=head["columns"],
        paper_mm=head["paper_mm"], rows=rows,
    )


def form_for(kind: ReceiptKind, paper_mm: int = 80) -> Form:
    """The form for a kind of paper at a paper width."""
    for file in sorted(resources.path("receipts").glob("*.toml")):
        form = load_form(file)
        if kind in form.kinds and form.paper_mm == paper_mm:
            return form
    raise FormNotValid(f"no form for {kind} on {paper_mm} mm")


def _row(number: int, data: dict[str, Any], file: str) -> FormRow:
    where = f"{file} row {number}"
    if data.get("type") not in ROW_TYPES:
        raise FormNotValid(f"{where}: type {data.get('type')!r}")
    unknown = set(data) - set(FormRow.__slots__)
    if unknown:
        raise FormNotValid(f"{where}: {sorted(unknown)}")
    row = FormRow(**{**data, "align": Align(data.get("align", "left"))})
    for place in PLACE.findall(row.text + row.left + row.right):
        known = place in FIELDS or (place.startswith("word.") and f"receipt.{place}" in resources.texts("zh_CN"))
        if not known:
            raise FormNotValid(f"{where}: {{{place}}}")
    if row.when and row.when not in FIELDS:
        raise FormNotValid(f"{where}: when = {row.when}")
    return row
