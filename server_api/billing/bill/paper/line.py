"""A bill line opened, on paper: every charge or call behind it, their sum, and the one rounding."""

from __future__ import annotations

from resources import text
from server_api.billing.bill.paper.bill import days_words
from server_api.billing.bill.paper.sheet import INK, QUIET, Cell, Column, Sheet, counted
from server_api.billing.bill.paper.sizes import Paper
from server_api.billing.bill.policy import billing_policy
from shared_models.contracts.bill import BillDocument, LineOpening
from shared_models.contracts.rating import RatedCall


def draw_line(document: BillDocument, opening: LineOpening, paper: Paper, language: str) -> bytes:
    """The opened line as a PDF; numbers stand as masked as they are in ``opening``."""
    return counted(lambda pages: _draw(document, opening, paper, language, pages))


def _draw(document: BillDocument, opening: LineOpening, paper: Paper, language: str, pages: int) -> Sheet:
    sheet = Sheet(paper, language, text("bill.opened", language), document.head.bill_no, pages)
    operator = billing_policy().operator
    sheet.operator_words = operator.name if language.startswith("zh") else operator.name_en
    sheet.add_page()
    m, line = sheet.measures, opening.line
    sheet.ink(m.large, INK)
    sheet.cell(sheet.width, m.row * 1.3, f"{sheet.title_words}  {document.head.bill_no}", new_x="LMARGIN", new_y="NEXT")
    sheet.ink(m.base, QUIET)
    about = (
        f"{document.payer.name}   {line.service_label} {line.shown_as}   {line.label}   "
        f"{days_words(line.from_on, line.until_on)}   {line.amount_fen.grouped}"
    )
    for part in sheet.wrap(about, sheet.width):
        sheet.cell(sheet.width, m.row, part, new_x="LMARGIN", new_y="NEXT")
    sheet.ln(1)
    if opening.calls:
        _calls(sheet, opening)
    for charge in opening.charges:
        sheet.table_row((Column("", 1.0),), (Cell(charge.text, f"{charge.offering_code} {charge.price_code}"),))
    sheet.hair(INK, 0.3)
    sheet.ln(1)
    sheet.ink(m.base)
    for part in sheet.wrap(opening.rounding, sheet.width):
        sheet.cell(sheet.width, m.row, part, new_x="LMARGIN", new_y="NEXT")
    return sheet


def _calls(sheet: Sheet, opening: LineOpening) -> None:
    lang = sheet.language
    columns = (
        Column(text("bill.call_started", lang), 0.21),
        Column(text("bill.call_peer", lang), 0.18),
        Column(text("bill.call_duration", lang), 0.10, right=True),
        Column(text("bill.call_zone", lang), 0.10),
        Column(text("bill.call_rule", lang), 0.29),
        Column(text("bill.call_charge", lang), 0.12, right=True),
    )
    sheet.table_head(columns)
    for call in opening.calls:
        sheet.table_row(columns, _cells(call), lambda: sheet.table_head(columns))


def _cells(call: RatedCall) -> tuple[Cell, ...]:
    minutes, seconds = divmod(call.duration_s, 60)
    hours, minutes = divmod(minutes, 60)
    return (
        Cell(call.started),
        Cell(call.peer_no),
        Cell(f"{hours}:{minutes:02d}:{seconds:02d}"),
        Cell(call.zone_code),
        Cell(call.text or call.tariff),
        Cell(str(call.charge_micro_yuan)),
    )
