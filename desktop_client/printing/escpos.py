"""A laid-out paper as ESC/POS bytes.

Chinese goes out in the printer's double-byte mode: ``FS &`` before every line, because a printer that was switched off
and on forgets it, and python-escpos never sends it. Texts are GBK already (paper.printable).

Source: Epson ESC/POS command reference (ESC @, ESC a, ESC E, GS !, GS k m=73, ESC p, GS V 66, ESC d); FS & and the GBK
restriction as observed with python-escpos 3.1 and reported for GBK printers (node-escpos issue 332).
"""

from __future__ import annotations

from desktop_client.printing.paper import (
    Align,
    BarcodeRow,
    Command,
    FeedRow,
    Paper,
    Row,
    RuleRow,
    TextRow,
    columns_of,
)

INITIALISE = b"\x1b@"
CHINESE_ON = b"\x1c&"
_ALIGN = {Align.LEFT: b"\x1ba\x00", Align.CENTER: b"\x1ba\x01", Align.RIGHT: b"\x1ba\x02"}
#: Feed to the knife, then cut leaving one point: a paper that falls to the floor is lost.
_CUT = b"\x1dVB\x00"
#: Pin 2, 50 ms on, 500 ms off.
_DRAWER = b"\x1bp\x00\x19\xfa"
_BARCODE_SHAPE = b"\x1dh\x50\x1dw\x02\x1dH\x02\x1df\x00"
_CODE128 = 73


def encode(paper: Paper) -> bytes:
    """The whole job, from initialising to the cut."""
    return INITIALISE + b"".join(_row(row, paper.columns) for row in paper.rows)


def _row(row: Row, columns: int) -> bytes:
    match row:
        case TextRow():
            return _text(row, columns)
        case RuleRow():
            return _text(TextRow(row.character * (columns // columns_of(row.character))), columns)
        case FeedRow():
            return b"\x1bd" + bytes([row.lines])
        case BarcodeRow():
            return _barcode(row.text)
        case Command.CUT:
            return _CUT
        case Command.DRAWER:
            return _DRAWER


def _text(row: TextRow, columns: int) -> bytes:
    """One line in its style, style reset afterwards so that a lost line spoils nothing below it."""
    room = columns // row.width
    gap = room - columns_of(row.left) - columns_of(row.right)
    text = row.left + " " * max(gap, 1) + row.right if row.right else row.left
    styled = row.bold or row.width > 1 or row.height > 1
    size = bytes([(row.width - 1) << 4 | (row.height - 1)])
    before = (b"\x1bE\x01" if row.bold else b"") + (b"\x1d!" + size if styled else b"")
    after = (b"\x1d!\x00" if styled else b"") + (b"\x1bE\x00" if row.bold else b"")
    start = _ALIGN[row.align] if row.align is not Align.LEFT else b""
    end = _ALIGN[Align.LEFT] if row.align is not Align.LEFT else b""
    return start + before + CHINESE_ON + text.encode("gbk") + b"\n" + after + end


def _barcode(text: str) -> bytes:
    """CODE128 in code set B, centred, its text under the bars."""
    data = b"{B" + text.encode("ascii").replace(b"{", b"{{")
    code = b"\x1dk" + bytes([_CODE128, len(data)]) + data
    return _ALIGN[Align.CENTER] + _BARCODE_SHAPE + code + b"\n" + _ALIGN[Align.LEFT]
