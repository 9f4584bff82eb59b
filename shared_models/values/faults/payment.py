"""Refusals about payments, reversals and refunds."""

from shared_models.values.faults.base import Fault


class PaymentTooLarge(Fault):
    """The amount is above what this person may take in one payment."""

    code = "payment_too_large"
    status = 422


class ReceivedTooLittle(Fault):
    """Less cash was handed over than is to be booked."""

    code = "received_too_little"
    status = 422


class ReceivedTooMuch(Fault):
    """The change would be more than policy allows: most likely a slip of the keys."""

    code = "received_too_much"
    status = 422


class BillNotOpen(Fault):
    """A bill to be paid first is not an open bill of this account."""

    code = "bill_not_open"
    status = 409


class PaymentNotFound(Fault):
    """No payment has that id, or it lies outside the caller's data scope."""

    code = "payment_not_found"
    status = 404


class PaymentAlreadyReversed(Fault):
    """The payment was reversed before."""

    code = "payment_already_reversed"
    status = 409


class PaymentNotReversible(Fault):
    """Only a payment can be reversed, not a reversal or a refund."""

    code = "payment_not_reversible"
    status = 409


class PaymentOfAnother(Fault):
    """Another member of staff took the payment; reversing it needs a further right."""

    code = "payment_of_another"
    status = 403


class PaymentDayClosed(Fault):
    """The day of the payment is closed; only a red entry by someone with that right is possible."""

    code = "payment_day_closed"
    status = 409


class AdvanceAlreadySpent(Fault):
    """What was kept as advance has been used since; there is not enough left to undo the payment."""

    code = "advance_already_spent"
    status = 409


class AdvanceTooLittle(Fault):
    """The account holds less advance than is to be paid back."""

    code = "advance_too_little"
    status = 409


class RailNotAvailable(Fault):
    """That way of paying is not set up here."""

    code = "rail_not_available"
    status = 422


class IntentNotConfirmed(Fault):
    """The device has not confirmed the money, so it cannot be booked."""

    code = "intent_not_confirmed"
    status = 409


class IntentMismatch(Fault):
    """The intent is about another account, amount or way of paying."""

    code = "intent_mismatch"
    status = 409
