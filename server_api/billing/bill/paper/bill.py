"""A bill on paper: who, how much, until when, and then everything it is made of."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby

from resources import text
from server_api.billing.bill.paper.sheet import ACCENT, INK, PALE, QUIET, RULE, Cell, Column, Sheet, counted
from server_api.billing.bill.paper.sizes import Paper
from server_api.billing.bill.policy import billing_policy
from shared_models.contracts.bill import BillDocument, BillLineView, LineKind
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.period import Month
from shared_models.values.rmb import rmb_capitals

_ONE_DAY = timedelta(days=1)


def draw_bill(document: BillDocument, paper: Paper, language: str) -> bytes:
    """The bill as a PDF. Amounts are those of the document, nothing is computed anew but what is to be paid."""
    return counted(lambda pages: _draw(document, paper, language, pages))


def due_now(document: BillDocument) -> Fen:
    """What was to be paid when the bill was frozen: earlier debts and this bill, less what was held in advance."""
    due = document.owed_before_fen + document.head.total_fen - document.advance_before_fen
    return due if due > ZERO_FEN else ZERO_FEN


def _draw(document: BillDocument, paper: Paper, language: str, pages: int) -> Sheet:
    sheet = Sheet(paper, language, text("bill.title", language), document.head.bill_no, pages)
    operator = billing_policy().operator
    sheet.operator_words = operator.name if language.startswith("zh") else operator.name_en
    sheet.add_page()
    _masthead(sheet, document)
    _parties(sheet, document)
    _due(sheet, document)
    _summary(sheet, document)
    _details(sheet, document)
    _taxes(sheet, document)
    _hints(sheet)
    return sheet


def _masthead(sheet: Sheet, document: BillDocument) -> None:
    m = sheet.measures
    top = sheet.get_y()
    sheet.set_fill_color(*ACCENT)
    sheet.rect(sheet.l_margin, top, 1.6, m.row * 2.1, style="F")
    sheet.set_x(sheet.l_margin + 4)
    sheet.ink(m.large, INK)
    sheet.cell(sheet.width * 0.62, m.row * 1.2, sheet.operator_words)
    sheet.ink(m.huge, ACCENT)
    sheet.cell(0, m.row * 1.2, sheet.title_words, align="R", new_x="LMARGIN", new_y="NEXT")
    sheet.set_x(sheet.l_margin + 4)
    sheet.ink(m.small, QUIET)
    hotline = text("bill.hotline", sheet.language, hotline=billing_policy().operator.hotline)
    sheet.cell(sheet.width * 0.5, m.row, hotline)
    number = f"{text('bill.bill_no', sheet.language)} {document.head.bill_no}"
    sheet.cell(0, m.row, number, align="R", new_x="LMARGIN", new_y="NEXT")
    sheet.set_y(max(sheet.get_y(), top + m.row * 2.1) + m.row * 0.6)


def _parties(sheet: Sheet, document: BillDocument) -> None:
    """Two columns of labelled facts: the customer on the left, the bill on the right."""
    lang, payer, head = sheet.language, document.payer, document.head
    left = [("customer", payer.name), ("customer_no", payer.customer_no), ("address", payer.address)]
    right = [
        ("account_no", head.account_no),
        ("period", f"{document.from_on} – {document.until_on - _ONE_DAY}"),
        ("issued_on", str(head.issued_on)),
        ("due_on", str(head.due_on)),
    ]
    top = sheet.get_y()
    bottom = top
    for x, share, facts in ((0.0, 0.56, left), (0.58, 0.42, right)):
        sheet.set_y(top)
        for label, words in facts:
            _fact(sheet, sheet.l_margin + x * sheet.width, share * sheet.width, text(f"bill.{label}", lang), words)
        bottom = max(bottom, sheet.get_y())
    sheet.set_xy(sheet.l_margin, bottom + sheet.measures.row * 0.4)


def _fact(sheet: Sheet, x: float, width: float, label: str, words: str) -> None:
    m = sheet.measures
    y, label_width = sheet.get_y(), m.base * 2.1
    sheet.ink(m.small, QUIET)
    sheet.set_xy(x, y)
    sheet.cell(label_width, m.row, label)
    sheet.ink(m.base)
    for line in sheet.wrap(words, width - label_width - 2 * sheet.c_margin) if words else [""]:
        sheet.set_xy(x + label_width, y)
        sheet.cell(width - label_width, m.row, line)
        y += m.row * 0.85
    sheet.set_y(y + m.row * 0.15)


def _due(sheet: Sheet, document: BillDocument) -> None:
    """The box everybody looks for: how it comes about on the left, what is to be paid on the right."""
    m, lang = sheet.measures, sheet.language
    height = m.row * 4.4
    x, y = sheet.panel(height)
    due = due_now(document)
    parts = (
        ("owed_before", document.owed_before_fen),
        ("total", document.head.total_fen),
        ("advance", -document.advance_before_fen),
    )
    for number, (label, amount) in enumerate(parts):
        sheet.set_xy(x + 3, y + m.row * (0.5 + number * 1.1))
        sheet.ink(m.base, QUIET)
        sheet.cell(m.base * 3.6, m.row, text(f"bill.{label}", lang))
        sheet.ink(m.base)
        sheet.cell(m.base * 3.2, m.row, amount.grouped, align="R")
    right = x + sheet.width * 0.5
    sheet.set_xy(right, y + m.row * 0.45)
    sheet.ink(m.base, QUIET)
    sheet.cell(sheet.width * 0.5 - 4, m.row, f"{text('bill.due_now', lang)}", align="R")
    sheet.set_xy(right, y + m.row * 1.4)
    sheet.ink(m.huge + 2, ACCENT)
    sheet.cell(sheet.width * 0.5 - 4, m.row * 1.5, f"¥ {due.grouped}", align="R")
    sheet.set_xy(right - sheet.width * 0.12, y + m.row * 3.1)
    sheet.ink(m.small, QUIET)
    words = f"{text('bill.capitals', lang)} {rmb_capitals(due)}" if due else text("bill.nothing_due", lang)
    sheet.cell(sheet.width * 0.62 - 4, m.row, words, align="R")
    sheet.set_xy(sheet.l_margin, y + height + 1)


def _summary(sheet: Sheet, document: BillDocument) -> None:
    """What each service costs, with a bar that shows its share."""
    m = sheet.measures
    sheet.heading(text("bill.summary", sheet.language))
    largest = max((abs(each.amount_fen.amount_fen) for each in document.services), default=0)
    for each in document.services:
        sheet.keep_together(m.row)
        y = sheet.get_y()
        sheet.ink(m.base)
        sheet.cell(sheet.width * 0.24, m.row, each.label)
        room = sheet.width * 0.54
        part = room * abs(each.amount_fen.amount_fen) / largest if largest else 0
        sheet.set_fill_color(*PALE)
        sheet.rect(sheet.l_margin + sheet.width * 0.24, y + m.row * 0.32, room, m.row * 0.36, style="F")
        sheet.set_fill_color(*ACCENT)
        sheet.rect(sheet.l_margin + sheet.width * 0.24, y + m.row * 0.32, part, m.row * 0.36, style="F")
        sheet.set_x(sheet.l_margin + sheet.width * 0.8)
        sheet.cell(sheet.width * 0.2, m.row, each.amount_fen.grouped, align="R", new_x="LMARGIN", new_y="NEXT")


def _details(sheet: Sheet, document: BillDocument) -> None:
    m, lang = sheet.measures, sheet.language
    sheet.heading(text("bill.details", lang))
    columns = (
        Column(text("bill.item", lang), 0.46),
        Column(text("bill.days", lang), 0.24),
        Column("", 0.12, right=True),
        Column(text("bill.amount", lang), 0.18, right=True),
    )
    sheet.table_head(columns)
    by_product = groupby(document.lines, key=lambda line: (line.service, line.shown_as))
    for (_service, shown_as), group in by_product:
        lines = list(group)
        # a number's heading is not left alone at the foot of a page
        sheet.keep_together(m.row * 2.4)
        _product_row(sheet, lines[0].service_label, shown_as, Fen.total(line.amount_fen for line in lines))
        for line in lines:
            sheet.table_row(columns, _cells(line, lang), lambda: sheet.table_head(columns))
    sheet.hair(INK, 0.3)
    sheet.keep_together(m.row * 1.4)
    sheet.ink(m.base + 0.8)
    sheet.cell(sheet.width * 0.6, m.row * 1.3, text("bill.total", lang))
    sheet.cell(
        sheet.width * 0.4, m.row * 1.3, document.head.total_fen.grouped, align="R", new_x="LMARGIN", new_y="NEXT"
    )


def _product_row(sheet: Sheet, service: str, shown_as: str, subtotal: Fen) -> None:
    m = sheet.measures
    y = sheet.get_y() + 0.6
    sheet.set_fill_color(*PALE)
    sheet.rect(sheet.l_margin, y, sheet.width, m.row, style="F")
    sheet.set_y(y)
    sheet.ink(m.base, ACCENT)
    sheet.cell(sheet.width * 0.7, m.row, f"{service}  {shown_as}".strip())
    sheet.ink(m.small, QUIET)
    words = f"{text('bill.subtotal', sheet.language)} {subtotal.grouped}"
    sheet.cell(sheet.width * 0.3, m.row, words, align="R", new_x="LMARGIN", new_y="NEXT")


def _cells(line: BillLineView, language: str) -> tuple[Cell, Cell, Cell, Cell]:
    count = ""
    if line.kind == LineKind.USAGE:
        key = "bill.sessions" if line.service == "broadband" else "bill.calls"
        count = text(key, language, count=f"{line.part_count:,}")
    return (
        Cell(line.label, line.offering_label if line.offering_label != line.label else ""),
        Cell(days_words(line.from_on, line.until_on)),
        Cell(count),
        Cell(line.amount_fen.grouped),
    )


def days_words(from_on: date, until_on: date) -> str:
    """The days a line is for, shortest: a whole month by its name."""
    last = until_on - _ONE_DAY
    if from_on.day == 1 and until_on == Month.of(from_on).until_on:
        return f"{from_on:%Y-%m}"
    if from_on.year == last.year:
        return f"{from_on:%Y-%m-%d} – {last:%m-%d}"
    return f"{from_on} – {last}"


def _taxes(sheet: Sheet, document: BillDocument) -> None:
    lang = sheet.language
    sheet.heading(text("bill.taxes", lang))
    columns = (
        Column(text("bill.tax_rate", lang), 0.25),
        Column(text("bill.gross", lang), 0.25, right=True),
        Column(text("bill.net", lang), 0.25, right=True),
        Column(text("bill.tax", lang), 0.25, right=True),
    )
    sheet.table_head(columns)
    for tax in document.taxes:
        percent, tenth = divmod(tax.tax_per_mille, 10)
        rate = f"{percent}.{tenth}%" if tenth else f"{percent}%"
        sheet.table_row(
            columns,
            (
                Cell(rate),
                Cell(tax.gross_fen.grouped),
                Cell(tax.net_fen.grouped),
                Cell(tax.tax_fen.grouped),
            ),
        )


def _hints(sheet: Sheet) -> None:
    m, operator = sheet.measures, billing_policy().operator
    words = operator.pay_hint if sheet.language.startswith("zh") else operator.pay_hint_en
    sheet.ink(m.small, QUIET)
    lines = sheet.wrap(words, sheet.width)
    sheet.keep_together(m.row * (len(lines) + 2))
    sheet.ln(m.row * 0.8)
    sheet.hair(RULE)
    sheet.ln(1)
    sheet.ink(m.small, ACCENT)
    sheet.cell(sheet.width, m.row * 0.9, text("bill.how_to_pay", sheet.language), new_x="LMARGIN", new_y="NEXT")
    sheet.ink(m.small, QUIET)
    for line in lines:
        sheet.cell(sheet.width, m.row * 0.8, line, new_x="LMARGIN", new_y="NEXT")
