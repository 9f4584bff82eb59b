"""Refusals at the till."""

from shared_models.values.faults.base import Fault


class TillNotOpen(Fault):
    """The caller has no till session open at this counter."""

    code = "till_not_open"
    status = 409


class TillAlreadyOpen(Fault):
    """The counter, or the person, has a session that is not closed yet."""

    code = "till_already_open"
    status = 409


class TillStepNotAllowed(Fault):
    """The session's state does not allow this step."""

    code = "till_step_not_allowed"
    status = 409


class TillCountDoesNotAdd(Fault):
    """The counted total is not the sum of the notes and coins."""

    code = "till_count_does_not_add"
    status = 422


class TillDifferenceUnexplained(Fault):
    """The drawer holds more or less than it should and no note explains it."""

    code = "till_difference_unexplained"
    status = 409


class TillCashTooLittle(Fault):
    """The drawer does not hold that much cash."""

    code = "till_cash_too_little"
    status = 409


class TillFloatNotValid(Fault):
    """A float lies between zero and what policy allows."""

    code = "till_float_not_valid"
    status = 422


class DepositTooMuch(Fault):
    """More cash is to be deposited than was counted."""

    code = "deposit_too_much"
    status = 409


class ReceiptNotFound(Fault):
    """No paper has that number, or it lies outside the caller's data scope."""

    code = "receipt_not_found"
    status = 404


class CounterUnknown(Fault):
    """The caller works at no counter; money is taken at counters only."""

    code = "counter_unknown"
    status = 409


class TillNotFound(Fault):
    """No session has that id, or it lies outside the caller's data scope."""

    code = "till_not_found"
    status = 404


class TillIsYourOwn(Fault):
    """A session is closed for its teller, and audited, by somebody else."""

    code = "till_is_your_own"
    status = 409


class TillAuditedByYou(Fault):
    """Each level of an audit is another person's."""

    code = "till_audited_by_you"
    status = 409


class TillAuditDisagrees(Fault):
    """The bank's slip says another amount than was deposited."""

    code = "till_audit_disagrees"
    status = 409
