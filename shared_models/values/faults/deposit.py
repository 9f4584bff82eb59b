"""Refusals about deposits, transfers and bank debit."""

from shared_models.values.faults.base import Fault


class DepositNotFound(Fault):
    """No deposit has that id, or it lies outside the caller's data scope."""

    code = "deposit_not_found"
    status = 404


class DepositTooLittle(Fault):
    """Less of the deposit is still held than is to be returned or forfeited."""

    code = "deposit_too_little"
    status = 409


class TransferNotPossible(Fault):
    """Balance of that kind cannot be moved there; ``reason`` says why."""

    code = "transfer_not_possible"
    status = 422


class BankDebitNotLive(Fault):
    """The account has no bank debit contract that runs."""

    code = "bank_debit_not_live"
    status = 409
