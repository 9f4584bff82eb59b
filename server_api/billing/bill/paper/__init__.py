"""Bills and opened lines on paper: PDF, A4 or A5, Chinese or English, with an exact text layer."""

from server_api.billing.bill.paper.bill import bill_pdf
from server_api.billing.bill.paper.line import line_pdf
from server_api.billing.bill.paper.sheet import Paper

__all__ = ["Paper", "bill_pdf", "line_pdf"]
