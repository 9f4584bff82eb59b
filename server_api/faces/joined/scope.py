"""May this person see this account? The data scope is the customer's, and customers are business's."""

from __future__ import annotations

from server_api.billing.account import service as account
from server_api.billing.bill import service as bill
from server_api.business.party import service as party
from server_api.platform.database import Databases
from shared_models.contracts.account import AccountView
from shared_models.contracts.work import DataScope, WorkContext


def insist_in_scope(databases: Databases, context: WorkContext, customer_id: str) -> None:
    """Raise NotFound where the customer lies outside the caller's scope. Asks nobody where the scope is everything."""
    if context.scope is not DataScope.ALL:
        with databases.business.reading() as connection:
            party.read_customer(connection, customer_id, context)


def account_in_scope(databases: Databases, context: WorkContext, account_id: str) -> AccountView:
    """The account, where the caller may see its customer. Raises AccountNotFound, NotFound otherwise."""
    with databases.billing.reading() as connection:
        found = account.view_account(connection, account_id)
    insist_in_scope(databases, context, found.customer_id)
    return found


def bill_in_scope(databases: Databases, context: WorkContext, bill_id: str) -> None:
    """Raise NotFound where there is no such bill, or its customer lies outside the caller's scope."""
    with databases.billing.reading() as connection:
        _account_id, customer_id = bill.account_of_bill(connection, bill_id)
    insist_in_scope(databases, context, customer_id)
