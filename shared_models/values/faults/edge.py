"""Refusals of the edge: what a request can get wrong before any rule of business is asked."""

from shared_models.values.faults.base import Fault


class PathUnknown(Fault):
    """There is no such address."""

    code = "path_unknown"
    status = 404


class MethodNotOffered(Fault):
    """The address exists, but not for this verb."""

    code = "method_not_offered"
    status = 405


class RequestNotUnderstood(Fault):
    """The bytes are not an HTTP request, JSON or form this address understands."""

    code = "request_not_understood"
    status = 400


class BodyTooLarge(Fault):
    """The request is longer than any honest one."""

    code = "body_too_large"
    status = 413


class InternalTrouble(Fault):
    """A defect of ours. The incident number leads to the log; nothing of the cause is told."""

    code = "internal_trouble"
    status = 500


class TooManySignIns(Fault):
    """Too many failed sign-ins from this place or for this number; wait."""

    code = "too_many_sign_ins"
    status = 429
    retry = True


class PasswordChangeFirst(Fault):
    """The password must be changed before anything else can be done."""

    code = "password_change_first"
    status = 403


class FormExpired(Fault):
    """The form's protection against forgery does not match this session."""

    code = "form_expired"
    status = 403
