"""Price questions, and credit control of prepaid calls as a switch or an access server asks for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel

from server_api.billing.rating.credit import service as credit
from server_api.billing.rating.credit.asks import Ask, PriceColumns
from server_api.billing.rating.credit.quote import Quote, QuoteStale
from server_api.billing.rating.credit.rules import best_rung
from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, refusals, reply
from server_api.faces.joined.scope import account_in_scope
from shared_models.contracts.credit import (
    AskHowLong,
    AskPrice,
    AskPrices,
    BeginCredit,
    ChargeEvent,
    CreditAnswer,
    CreditViews,
    EndCredit,
    HowLong,
    PriceAnswer,
    PriceAnswers,
    UpdateCredit,
)
from shared_models.values.faults.account import AccountClosed, AccountNotFound
from shared_models.values.faults.common import InputNotValid, NotFound, TooBusy
from shared_models.values.faults.credit import (
    CreditNoPrice,
    CreditOwnerUnknown,
    CreditRequestLate,
    CreditSessionEnded,
    CreditSessionNotFound,
    CreditSessionTaken,
    CreditUsedFalls,
    PricingAway,
)
from shared_models.values.money import MicroYuan

router = hall_router("rating")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["5c" * 16])]
#: A quote is worked out again when the account or session moved under it; more often than this it is being fought over.
_ATTEMPTS = 8
#: China has had no summer time since 1992, and calendars are read by month up to 2099.
_FIRST_YEAR, _LAST_YEAR = 1992, 2099
_PRICED = (CreditOwnerUnknown, CreditNoPrice, PricingAway)
_ON_SESSION = (
    CreditSessionNotFound, CreditSessionEnded, CreditRequestLate, CreditUsedFalls, TooBusy, AccountNotFound, *_PRICED,
)  # fmt: skip


@router.post("/prices", response_model=PriceAnswer, responses=refusals(*_PRICED))
async def ask_price(body: AskPrice, caller: Caller = permit(Permission.RATING_ASK, act=False)) -> Response:
    """What would this call cost?"""
    start_s = _second(caller, body.started_at)
    quote = await caller.faces.pricing.quote(
        Ask("price", "", body.service, body.access, body.called, start_s, ask=body.quantity)
    )
    _insist_on_price(quote)
    rung = quote.ladder[-1]
    return reply(
        PriceAnswer(
            charge_micro_yuan=rung.charge, quantity=rung.quantity, units=quote.units, tariff=quote.tariff,
            item_code=quote.item_code, account_id=quote.account_id,
        )
    )  # fmt: skip


@router.post("/prices/batch", response_model=PriceAnswers, responses=refusals(InputNotValid, PricingAway))
async def ask_prices(body: AskPrices, caller: Caller = permit(Permission.RATING_ASK, act=False)) -> Response:
    """What would these calls cost? Each by itself, in the order asked."""
    count = len(body.access)
    for name in ("start_s", "quantity", *(("called",) if body.called else ())):
        if len(getattr(body, name)) != count:
            raise InputNotValid(
                field=name, reason={"zh": f"应有 {count} 项，与 access 相同", "en": f"{count} values, as in access"}
            )
    columns = PriceColumns(
        body.service, tuple(body.access), tuple(body.called), tuple(body.start_s), tuple(body.quantity)
    )
    found = await caller.faces.pricing.prices(columns)
    return reply(PriceAnswers(charge_micro_yuan=list(found.charge_micro_yuan), reason=list(found.reason)))


@router.post("/credit/how-long", response_model=HowLong, responses=refusals(*_PRICED))
async def ask_how_long(
    body: AskHowLong, caller: Caller = permit(Permission.CREDIT_CONTROL, Permission.RATING_ASK, act=False)
) -> Response:
    """How long may this call last with the balance as it is? Nothing is reserved."""
    start_s = _second(caller, body.started_at)
    quote = await caller.faces.pricing.quote(Ask("lasting", "", body.service, body.access, body.called, start_s))
    _insist_on_price(quote)
    longest = quote.ladder[-1]
    rung = longest if quote.room is None else best_rung(quote.ladder, quote.room)
    return reply(
        HowLong(
            unit=quote.unit, lasting=rung.quantity if rung else 0, limited=rung is not longest,
            available_micro_yuan=quote.room or MicroYuan(0), account_id=quote.account_id,
        )
    )  # fmt: skip


@router.post(
    "/credit/sessions",
    response_model=CreditAnswer,
    responses=refusals(CreditSessionTaken, AccountNotFound, AccountClosed, TooBusy, *_PRICED),
)
async def begin_session(body: BeginCredit, caller: Caller = permit(Permission.CREDIT_CONTROL)) -> Response:
    """A call begins: reserve money for it and say how long it may last."""
    start_s = _second(caller, body.started_at)
    ask = Ask("begin", body.session_id, body.service, body.access, body.called, start_s, ask=body.ask)
    return await _reserved(caller, "credit_begin", body, ask, credit.begin_session)


@router.post("/credit/sessions/{session_id}/update", response_model=CreditAnswer, responses=refusals(*_ON_SESSION))
async def update_session(
    session_id: HexId, body: UpdateCredit, caller: Caller = permit(Permission.CREDIT_CONTROL)
) -> Response:
    """A call goes on: report what it used and reserve more."""
    ask = Ask("update", session_id, used=body.used, ask=body.ask)
    return await _reserved(caller, "credit_update", body, ask, partial(credit.update_session, request=body))


@router.post("/credit/sessions/{session_id}/end", response_model=CreditAnswer, responses=refusals(*_ON_SESSION))
async def end_session(
    session_id: HexId, body: EndCredit, caller: Caller = permit(Permission.CREDIT_CONTROL)
) -> Response:
    """A call has ended: debit what it used and let the rest of its reservation go."""
    ask = Ask("end", session_id, used=body.used)
    return await _reserved(caller, "credit_end", body, ask, partial(credit.end_session, request=body))


@router.post(
    "/credit/events",
    response_model=CreditAnswer,
    responses=refusals(CreditSessionTaken, AccountNotFound, AccountClosed, TooBusy, *_PRICED),
)
async def charge_event(body: ChargeEvent, caller: Caller = permit(Permission.CREDIT_CONTROL)) -> Response:
    """Debit something at once, or learn that the balance does not pay for it."""
    start_s = _second(caller, body.at)
    ask = Ask("event", body.session_id, body.service, body.access, body.called, start_s, ask=body.quantity)
    return await _reserved(caller, "credit_event", body, ask, credit.charge_event)


@router.get("/accounts/{account_id}/credit", response_model=CreditViews, responses=refusals(AccountNotFound, NotFound))
def read_credit(account_id: HexId, caller: Caller = permit(Permission.ACCOUNT_VIEW)) -> Response:
    """See what live calls hold and have taken of an account, by item group."""
    account_in_scope(caller.databases, caller.context, account_id)
    with caller.reading("billing") as connection:
        return reply(credit.credit_views(connection, caller.databases.billing.clock, account_id))


async def _reserved(
    caller: Caller, kind: str, body: BaseModel, ask: Ask, work: Callable[..., CreditAnswer]
) -> Response:
    """Price, then act; again where the account or the session moved in between."""
    for _attempt in range(_ATTEMPTS):
        quote = await caller.faces.pricing.quote(ask)
        try:
            return await caller.act_soon("billing", kind, body, partial(work, quote=quote))
        except QuoteStale:
            continue
    raise TooBusy(what="credit session")


def _insist_on_price(quote: Quote) -> None:
    if quote.refusal in ("no_owner", "no_account"):
        raise CreditOwnerUnknown(access=quote.access)
    if quote.refusal:
        raise CreditNoPrice(access=quote.access)


def _second(caller: Caller, at: datetime | None) -> int:
    """An instant as UTC seconds; now where none is given. Raises InputNotValid for one without a zone."""
    if at is None:
        at = caller.databases.billing.clock.now()
    if at.tzinfo is None:
        raise InputNotValid(field="started_at", reason={"zh": "缺少时区", "en": "needs a time zone"})
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise InputNotValid(field="started_at", reason={"zh": "年份超出范围", "en": "no year of a call"})
    return int(at.timestamp())
