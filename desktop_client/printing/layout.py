"""A receipt laid out by a form: fields become texts, texts become rows that fit the paper. Pure."""

from __future__ import annotations

import resources
from desktop_client.printing.form import PLACE, Form, FormRow
from desktop_client.printing.paper import (
    Align,
    BarcodeRow,
    Command,
    FeedRow,
    Paper,
    Row,
    RuleRow,
    TextRow,
    fold,
    pair,
    printable,
)
from shared_models.contracts.receipt import Receipt
from shared_models.values.clock import town_text
from shared_models.values.money import Fen


def lay_out(receipt: Receipt, form: Form, language: str = "zh_CN") -> Paper:
    """Lay a receipt out. Every character of the result can be printed by a GBK printer."""
    fields = fields_of(receipt, language)
    rows: list[Row] = []
    for form_row in form.rows:
        if not form_row.when or fields[form_row.when]:
            rows += _rows(form_row, receipt, fields, form.columns, language)
    name = f"{receipt.kind.value}-{receipt.receipt_no}-{receipt.copy_no}"
    return Paper(name=name, columns=form.columns, paper_mm=form.paper_mm, rows=tuple(rows))


def fields_of(receipt: Receipt, language: str) -> dict[str, str]:
    """Every field a form may name, as text; empty where the document has nothing to say."""
    return {
        "title": resources.text(f"receipt.title.{receipt.kind.value}", language),
        "receipt_no": receipt.receipt_no,
        "hall_name": receipt.hall_name,
        "hall_code": receipt.hall_code,
        "counter_no": receipt.counter_no,
        "staff_no": receipt.staff_no,
        "staff_name": receipt.staff_name,
        "customer_no": receipt.customer_no,
        "customer_name": receipt.customer_name,
        "account_no": receipt.account_no,
        "total": _yuan(receipt.total_fen),
        "total_capitals": receipt.total_capitals,
        "received": _yuan(receipt.received_fen) if receipt.received_fen else "",
        "change": _yuan(receipt.change_fen) if receipt.received_fen else "",
        "advance": _yuan(receipt.advance_fen) if receipt.advance_fen else "",
        "balance_after": _yuan(receipt.balance_after_fen) if receipt.balance_after_fen is not None else "",
        "owed_after": _yuan(receipt.owed_after_fen) if receipt.owed_after_fen else "",
        "issued_at": town_text(receipt.issued_at),
        "printed_at": town_text(receipt.printed_at) if receipt.printed_at and receipt.is_reprint else "",
        "copy_no": str(receipt.copy_no),
        "bill_refs": " ".join(receipt.bill_refs),
        "reverses_receipt_no": receipt.reverses_receipt_no,
        "barcode_text": receipt.barcode_text,
        "note": receipt.note,
        "is_reprint": "1" if receipt.is_reprint else "",
        "is_first": "" if receipt.is_reprint else "1",
        "has_cash": "1" if any(line.method == "cash" for line in receipt.methods) else "",
        "has_lines": "1" if receipt.lines else "",
        "act_id": receipt.act_id,
    }


def _yuan(amount: Fen) -> str:
    return f"￥{amount.grouped}"


def _rows(row: FormRow, receipt: Receipt, fields: dict[str, str], columns: int, language: str) -> list[Row]:
    room = columns // row.width
    match row.type:
        case "text":
            text = _filled(row.text, fields, language)
            return [TextRow(piece, "", row.align, row.bold, row.width, row.height) for piece in fold(text, room)]
        case "pair":
            return _pair(row, _filled(row.left, fields, language), _filled(row.right, fields, language), room)
        case "rule":
            return [RuleRow(row.character)]
        case "feed":
            return [FeedRow(row.lines)]
        case "lines":
            return _lines(row, receipt, room)
        case "methods":
            names = ((resources.text(f"receipt.method.{line.method}", language), line) for line in receipt.methods)
            return [piece for name, line in names for piece in _pair(row, name, _yuan(line.amount_fen), room)]
        case "barcode":
            return [BarcodeRow(printable(receipt.barcode_text))]
        case _:
            return [Command(row.type)]


def _lines(row: FormRow, receipt: Receipt, room: int) -> list[Row]:
    """What the money is for: the label with its amount, the detail under it."""
    rows: list[Row] = []
    for line in receipt.lines:
        rows += _pair(row, printable(line.label), line.amount_fen.grouped, room)
        if line.detail:
            rows += [TextRow("  " + piece) for piece in fold(printable(line.detail), room - 2)]
    return rows


def _pair(row: FormRow, left: str, right: str, room: int) -> list[Row]:
    return [
        TextRow(start, end, Align.LEFT, row.bold, row.width, row.height) for start, end in pair(left, right, room)
    ]


def _filled(text: str, fields: dict[str, str], language: str) -> str:
    def value(place: str) -> str:
        return resources.text(f"receipt.{place}", language) if place.startswith("word.") else fields[place]

    return printable(PLACE.sub(lambda match: value(match[1]), text))
