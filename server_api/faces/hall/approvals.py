"""Approvals by a second person, and how far one's own limits are used."""

from __future__ import annotations

from fastapi import Request

from server_api.billing.account import giving
from server_api.faces.edge import approvals, signing_in
from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, refusals, reply
from shared_models.contracts.approval import ApprovalGiven, ApproveAtCounter, GiveApproval, LimitReport
from shared_models.values.clock import town_day
from shared_models.values.faults.approval import (
    ApprovalExpired,
    ApprovalMismatch,
    ApprovalNeeded,
    ApprovalNotValid,
    ApprovalOfOneself,
    ApprovalTooLarge,
    ApprovalUsed,
    LimitReached,
)
from shared_models.values.faults.edge import TooManySignIns
from shared_models.values.faults.staff import SignInLocked, SignInRefused

router = hall_router("approvals")
#: What acts within limits may refuse, for the documents of their routes.
GIVING = (
    LimitReached, ApprovalNeeded, ApprovalNotValid, ApprovalMismatch, ApprovalExpired, ApprovalUsed, ApprovalOfOneself,
)  # fmt: skip
_ASKERS = (
    Permission.PAYMENT_TAKE, Permission.PAYMENT_REFUND, Permission.BILL_ADJUST, Permission.FEE_WAIVE,
    Permission.ACCOUNT_EDIT,
)  # fmt: skip


@router.post("/approvals", response_model=ApprovalGiven, responses=refusals(ApprovalOfOneself, ApprovalTooLarge))
def give_approval(body: GiveApproval, caller: Caller = permit(Permission.APPROVAL_GIVE, act=False)) -> Response:
    """Approve one act of a colleague from one's own desk. Nothing is stored until it is used."""
    given = approvals.give(
        caller.faces.sessions,
        caller.databases.billing.clock,
        caller.context,
        kind=body.kind,
        account_id=body.account_id,
        amount=body.amount_fen,
        asked_by_no=body.asked_by_no,
        reason=body.reason,
    )
    return reply(given)


@router.post(
    "/approvals/at-counter",
    response_model=ApprovalGiven,
    responses=refusals(ApprovalOfOneself, ApprovalTooLarge, SignInRefused, SignInLocked, TooManySignIns),
)
async def approve_at_counter(
    request: Request, body: ApproveAtCounter, caller: Caller = permit(*_ASKERS, act=False)
) -> Response:
    """Let a second person sign for one act at the caller's counter."""
    approver = await signing_in.vouch(request, caller, body)
    given = approvals.give(
        caller.faces.sessions,
        caller.databases.billing.clock,
        approver,
        kind=body.kind,
        account_id=body.account_id,
        amount=body.amount_fen,
        asked_by_no=caller.context.staff_no,
        reason=body.reason,
    )
    return reply(given)


@router.get("/limits", response_model=LimitReport)
def read_limits(caller: Caller = permit(*_ASKERS)) -> Response:
    """See how much of one's own limits this month's acts have used."""
    today = town_day(caller.databases.billing.clock.now())
    with caller.reading("billing") as connection:
        return reply(giving.limit_report(connection, today, context=caller.context))
