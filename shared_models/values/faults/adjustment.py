"""Refusals about adjusting charges and bills."""

from shared_models.values.faults.base import Fault


class BillLineNotFound(Fault):
    """No bill has that line, or its bill lies outside the caller's data scope."""

    code = "bill_line_not_found"
    status = 404


class CreditTooMuch(Fault):
    """A credit never exceeds what is left of the line after earlier adjustments."""

    code = "credit_too_much"
    status = 409


class BillCancelled(Fault):
    """The bill was cancelled; there is nothing on it to adjust."""

    code = "bill_cancelled"
    status = 409


class AccountBeingBilled(Fault):
    """A bill run holds the account; its bills can be adjusted when the run lets it go."""

    code = "account_being_billed"
    status = 409
    retry = True


class ChargeNotFound(Fault):
    """No one-off charge has that id."""

    code = "charge_not_found"
    status = 404


class ChargeAlreadyBilled(Fault):
    """The month of the charge has been billed; adjust the line of the bill instead."""

    code = "charge_already_billed"
    status = 409


class ChargeAlreadyUndone(Fault):
    """The charge was taken back before, or is itself the taking back of one."""

    code = "charge_already_undone"
    status = 409


class ChargeNotValid(Fault):
    """The charge names an item, product or days it cannot be for."""

    code = "charge_not_valid"
    status = 422


class NoLateFee(Fault):
    """No late fee runs on that bill, or less than was to be waived."""

    code = "no_late_fee"
    status = 409
