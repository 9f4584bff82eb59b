"""Refusals about billing accounts."""

from shared_models.values.faults.base import Fault


class AccountNotFound(Fault):
    """No billing account has that id."""

    code = "account_not_found"
    status = 404


class AccountClosed(Fault):
    """The account is closed; it takes no money and no charges."""

    code = "account_closed"
    status = 409


class AccountNoTaken(Fault):
    """Another account has that number, or that id."""

    code = "account_no_taken"
    status = 409


class CreditLimitNotValid(Fault):
    """A credit limit lies between zero and what policy allows."""

    code = "credit_limit_not_valid"
    status = 422
