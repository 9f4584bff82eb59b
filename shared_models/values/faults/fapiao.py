"""Refusals about fapiao."""

from shared_models.values.faults.base import Fault


class FapiaoNotConfigured(Fault):
    """No provider of fapiao is set up here."""

    code = "fapiao_not_configured"
    status = 409


class FapiaoNotFound(Fault):
    """No fapiao has that id, or it lies outside the caller's data scope."""

    code = "fapiao_not_found"
    status = 404


class NothingToInvoice(Fault):
    """Nothing of it is paid and not yet on a fapiao."""

    code = "nothing_to_invoice"
    status = 409


class FapiaoStepNotAllowed(Fault):
    """The state of the fapiao does not allow this step."""

    code = "fapiao_step_not_allowed"
    status = 409


class RedTooMuch(Fault):
    """A red fapiao never takes back more than is left of the blue one."""

    code = "red_too_much"
    status = 409


class FapiaoNumberTaken(Fault):
    """Another fapiao has that number."""

    code = "fapiao_number_taken"
    status = 409
