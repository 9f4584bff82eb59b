"""What the desks ask the server to do: each act with its path, its body and the words for the teller. Plain data."""

from __future__ import annotations

from desktop_client.work.acts import Step, segment
from shared_models.contracts.cashdesk import CloseTill, CountTill, DepositCash, OpenTill, Reprint
from shared_models.contracts.payment import ReversePayment, TakePayment


def taking(request: TakePayment, who: str) -> Step:
    """The act of taking a payment."""
    return Step(
        name="take_payment", path="/api/hall/payments", body=request.model_dump(mode="json"),
        title_key="ui.act.take_payment", title_params={"who": who, "amount": request.amount_fen.grouped},
    )


def reversing(payment_id: str, request: ReversePayment, *, receipt_no: str, amount: str) -> Step:
    """The act of undoing a payment."""
    return Step(
        name="reverse_payment", path=f"/api/hall/payments/{segment(payment_id)}/reverse",
        body=request.model_dump(mode="json"), title_key="ui.act.reverse_payment",
        title_params={"receipt_no": receipt_no, "amount": amount}, reason=request.reason,
    )


def reprinting(receipt_no: str, reason: str = "") -> Step:
    """The act of making another copy of a paper."""
    return Step(
        name="reprint", path=f"/api/hall/receipts/{segment(receipt_no)}/reprint",
        body=Reprint(reason=reason).model_dump(mode="json"), title_key="ui.act.reprint",
        title_params={"receipt_no": receipt_no}, reason=reason,
    )


def opening(request: OpenTill) -> Step:
    """The act of opening the till with its float."""
    return Step(
        name="open_till", path="/api/hall/till/open", body=request.model_dump(mode="json"),
        title_key="ui.act.open_till", title_params={"amount": request.float_fen.grouped},
    )


def counting(request: CountTill) -> Step:
    """The act of counting the drawer."""
    return Step(
        name="count_till", path="/api/hall/till/count", body=request.model_dump(mode="json"),
        title_key="ui.act.count_till", title_params={"amount": request.counted_fen.grouped},
    )


def closing(request: CloseTill) -> Step:
    """The act of closing the day."""
    return Step(
        name="close_till", path="/api/hall/till/close", body=request.model_dump(mode="json"),
        title_key="ui.act.close_till",
    )


def depositing(request: DepositCash) -> Step:
    """The act of handing the day's cash to the bank."""
    return Step(
        name="deposit_cash", path="/api/hall/till/deposit", body=request.model_dump(mode="json"),
        title_key="ui.act.deposit_cash", title_params={"amount": request.amount_fen.grouped},
    )
