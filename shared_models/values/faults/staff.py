"""Refusals of signing in and of staff administration."""

from shared_models.values.faults.base import Fault


class SignInRefused(Fault):
    """Staff number or password is wrong (the two are not told apart)."""

    code = "sign_in_refused"
    status = 401


class SignInLocked(Fault):
    """Too many wrong passwords; ``retry_after_s`` says when the next try is taken."""

    code = "sign_in_locked"
    status = 423


class OneTimePasswordExpired(Fault):
    """The password given out was not used in time."""

    code = "one_time_password_expired"
    status = 401


class CounterNotInHall(Fault):
    """The hall of this member of staff has no such counter."""

    code = "counter_not_in_hall"
    status = 422


class PasswordTooWeak(Fault):
    """The new password is too short or of too few kinds of characters."""

    code = "password_too_weak"
    status = 422


class PasswordReused(Fault):
    """The new password is one of the last few."""

    code = "password_reused"
    status = 422


class StaffNoTaken(Fault):
    """Another member of staff has this number."""

    code = "staff_no_taken"
    status = 409


class HallUnknown(Fault):
    """There is no such business hall."""

    code = "hall_unknown"
    status = 422


class RoleUnknown(Fault):
    """There is no such role."""

    code = "role_unknown"
    status = 422


class ChangedMeanwhile(Fault):
    """Somebody else changed it after it was read."""

    code = "changed_meanwhile"
    status = 409
