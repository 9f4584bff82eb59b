"""Deposits and transfers of balance at the counter."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from server_api.billing.payment import service as payment
from server_api.faces.hall.approvals import GIVING
from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, refusals, reply
from server_api.faces.joined.scope import account_in_scope
from shared_models.contracts.deposit import (
    BalanceTransferred,
    DepositMoved,
    DepositPage,
    ForfeitDeposit,
    ReturnDeposit,
    TakeDeposit,
    TransferBalance,
)
from shared_models.values.faults.account import AccountClosed, AccountNotFound
from shared_models.values.faults.cashdesk import CounterUnknown, TillCashTooLittle, TillNotOpen
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.deposit import DepositNotFound, DepositTooLittle, TransferNotPossible
from shared_models.values.faults.payment import (
    AdvanceTooLittle,
    IntentMismatch,
    IntentNotConfirmed,
    PaymentNotFound,
    PaymentTooLarge,
    RailNotAvailable,
    ReceivedTooLittle,
    ReceivedTooMuch,
)

router = hall_router("deposits")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["0f" * 16])]


@router.post(
    "/deposits",
    response_model=DepositMoved,
    responses=refusals(
        AccountNotFound, AccountClosed, PaymentTooLarge, ReceivedTooLittle, ReceivedTooMuch, RailNotAvailable,
        IntentNotConfirmed, IntentMismatch, PaymentNotFound, TillNotOpen, CounterUnknown,
    ),
)  # fmt: skip
def take_deposit(body: TakeDeposit, caller: Caller = permit(Permission.DEPOSIT_TAKE)) -> Response:
    """Take a deposit and hand over its receipt."""
    return caller.act(
        "billing", "take_deposit", body, lambda uow: payment.take_deposit(uow, request=body), wait_for_after=False
    )


@router.post(
    "/deposits/{deposit_id}/return",
    response_model=DepositMoved,
    responses=refusals(
        DepositNotFound, DepositTooLittle, TillCashTooLittle, TillNotOpen, CounterUnknown, AccountClosed, *GIVING
    ),
)
def return_deposit(
    deposit_id: HexId, body: ReturnDeposit, caller: Caller = permit(Permission.DEPOSIT_RETURN)
) -> Response:
    """Give a deposit back, in cash or into the balance."""
    return caller.act(
        "billing", "return_deposit", body,
        lambda uow: payment.return_deposit(uow, deposit_id=deposit_id, request=body), wait_for_after=False,
    )  # fmt: skip


@router.post(
    "/deposits/{deposit_id}/forfeit",
    response_model=DepositMoved,
    responses=refusals(DepositNotFound, DepositTooLittle, AccountClosed, *GIVING),
)
def forfeit_deposit(
    deposit_id: HexId, body: ForfeitDeposit, caller: Caller = permit(Permission.DEPOSIT_RETURN)
) -> Response:
    """Keep a deposit as income."""
    return caller.act(
        "billing", "forfeit_deposit", body,
        lambda uow: payment.forfeit_deposit(uow, deposit_id=deposit_id, request=body), wait_for_after=False,
    )  # fmt: skip


@router.get(
    "/accounts/{account_id}/deposits", response_model=DepositPage, responses=refusals(AccountNotFound, NotFound)
)
def list_deposits(account_id: HexId, caller: Caller = permit(Permission.ACCOUNT_VIEW)) -> Response:
    """List the deposits of an account."""
    account_in_scope(caller.databases, caller.context, account_id)
    with caller.reading("billing") as connection:
        return reply(DepositPage(items=tuple(payment.deposits_of(connection, account_id))))


@router.post(
    "/transfers",
    response_model=BalanceTransferred,
    responses=refusals(TransferNotPossible, AdvanceTooLittle, AccountNotFound, AccountClosed, *GIVING),
)
def transfer_balance(body: TransferBalance, caller: Caller = permit(Permission.BALANCE_TRANSFER)) -> Response:
    """Move balance to another account or book."""
    return caller.act(
        "billing", "transfer_balance", body,
        lambda uow: payment.transfer_balance(uow, request=body), wait_for_after=False,
    )  # fmt: skip
