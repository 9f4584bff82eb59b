"""Payments: what one would do, what was taken, and the acts that take, reverse and reprint."""

from __future__ import annotations

from urllib.parse import quote

from desktop_client.gateway.http import HallHttp
from desktop_client.work.journal import Step
from shared_models.contracts.cashdesk import Reprint
from shared_models.contracts.payment import PaymentPage, PaymentPreview, ReversePayment, TakePayment
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
        return self._http.get(f"/api/hall/receipts/{quote(receipt_no, safe='')}", Receipt)


def taking(request: TakePayment, who: str) -> Step:
    """The act of taking a payment."""
    return Step(
        name="take_payment", path="/api/hall/payments", body=request.model_dump(mode="json"),
        title_key="ui.act.take_payment", title_params={"who": who, "amount": request.amount_fen.grouped},
    )


def reversing(payment_id: str, request: ReversePayment, *, receipt_no: str, amount: str) -> Step:
    """The act of undoing a payment."""
    return Step(
        name="reverse_payment", path=f"/api/hall/payments/{quote(payment_id, safe='')}/reverse",
        body=request.model_dump(mode="json"), title_key="ui.act.reverse_payment",
        title_params={"receipt_no": receipt_no, "amount": amount}, reason=request.reason,
    )


def reprinting(receipt_no: str, reason: str = "") -> Step:
    """The act of making another copy of a paper."""
    return Step(
        name="reprint", path=f"/api/hall/receipts/{quote(receipt_no, safe='')}/reprint",
        body=Reprint(reason=reason).model_dump(mode="json"), title_key="ui.act.reprint",
        title_params={"receipt_no": receipt_no}, reason=reason,
    )
