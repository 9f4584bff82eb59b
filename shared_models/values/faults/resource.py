"""Refusals around numbers, lines, devices and stock."""

from shared_models.values.faults.base import Fault


class ResourceTaken(Fault):
    """Somebody else has it, or it is not to be had in the state it is in."""

    code = "resource_taken"
    status = 409


class ResourceUnknown(Fault):
    """There is no such thing in the records."""

    code = "resource_unknown"
    status = 404


class NoneFree(Fault):
    """Nothing of that kind is free there."""

    code = "none_free"
    status = 409


class AddressNotReached(Fault):
    """No place in the records reaches that address."""

    code = "address_not_reached"
    status = 409


class StateNotPossible(Fault):
    """The event cannot happen in the state the thing is in."""

    code = "state_not_possible"
    status = 409


class StockTooLow(Fault):
    """There is less of the material there than is to be taken."""

    code = "stock_too_low"
    status = 409


class PlaceUnknown(Fault):
    """There is no such exchange, cabinet, box, warehouse or van."""

    code = "place_unknown"
    status = 404


class ResourceFileNotReadable(Fault):
    """The file is no Excel workbook with the sheets of an import."""

    code = "resource_file_not_readable"
    status = 422
