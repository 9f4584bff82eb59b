"""Refusals of provisioning."""

from shared_models.values.faults.base import Fault


class SystemsNotValid(Fault):
    """The list of connected systems, or what it says of one, cannot be used."""

    code = "systems_not_valid"
    status = 422


class SystemUnknown(Fault):
    """No system of that name is connected."""

    code = "system_unknown"
    status = 404


class CommandNotValid(Fault):
    """The system has no such act, or its fields are not as the manifest says."""

    code = "command_not_valid"
    status = 422


class CommandNotFound(Fault):
    """There is no such command."""

    code = "command_not_found"
    status = 404


class CommandNotForPerson(Fault):
    """Only a command that waits for a person may be settled by one."""

    code = "command_not_for_person"
    status = 409


class DifferenceNotOpen(Fault):
    """There is no such difference, or it is settled."""

    code = "difference_not_open"
    status = 409
