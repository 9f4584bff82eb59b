"""A laid-out paper as a PDF with the same rows as on the printer, text that can be searched and copied.

The font is the one in ``resources/fonts``: with Noto Sans CJK the page looks right but its text layer is wrong.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMarginsF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QGuiApplication, QPageLayout, QPageSize, QPainter, QPdfWriter, QPen

from desktop_client.printing.barcode import modules_of
from desktop_client.printing.fonts import print_family
from desktop_client.printing.paper import Align, BarcodeRow, FeedRow, Paper, RuleRow, TextRow

_DPI = 600
_MM = _DPI / 25.4
_SIDE_MM = 4.0
_LINE_MM = 4.3
_BARCODE_MM = 11.0
#: Height of a Chinese character; two columns of 1.5 mm.
_EM_MM = 2.95


def write_pdf(paper: Paper, file: Path) -> None:
    """Write the paper to a file, as long as its content. Needs a QGuiApplication. Raises OSError."""
    if QGuiApplication.instance() is None:
        raise RuntimeError("a QGuiApplication must exist before anything is drawn")
    height_mm = sum(_height_mm(row) for row in paper.rows) + 2 * _SIDE_MM
    writer = QPdfWriter(str(file))
    writer.setResolution(_DPI)
    writer.setTitle(paper.name)
    writer.setCreator("OneHall")
    size = QPageSize(
        QSizeF(paper.paper_mm, height_mm), QPageSize.Unit.Millimeter, "receipt", QPageSize.SizeMatchPolicy.ExactMatch
    )
    layout = QPageLayout(size, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0))
    writer.setPageLayout(layout)
    painter = QPainter()
    if not painter.begin(writer):
        raise OSError(f"cannot write {file}")
    try:
        _draw(painter, paper)
    finally:
        painter.end()


def _height_mm(row: object) -> float:
    match row:
        case TextRow():
            return _LINE_MM * (1 if row.height == 1 else row.height * 0.86)
        case RuleRow():
            return _LINE_MM * 0.7
        case FeedRow():
            return _LINE_MM * row.lines * 0.8
        case BarcodeRow():
            return _BARCODE_MM + _LINE_MM + 2
        case _:
            return 0.0


def _draw(painter: QPainter, paper: Paper) -> None:
    top = _SIDE_MM * _MM
    width = (paper.paper_mm - 2 * _SIDE_MM) * _MM
    for row in paper.rows:
        box = QRectF(_SIDE_MM * _MM, top, width, _height_mm(row) * _MM)
        match row:
            case TextRow():
                _draw_text(painter, row, box)
            case RuleRow():
                _draw_rule(painter, row, box)
            case BarcodeRow():
                _draw_barcode(painter, row, box)
            case _:
                pass
        top += box.height()


def _font(row: TextRow) -> QFont:
    font = QFont(print_family())
    font.setPixelSize(round(_EM_MM * _MM * (row.height if row.height == row.width else 1 + 0.28 * (row.height - 1))))
    font.setBold(row.bold)
    return font


def _draw_text(painter: QPainter, row: TextRow, box: QRectF) -> None:
    font = _font(row)
    # A line the printer has room for must not lose its end here, whatever the font's widths.
    wide = QFontMetricsF(font, painter.device()).horizontalAdvance(row.left + ("  " + row.right if row.right else ""))
    if wide > box.width():
        font.setPixelSize(int(font.pixelSize() * box.width() / wide))
    painter.setFont(font)
    flags = {Align.LEFT: Qt.AlignmentFlag.AlignLeft, Align.CENTER: Qt.AlignmentFlag.AlignHCenter,
             Align.RIGHT: Qt.AlignmentFlag.AlignRight}
    painter.drawText(box, flags[row.align] | Qt.AlignmentFlag.AlignVCenter, row.left)
    if row.right:
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, row.right)


def _draw_rule(painter: QPainter, row: RuleRow, box: QRectF) -> None:
    pen = QPen(Qt.GlobalColor.black)
    pen.setWidthF(0.35 * _MM if row.character == "=" else 0.2 * _MM)
    pen.setStyle(Qt.PenStyle.SolidLine if row.character == "=" else Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.drawLine(QPointF(box.left(), box.center().y()), QPointF(box.right(), box.center().y()))
    painter.setPen(Qt.GlobalColor.black)


def _draw_barcode(painter: QPainter, row: BarcodeRow, box: QRectF) -> None:
    modules = modules_of(row.text)
    bar = min(0.3 * _MM, box.width() / len(modules))
    left = box.left() + (box.width() - bar * len(modules)) / 2
    for index, module in enumerate(modules):
        if module == "1":
            painter.fillRect(QRectF(left + index * bar, box.top() + _MM, bar, _BARCODE_MM * _MM), Qt.GlobalColor.black)
    under = QRectF(box.left(), box.top() + (_BARCODE_MM + 1.2) * _MM, box.width(), _LINE_MM * _MM)
    _draw_text(painter, TextRow(row.text, align=Align.CENTER), under)
