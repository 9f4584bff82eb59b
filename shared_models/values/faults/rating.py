"""Refusals of tariffs and rating."""

from shared_models.values.faults.base import Fault


class TariffNotValid(Fault):
    """A tariff file cannot be used; ``file``, ``row`` and ``field`` say where, ``problem`` what is wrong."""

    code = "tariff_not_valid"
    status = 422


class TariffChanged(Fault):
    """A tariff version that rates usage already would be changed; a correction is a version of a later day."""

    code = "tariff_changed"
    status = 409


class UsageNotDealtOut(Fault):
    """Included units of the period are still to be dealt out; the bill would not be final."""

    code = "usage_not_dealt_out"
    status = 409
    retry = True
