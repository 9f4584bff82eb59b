"""Traffic of trunk groups and settlement between operators over REST."""

from __future__ import annotations

from fastapi import Query

from server_api.billing.usage.traffic import service
from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, refusals, reply
from shared_models.contracts.base import Contract
from shared_models.contracts.table import Table
from shared_models.values.faults.common import InputNotValid
from shared_models.values.faults.usage import NoAgreement
from shared_models.values.period import Month

router = hall_router("traffic")
_MONTH = Query(ge=190_001, le=999_912, description="month, yyyymm")
_LANGUAGE = Query(default="zh_CN", pattern="^(zh_CN|en)$", description="language of the report")


def _month(yyyymm: int) -> Month:
    try:
        return Month(yyyymm)
    except ValueError:
        raise InputNotValid(field="month", reason="yyyymm") from None


class SettlementReport(Contract):
    """What operators owe, and the traffic that no rate settles."""

    settled: Table
    unsettled: Table


@router.get("/traffic/trunks", response_model=Table)
def trunks(
    month: int = _MONTH,
    switch: str | None = Query(default=None, max_length=24, description="only this exchange"),
    by: str = Query(default="trunk", pattern="^(trunk|office|hour)$", description="what a row stands for"),
    language: str = _LANGUAGE,
    caller: Caller = permit(Permission.USAGE_IMPORT),
) -> Response:
    """Calls, answers, seconds and load of a month per exchange, trunk group and direction."""
    report = service.report_by(by)
    with caller.databases.billing.reading() as conn:
        return reply(report(conn, _month(month), switch=switch, language=language))


@router.get("/traffic/settlement", response_model=SettlementReport, responses=refusals(NoAgreement))
def settlement(
    month: int = _MONTH, language: str = _LANGUAGE, caller: Caller = permit(Permission.USAGE_IMPORT)
) -> Response:
    """What operators owe for a month by the agreements in force; negative is what we owe them."""
    with caller.databases.billing.reading() as conn:
        settled, unsettled = service.settlement_report(conn, _month(month), language=language)
    return reply(SettlementReport(settled=settled, unsettled=unsettled))
