"""Fapiao at the counter: asked for, made red, handed out again, settled by a person."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from server_api.billing.payment.fapiao import reading, service
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
from server_api.faces.joined.scope import account_in_scope
from shared_models.contracts.fapiao import (
    FapiaoCopy,
    FapiaoPage,
    FapiaoView,
    IssueFapiao,
    RedFapiao,
    Reprinted,
    ResolveFapiao,
    VoidFapiao,
)
from shared_models.values.faults.account import AccountClosed, AccountNotFound
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.fapiao import (
    FapiaoNotConfigured,
    FapiaoNotFound,
    FapiaoNumberTaken,
    FapiaoStepNotAllowed,
    NothingToInvoice,
    RedTooMuch,
)
from shared_models.values.faults.payment import BillNotOpen, PaymentNotFound

router = hall_router("fapiao")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["3f" * 16])]


@router.post(
    "/fapiao",
    response_model=FapiaoView,
    responses=refusals(FapiaoNotConfigured, PaymentNotFound, BillNotOpen, NothingToInvoice, AccountClosed),
)
def issue_fapiao(body: IssueFapiao, caller: Caller = permit(Permission.FAPIAO_ISSUE)) -> Response:
    """Ask for a fapiao of a payment or of bills; its number comes later."""
    return caller.act(
        "billing", "issue_fapiao", body, lambda uow: service.issue_fapiao(uow, request=body), wait_for_after=False
    )


@router.get("/fapiao", response_model=FapiaoPage)
def list_open_fapiao(
    limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None, caller: Caller = permit(Permission.FAPIAO_RESOLVE)
) -> Response:
    """List fapiao in the caller's data scope that are not done or were refused, newest first."""
    after = instant_key(cursor)
    with caller.reading("billing") as connection:
        items = reading.list_fapiao(connection, caller.context, open_only=True, after=after, limit=limit)
    more = instant_after(items[-1].intended_at, items[-1].fapiao_id) if len(items) == limit else None
    return reply(FapiaoPage(items=tuple(items), next_cursor=more))


@router.get("/accounts/{account_id}/fapiao", response_model=FapiaoPage, responses=refusals(AccountNotFound, NotFound))
def list_fapiao(
    account_id: HexId,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    caller: Caller = permit(Permission.FAPIAO_ISSUE, Permission.ACCOUNT_VIEW),
) -> Response:
    """List the fapiao of an account, newest first."""
    account_in_scope(caller.databases, caller.context, account_id)
    after = instant_key(cursor)
    with caller.reading("billing") as connection:
        items = reading.list_fapiao(connection, caller.context, account_id=account_id, after=after, limit=limit)
    more = instant_after(items[-1].intended_at, items[-1].fapiao_id) if len(items) == limit else None
    return reply(FapiaoPage(items=tuple(items), next_cursor=more))


@router.get("/fapiao/{fapiao_id}", response_model=FapiaoView, responses=refusals(FapiaoNotFound))
def read_fapiao(
    fapiao_id: HexId, caller: Caller = permit(Permission.FAPIAO_ISSUE, Permission.FAPIAO_RESOLVE)
) -> Response:
    """See a fapiao and what is on it."""
    with caller.reading("billing") as connection:
        secrets = caller.databases.billing.secrets
        return reply(reading.read_fapiao(connection, fapiao_id, caller.context, secrets))


@router.post(
    "/fapiao/{fapiao_id}/red",
    response_model=FapiaoView,
    responses=refusals(FapiaoNotConfigured, FapiaoNotFound, FapiaoStepNotAllowed, RedTooMuch, AccountClosed),
)
def red_fapiao(fapiao_id: HexId, body: RedFapiao, caller: Caller = permit(Permission.FAPIAO_RED)) -> Response:
    """Take a fapiao back by a red one, wholly or in part."""
    return caller.act(
        "billing", "red_fapiao", body,
        lambda uow: service.red_fapiao(uow, fapiao_id=fapiao_id, request=body), wait_for_after=False,
    )  # fmt: skip


@router.post(
    "/fapiao/{fapiao_id}/void", response_model=FapiaoView, responses=refusals(FapiaoNotFound, FapiaoStepNotAllowed)
)
def void_fapiao(fapiao_id: HexId, body: VoidFapiao, caller: Caller = permit(Permission.FAPIAO_ISSUE)) -> Response:
    """Take back a fapiao nobody was asked for yet."""
    return caller.act(
        "billing", "void_fapiao", body,
        lambda uow: service.void_fapiao(uow, fapiao_id=fapiao_id, reason=body.reason), wait_for_after=False,
    )  # fmt: skip


@router.post(
    "/fapiao/{fapiao_id}/resolve",
    response_model=FapiaoView,
    responses=refusals(FapiaoNotFound, FapiaoStepNotAllowed, FapiaoNumberTaken),
)
def resolve_fapiao(
    fapiao_id: HexId, body: ResolveFapiao, caller: Caller = permit(Permission.FAPIAO_RESOLVE)
) -> Response:
    """Settle a fapiao whose outcome is not known."""
    return caller.act(
        "billing", "resolve_fapiao", body,
        lambda uow: service.resolve_fapiao(uow, fapiao_id=fapiao_id, request=body), wait_for_after=False,
    )  # fmt: skip


@router.post(
    "/fapiao/{fapiao_id}/copy", response_model=FapiaoCopy, responses=refusals(FapiaoNotFound, FapiaoStepNotAllowed)
)
def copy_fapiao(fapiao_id: HexId, body: Reprinted, caller: Caller = permit(Permission.FAPIAO_ISSUE)) -> Response:
    """Hand a fapiao out again; copies are counted."""
    return caller.act(
        "billing", "copy_fapiao", body,
        lambda uow: service.copy_fapiao(uow, fapiao_id=fapiao_id), wait_for_after=False,
    )  # fmt: skip
