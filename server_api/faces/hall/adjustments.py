"""Adjusting what is owed: charges and credits of the open month, credits on issued lines."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from server_api.billing.bill.service import adjust, waive
from server_api.billing.payment import service as payment
from server_api.faces.hall.approvals import GIVING
from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, refusals, reply
from server_api.faces.joined.scope import account_in_scope, bill_in_scope
from shared_models.contracts.adjustment import (
    AccountCharged,
    AdjustmentPage,
    ChargeAccount,
    ChargePage,
    CreditLine,
    LateFees,
    LateFeeWaived,
    LineCredited,
    UndoCharge,
    WaiveLateFee,
)
from shared_models.values.clock import town_day
from shared_models.values.faults.account import AccountClosed, AccountNotFound
from shared_models.values.faults.adjustment import (
    AccountBeingBilled,
    BillCancelled,
    BillLineNotFound,
    ChargeAlreadyBilled,
    ChargeAlreadyUndone,
    ChargeNotFound,
    ChargeNotValid,
    CreditTooMuch,
    NoLateFee,
)
from shared_models.values.faults.common import NotFound

router = hall_router("adjustments")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["0f" * 16])]
LineNo = Annotated[int, Path(ge=1, le=1_000_000)]


@router.post(
    "/charges",
    response_model=AccountCharged,
    responses=refusals(
        ChargeNotValid, AccountNotFound, AccountClosed, BillLineNotFound, BillCancelled, NotFound, *GIVING
    ),
)
def charge_account(body: ChargeAccount, caller: Caller = permit(Permission.BILL_ADJUST)) -> Response:
    """Put a one-off charge or credit on an account's next bill."""
    account_in_scope(caller.databases, caller.context, body.account_id)
    return caller.act("billing", "charge_account", body, lambda uow: adjust.charge_account(uow, request=body))


@router.get("/accounts/{account_id}/charges", response_model=ChargePage, responses=refusals(AccountNotFound, NotFound))
def list_charges(account_id: HexId, caller: Caller = permit(Permission.ACCOUNT_VIEW)) -> Response:
    """List one-off charges of an account that no bill has taken up yet."""
    account_in_scope(caller.databases, caller.context, account_id)
    today = town_day(caller.databases.billing.clock.now())
    with caller.reading("billing") as connection:
        return reply(ChargePage(items=tuple(adjust.charges_waiting(connection, today, account_id))))


@router.post(
    "/accounts/{account_id}/charges/{charge_id}/undo",
    response_model=AccountCharged,
    responses=refusals(
        ChargeNotFound, ChargeAlreadyUndone, ChargeAlreadyBilled, AccountNotFound, AccountClosed, NotFound, *GIVING
    ),
)
def undo_charge(
    account_id: HexId, charge_id: HexId, body: UndoCharge, caller: Caller = permit(Permission.BILL_ADJUST)
) -> Response:
    """Take a one-off charge back before its month is billed."""
    account_in_scope(caller.databases, caller.context, account_id)
    return caller.act(
        "billing", "undo_charge", body,
        lambda uow: adjust.undo_charge(uow, account_id=account_id, charge_id=charge_id, request=body),
    )  # fmt: skip


@router.get("/accounts/{account_id}/late-fees", response_model=LateFees, responses=refusals(AccountNotFound, NotFound))
def list_late_fees(account_id: HexId, caller: Caller = permit(Permission.ACCOUNT_VIEW)) -> Response:
    """List the late fees of an account that run up to today and are on no bill yet."""
    account_in_scope(caller.databases, caller.context, account_id)
    today = town_day(caller.databases.billing.clock.now())
    with caller.reading("billing") as connection:
        return reply(waive.late_fees(connection, account_id, today))


@router.post(
    "/late-fee-waivers",
    response_model=LateFeeWaived,
    responses=refusals(NoLateFee, NotFound, AccountNotFound, AccountClosed, AccountBeingBilled, *GIVING),
)
def waive_late_fee(body: WaiveLateFee, caller: Caller = permit(Permission.FEE_WAIVE)) -> Response:
    """Do not ask for the late fee an overdue bill has run up and no bill has on it yet."""
    bill_in_scope(caller.databases, caller.context, body.bill_id)
    return caller.act("billing", "waive_late_fee", body, lambda uow: waive.waive_late_fee(uow, request=body))


@router.post(
    "/bills/{bill_id}/lines/{line_no}/credit",
    response_model=LineCredited,
    responses=refusals(
        BillLineNotFound, BillCancelled, CreditTooMuch, AccountBeingBilled, AccountClosed, NotFound, *GIVING
    ),
)
def credit_line(
    bill_id: HexId, line_no: LineNo, body: CreditLine, caller: Caller = permit(Permission.BILL_ADJUST)
) -> Response:
    """Take something off a line of an issued bill; what had been paid of it goes back to the account's books."""
    bill_in_scope(caller.databases, caller.context, bill_id)
    return caller.act(
        "billing", "credit_line", body,
        lambda uow: payment.credit_line(uow, bill_id=bill_id, line_no=line_no, request=body),
    )  # fmt: skip


@router.get(
    "/bills/{bill_id}/adjustments", response_model=AdjustmentPage, responses=refusals(BillLineNotFound, NotFound)
)
def list_adjustments(bill_id: HexId, caller: Caller = permit(Permission.BILL_VIEW)) -> Response:
    """List what was taken off a bill."""
    with caller.reading("billing") as connection:
        account_id, items = adjust.adjustments_of(connection, bill_id)
    account_in_scope(caller.databases, caller.context, account_id)
    return reply(AdjustmentPage(items=tuple(items)))
