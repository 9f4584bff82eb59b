"""The teller's till: open, count, close the day, deposit; and the sessions a supervisor sees."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Path

from server_api.billing.cashdesk import service as cashdesk
from server_api.faces.hall.core import (
    DEFAULT_LIMIT,
    Caller,
    Cursor,
    Limit,
    Permission,
    Response,
    hall_router,
    permit,
    refusals,
    reply,
)
from server_api.faces.hall.keyset import instant_after, instant_key
from shared_models.contracts.cashdesk import (
    AuditTill,
    CloseForOther,
    CloseTill,
    CountTill,
    DayClose,
    DepositCash,
    Deposited,
    OpenTill,
    TillPage,
    TillSession,
    TillView,
)
from shared_models.values.faults.cashdesk import (
    CounterUnknown,
    DepositTooMuch,
    TillAlreadyOpen,
    TillAuditDisagrees,
    TillAuditedByYou,
    TillCountDoesNotAdd,
    TillDifferenceUnexplained,
    TillFloatNotValid,
    TillIsYourOwn,
    TillNotFound,
    TillNotOpen,
    TillStepNotAllowed,
)

router = hall_router("tills")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["7a" * 16])]


@router.get("/till/current", response_model=TillView)
def current_till(caller: Caller = permit(Permission.TILL_OPERATE)) -> Response:
    """See the caller's own session, or that there is none."""
    with caller.reading("billing") as connection:
        return reply(cashdesk.current_till(connection, caller.context))


@router.post(
    "/till/open", response_model=TillSession, responses=refusals(CounterUnknown, TillAlreadyOpen, TillFloatNotValid)
)
def open_till(body: OpenTill, caller: Caller = permit(Permission.TILL_OPERATE)) -> Response:
    """Begin a session with the float counted into the drawer."""
    return caller.act(
        "billing", "open_till", body, lambda uow: cashdesk.open_till(uow, request=body), wait_for_after=False
    )


@router.post(
    "/till/count",
    response_model=TillSession,
    responses=refusals(CounterUnknown, TillNotOpen, TillCountDoesNotAdd, TillFloatNotValid, TillStepNotAllowed),
)
def count_till(body: CountTill, caller: Caller = permit(Permission.TILL_OPERATE)) -> Response:
    """Count the drawer by notes and coins."""
    return caller.act(
        "billing", "count_till", body, lambda uow: cashdesk.count_till(uow, request=body), wait_for_after=False
    )


@router.post(
    "/till/close",
    response_model=DayClose,
    responses=refusals(CounterUnknown, TillNotOpen, TillStepNotAllowed, TillDifferenceUnexplained),
)
def close_till(body: CloseTill, caller: Caller = permit(Permission.TILL_OPERATE)) -> Response:
    """Close the day and print its report."""
    return caller.act(
        "billing", "close_till", body, lambda uow: cashdesk.close_till(uow, request=body), wait_for_after=False
    )


@router.post(
    "/till/deposit",
    response_model=Deposited,
    responses=refusals(CounterUnknown, TillNotOpen, TillStepNotAllowed, DepositTooMuch),
)
def deposit_cash(body: DepositCash, caller: Caller = permit(Permission.TILL_OPERATE)) -> Response:
    """Hand the closed day's cash to the bank."""
    return caller.act(
        "billing", "deposit_cash", body, lambda uow: cashdesk.deposit_cash(uow, request=body), wait_for_after=False
    )


@router.post(
    "/tills/{till_id}/close",
    response_model=DayClose,
    responses=refusals(
        CounterUnknown, TillNotFound, TillIsYourOwn, TillStepNotAllowed, TillCountDoesNotAdd, TillFloatNotValid
    ),
)
def close_for_other(
    till_id: HexId, body: CloseForOther, caller: Caller = permit(Permission.TILL_CLOSE_ANY)
) -> Response:
    """Count and close a session its teller left behind."""
    return caller.act(
        "billing", "close_for_other", body,
        lambda uow: cashdesk.close_for_other(uow, till_id=till_id, request=body), wait_for_after=False,
    )  # fmt: skip


@router.post(
    "/tills/{till_id}/audit",
    response_model=TillSession,
    responses=refusals(TillNotFound, TillIsYourOwn, TillStepNotAllowed, TillAuditedByYou, TillAuditDisagrees),
)
def audit_till(till_id: HexId, body: AuditTill, caller: Caller = permit(Permission.TILL_AUDIT)) -> Response:
    """Pass a deposited session's next level of audit."""
    return caller.act(
        "billing", "audit_till", body,
        lambda uow: cashdesk.audit_till(uow, till_id=till_id, request=body), wait_for_after=False,
    )  # fmt: skip


@router.get("/tills", response_model=TillPage)
def list_tills(
    business_on: date | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    caller: Caller = permit(Permission.TILL_AUDIT),
) -> Response:
    """List sessions within the caller's data scope, newest first."""
    after = instant_key(cursor)
    with caller.reading("billing") as connection:
        items = cashdesk.list_tills(connection, caller.context, business_on=business_on, after=after, limit=limit)
    more = instant_after(items[-1].opened_at, items[-1].till_session_id) if len(items) == limit else None
    return reply(TillPage(items=tuple(items), next_cursor=more))
