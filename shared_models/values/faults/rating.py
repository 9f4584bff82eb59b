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


class DeckNotValid(Fault):
    """A rate deck cannot be used; ``file``, ``row`` (line), ``field`` and ``problem`` say where and what is wrong."""

    code = "deck_not_valid"
    status = 422


class CalendarNotValid(Fault):
    """A holiday calendar cannot be used; ``file``, ``row`` (line), ``field`` and ``problem`` say why."""

    code = "calendar_not_valid"
    status = 422


class CalendarDayBilled(Fault):
    """A day of a month that is billed would become another kind of day: its charges could no longer be explained."""

    code = "calendar_day_billed"
    status = 409


class RerateUnderWay(Fault):
    """Another re-rating is running; two would only do each other's work again."""

    code = "rerate_under_way"
    status = 409


class RerateEnded(Fault):
    """The re-rating is done, or was cancelled: there is nothing to stop or to go on with."""

    code = "rerate_ended"
    status = 409


class SparkNotThere(Fault):
    """Rating on Spark was asked for where PySpark or Java is not installed; ``missing`` says which."""

    code = "spark_not_there"
    status = 503


class AlreadyInPool(Fault):
    """The product shares another pool's units on that day, or this one's."""

    code = "already_in_pool"
    status = 409
