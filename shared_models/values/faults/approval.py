"""Refusals about limits and about approvals by a second person."""

from shared_models.values.faults.base import Fault


class ApprovalNeeded(Fault):
    """The act needs the approval of a second person, whatever its amount."""

    code = "approval_needed"
    status = 403


class LimitReached(Fault):
    """The act would take this person above the limit of the day or month; a second person must approve it."""

    code = "limit_reached"
    status = 403


class ApprovalNotValid(Fault):
    """The approval is not one this server gave, or it was changed on the way."""

    code = "approval_not_valid"
    status = 403


class ApprovalMismatch(Fault):
    """The approval is for another act, account, amount or person."""

    code = "approval_mismatch"
    status = 403


class ApprovalExpired(Fault):
    """The approval was not used in time."""

    code = "approval_expired"
    status = 403


class ApprovalUsed(Fault):
    """The approval was used before; each is good for one act."""

    code = "approval_used"
    status = 409


class ApprovalOfOneself(Fault):
    """Nobody approves their own act."""

    code = "approval_of_oneself"
    status = 403


class ApprovalTooLarge(Fault):
    """The amount is above what this person may approve."""

    code = "approval_too_large"
    status = 403
