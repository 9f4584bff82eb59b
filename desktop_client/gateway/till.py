"""The till of the signed-in teller."""

from __future__ import annotations

from desktop_client.gateway.http import HallHttp
from desktop_client.work.journal import Step
from shared_models.contracts.cashdesk import CloseTill, CountTill, DepositCash, OpenTill, TillView


class TillApi:
    """The till routes that read."""

    def __init__(self, http: HallHttp) -> None:
        self._http = http

    def current(self) -> TillView:
        """The caller's own live session, or none."""
        return self._http.get("/api/hall/till/current", TillView)


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
