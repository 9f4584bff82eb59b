"""Refusals around faults and complaints."""

from shared_models.values.faults.base import Fault


class TroubleStepNotPossible(Fault):
    """The step cannot be taken in the state the ticket is in."""

    code = "trouble_step_not_possible"
    status = 409


class CategoryUnknown(Fault):
    """There is no such kind of fault or complaint, or no such cause."""

    code = "category_unknown"
    status = 422


class AlreadyReported(Fault):
    """The same fault of the same product is open already."""

    code = "already_reported"
    status = 409
