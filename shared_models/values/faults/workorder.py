"""Refusals around work orders."""

from shared_models.values.faults.base import Fault


class WorkStepNotPossible(Fault):
    """The step cannot be taken in the state the work order is in."""

    code = "work_step_not_possible"
    status = 409


class WindowFull(Fault):
    """The team has promised all its time in that window."""

    code = "window_full"
    status = 409


class WindowNotPossible(Fault):
    """The window lies in the past or is none of those offered."""

    code = "window_not_possible"
    status = 422


class ReasonNotKnown(Fault):
    """A reason code is missing or is none of those for this situation."""

    code = "reason_not_known"
    status = 422


class ReadingNotKnown(Fault):
    """There is no such reading."""

    code = "reading_not_known"
    status = 422


class TeamNotFitting(Fault):
    """There is no such team, or the person is not in it."""

    code = "team_not_fitting"
    status = 409


class NotYourWorkOrder(Fault):
    """Somebody else does this work order."""

    code = "not_your_work_order"
    status = 409


class WorkKindUnknown(Fault):
    """There is no such kind of work."""

    code = "work_kind_unknown"
    status = 422
