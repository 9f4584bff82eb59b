"""Payments: what one would do, and what was taken."""

from __future__ import annotations

from desktop_client.gateway.http import HallHttp
from desktop_client.work.acts import segment
from shared_models.contracts.payment import PaymentPage, PaymentPreview, TakePayment
from shared_models.contracts.receipt import Receipt


class PaymentsApi:
    """The payment routes that read."""

    def __init__(self, http: HallHttp) -> None:
        self._http = http

    def preview(self, request: TakePayment) -> PaymentPreview:
        """What the payment would do: the server's own calculation, nothing stored."""
        return self._http.post("/api/hall/payments/preview", request, PaymentPreview)

    def of_receipt(self, receipt_no: str) -> PaymentPage:
        """The payment a receipt is about."""
        return self._http.get("/api/hall/payments", PaymentPage, {"receipt_no": receipt_no})

    def receipt(self, receipt_no: str) -> Receipt:
        """A receipt as it was issued; looking at it makes no copy."""
        return self._http.get(f"/api/hall/receipts/{segment(receipt_no)}", Receipt)
