"""Billing accounts: open one, see one, see what it owes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from server_api.billing.account import debit
from server_api.billing.account import service as account
from server_api.billing.payment import service as payment
from server_api.faces.hall.approvals import GIVING
from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, refusals, reply
from server_api.faces.joined.scope import account_in_scope, insist_in_scope
from shared_models.contracts.account import AccountOwed, AccountView, OpenAccount, SetCreditLimit
from shared_models.contracts.deposit import BankDebitPage, BankDebitView, OpenBankDebit, StopBankDebit
from shared_models.values.faults.account import AccountClosed, AccountNoTaken, AccountNotFound, CreditLimitNotValid
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.deposit import BankDebitNotLive

router = hall_router("accounts")
AccountId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["0f" * 16])]


@router.post("/accounts", response_model=AccountView, responses=refusals(AccountNoTaken, CreditLimitNotValid))
def open_account(body: OpenAccount, caller: Caller = permit(Permission.ACCOUNT_EDIT)) -> Response:
    """Open a billing account for a customer."""
    return caller.act("billing", "open_account", body, lambda uow: account.open_account(uow, request=body))


@router.get("/accounts/{account_id}", response_model=AccountView, responses=refusals(AccountNotFound, NotFound))
def read_account(account_id: AccountId, caller: Caller = permit(Permission.ACCOUNT_VIEW)) -> Response:
    """See an account with its balance books."""
    caller.wait_for_after("billing")
    return reply(account_in_scope(caller.databases, caller.context, account_id))


@router.get("/accounts/{account_id}/owed", response_model=AccountOwed, responses=refusals(AccountNotFound, NotFound))
def read_owed(account_id: AccountId, caller: Caller = permit(Permission.ACCOUNT_VIEW)) -> Response:
    """See everything an account owes, bill by bill and line by line, and what it holds in advance."""
    caller.wait_for_after("billing")
    with caller.reading("billing") as connection:
        owed = payment.account_owed(connection, caller.databases.billing.clock, account_id)
    insist_in_scope(caller.databases, caller.context, owed.customer_id)
    return reply(owed)


@router.post(
    "/accounts/{account_id}/credit-limit",
    response_model=AccountView,
    responses=refusals(AccountNotFound, AccountClosed, CreditLimitNotValid, NotFound, *GIVING),
)
def set_credit_limit(
    account_id: AccountId, body: SetCreditLimit, caller: Caller = permit(Permission.ACCOUNT_EDIT)
) -> Response:
    """Change how far an account may owe."""
    account_in_scope(caller.databases, caller.context, account_id)
    return caller.act(
        "billing",
        "set_credit_limit",
        body,
        lambda uow: account.set_credit_limit(uow, account_id=account_id, request=body),
    )


@router.post("/bank-debits", response_model=BankDebitView, responses=refusals(AccountNotFound, AccountClosed, NotFound))
def open_bank_debit(body: OpenBankDebit, caller: Caller = permit(Permission.DEBIT_EDIT)) -> Response:
    """Open a bank debit contract for an account; one that runs is replaced."""
    account_in_scope(caller.databases, caller.context, body.account_id)
    return caller.act("billing", "open_bank_debit", body, lambda uow: debit.open_debit(uow, request=body))


@router.post(
    "/accounts/{account_id}/bank-debit/stop",
    response_model=BankDebitView,
    responses=refusals(AccountNotFound, AccountClosed, BankDebitNotLive, NotFound),
)
def stop_bank_debit(
    account_id: AccountId, body: StopBankDebit, caller: Caller = permit(Permission.DEBIT_EDIT)
) -> Response:
    """End the bank debit contract of an account."""
    account_in_scope(caller.databases, caller.context, account_id)
    return caller.act(
        "billing", "stop_bank_debit", body, lambda uow: debit.stop_debit(uow, account_id=account_id, request=body)
    )


@router.get(
    "/accounts/{account_id}/bank-debits", response_model=BankDebitPage, responses=refusals(AccountNotFound, NotFound)
)
def list_bank_debits(account_id: AccountId, caller: Caller = permit(Permission.ACCOUNT_VIEW)) -> Response:
    """List the bank debit contracts of an account, newest first."""
    account_in_scope(caller.databases, caller.context, account_id)
    with caller.reading("billing") as connection:
        return reply(BankDebitPage(items=tuple(debit.contracts_of(connection, account_id))))
