"""Bills and opened lines on paper: PDF, A4 or A5, Chinese or English, with an exact text layer.

The drawing library takes more than a second to load, so it is loaded when the first paper is drawn.
"""

from __future__ import annotations

from server_api.billing.bill.paper.sizes import Paper
from shared_models.contracts.bill import BillDocument, LineOpening

__all__ = ["Paper", "bill_pdf", "line_pdf"]


def bill_pdf(document: BillDocument, paper: Paper = Paper.A4, language: str = "zh_CN") -> bytes:
    """The bill as a PDF. Amounts are those of the document; only what is to be paid is added up."""
    from server_api.billing.bill.paper.bill import draw_bill

    return draw_bill(document, paper, language)


def line_pdf(document: BillDocument, opening: LineOpening, paper: Paper = Paper.A4, language: str = "zh_CN") -> bytes:
    """An opened line as a PDF; numbers stand as masked as they are in ``opening``."""
    from server_api.billing.bill.paper.line import draw_line

    return draw_line(document, opening, paper, language)
