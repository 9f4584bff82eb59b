"""Refusals around products and the numbers they are reached by."""

from shared_models.values.faults.base import Fault


class NumberAlreadyTaken(Fault):
    """The number, login or card is in use by another product, or still cooling."""

    code = "number_already_taken"
    status = 409


class NumberNotValid(Fault):
    """The number, login or card cannot be right."""

    code = "number_not_valid"
    status = 422


class ProductIdTaken(Fault):
    """A product with this id exists already."""

    code = "product_id_taken"
    status = 409


class ProductEnded(Fault):
    """The product is terminated; nothing more can be done to it."""

    code = "product_ended"
    status = 409


class NotSuspendedForThat(Fault):
    """The product is not suspended for that reason."""

    code = "not_suspended_for_that"
    status = 409


class AlreadySuspendedForThat(Fault):
    """The product is suspended for that reason already."""

    code = "already_suspended_for_that"
    status = 409


class EffectiveDayTooEarly(Fault):
    """The day lies before the last change of the product, or too far from today."""

    code = "effective_day_not_possible"
    status = 422


class OfferingRequired(Fault):
    """The offering needs another one that the customer has not."""

    code = "offering_required"
    status = 409


class OfferingExcluded(Fault):
    """The offering cannot stand beside one the customer has."""

    code = "offering_excluded"
    status = 409


class NotAMember(Fault):
    """The offering is not a member of the bundle, or a bundle itself."""

    code = "not_a_member"
    status = 422


class WrongService(Fault):
    """A product keeps its service: a telephone does not become a television."""

    code = "wrong_service"
    status = 422
