"""Refusals around orders."""

from shared_models.values.faults.base import Fault


class OrderIdTaken(Fault):
    """Another order has this id."""

    code = "order_id_taken"
    status = 409


class OrderFieldMissing(Fault):
    """An act needs a field the item does not name."""

    code = "order_field_missing"
    status = 422


class OrderPastReturn(Fault):
    """The order has gone further than it can be taken back."""

    code = "order_past_return"
    status = 409


class OrderStepNotPossible(Fault):
    """The order's state does not allow what is asked."""

    code = "order_step_not_possible"
    status = 409


class OrderUnderWay(Fault):
    """Another order for the same product is not finished yet."""

    code = "order_under_way"
    status = 409


class OfferChangeNotAllowed(Fault):
    """The catalogue does not let one offering follow the other."""

    code = "offer_change_not_allowed"
    status = 409


class BundleMemberMissing(Fault):
    """A bundle is sold without a member it must have."""

    code = "bundle_member_missing"
    status = 409


class PasswordNeeded(Fault):
    """The service needs a password the item does not give."""

    code = "order_password_needed"
    status = 422


class OrderFileNotReadable(Fault):
    """The file is no list of orders."""

    code = "order_file_not_readable"
    status = 422
