"""Refusals every slice may give."""

from shared_models.values.faults.base import Fault


class NotFound(Fault):
    """Nothing of that kind has that id, or it lies outside the caller's data scope (the two are not told apart)."""

    code = "not_found"
    status = 404


class NotPermitted(Fault):
    """The caller lacks the permission this route needs."""

    code = "not_permitted"
    status = 403


class NotSignedIn(Fault):
    """No session, or it has ended."""

    code = "not_signed_in"
    status = 401


class InputNotValid(Fault):
    """A field does not hold what it should; ``field`` and ``reason`` say which and why."""

    code = "input_not_valid"
    status = 422


class ActReused(Fault):
    """The act id was used before with other content."""

    code = "act_reused"
    status = 409


class CopyBehind(Fault):
    """This side has not yet heard the news the act builds on; the same act may be sent again."""

    code = "copy_behind"
    status = 409
    retry = True


class TooBusy(Fault):
    """A queue is full or a lock was not had in time; the same act may be sent again."""

    code = "too_busy"
    status = 503
    retry = True


class DatabaseAway(Fault):
    """The database this needs does not answer; the same act may be sent again."""

    code = "database_away"
    status = 503
    retry = True


class DiskFull(Fault):
    """The database can store nothing more; nothing of this act was stored."""

    code = "disk_full"
    status = 507
    retry = True
